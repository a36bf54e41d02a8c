import { randomUUID } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, describe, expect, it, vi } from "vitest";
import { startTestServer, type Answer } from "../../../test/harness.ts";
import { bearer, person } from "../../../test/principals.ts";
import { newWorkspace, withHeaders } from "../../../test/workspaces.ts";

const server = await startTestServer({ login: "required" });
const root = withHeaders(server, (await person(server, "root", { isAdmin: true })).headers);
await newWorkspace(root, "team");
const editor = await person(server, "ed", { workspace: "team", role: "editor" });
const viewer = await person(server, "vi", { workspace: "team", role: "viewer" });
const stranger = await person(server, "st");

afterAll(() => server[Symbol.asyncDispose]());

type Headers = Record<string, string>;
const ask = (query: string, headers: Headers = editor.headers): Promise<Answer> =>
  server.call("GET", `/api/v1/api_token?token_type=workload&${query}`, undefined, headers);
const whoIs = async (token: string): Promise<number> =>
  (await server.call("GET", "/api/v1/current-user", undefined, bearer(token))).status;

async function insert(table: string, columns: Record<string, unknown>): Promise<string> {
  const id = randomUUID();
  const all = { id, workspace_id: 2, name: id, created: 1, updated: 1, ...columns };
  const values = Object.keys(all).map((_name, at) => `$${at + 1}`);
  await server.database.prepared(
    {
      name: `test_insert_${table}_${Object.keys(columns).length}`,
      text: `insert into pipelines.${table} (${Object.keys(all).join(", ")}) values (${values.join(", ")})`,
    },
    Object.values(all),
  );
  return id;
}

const runs = {
  status: "running",
  in_progress: true,
  index: 1,
  start_time: null,
  end_time: null,
  root_run_id: null,
};
const run = (about: Partial<Record<keyof typeof runs, unknown>> = {}): Promise<string> =>
  insert("runs", { ...runs, ...about });

let updates = 0;
const update = async (statement: string, id: string): Promise<void> =>
  void (await server.database.prepared({ name: `test_update_${(updates += 1)}`, text: statement }, [id]));

describe("tokens of workloads", () => {
  it("are bound to a run in progress, and end with it", async () => {
    const id = await run();
    const made = await ask(`pipeline_run_id=${id}`);
    expect(made.status, made.text).toBe(200);
    const token = made.json as string;
    expect(decodeJwt(token)).toMatchObject({ sub: editor.row.uuid, pipeline_run_id: id });
    expect(await whoIs(token)).toBe(200);
    await update("update pipelines.runs set in_progress = false, end_time = 1 where id = $1", id);
    await vi.waitFor(async () => expect(await whoIs(token)).toBe(401), { timeout: 5000, interval: 100 });
    const over = await ask(`pipeline_run_id=${id}`);
    expect([over.status, over.json.detail[0]]).toStrictEqual([400, "ValueError"]);
  });

  it("are good for an hour after a run, for what still works on it", async () => {
    const id = await run();
    const token = (await ask(`pipeline_run_id=${id}`)).json as string;
    await update(
      `update pipelines.runs set in_progress = false, end_time = (extract(epoch from now()) * 1000000)::bigint where id = $1`,
      id,
    );
    expect(await whoIs(token)).toBe(200);
    expect((await ask(`pipeline_run_id=${id}`)).status).toBe(400);
  });

  it("are bound to schedules and deployments as long as they are there", async () => {
    const schedule = await insert("schedules", { active: true });
    const deployment = await insert("deployments", {});
    const tokens = [
      (await ask(`schedule_id=${schedule}`)).json as string,
      (await ask(`deployment_id=${deployment}`)).json as string,
    ];
    expect(await Promise.all(tokens.map(whoIs))).toStrictEqual([200, 200]);
    await update("update pipelines.schedules set active = false where id = $1", schedule);
    await update("delete from pipelines.deployments where id = $1", deployment);
    await vi.waitFor(async () => expect(await Promise.all(tokens.map(whoIs))).toStrictEqual([401, 401]), {
      timeout: 5000,
      interval: 100,
    });
    expect((await ask(`schedule_id=${schedule}`)).status).toBe(400);
  });

  it("stay bound to what they are bound to, or to runs that were begun by that", async () => {
    const [first, other] = [await run(), await run()];
    const child = await run({ root_run_id: first });
    const token = bearer((await ask(`pipeline_run_id=${first}`)).json as string);
    const again = (await ask(`pipeline_run_id=${first}`, token)).json as string;
    expect(decodeJwt(again)).toMatchObject({ pipeline_run_id: first });
    expect((await ask(`pipeline_run_id=${child}`, token)).status).toBe(200);
    const refused = await ask(`pipeline_run_id=${other}`, token);
    expect([refused.status, refused.json.detail[0]]).toStrictEqual([401, "AuthorizationException"]);
    const generic = await server.call("GET", "/api/v1/api_token", undefined, token);
    expect(decodeJwt(generic.json as string)).toMatchObject({ pipeline_run_id: first, generic: true });
  });

  it("last no longer than a token for a time that asks for them", async () => {
    const id = await run();
    const generic = await server.call("GET", "/api/v1/api_token?expires_in=60", undefined, editor.headers);
    const made = (await ask(`pipeline_run_id=${id}`, bearer(generic.json as string))).json as string;
    const { exp = 0, iat = 0 } = decodeJwt(made);
    expect(exp - iat).toBeLessThanOrEqual(60);
    const long = decodeJwt((await ask(`pipeline_run_id=${id}`)).json as string);
    expect((long.exp ?? 0) - (long.iat ?? 0)).toBeGreaterThan(300 * 24 * 3600);
  });

  it("are for those who may use the project", async () => {
    const id = await run();
    expect((await ask(`pipeline_run_id=${id}`, viewer.headers)).status).toBe(403);
    const hidden = await ask(`pipeline_run_id=${id}`, stranger.headers);
    const unknown = randomUUID();
    const missing = await ask(`pipeline_run_id=${unknown}`, stranger.headers);
    expect(hidden.text.replaceAll(id, unknown)).toBe(missing.text);
    expect(hidden.status).toBe(400);
    expect((await ask("pipeline_run_id=no")).status).toBe(422);
  });
});
