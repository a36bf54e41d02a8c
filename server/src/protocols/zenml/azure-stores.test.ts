import { afterAll, describe, expect, it } from "vitest";
import { startAzureBlobs } from "../../../test/services/azure-blobs.ts";
import { logLine, logWorld, newLogs } from "../../../test/zenml-logs.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const blobs = await startAzureBlobs();
const { server, editor, viewer, ids } = await startZenmlTeam("team", {
  flags: { "outbound-allowed-hosts": "127.0.0.1" },
});
const world = await logWorld(server, "team", ids.editor);
blobs.put("zenml/logs/a/1.log", logLine(1));
blobs.put("zenml/logs/a/2.log", logLine(2));
blobs.put("zenml/page/one.html", "<h1>one</h1>");
blobs.put("elsewhere.log", logLine(3));

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await blobs[Symbol.asyncDispose]();
});

const { account, key } = blobs.key;
const connections = {
  key: `AccountName=${account};AccountKey=${key};BlobEndpoint=${blobs.endpoint}`,
  signature: `BlobEndpoint=${blobs.endpoint};SharedAccessSignature=sig=a%20signature`,
  wrong: `AccountName=${account};AccountKey=d3Jvbmc=;BlobEndpoint=${blobs.endpoint}`,
  inside: `AccountName=${account};AccountKey=${key};BlobEndpoint=https://10.0.0.1`,
};
type Connection = keyof typeof connections;
for (const [name, connection_string] of Object.entries(connections)) {
  const made = await editor.post("/api/v1/secrets", { name, private: false, values: { connection_string } });
  expect(made.status, made.text).toBe(200);
}

const storeOf = (connection: Connection, path = "az://box/zenml"): Promise<string> =>
  world.component({ flavor: "azure" }, { path, authentication_secret: connection });

let count = 0;
async function entriesOf(connection: Connection, uri: string, path?: string): Promise<unknown> {
  const id = await newLogs(editor, {
    project: world.projectId,
    source: `s${(count += 1)}`,
    uri,
    pipeline_run_id: world.runId,
    artifact_store_id: await storeOf(connection, path),
  });
  const { status, json } = await viewer.get(`/api/v1/logs/${id}/entries`);
  return status === 200
    ? json.items.map((entry: { message: string }) => entry.message)
    : { status, error: json.detail[0], message: json.detail[1] };
}

describe("an artifact store on Azure", () => {
  it("has logs that are read by what its secret holds", async () => {
    const both = ["message 1", "message 2"];
    expect(await entriesOf("key", "az://box/zenml/logs/a")).toStrictEqual(both);
    const abfs = "abfs://box/zenml";
    expect(await entriesOf("signature", `${abfs}/logs/a`, abfs)).toStrictEqual(both);
    expect(await entriesOf("key", "az://box/zenml/logs/none")).toStrictEqual([]);
  });

  it("says why it is not read, without a secret", async () => {
    const refused = { status: 502, error: "LogStoreError" };
    const wrong = await entriesOf("wrong", "az://box/zenml/logs/a");
    expect(wrong).toMatchObject({
      ...refused,
      message: expect.stringContaining("AuthenticationFailed") as string,
    });
    expect(JSON.stringify(wrong)).not.toContain("d3Jvbmc=");
    expect(await entriesOf("inside", "az://box/zenml/logs/a")).toMatchObject(refused);
    expect(await entriesOf("key", "az://other/zenml/a", "az://other/zenml")).toMatchObject(refused);
    expect(await entriesOf("key", "az://box/elsewhere.log")).toMatchObject({
      status: 404,
      error: "DoesNotExistException",
    });
  });

  it("has artifacts that are shown and deleted", async () => {
    const uri = "az://box/zenml/page";
    const artifact = await world.artifactVersion({ name: "page", uri, store: await storeOf("key") }, [
      { type: "html", uri: `${uri}/one.html` },
    ]);
    const API = `/api/v1/artifact_versions/${artifact}`;
    const shown = await viewer.get(`${API}/visualize`);
    expect([shown.status, shown.json.value]).toStrictEqual([200, "<h1>one</h1>"]);
    const deleting = `${API}?delete_metadata=false&delete_from_artifact_store=true`;
    expect((await viewer.call("DELETE", deleting)).status).toBe(403);
    expect(blobs.has("zenml/page/one.html")).toBe(true);
    const deleted = await editor.call("DELETE", deleting);
    expect(deleted.status, deleted.text).toBe(200);
    expect(blobs.has("zenml/page/one.html")).toBe(false);
    expect(blobs.has("zenml/logs/a/1.log")).toBe(true);
  });
});
