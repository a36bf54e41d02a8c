import { afterAll, describe, expect, test } from "vitest";
import { startAzure, subscription, tenant } from "../../../../test/services/azure.ts";
import { connectorOf, toolsFor } from "../../../../test/services/connectors.ts";
import { serviceAccountKey, startGoogle, userAccountKey } from "../../../../test/services/google.ts";
import { basicOf, startService } from "../../../../test/services/service.ts";
import { connectorClient, verifyConnector } from "./verification.ts";

const [google, azure, tokens] = await Promise.all([
  startGoogle(),
  startAzure(),
  startService(({ form, headers }) => {
    const byHeader = headers.authorization === basicOf("app", "app-secret");
    const byBody = form.get("client_id") === "app" && form.get("client_secret") === "app-secret";
    const isPublic = form.get("client_id") === "app" && form.get("refresh_token") === "refresh-me";
    if (!byHeader && !byBody && !isPublic) return { status: 401, body: { error: "invalid_client" } };
    return {
      body: { access_token: `for ${form.get("scope") ?? "all"}`, token_type: "bearer", expires_in: "60" },
    };
  }),
]);
afterAll(() => Promise.all([google, azure, tokens].map((one) => one[Symbol.asyncDispose]())));

const places = {
  google: {
    storage: google.url,
    container: google.url,
    artifactRegistry: google.url,
    iamCredentials: google.url,
  },
  azure: {
    login: azure.url,
    management: azure.url,
    blob: (account: string) => `${azure.url}/blob/${account}`,
  },
};
const tools = toolsFor(places);
type Given = ReturnType<typeof connectorOf>;
const verify = (given: Given, asked: object = {}): ReturnType<typeof verifyConnector> =>
  verifyConnector(given, tools, { list: true, ...asked });
const idsOf = async (given: Given, asked: object = {}): Promise<unknown> =>
  Object.fromEntries(
    (await verify(given, asked)).resources.map((one) => [one.resource_type, one.error ?? one.resource_ids]),
  );

describe("connectors to Google Cloud", () => {
  const gcp = (method: string, configuration: Record<string, unknown>, about: object = {}): Given =>
    connectorOf({ type: "gcp", method, configuration, ...about });
  const robot = serviceAccountKey(google);
  const inBase64 = Buffer.from(JSON.stringify(robot)).toString("base64");
  const external = (source: object): object => ({
    type: "external_account",
    audience: "//iam.googleapis.com/pool",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${google.url}/token`,
    credential_source: source,
  });
  const url = `${google.url}/subject`;
  const format = { type: "json", subject_token_field_name: "id_token" };

  test("list what each kind of resource holds", async () => {
    expect(
      await idsOf(gcp("service-account", { service_account_json: JSON.stringify(robot) })),
    ).toStrictEqual({
      "gcp-generic": ["lab"],
      "gcs-bucket": ["gs://data-1", "gs://data-2"],
      "kubernetes-cluster": ["main"],
      "docker-registry": [
        "gcr.io/lab",
        "us.gcr.io/lab",
        "eu.gcr.io/lab",
        "asia.gcr.io/lab",
        "europe-docker.pkg.dev/lab/images",
      ],
    });
  });

  test.each([
    ["service-account", { service_account_json: inBase64 }, "robot-token"],
    ["user-account", { user_account_json: userAccountKey(google), project_id: "lab" }, "user-token"],
    ["impersonation", { service_account_json: inBase64, target_principal: "other@lab" }, "other-token"],
    ["oauth2-token", { token: "user-token", project_id: "lab" }, "user-token"],
    [
      "external-account",
      { external_account_json: external({ url, headers: { "x-who": "me" }, format }), project_id: "lab" },
      "federated-token",
    ],
  ])("by %s, for a token", async (method, configuration, token) => {
    const bucket = gcp(method, configuration, { resourceType: "gcs-bucket" });
    const client = await connectorClient(bucket, tools, { resourceId: "data-1" });
    expect(client).toMatchObject({
      name: "one (gcs-bucket | gs://data-1 client)",
      method: { auth_method: "oauth2-token" },
      resourceId: "gs://data-1",
      configuration: { project_id: "lab", token },
    });
    expect(client.expiresAt === null).toBe(method === "oauth2-token");
  });

  test("hand on the key itself where that is wanted", async () => {
    const keeps = gcp("service-account", {
      service_account_json: inBase64,
      generate_temporary_tokens: "false",
    });
    const client = await connectorClient(keeps, tools, { resourceType: "gcp-generic" });
    expect(client).toMatchObject({
      method: { auth_method: "service-account" },
      configuration: { service_account_json: inBase64 },
      expiresAt: null,
    });
  });

  test("log in to registries and clusters", async () => {
    const plain = gcp("service-account", { service_account_json: inBase64 });
    const registry = {
      resourceType: "docker-registry",
      resourceId: "europe-docker.pkg.dev/lab/images/model",
    };
    expect(await connectorClient(plain, tools, registry)).toMatchObject({
      configuration: {
        username: "oauth2accesstoken",
        password: "robot-token",
        registry: "europe-docker.pkg.dev/lab/images",
      },
    });
    const cluster = { resourceType: "kubernetes-cluster", resourceId: "main" };
    expect(await connectorClient(plain, tools, cluster)).toMatchObject({
      configuration: { cluster_name: "gke_lab_main", server: "https://10.1.2.3", token: "robot-token" },
    });
  });

  test("that are refused say why, and show nothing of the key", async () => {
    const stranger = { ...userAccountKey(google), refresh_token: "stolen-token" };
    const { error } = await verify(gcp("user-account", { user_account_json: stranger, project_id: "lab" }));
    expect(error).toBe(
      "connector 'one' authorization failure: Could not fetch GCP OAuth2 token: invalid_grant: Token has been expired " +
        "or revoked.",
    );
    const bad = await verify(
      gcp("oauth2-token", { token: "stolen-token", project_id: "lab" }, { resourceType: "gcs-bucket" }),
    );
    expect(bad.error).toContain("failed to list GCS buckets: Invalid Credentials");
    expect((await verify(gcp("implicit", { project_id: "lab" }))).error).toContain(
      "Implicit authentication methods",
    );
  });

  test("read no files, run no programs and lend nothing of this server's", async () => {
    for (const source of [
      { file: "/etc/passwd" },
      { executable: { command: "id" } },
      { environment_id: "aws1", url: "http://169.254.169.254/" },
    ]) {
      const given = gcp("external-account", { external_account_json: external(source), project_id: "lab" });
      expect((await verify(given)).error).toContain(
        "External accounts are supported with a credential_source that is a url",
      );
    }
    const inside = external({ url: "http://169.254.169.254/token" });
    const given = gcp("external-account", { external_account_json: inside, project_id: "lab" });
    expect((await verify(given)).error).toContain(
      "169.254.169.254: '169.254.169.254' is not a public address",
    );
  });

  test.each([
    ["service_account_json", "no json", "is not JSON"],
    [
      "service_account_json",
      JSON.stringify({ ...robot, type: "authorized_user" }),
      "is not of the type 'service_account'",
    ],
    [
      "service_account_json",
      JSON.stringify({ type: "service_account" }),
      "is missing required fields: project_id",
    ],
  ])("refuse a key that is none: %s %#", (attribute, value, message) => {
    expect(() => gcp("service-account", { [attribute]: value })).toThrow(message);
  });
});

describe("connectors to Azure", () => {
  const principal = {
    client_id: "22222222-2222-3333-4444-555555555555",
    client_secret: "principal-secret",
    tenant_id: tenant,
  };
  const by = (method: string, configuration: Record<string, unknown>, about: object = {}): Given =>
    connectorOf({ type: "azure", method, configuration, ...about });

  test("list what each kind of resource holds", async () => {
    const found = {
      "azure-generic": ["Lab"],
      "blob-container": ["az://models"],
      "kubernetes-cluster": ["lab/main"],
      "docker-registry": ["labimages.azurecr.io"],
    };
    expect(await idsOf(by("service-principal", principal))).toStrictEqual(found);
    const narrowed = {
      ...principal,
      subscription_id: subscription,
      resource_group: "lab",
      storage_account: "store",
    };
    expect(await idsOf(by("service-principal", narrowed))).toStrictEqual(found);
    const elsewhere = await idsOf(by("service-principal", { ...principal, resource_group: "other" }));
    expect(elsewhere).toMatchObject({ "docker-registry": expect.stringContaining("didn't list any ACR") });
  });

  test("by a token, which does not open blobs", async () => {
    const given = by(
      "access-token",
      { token: "management-token" },
      { expiresAt: Date.parse("2099-01-01") * 1000 },
    );
    expect(await idsOf(given)).toMatchObject({
      "azure-generic": ["Lab"],
      "blob-container": expect.stringContaining("not supported for blob storage"),
    });
  });

  test("that are refused say why, and show no secret", async () => {
    const { error } = await verify(by("service-principal", { ...principal, client_secret: "wrong-secret" }));
    expect(error).toContain(
      "Failed to authenticate to Azure: invalid_client: AADSTS7000215: Invalid client secret.",
    );
    expect(error).not.toContain("wrong-secret");
    expect((await verify(by("access-token", { token: "stolen-token" }))).error).toContain(
      "The access token is invalid.",
    );
    expect((await verify(by("implicit", {}))).error).toContain("Implicit authentication methods");
  });

  test("log in to registries and clusters", async () => {
    const given = by("service-principal", principal);
    expect(
      await connectorClient(given, tools, { resourceType: "docker-registry", resourceId: "labimages" }),
    ).toMatchObject({
      resourceId: "labimages.azurecr.io",
      configuration: {
        username: principal.client_id,
        password: "principal-secret",
        registry: "labimages.azurecr.io",
      },
    });
    expect(
      await connectorClient(given, tools, { resourceType: "kubernetes-cluster", resourceId: "main" }),
    ).toMatchObject({
      configuration: {
        cluster_name: "main",
        server: "https://aks.example.org",
        token: "aks-token",
        client_certificate: "Q0VSVA==",
        client_key: "S0VZ",
      },
    });
    const blobs = await connectorClient(given, tools, {
      resourceType: "blob-container",
      resourceId: "models",
    });
    expect(blobs).toMatchObject({ resourceId: "az://models", configuration: principal });
  });
});

describe("connectors to APIs of OAuth 2.0", () => {
  const by = (method: string, configuration: Record<string, unknown>): Given =>
    connectorOf({
      type: "oauth2",
      method,
      configuration: { api_url: "https://api.example.org", ...configuration },
    });
  const grant = { token_url: `${tokens.url}/token`, client_id: "app", scope: "read" };

  test.each([
    ["client-credentials", { ...grant, client_secret: "app-secret" }],
    [
      "client-credentials",
      { ...grant, client_secret: "app-secret", client_auth_method: "client_secret_post" },
    ],
    ["refresh-token", { ...grant, refresh_token: "refresh-me" }],
  ])("by %s, for a token that ends %#", async (method, configuration) => {
    expect(await idsOf(by(method, configuration))).toStrictEqual({
      "oauth2-api": ["https://api.example.org"],
    });
    // It ends within the five minutes in which it counts as expired.
    await expect(connectorClient(by(method, configuration), tools, {})).rejects.toThrow("have expired");
    const patient = { ...by(method, configuration), expiresSkewTolerance: 0 };
    expect(await connectorClient(patient, tools, {})).toMatchObject({
      method: { auth_method: "token" },
      configuration: { access_token: "for read", api_url: "https://api.example.org" },
    });
  });

  test("that are refused say why", async () => {
    const { error } = await verify(by("client-credentials", { ...grant, client_secret: "wrong" }));
    expect(error).toContain("Failed to fetch an OAuth2 token: invalid_client");
    expect(() =>
      by("client-credentials", { ...grant, client_secret: "s", client_auth_method: "magic" }),
    ).toThrow("must be one of client_secret_basic, client_secret_post");
  });
});
