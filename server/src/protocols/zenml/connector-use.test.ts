import { afterAll, describe, expect, it } from "vitest";
import { startTestServer } from "../../../test/harness.ts";
import { startAws } from "../../../test/services/aws.ts";
import { startDockerRegistry } from "../../../test/services/docker-registry.ts";

const login = { username: "robot", password: "registry-secret" };
const [server, aws, registry] = await Promise.all([
  startTestServer({ "outbound-allowed-hosts": "127.0.0.1" }),
  startAws({ accessKeyId: "AKIAGOOD", buckets: ["data", "models"], hasTokens: true }),
  startDockerRegistry(login, "token"),
]);
afterAll(() => Promise.all([server, aws, registry].map((one) => one[Symbol.asyncDispose]())));

const API = "/api/v1/service_connectors";
const awsConnector = (name: string, more: object = {}, id = "AKIAGOOD"): object => ({
  name,
  connector_type: "aws",
  auth_method: "session-token",
  configuration: {
    aws_access_key_id: id,
    aws_secret_access_key: "long-lived-secret",
    region: "eu-west-1",
    endpoint_url: aws.url,
  },
  ...more,
});
const docker = (name: string, password = login.password): object => ({
  name,
  connector_type: "docker",
  auth_method: "password",
  resource_types: ["docker-registry"],
  configuration: { ...login, password, registry: registry.url },
});
const host = registry.url.replace("http://", "");

const create = async (body: object): Promise<string> => {
  const made = await server.post(API, body);
  expect(made.status, made.text).toBe(200);
  return made.json.id;
};

describe("service connectors that connect", () => {
  it("are tried before they are kept", async () => {
    const tried = await server.post(`${API}/verify`, docker("tried"));
    expect(tried.json).toMatchObject({
      id: null,
      name: null,
      connector_type: { connector_type: "docker" },
      resources: [{ resource_type: "docker-registry", resource_ids: [host], error: null }],
      error: null,
    });
    const refused = await server.post(`${API}/verify`, docker("tried", "wrong-secret"));
    expect(refused.status).toBe(200);
    expect(refused.json.error).toBe(
      `connector authorization failure: the registry ${host} refuses the user name and password`,
    );
    expect(refused.json.resources[0]).toMatchObject({ resource_ids: null, error: refused.json.error });
    expect(refused.text).not.toContain("wrong-secret");
    expect((await server.get(`${API}?name=tried`)).json.total).toBe(0);
    const unfit = await server.post(`${API}/verify`, {
      ...docker("tried"),
      auth_method: "workload-identity",
    });
    expect([unfit.status, unfit.json.detail[0]]).toStrictEqual([400, "ValueError"]);
    const unknown = await server.post(`${API}/verify`, { ...docker("tried"), connector_type: "github" });
    expect([unknown.status, unknown.json.detail[0]]).toStrictEqual([501, "NotImplementedError"]);
    expect(unknown.json.detail[1]).toContain("Available are: aws, gcp, azure");
    expect((await server.post(`${API}/verify?list_resources=perhaps`, docker("tried"))).status).toBe(422);
  });

  it("are verified as they are kept, for one resource or all", async () => {
    const id = await create(awsConnector("verified"));
    const verify = async (query: string): Promise<ReturnType<typeof JSON.parse>> =>
      (await server.call("PUT", `${API}/${id}/verify?${query}`)).json;
    expect(await verify("")).toMatchObject({
      id,
      name: "verified",
      error: null,
      resources: [
        { resource_type: "aws-generic", resource_ids: ["eu-west-1"] },
        { resource_type: "s3-bucket", resource_ids: ["s3://data", "s3://models"] },
        { resource_type: "kubernetes-cluster", resource_ids: ["main"] },
        { resource_type: "docker-registry", resource_ids: ["123456789012.dkr.ecr.eu-west-1.amazonaws.com"] },
      ],
    });
    expect((await verify("resource_type=s3-bucket&resource_id=models")).resources).toStrictEqual([
      { resource_type: "s3-bucket", resource_ids: ["s3://models"], error: null },
    ]);
    expect((await verify("list_resources=false")).resources[1]).toStrictEqual({
      resource_type: "s3-bucket",
      resource_ids: null,
      error: null,
    });
    const missing = await verify("resource_type=s3-bucket&resource_id=nowhere");
    expect(missing.error).toContain(
      "connector 'verified' authorization failure: failed to fetch S3 bucket nowhere",
    );
    expect((await verify("resource_type=gcs-bucket")).detail).toStrictEqual([
      "ValueError",
      "connector 'verified' does not support resource type: 'gcs-bucket'. Supported resource types are: aws-generic, " +
        "s3-bucket, kubernetes-cluster, docker-registry",
    ]);
    expect((await server.call("PUT", `${API}/00000000-0000-4000-8000-000000000000/verify`)).status).toBe(404);
  });

  it("give credentials that end, in a connector of that name", async () => {
    const id = await create(
      awsConnector("lender", { labels: { a: "b" }, description: "lends", expiration_seconds: 900 }),
    );
    const { json } = await server.get(`${API}/${id}/client?resource_type=s3-bucket&resource_id=data`);
    expect(json).toMatchObject({
      id,
      name: "lender (s3-bucket | s3://data client)",
      body: {
        description: "lends",
        connector_type: { connector_type: "aws" },
        auth_method: "sts-token",
        resource_types: ["s3-bucket"],
        resource_id: "s3://data",
        supports_instances: true,
        expires_at: "2099-01-01T00:00:00",
      },
      metadata: {
        configuration: {
          aws_access_key_id: "ASIATEMPORARY",
          aws_secret_access_key: "made-secret",
          aws_session_token: "made-token",
        },
        expiration_seconds: null,
        labels: { a: "b" },
      },
    });
    expect(
      aws.asked.findLast(({ form }) => form.get("Action") === "GetSessionToken")?.form.get("DurationSeconds"),
    ).toBe("900");
    // What it was made of stays here.
    expect(JSON.stringify(json)).not.toContain("long-lived-secret");
    const lacking = await server.get(`${API}/${id}/client?resource_type=s3-bucket`);
    expect([lacking.status, lacking.json.detail[0]]).toStrictEqual([400, "ValueError"]);
  });

  it("that the service refuses answer with its reason", async () => {
    const id = await create(awsConnector("refused", {}, "AKIAWRONG"));
    const answer = await server.get(`${API}/${id}/client?resource_type=aws-generic`);
    expect([answer.status, answer.json.detail[0]]).toStrictEqual([401, "AuthorizationException"]);
    expect(answer.json.detail[1]).toContain("InvalidClientTokenId");
    expect(answer.headers.get("www-authenticate")).toBeNull();
  });

  it("are asked together what they reach", async () => {
    await create(awsConnector("many-aws"));
    await create(docker("many-docker"));
    await create(docker("many-wrong", "wrong-secret"));
    const list = async (query: string): Promise<unknown[]> => {
      const { json } = await server.get(`${API}/resources?name=startswith:many-&sort_by=name&${query}`);
      return json.map((one: { name: string; error: unknown; resources: { resource_ids: unknown }[] }) => [
        one.name,
        one.error === null,
        ...one.resources.map((resource) => resource.resource_ids),
      ]);
    };
    expect(await list("resource_type=docker-registry")).toStrictEqual([
      ["many-aws", true, ["123456789012.dkr.ecr.eu-west-1.amazonaws.com"]],
      ["many-docker", true, [host]],
      ["many-wrong", false, null],
    ]);
    // In the words of its type, and not as it was saved; whom the question does not fit is not in the answer.
    expect(await list("resource_type=s3-bucket&resource_id=arn:aws:s3:::data")).toStrictEqual([
      ["many-aws", true, ["s3://data"]],
    ]);
    expect(await list("connector_type=gcp")).toStrictEqual([]);
  });

  it("say what a whole stack could be made of", async () => {
    const { name: _name, connector_type: type, ...info } = awsConnector("") as Record<string, unknown>;
    const { json } = await server.post(`${API}/full_stack_resources`, { type, ...info });
    expect(json.connector_type).toBe("aws");
    expect(json.components_resources_info.artifact_store).toStrictEqual([
      {
        flavor: "s3",
        flavor_display_name: "S3 Bucket",
        required_configuration: { path: "Path" },
        use_resource_value_as_fixed_config: true,
        accessible_by_service_connector: ["s3://data", "s3://models"],
        connected_through_service_connector: [],
      },
    ]);
    const flavors = json.components_resources_info.orchestrator.map((one: { flavor: string }) => one.flavor);
    expect(flavors).toStrictEqual(["sagemaker", "vm_aws", "kubernetes"]);
    const id = await create(awsConnector("whole"));
    const saved = await server.call("POST", `${API}/full_stack_resources?connector_uuid=${id}`);
    expect(saved.json).toStrictEqual(json);
    for (const [query, body] of [
      ["", undefined],
      [`?connector_uuid=${id}`, { type, ...info }],
    ] as const) {
      const unfit = await server.call("POST", `${API}/full_stack_resources${query}`, body);
      expect([unfit.status, unfit.json.detail[0]]).toStrictEqual([400, "ValueError"]);
    }
    const refused = await server.post(`${API}/full_stack_resources`, {
      type,
      ...awsConnector("", {}, "AKIAWRONG"),
    });
    expect(refused.json.detail[1]).toContain("InvalidClientTokenId");
  });
});

describe("a server that was not told so", () => {
  it("asks nobody in its own network", async () => {
    await using closed = await startTestServer();
    const tried = await closed.post(`${API}/verify`, docker("inside"));
    expect(tried.json.error).toContain(
      "is not a public address (an operator can allow it with --outbound-allowed-hosts)",
    );
    const metadata = awsConnector("metadata", {
      configuration: {
        aws_access_key_id: "a",
        aws_secret_access_key: "b",
        region: "eu-west-1",
        endpoint_url: "http://169.254.169.254",
      },
    });
    expect((await closed.post(`${API}/verify`, metadata)).json.error).toContain("is not a public address");
  });
});
