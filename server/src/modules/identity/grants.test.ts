import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { readGrant } from "./grant-rules.ts";
import type { Roles } from "./roles.ts";

let server: TestServer;
let roles: Roles;
let holder: { principalId: number };
let customRole: number;

/** The workspace `default`. */
const WORKSPACE = 1;
const API = "/api/2.0/mlflow";

beforeAll(async () => {
  server = await startTestServer();
  roles = server.app.identity.roles;
  const row = await server.app.identity.principals.createPrincipal({
    kind: "service_account",
    name: "holder",
  });
  holder = { principalId: row.principal_id };
  customRole = (await roles.createRole({ workspace: "default", name: "custom" })).role_id;
  await roles.assignRole(holder, customRole);
});
afterAll(() => server[Symbol.asyncDispose]());

async function post(path: string, body: unknown): Promise<Record<string, never>> {
  const answer = await server.post(API + path, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}

type On = { resource_type: "experiment" | "registered_model" | "prompt"; pattern: string };

/** What the holder has on a resource, directly and by the custom role. */
async function grantsOn({ resource_type, pattern }: On): Promise<string[]> {
  const held = await roles.listGrantsOf(holder);
  return held
    .filter((grant) => grant.resource_type === resource_type && grant.pattern === pattern)
    .map((grant) => `${grant.role_name === "custom" ? "custom" : "direct"} ${grant.permission}`);
}

const grant = async (on: On, permission: string): Promise<unknown> =>
  roles.grantDirectly(holder, WORKSPACE, { ...on, permission, replace: true });

const model = (pattern: string): On => ({ resource_type: "registered_model", pattern });

describe("what makes sense as a grant", () => {
  const custom = { isPlatform: false };
  test.each([
    ["experiment", "7", "DENY"],
    ["experiment", "*", "NO_PERMISSIONS"],
    ["registered_model", "iris.v2 (old)", "MANAGE"],
    ["run", "*", "READ"],
    ["workspace", "*", "USE"],
    ["workspace", "*", "DENY"],
    ["bucket", "artifacts", "EDIT"],
    ["bucket", "artifacts/projects/iris/production", "READ"],
  ])("%s %s %s", (resource_type, pattern, permission) => {
    const given = { resource_type, pattern, permission };
    expect(readGrant(given, custom)).toEqual(given);
  });

  test.each([
    ["experiment", "7", "OWN", "Invalid permission"],
    ["experiment", "007", "READ", "by their id"],
    ["experiment", "", "READ", "1 to 1024 characters"],
    ["registered_model", "x".repeat(1025), "READ", "1 to 1024 characters"],
    ["run", "0123", "READ", "only '*'"],
    ["workspace", "default", "READ", "only '*'"],
    ["workspace", "*", "NO_PERMISSIONS", "accepts only"],
    ["server", "*", "READ", "roles of the whole platform only"],
    ["stack", "*", "READ", "Invalid resource type"],
    ["__proto__", "*", "READ", "Invalid resource type"],
    ["bucket", "artifacts/", "READ", "without empty parts"],
    ["bucket", "/artifacts", "READ", "without empty parts"],
    ["bucket", "artifacts//a", "READ", "without empty parts"],
    ["bucket", "artifacts/../a", "READ", "without empty parts"],
    ["bucket", "*/a", "READ", "without empty parts"],
  ])("not %s %s %s", (...[resource_type, pattern, permission, message]) => {
    expect(() => readGrant({ resource_type, pattern, permission }, custom)).toThrow(message);
  });

  test("a role of the whole platform holds grants on the server alone", () => {
    const platform = { isPlatform: true };
    const onServer = { resource_type: "server", pattern: "*", permission: "MANAGE" };
    expect(readGrant(onServer, platform)).toEqual(onServer);
    expect(() => readGrant({ ...onServer, permission: "DENY" }, platform)).toThrow("accepts only");
    expect(() => readGrant({ ...onServer, pattern: "a" }, platform)).toThrow("only '*'");
    expect(() => readGrant({ ...onServer, resource_type: "workspace" }, platform)).toThrow("'server' only");
  });
});

describe("grants", () => {
  test("one on a pattern, changed and taken away", async () => {
    const given = { resource_type: "experiment", pattern: "1", permission: "READ" };
    const { grant_id: id } = await roles.addGrant(customRole, given);
    await expect(roles.addGrant(customRole, given)).rejects.toMatchObject({ code: "already_exists" });
    expect(await roles.updateGrant(id, "EDIT")).toMatchObject({ permission: "EDIT", pattern: "1" });
    await expect(roles.updateGrant(id, "OWN")).rejects.toMatchObject({ code: "invalid_parameter" });
    await roles.removeGrant(id);
    for (const ask of [
      () => roles.getGrant(id),
      () => roles.updateGrant(id, "READ"),
      () => roles.removeGrant(id),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: "not_found" });
    }
    await expect(roles.addGrant(999_999, given)).rejects.toMatchObject({ code: "not_found" });
  });

  test("direct ones are replaced where that is asked for", async () => {
    const given = { ...model("iris"), permission: "READ" };
    await roles.grantDirectly(holder, WORKSPACE, { ...given, replace: false });
    await expect(roles.grantDirectly(holder, WORKSPACE, { ...given, replace: false })).rejects.toMatchObject({
      code: "already_exists",
    });
    await roles.grantDirectly(holder, WORKSPACE, { ...given, permission: "EDIT", replace: true });
    expect(await roles.findDirectGrant(holder, WORKSPACE, model("iris"))).toMatchObject({
      permission: "EDIT",
    });
    await roles.revokeDirectly(holder, WORKSPACE, model("iris"));
    expect(await roles.findDirectGrant(holder, WORKSPACE, model("iris"))).toBeUndefined();
    await expect(roles.revokeDirectly(holder, WORKSPACE, model("iris"))).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("nothing is granted to nobody or nowhere", async () => {
    const given = { ...model("iris"), permission: "READ", replace: true };
    for (const ref of [{ principalId: 999_999 }, { name: "nobody" }, { uuid: "no uuid" }]) {
      await expect(roles.grantDirectly(ref, WORKSPACE, given)).rejects.toMatchObject({ code: "not_found" });
    }
    await expect(roles.grantDirectly(holder, 999_999, given)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("what is granted on a model", () => {
  test("goes with it, so that who makes one of the same name does not inherit", async () => {
    await post("/registered-models/create", { name: "going" });
    await grant(model("going"), "MANAGE");
    await roles.addGrant(customRole, { ...model("going"), permission: "READ" });
    await grant({ resource_type: "prompt", pattern: "going" }, "EDIT");
    await grant({ resource_type: "experiment", pattern: "77" }, "EDIT");
    expect((await server.call("DELETE", `${API}/registered-models/delete`, { name: "going" })).status).toBe(
      200,
    );
    expect(await grantsOn(model("going"))).toEqual([]);
    expect(await grantsOn({ resource_type: "prompt", pattern: "going" })).toEqual([]);
    expect(await grantsOn({ resource_type: "experiment", pattern: "77" })).toEqual(["direct EDIT"]);
  });

  test("follows its name; of two on one name a DENY stays", async () => {
    await post("/registered-models/create", { name: "old" });
    await grant(model("old"), "MANAGE");
    await grant(model("new"), "READ");
    await roles.addGrant(customRole, { ...model("old"), permission: "EDIT" });
    await roles.addGrant(customRole, { ...model("new"), permission: "DENY" });
    await post("/registered-models/rename", { name: "old", new_name: "new" });
    expect(await grantsOn(model("old"))).toEqual([]);
    expect((await grantsOn(model("new"))).toSorted()).toEqual(["custom DENY", "direct MANAGE"]);
    // A rename that fails takes nothing along.
    await post("/registered-models/create", { name: "taken" });
    expect(
      (await server.post(`${API}/registered-models/rename`, { name: "new", new_name: "taken" })).status,
    ).toBe(400);
    expect((await grantsOn(model("new"))).toSorted()).toEqual(["custom DENY", "direct MANAGE"]);
  });

  test("never becomes a grant on all, whatever the model is called", async () => {
    await post("/registered-models/create", { name: "mine" });
    await grant(model("mine"), "MANAGE");
    await post("/registered-models/rename", { name: "mine", new_name: "*" });
    expect(await grantsOn(model("*"))).toEqual([]);
    expect(await grantsOn(model("mine"))).toEqual([]);
    // Nor do those on all go or follow with that one.
    await roles.addGrant(customRole, { ...model("*"), permission: "DENY" });
    await post("/registered-models/rename", { name: "*", new_name: "mine" });
    expect(await grantsOn(model("*"))).toEqual(["custom DENY"]);
    await post("/registered-models/rename", { name: "mine", new_name: "*" });
    expect((await server.call("DELETE", `${API}/registered-models/delete`, { name: "*" })).status).toBe(200);
    expect(await grantsOn(model("*"))).toEqual(["custom DENY"]);
  });

  test("in another workspace stays", async () => {
    expect((await server.post("/api/3.0/mlflow/workspaces", { name: "beside" })).status).toBe(201);
    const headers = { "x-mlflow-workspace": "beside" };
    const there = await server.call("POST", `${API}/registered-models/create`, { name: "both" }, headers);
    expect(there.status).toBe(200);
    await post("/registered-models/create", { name: "both" });
    await grant(model("both"), "MANAGE");
    expect(
      (await server.call("DELETE", `${API}/registered-models/delete`, { name: "both" }, headers)).status,
    ).toBe(200);
    expect(await grantsOn(model("both"))).toEqual(["direct MANAGE"]);
  });
});

test("what is granted on an experiment is there until the experiment is purged", async () => {
  const { experiment_id: pattern } = await post("/experiments/create", { name: "purged" });
  const on = { resource_type: "experiment", pattern: String(pattern) } as const;
  await grant(on, "MANAGE");
  await grant({ ...on, pattern: "*" }, "READ");
  await post("/experiments/delete", { experiment_id: pattern });
  expect(await grantsOn(on)).toEqual(["direct MANAGE"]);
  const purged = await server.post("/console/api/purge", { older_than_seconds: 0 });
  expect(purged.json).toMatchObject({ experiments: 1 });
  expect(await grantsOn(on)).toEqual([]);
  expect(await grantsOn({ ...on, pattern: "*" })).toEqual(["direct READ"]);
});
