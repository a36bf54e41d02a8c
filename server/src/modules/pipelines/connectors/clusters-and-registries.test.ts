import { afterAll, describe, expect, test } from "vitest";
import { connectorOf, toolsFor } from "../../../../test/services/connectors.ts";
import { startDockerRegistry } from "../../../../test/services/docker-registry.ts";
import { startKubernetesApi } from "../../../../test/services/kubernetes-api.ts";
import { certificate, startService } from "../../../../test/services/service.ts";
import { connectorClient, verifyConnector } from "./verification.ts";

const login = { username: "robot", password: "registry-secret" };
const [basic, byToken, open, plain, tls, broken] = await Promise.all([
  startDockerRegistry(login, "basic"),
  startDockerRegistry(login, "token"),
  startService(() => ({ body: {} })),
  startKubernetesApi({ token: "cluster-token", username: "u", password: "cluster-password" }),
  startKubernetesApi({ takesCertificates: true, token: "cluster-token" }, { tls: true }),
  startService(({ headers }) => ({ status: 403, body: { message: `no: ${headers.authorization ?? ""}` } })),
]);
afterAll(() =>
  Promise.all([basic, byToken, open, plain, tls, broken].map((one) => one[Symbol.asyncDispose]())),
);

const tools = toolsFor();
const errorOf = async (given: ReturnType<typeof connectorOf>): Promise<string | null> =>
  (await verifyConnector(given, tools, { list: true })).error;

describe("connectors to registries", () => {
  const docker = (url: string, more: object = {}): ReturnType<typeof connectorOf> =>
    connectorOf({ type: "docker", method: "password", configuration: { ...login, registry: url, ...more } });

  test.each([
    ["that take the password", basic.url],
    ["that give a token for it", byToken.url],
    ["on this machine, without a scheme", basic.url.replace("http://", "")],
    ["that ask for nothing", open.url],
  ])("%s", async (_how, url) => {
    const { error, resources } = await verifyConnector(docker(url), tools, { list: true });
    expect([error, resources[0]?.resource_ids]).toStrictEqual([null, [url.replace("http://", "")]]);
  });

  test.each([basic.url, byToken.url])("refuse a wrong password, which is not shown", async (url) => {
    const error = await errorOf(docker(url, { password: "wrong-secret" }));
    expect(error).toMatch(
      /authorization failure: the registry 127\.0\.0\.1:\d+ refuses the user name and password$/,
    );
  });

  test("that cannot be reached say why", async () => {
    expect(await errorOf(docker("https://registry.invalid"))).toContain(
      "registry.invalid: 'registry.invalid' cannot be resolved",
    );
    expect(await errorOf(docker("http://192.168.77.1:5000"))).toContain("is not a public address");
    expect(await errorOf(docker(plain.url))).toContain("is no registry: /v2/ answers 404");
  });

  test("give their own credentials, for no other registry", async () => {
    const client = await connectorClient(docker(basic.url), tools, { resourceId: `${basic.url}/images` });
    expect(client).toMatchObject({ name: "one", method: { auth_method: "password" }, configuration: login });
    await expect(connectorClient(docker(basic.url), tools, { resourceId: "docker.io" })).rejects.toThrow(
      /does not allow access to the provided 'docker\.io' Docker\/OCI container registry resource/,
    );
  });
});

describe("connectors to clusters", () => {
  const cluster = (method: string, server: string, configuration: object): ReturnType<typeof connectorOf> =>
    connectorOf({
      type: "kubernetes",
      method,
      configuration: { cluster_name: "lab", server, ...configuration },
    });
  const inBase64 = (text: string): string => Buffer.from(text).toString("base64");

  const ways = {
    "a token": cluster("token", plain.url, { token: "cluster-token" }),
    "a password": cluster("password", plain.url, { username: "u", password: "cluster-password" }),
    "a token, by the authority that is given": cluster("token", tls.url, {
      token: "cluster-token",
      certificate_authority: inBase64(certificate.cert),
    }),
    "a certificate": cluster("token", tls.url, {
      certificate_authority: inBase64(certificate.cert),
      client_certificate: inBase64(certificate.cert),
      client_key: inBase64(certificate.key),
    }),
    "a token, unchecked": cluster("token", tls.url, { token: "cluster-token", insecure: "true" }),
  };

  test.each(Object.entries(ways))("by %s", async (_how, given) => {
    const { error, resources } = await verifyConnector(given, tools, { list: true });
    expect([error, resources[0]?.resource_ids]).toStrictEqual([null, ["lab"]]);
    const client = await connectorClient(given, tools, {});
    expect(client).toMatchObject({ resourceId: "lab", configuration: given.configuration });
  });

  test("refuse what they do not know", async () => {
    expect(await errorOf(cluster("token", plain.url, { token: "stolen-token" }))).toContain(
      "/version answers 401: Unauthorized",
    );
    // Everybody is told the version: that alone proves nothing.
    expect(await errorOf(cluster("password", plain.url, { username: "u", password: "guess" }))).toContain(
      "/api answers 403: forbidden",
    );
    expect(await errorOf(cluster("token", plain.url, {}))).toContain("/api answers 403");
  });

  test("are not asked where their certificate is not trusted", async () => {
    expect(await errorOf(cluster("token", tls.url, { token: "cluster-token" }))).toContain(
      "self-signed certificate",
    );
    const garbled = cluster("token", tls.url, {
      client_certificate: inBase64("none"),
      client_key: inBase64("none"),
    });
    expect(await errorOf(garbled)).toContain("certificate or key cannot be read");
  });

  test("that answer with what they were sent do not make a message of it", async () => {
    const error = await errorOf(cluster("token", broken.url, { token: "cluster-token" }));
    expect(error).toContain("/version answers 403: no: Bearer ***");
  });
});
