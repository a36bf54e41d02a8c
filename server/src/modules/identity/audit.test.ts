import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, testDatabase, type TestServer } from "../../../test/harness.ts";
import type { Caller } from "../../kernel/caller.ts";
import { createLog } from "../../kernel/log.ts";
import { createAudit, type Audit, type AuditEvent } from "./audit.ts";
import { actionOf } from "./request-audit.ts";

const caller = (name: string, address = "192.0.2.1"): Caller => ({
  principal: {
    principalId: 7,
    uuid: "00000000-0000-4000-8000-000000000007",
    kind: "user",
    name,
    isAdmin: false,
  },
  credential: { kind: "api_key", id: "k1" },
  address,
});

const event = (id: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  action: "experiments.delete",
  resource_type: "experiment",
  resource_id: id,
  workspace: "default",
  outcome: "allowed",
  ...more,
});

describe("the audit log", () => {
  let ground: Awaited<ReturnType<typeof testDatabase>>;
  let audit: Audit;
  let clock = 1_000_000;
  beforeAll(async () => {
    ground = await testDatabase();
    audit = createAudit({ database: ground.database, now: () => clock, log: createLog({ level: "fatal" }) });
  });
  afterAll(() => ground[Symbol.asyncDispose]());

  test("keeps every event with who, where, what and on what", async () => {
    await audit.record(caller("ada"), event("1", { details: { reason: "old", count: 3 } }));
    const { events } = await audit.search({ principal: "ada" }, { maxResults: 10, pageToken: undefined });
    expect(events).toEqual([
      {
        event_id: expect.any(Number),
        at: 1_000_000,
        principal: "ada",
        principal_kind: "user",
        credential_kind: "api_key",
        credential_id: "k1",
        address: "192.0.2.1",
        action: "experiments.delete",
        resource_type: "experiment",
        resource_id: "1",
        workspace: "default",
        outcome: "allowed",
        details: { reason: "old", count: 3 },
        count: 1,
      },
    ]);
  });

  test("is searched by each of its columns, in pages without gap or repetition", async () => {
    for (let at = 0; at < 60; at += 1) {
      clock += at % 7 === 0 ? 1 : 0;
      const outcome = at % 2 === 0 ? "allowed" : "failed";
      await audit.record(
        caller(`p${at % 3}`, `192.0.2.${at % 4}`),
        event(String(at), { workspace: `w${at % 5}`, outcome }),
      );
    }
    const all = async (filter: Parameters<Audit["search"]>[0]): Promise<string[]> => {
      const found: string[] = [];
      let pageToken: string | undefined;
      do {
        const page = await audit.search(filter, { maxResults: 7, pageToken });
        found.push(...page.events.map((one) => one.resource_id ?? ""));
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined);
      return found;
    };
    const ids = Array.from({ length: 60 }, (_, at) => at).toReversed();
    const those = (keep: (at: number) => boolean): string[] => ids.filter(keep).map(String);
    expect(await all({ principal: "p1" })).toEqual(those((at) => at % 3 === 1));
    expect(await all({ workspace: "w2", outcome: "failed" })).toEqual(
      those((at) => at % 5 === 2 && at % 2 === 1),
    );
    expect(await all({ address: "192.0.2.3" })).toEqual(those((at) => at % 4 === 3));
    expect(await all({ action: "experiments.*", from: 1_000_001 })).toEqual(those(() => true));
    expect(await all({ action: "runs.*" })).toEqual([]);
    expect(await all({ resourceType: "experiment", resourceId: "33" })).toEqual(["33"]);
    expect(await all({ from: 1_000_002, to: 1_000_003 })).toEqual(those((at) => at >= 7 && at < 14));
    await expect(audit.search({}, { maxResults: 5, pageToken: "bm90IG91cnM" })).rejects.toThrow(
      "Invalid page token",
    );
  });

  test("is exported oldest first, all of it", async () => {
    const ids: number[] = [];
    for await (const rows of audit.export({})) ids.push(...rows.map((row) => row.event_id));
    expect(ids.length).toBe(61);
    expect(ids).toEqual(ids.toSorted((left, right) => left - right));
  });

  test("counts refusals of one kind within a minute in one row, and forgets none", async () => {
    for (let at = 0; at < 500; at += 1) audit.recordDenied(caller("mallory"), { action: "runs.delete" });
    audit.recordDenied(caller("mallory"), { action: "runs.update" });
    await audit.flush();
    const denied = async (): Promise<(string | number)[][]> => {
      const page = await audit.search({ principal: "mallory" }, { maxResults: 50, pageToken: undefined });
      return page.events.map((one) => [one.action, one.outcome, one.count]).toReversed();
    };
    expect(await denied()).toEqual([
      ["runs.delete", "denied", 1],
      ["runs.update", "denied", 1],
    ]);
    clock += 61_000;
    await audit.flush();
    expect((await denied()).at(-1)).toEqual(["runs.delete", "denied", 499]);
    audit.recordDenied(caller("mallory"), { action: "runs.delete" });
    await audit.flush();
    expect((await denied()).at(-1)).toEqual(["runs.delete", "denied", 1]);
  });

  test("a flood of different refusals fills neither memory nor disk", async () => {
    const before = await countRows();
    for (let at = 0; at < 20_000; at += 1) {
      audit.recordDenied(caller("mallory", `198.51.100.1`), { action: "runs.delete", resource_id: `${at}` });
    }
    await audit.flush(true);
    expect((await countRows()) - before).toBeLessThan(6000);
    const { events } = await audit.search(
      { address: "198.51.100.1", action: "access" },
      { maxResults: 5, pageToken: undefined },
    );
    expect(events.reduce((sum, one) => sum + one.count, 0)).toBeGreaterThan(14_000);
  });

  test("takes whatever a caller may send", async () => {
    await audit.record(
      caller("x"),
      event(`\0${"é\ud800".repeat(2000)}`, { details: { "a\0": "\0'; drop table" } }),
    );
    const { events } = await audit.search({ principal: "x" }, { maxResults: 1, pageToken: undefined });
    expect(events[0]?.resource_id?.length).toBeLessThanOrEqual(1024);
    expect(events[0]?.details).toEqual({ "a\u{fffd}": "\u{fffd}'; drop table" });
  });

  test("is only added to: nothing is changed, and only what is older than the retention is removed", async () => {
    for (const statement of [
      "update identity.audit_events set principal = 'nobody'",
      "delete from identity.audit_events",
      "truncate identity.audit_events",
    ]) {
      await expect(ground.database.prepared({ name: "", text: statement }, [])).rejects.toThrow(
        "append-only",
      );
    }
    const before = await countRows();
    expect(await audit.purge(0)).toBe(0);
    const removed = await audit.purge(clock - 1_000_002);
    expect(removed).toBe(8);
    expect(await countRows()).toBe(before - 8);
  });

  const countRows = async (): Promise<number> => {
    const text = "select count(*)::integer as count from identity.audit_events";
    return (await ground.database.prepared<{ count: number }>({ name: "", text }, []))[0]?.count ?? 0;
  };
});

test("an action is named by its route", () => {
  const names = [
    ["POST", "/api/2.0/mlflow/experiments/delete", "experiments.delete"],
    ["DELETE", "/ajax-api/2.0/mlflow/registered-models/delete", "registered-models.delete"],
    ["PATCH", "/console/api/users/:name", "users.update"],
    ["DELETE", "/api/3.0/mlflow/workspaces/:workspace_name", "workspaces.delete"],
    ["PUT", "/api/2.0/mlflow-artifacts/artifacts/*", "artifacts.update"],
    ["POST", "/api/v1/login", "login.create"],
  ] as const;
  for (const [method, route, action] of names) expect(actionOf(method, route)).toBe(action);
});

describe("a server", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const actions = async (): Promise<string[]> => {
    const { events } = await server.app.identity.audit.search({}, { maxResults: 100, pageToken: undefined });
    return events
      .map((one) => `${one.principal} ${one.action} ${one.resource_type} ${one.resource_id}`)
      .toReversed();
  };

  test("records deletions before it answers, and neither reads nor what runs log", async () => {
    const { json } = await server.post("/api/2.0/mlflow/experiments/create", { name: "a" });
    const id = json.experiment_id as string;
    await server.get(`/api/2.0/mlflow/experiments/get?experiment_id=${id}`);
    const run = await server.post("/api/2.0/mlflow/runs/create", { experiment_id: id });
    await server.post("/api/2.0/mlflow/runs/log-parameter", {
      run_id: run.json.run.info.run_id,
      key: "k",
      value: "v",
    });
    expect(await actions()).toEqual([]);
    await server.post("/api/2.0/mlflow/experiments/delete", { experiment_id: id });
    expect(await actions()).toEqual([`local experiments.delete experiment ${id}`]);
    await server.post("/api/2.0/mlflow/experiments/delete", { experiment_id: "999" });
    expect((await actions()).length).toBe(1);
  });

  test("records every change and every read of an artifact in a protected workspace", async () => {
    const inside = { "x-mlflow-workspace": "vault" };
    const made = await server.call("POST", "/console/api/workspaces", { name: "vault", protected: true });
    expect(made.status).toBe(201);
    const experiments = "/api/2.0/mlflow/experiments";
    const { json } = await server.call("POST", `${experiments}/create`, { name: "v" }, inside);
    const id = json.experiment_id as string;
    const before = (await actions()).length;
    const path = `/api/2.0/mlflow-artifacts/artifacts/${id}/file.txt`;
    expect((await server.call("PUT", path, "bytes", inside)).status).toBe(200);
    expect((await server.call("GET", path, undefined, inside)).text).toBe("bytes");
    await server.call("GET", `${experiments}/get?experiment_id=${id}`, undefined, inside);
    await server.call(
      "POST",
      `${experiments}/set-experiment-tag`,
      { experiment_id: id, key: "k", value: "v" },
      inside,
    );
    expect((await actions()).slice(before).map((one) => one.split(" ").slice(0, 3).join(" "))).toEqual([
      "local artifacts.update artifact",
      "local artifacts.read artifact",
      "local experiments.set-experiment-tag experiment",
    ]);
  });

  test("records who was refused, what, and passwords that were wrong", async () => {
    await using guarded = await startTestServer({ login: "required" });
    const { principals } = guarded.app.identity;
    const password = "a long enough word";
    await principals.createPrincipal({ kind: "user", name: "ada", password });
    const as = (word: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(`ada:${word}`).toString("base64")}`,
    });
    const search = "/api/2.0/mlflow/experiments/search?max_results=1";
    expect((await guarded.call("GET", search, undefined, as("not the word"))).status).toBe(401);
    for (const _ of [1, 2, 3])
      expect((await guarded.call("GET", search, undefined, as(password))).status).toBe(403);
    expect((await guarded.call("GET", search)).status).toBe(401);
    await guarded.app.identity.audit.flush(true);
    const { events } = await guarded.app.identity.audit.search({}, { maxResults: 50, pageToken: undefined });
    const told = events.map((one) => [one.principal, one.action, one.outcome, one.resource_id, one.count]);
    expect(told.toReversed()).toEqual([
      [null, "login", "failed", "ada", 1],
      ["ada", "login", "allowed", "ada", 1],
      ["ada", "experiments.search", "denied", null, 1],
      ["ada", "experiments.search", "denied", null, 2],
    ]);
    expect(JSON.stringify(events)).not.toMatch(/not the word|long enough/);
  });
});
