import { afterAll, describe, expect, it } from "vitest";
import type { TestServer } from "../../../test/harness.ts";
import { startS3Server } from "../../../test/s3-server.ts";
import { logLine, logWorld, newLogs, s3Configuration } from "../../../test/zenml-logs.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const s3 = await startS3Server();
const { server, editor, viewer, ids } = await startZenmlTeam("team", {
  flags: { "outbound-allowed-hosts": "127.0.0.1" },
});
const world = await logWorld(server, "team", ids.editor);
s3.put("store/logs/a.log", logLine(1));
s3.put("secret.log", logLine(2));

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const API = "/api/v1/logs";
let count = 0;

/** What reading the log of a store of this configuration says. */
async function entriesOf(
  configuration: object,
  about: { uri?: string; flavor?: string; type?: string; reader?: TestServer; logStore?: boolean } = {},
): Promise<unknown> {
  const { uri = `s3://${s3.bucket}/store/logs/a.log`, flavor = "s3", type = "artifact_store" } = about;
  const component = await world.component({ flavor, type }, configuration);
  const of = about.logStore === true ? { log_store_id: component } : { artifact_store_id: component };
  const id = await newLogs(editor, {
    project: world.projectId,
    source: `s${(count += 1)}`,
    uri,
    pipeline_run_id: world.runId,
    ...of,
  });
  const answer = await (about.reader ?? viewer).get(`${API}/${id}/entries`);
  return answer.status === 200
    ? answer.json.items.map((entry: { message: string }) => entry.message)
    : { status: answer.status, error: answer.json.detail[0], message: answer.json.detail[1] };
}

const own = s3Configuration(s3);
const { key: _key, secret: _secret, ...bare } = own as Record<string, unknown>;
const newSecret = async (name: string, isPrivate: boolean): Promise<void> => {
  const values = { aws_access_key_id: s3.accessKeyId, aws_secret_access_key: s3.secretAccessKey };
  const answer = await editor.post("/api/v1/secrets", { name, private: isPrivate, values });
  expect(answer.status, answer.text).toBe(200);
};

describe("a log in an artifact store", () => {
  it("is read with what the component says, whoever reads", async () => {
    expect(await entriesOf(own)).toStrictEqual(["message 1"]);
    const asText = { ...own, client_kwargs: JSON.stringify(s3.clientKwargs) };
    expect(await entriesOf(asText)).toStrictEqual(["message 1"]);
    await newSecret("keys", false);
    expect(await entriesOf({ ...bare, authentication_secret: "keys" })).toStrictEqual(["message 1"]);
    const referring = {
      ...bare,
      key: "{{keys.aws_access_key_id}}",
      secret: "{{ keys.aws_secret_access_key }}",
    };
    expect(await entriesOf(referring)).toStrictEqual(["message 1"]);
  });

  it("is read whatever its name", async () => {
    const name = "store/logs/ü b+c & d%2e%2e(1)'*!~.log";
    s3.put(name, logLine(3));
    expect(await entriesOf(own, { uri: `s3://${s3.bucket}/${name}` })).toStrictEqual(["message 3"]);
    s3.put("store//logs/b.log", logLine(4));
    expect(await entriesOf(own, { uri: `s3://${s3.bucket}/store//logs/b.log` })).toStrictEqual(["message 4"]);
  });

  it("is read by a linked connector", async () => {
    const connector = await editor.post("/api/v1/service_connectors", {
      name: "aws",
      connector_type: "aws",
      auth_method: "secret-key",
      resource_types: ["s3-bucket"],
      configuration: {
        aws_access_key_id: s3.accessKeyId,
        aws_secret_access_key: s3.secretAccessKey,
        region: "us-east-1",
        endpoint_url: s3.endpoint,
      },
      resource_id: `s3://${s3.bucket}`,
    });
    expect(connector.status, connector.text).toBe(200);
    const component = await world.component({}, bare);
    await server.database.prepared(
      { name: "test_link", text: "update pipelines.components set connector_id = $2 where id = $1" },
      [component, connector.json.id],
    );
    const about = { project: world.projectId, source: "linked", uri: `s3://${s3.bucket}/store/logs/a.log` };
    const id = await newLogs(editor, {
      ...about,
      artifact_store_id: component,
      pipeline_run_id: world.runId,
    });
    const answer = await viewer.get(`${API}/${id}/entries`);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.items).toHaveLength(1);
  });

  it("is not read with what is somebody's own", async () => {
    await newSecret("mine", true);
    const configuration = { ...bare, authentication_secret: "mine" };
    expect(await entriesOf(configuration, { reader: editor })).toStrictEqual(["message 1"]);
    expect(await entriesOf(configuration)).toMatchObject({
      status: 501,
      error: "NotImplementedError",
      message: expect.stringContaining("another's own"),
    });
  });

  it("is not looked for outside of the store", async () => {
    for (const uri of [
      `s3://${s3.bucket}/secret.log`,
      `s3://${s3.bucket}/store/../secret.log`,
      "s3://other/store/a",
    ]) {
      const answer = await entriesOf(own, { uri });
      expect([uri, answer]).toMatchObject([uri, { status: 404, error: "DoesNotExistException" }]);
    }
    for (const uri of ["/etc/passwd", "file:///etc/passwd"]) {
      expect(await entriesOf(own, { uri })).toMatchObject({ status: 403, error: "IllegalOperationError" });
    }
    expect(await entriesOf({ path: "/tmp/store" }, { flavor: "local" })).toStrictEqual({
      status: 403,
      error: "IllegalOperationError",
      message: "Files in a local artifact store cannot be accessed from the server.",
    });
    expect(await entriesOf({ path: "" }, { flavor: "local" })).toMatchObject({
      status: 403,
      error: "IllegalOperationError",
    });
  });

  it("says why it cannot be read, without a secret or the store's own words", async () => {
    const wrong = await entriesOf({ ...own, secret: "a wrong secret" });
    expect(wrong).toMatchObject({
      status: 502,
      error: "LogStoreError",
      message: expect.stringContaining("SignatureDoesNotMatch"),
    });
    expect(JSON.stringify(wrong)).not.toMatch(/wrong secret|inner detail|AKIA/);
    expect(await entriesOf(bare)).toMatchObject({ status: 501, error: "NotImplementedError" });
    expect(await entriesOf({ ...own, secret: "{{nothing.here}}" })).toMatchObject({
      status: 501,
      error: "NotImplementedError",
    });
    expect(
      await entriesOf({ path: "abfs://x/y" }, { flavor: "azure", uri: "abfs://x/y/a.log" }),
    ).toMatchObject({ status: 501, error: "NotImplementedError" });
    expect(await entriesOf(own, { type: "orchestrator", flavor: "local" })).toMatchObject({
      status: 404,
      error: "DoesNotExistException",
    });
  });

  it("is not read from addresses that requests may not go to", async () => {
    const at = (endpoint_url: string): object => ({ ...own, client_kwargs: { endpoint_url } });
    for (const address of ["http://169.254.169.254", "https://10.0.0.1", "http://[::1]:9"]) {
      const answer = await entriesOf(at(address));
      expect([address, answer]).toMatchObject([address, { status: 502, error: "LogStoreError" }]);
    }
    expect(await entriesOf(at("http://127.0.0.1:9"))).toMatchObject({
      status: 503,
      error: "LogStoreUnavailableError",
    });
  });

  it("passes on when to try again", async () => {
    s3.answer = { status: 503, code: "SlowDown", headers: { "retry-after": "7" } };
    try {
      expect(await entriesOf(own)).toMatchObject({ status: 429, error: "LogStoreRateLimitError" });
      s3.answer = { status: 500, code: "InternalError" };
      expect(await entriesOf(own)).toMatchObject({ status: 503, error: "LogStoreUnavailableError" });
    } finally {
      s3.answer = undefined;
    }
  });
});

describe("a log in a log store", () => {
  it("is asked for where it is, which this server does not do", async () => {
    const otel = { endpoint: "https://elsewhere.example/v1/logs" };
    expect(await entriesOf(otel, { flavor: "otel", type: "log_store", logStore: true })).toMatchObject({
      status: 501,
      error: "NotImplementedError",
    });
    expect(await entriesOf({}, { flavor: "datadog", type: "log_store", logStore: true })).toMatchObject({
      status: 501,
    });
    expect(await entriesOf(own, { logStore: true })).toMatchObject({
      status: 404,
      error: "DoesNotExistException",
    });
  });
});
