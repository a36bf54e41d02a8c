import { afterAll, describe, expect, it } from "vitest";
import { startTestServer } from "../../../test/harness.ts";
import { machine } from "../../../test/principals.ts";
import { startAws } from "../../../test/services/aws.ts";
import { withHeaders } from "../../../test/workspaces.ts";

// What ZenML's Terraform provider sends for its resources `zenml_service_connector` and `zenml_secret`, in that order.

const [server, aws] = await Promise.all([
  startTestServer({ login: "required", "outbound-allowed-hosts": "127.0.0.1" }),
  startAws({ accessKeyId: "AKIAEXAMPLE", buckets: ["bucket"], hasTokens: true }),
]);
const robot = await machine(server, "terraform");
const role = await server.app.identity.roles.findRole("default", "editor");
await server.app.identity.roles.assignRole({ principalId: robot.row.principal_id }, role?.role_id ?? 0);
afterAll(() => Promise.all([server, aws].map((one) => one[Symbol.asyncDispose]())));

const go = { "user-agent": "Go-http-client/1.1" };
const login = await server.call("POST", "/api/v1/login", `password=${robot.key}`, {
  ...go,
  "content-type": "application/x-www-form-urlencoded",
});
const provider = withHeaders(server, { ...go, authorization: `Bearer ${login.json.access_token}` });

const API = "/api/v1/service_connectors";
const configuration = {
  aws_access_key_id: "AKIAEXAMPLE",
  aws_secret_access_key: "held-by-state",
  region: "eu-west-1",
  endpoint_url: aws.url,
};
const connector = {
  user: robot.row.uuid,
  name: "held-aws",
  connector_type: "aws",
  auth_method: "secret-key",
  resource_types: ["s3-bucket"],
  configuration,
  labels: { owner: "platform", tag: "a" },
};

describe("Terraform keeps", () => {
  it("a service connector, which it verifies before it makes it", async () => {
    // It asks again until the service answers, and nothing is kept of that.
    for (const client of [provider, withHeaders(provider, { "x-request-id": "again" })]) {
      const verified = await client.post(`${API}/verify`, connector);
      expect([verified.status, verified.json.error]).toStrictEqual([200, null]);
    }
    const made = await provider.post(API, connector);
    expect(made.status, made.text).toBe(200);
    const { id } = made.json;
    const read = async (): Promise<unknown> => {
      const { body, metadata, name } = (await provider.get(`${API}/${id}`)).json;
      const { auth_method: method, resource_types: types, resource_id: resource } = body;
      return [name, body.connector_type.connector_type, method, types, resource, metadata];
    };
    // What is read is what was said: else each plan would change it.
    expect(await read()).toStrictEqual([
      "held-aws",
      "aws",
      "secret-key",
      ["s3-bucket"],
      null,
      { configuration, expiration_seconds: null, labels: connector.labels },
    ]);
    expect((await provider.get(`${API}?name=held-aws&page=1&size=100`)).json.items[0].id).toBe(id);
    const changed = await provider.call("PUT", `${API}/${id}`, {
      name: "held-aws",
      configuration: { ...configuration, region: "eu-west-2" },
      labels: { owner: "platform", tag: "b" },
      resource_types: ["s3-bucket"],
      resource_id: null,
    });
    expect(changed.status, changed.text).toBe(200);
    expect(await read()).toMatchObject({
      5: { configuration: { ...configuration, region: "eu-west-2" }, labels: { tag: "b" } },
    });
    expect((await provider.call("DELETE", `${API}/${id}`)).text).toBe("null");
    expect((await provider.get(`${API}/${id}`)).status).toBe(404);
    expect((await provider.call("DELETE", `${API}/${id}`)).status).toBe(404);
  });

  it("texts for flags and times as they were written", async () => {
    const written = {
      name: "held-cluster",
      connector_type: "kubernetes",
      auth_method: "token",
      resource_types: ["kubernetes-cluster"],
      resource_id: "lab",
      configuration: {
        server: "https://lab.example.org",
        cluster_name: "lab",
        insecure: "false",
        token: "t",
      },
      expires_at: "2099-01-02T03:04:05Z",
      expires_skew_tolerance: 60,
    };
    const made = await provider.post(API, written);
    const { body, metadata } = (await provider.get(`${API}/${made.json.id}`)).json;
    expect(metadata.configuration).toStrictEqual(written.configuration);
    expect(body).toMatchObject({
      resource_id: "lab",
      expires_skew_tolerance: 60,
      expires_at: "2099-01-02T03:04:05",
    });
  });

  it("texts for lists as the lists that clients read", async () => {
    const made = await provider.post(API, {
      name: "held-machines",
      connector_type: "hyperai",
      auth_method: "rsa-key",
      configuration: { base64_ssh_key: "c3No", hostnames: "a.example.org, b.example.org", username: "u" },
    });
    expect(made.json.metadata.configuration.hostnames).toStrictEqual(["a.example.org", "b.example.org"]);
  });

  it("a connector that cannot be verified away, with the reason", async () => {
    const wrong = { ...connector, configuration: { ...configuration, aws_access_key_id: "AKIAOTHER" } };
    const { status, json } = await provider.post(`${API}/verify`, wrong);
    expect([status, json.error]).toStrictEqual([200, expect.stringContaining("InvalidClientTokenId")]);
    const unfit = await provider.post(`${API}/verify`, { ...connector, auth_method: "workload-identity" });
    expect([unfit.status, unfit.json.detail[1]]).toStrictEqual([400, expect.stringContaining("'iam-role'")]);
  });

  it("a secret", async () => {
    const made = await provider.post("/api/v1/secrets", {
      name: "held",
      private: false,
      values: { key: "one" },
    });
    const path = `/api/v1/secrets/${made.json.id}`;
    expect((await provider.get(path)).json).toMatchObject({
      name: "held",
      body: { private: false, values: { key: "one" } },
    });
    const changed = await provider.call("PUT", path, { name: "held", values: { key: "two", more: "three" } });
    expect(changed.json.body.values).toStrictEqual({ key: "two", more: "three" });
    expect((await provider.call("DELETE", path)).status).toBe(200);
    expect((await provider.get(path)).status).toBe(404);
    expect((await provider.call("DELETE", path)).status).toBe(404);
  });
});
