import { randomUUID } from "node:crypto";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { Answer, TestServer } from "../../../test/harness.ts";
import { machine } from "../../../test/principals.ts";
import { withHeaders } from "../../../test/workspaces.ts";
import { logWorld, newLogs } from "../../../test/zenml-logs.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger, ids } = await startZenmlTeam("team", { stranger: "admin" });
const world = await logWorld(server, "team", ids.editor);
const logStore = await world.component(
  { type: "log_store", flavor: "otel" },
  { endpoint: "https://plinth.example/otlp/v1/logs" },
);

afterAll(() => server[Symbol.asyncDispose]());

const PATH = "/otlp/v1/logs";
const NANOS = 1_767_225_600_000_000_000n;
let count = 0;
const newLog = (): Promise<string> =>
  newLogs(editor, {
    project: world.projectId,
    source: `s${(count += 1)}`,
    log_store_id: logStore,
    step_run_id: world.stepId,
  });

/** As ZenML's client spells it. */
const record = (logId: string, message: string, more: object = {}): object => ({
  time_unix_nano: Number(NANOS),
  observed_time_unix_nano: Number(NANOS),
  flags: 0,
  body: { string_value: message },
  severity_text: "INFO",
  severity_number: 9,
  attributes: [
    { key: "code.filepath", value: { string_value: "/app/step.py" } },
    { key: "code.lineno", value: { int_value: 12 } },
    { key: "zenml.log.id", value: { string_value: logId } },
  ],
  ...more,
});
const exported = (...records: object[]): object => ({
  resource_logs: [{ resource: { attributes: [] }, scope_logs: [{ scope: {}, log_records: records }] }],
});
const read = async (id: string, query = ""): Promise<Answer["json"]> => {
  const answer = await viewer.get(`/api/v1/logs/${id}/entries?${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const messages = async (id: string, query = ""): Promise<string[]> =>
  (await read(id, query)).items.map((entry: { message: string }) => entry.message);

describe("logs that are kept here", () => {
  it("are what an exporter sent, in that order", async () => {
    const id = await newLog();
    expect((await read(id)).items).toStrictEqual([]);
    const failed = {
      severity_text: "ERROR",
      attributes: [
        { key: "zenml.log.id", value: { string_value: id } },
        { key: "exception.type", value: { string_value: "ValueError" } },
        { key: "exception.message", value: { string_value: "no" } },
        { key: "exception.stacktrace", value: { string_value: "Traceback" } },
      ],
    };
    const sent = await editor.post(
      PATH,
      exported(record(id, "\u001b[1;35mone\u001b[0m\n"), record(id, "two", failed)),
    );
    expect([sent.status, sent.json]).toStrictEqual([200, {}]);
    await editor.post(PATH, exported(record(id, "three")));
    const { items, before, after } = await read(id);
    expect([before, after]).toStrictEqual([null, null]);
    expect(items[0]).toMatchObject({
      message: "one",
      level: 20,
      timestamp: "2026-01-01T00:00:00Z",
      filename: "/app/step.py",
      lineno: 12,
      total_chunks: 1,
    });
    expect(items[1]).toMatchObject({ message: "two\nValueError: no\nTraceback", level: 40 });
    expect(items[2].message).toBe("three");
    expect(await messages(id, "level=error")).toHaveLength(1);
  });

  it("are kept once, whatever is sent again", async () => {
    const id = await newLog();
    const body = exported(record(id, "a"), record(id, "b"));
    const sent = await Promise.all(Array.from({ length: 4 }, () => editor.post(PATH, body)));
    expect(sent.map(({ status }) => status)).toStrictEqual([200, 200, 200, 200]);
    expect(await messages(id)).toStrictEqual(["a", "b"]);
  });

  it("are taken at the same time from many", async () => {
    const ids = await Promise.all(Array.from({ length: 3 }, newLog));
    const send = (at: number): Promise<Answer> =>
      editor.post(PATH, exported(...ids.toSorted(() => (at % 2 ? 1 : -1)).map((id) => record(id, `m${at}`))));
    await Promise.all(Array.from({ length: 12 }, (_, at) => send(at)));
    for (const id of ids) expect(await messages(id)).toHaveLength(12);
  });

  it("are turned page by page across what was sent at once", async () => {
    const id = await newLog();
    const text = "x".repeat(200);
    for (let part = 0; part < 4; part += 1) {
      const records = Array.from({ length: 1000 }, (_, at) => record(id, `${part * 1000 + at} ${text}`));
      expect((await editor.post(PATH, exported(...records))).status).toBe(200);
    }
    const firstWords = async (query: string): Promise<number[]> =>
      (await messages(id, query)).map((message) => Number(message.split(" ")[0]));
    expect(await firstWords("limit=3&start=newest")).toStrictEqual([3997, 3998, 3999]);
    expect(await firstWords("limit=50000")).toStrictEqual(Array.from({ length: 4000 }, (_, at) => at));
    expect(await firstWords("search=3123%20x")).toStrictEqual([3123]);
  });

  it("may be packed, spelled by the specification, and long", async () => {
    const id = await newLog();
    const send = (body: Buffer, encoding: string): Promise<Answer> =>
      editor.call("POST", PATH, body, { "content-type": "application/json", "content-encoding": encoding });
    const camel = {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                {
                  timeUnixNano: String(NANOS + 1_000_000_000n),
                  severityNumber: 17,
                  body: { stringValue: "camel" },
                  attributes: [{ key: "zenml.log.id", value: { stringValue: id } }],
                },
              ],
            },
          ],
        },
      ],
    };
    expect((await send(gzipSync(JSON.stringify(camel)), "gzip")).status).toBe(200);
    const long = exported(record(id, "é".repeat(100_000)));
    expect((await send(deflateSync(JSON.stringify(long)), "deflate")).status).toBe(200);
    const { items } = await read(id);
    expect(items[0]).toMatchObject({ message: "camel", level: 40, timestamp: "2026-01-01T00:00:01Z" });
    expect(items.slice(1).map((one: { chunk_index: number }) => one.chunk_index)).toStrictEqual([0, 1]);
    expect(items[1].id).toBe(items[2].id);
    expect(items[1].message + items[2].message).toBe("é".repeat(100_000));
  });

  it("refuse what is no export", async () => {
    const id = await newLog();
    const headers = { "content-type": "application/json" };
    const bad: [Buffer | string, Record<string, string>, number][] = [
      ["{", headers, 400],
      ["[]", headers, 400],
      [JSON.stringify(exported(record(id, "x"))), { "content-type": "text/plain" }, 400],
      ["x", { ...headers, "content-encoding": "gzip" }, 400],
      ["{}", { ...headers, "content-encoding": "br" }, 400],
      [gzipSync(Buffer.alloc(40 * 1024 * 1024, " ")), { ...headers, "content-encoding": "gzip" }, 413],
    ];
    for (const [body, sent, status] of bad) {
      expect((await editor.call("POST", PATH, body, sent)).status).toBe(status);
    }
    expect(await messages(id)).toStrictEqual([]);
  });

  it("are written by those who may change the log", async () => {
    const id = await newLog();
    const body = exported(record(id, "x"));
    for (const other of [viewer, stranger]) expect((await other.post(PATH, body)).status).toBe(403);
    expect((await server.post(PATH, body)).status).toBe(401);
    expect((await editor.post(PATH, exported(record(randomUUID(), "x")))).status).toBe(403);
    expect(await messages(id)).toStrictEqual([]);
    const mixed = await editor.post(
      PATH,
      exported(record(id, "mine"), record(randomUUID(), "gone"), { body: {} }),
    );
    expect(mixed.json.partialSuccess.rejectedLogRecords).toBe("2");
    expect(await messages(id)).toStrictEqual(["mine"]);
    expect((await editor.post(PATH, {})).json).toStrictEqual({});
    expect((await viewer.post(PATH, {})).status).toBe(403);
  });

  it("are sent with a key", async () => {
    const { row, headers } = await machine(server, "worker");
    const role = await server.app.identity.roles.findRole("team", "editor");
    await server.app.identity.roles.assignRole({ principalId: row.principal_id }, role?.role_id ?? 0);
    const id = await newLog();
    const worker: TestServer = withHeaders(server, headers);
    expect((await worker.post(PATH, exported(record(id, "by a machine")))).status).toBe(200);
    expect(await messages(id)).toStrictEqual(["by a machine"]);
  });
});
