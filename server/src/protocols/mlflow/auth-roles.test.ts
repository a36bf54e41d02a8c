import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { machine, person, type Person } from "../../../test/principals.ts";
import { accepted, refusal } from "../../../test/runs.ts";
import { newWorkspace, withHeaders } from "../../../test/workspaces.ts";

const R = "/api/3.0/mlflow/roles";
const P = "/api/3.0/mlflow/users";

let server: TestServer;
let admin: Person;
/** Manages the workspace `team`. */
let manager: Person;
/** Reads it. */
let member: Person;

type As = { headers: Record<string, string> };
const ask = (as: As, method: string, ...[path, body]: [path: string, body?: unknown]): Promise<Answer> =>
  server.call(method, path, body, as.headers);
const inTeam = ({ headers }: As): As => ({ headers: { ...headers, "x-mlflow-workspace": "team" } });

beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  admin = await person(server, "admin", { isAdmin: true });
  await newWorkspace(withHeaders(server, admin.headers), "team");
  manager = await person(server, "manager", { workspace: "team", role: "admin" });
  member = await person(server, "member", { workspace: "team", role: "viewer" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const forbidden = [403, "PERMISSION_DENIED", "Permission denied"];

const namesOf = (answer: Answer): string[] => accepted(answer).roles.map((role: Json) => role.name);

async function newRole(as: As, name: string): Promise<number> {
  return accepted(await ask(as, "POST", `${R}/create`, { workspace: "team", name })).role.id as number;
}

describe("roles that Plinth made", () => {
  test("are those of their workspace, with what they grant", async () => {
    expect(namesOf(await ask(member, "GET", `${R}/list?workspace=team`))).toEqual([
      "viewer",
      "editor",
      "admin",
    ]);
    const [viewer] = accepted(await ask(member, "GET", `${R}/list?workspace=team`)).roles as Json[];
    expect(viewer.permissions).toEqual([
      {
        id: expect.any(Number),
        role_id: viewer.id,
        resource_type: "workspace",
        resource_pattern: "*",
        permission: "READ",
      },
    ]);
  });

  test("of the whole platform are none of a workspace", async () => {
    const monitor = await server.app.identity.roles.findRole(null, "monitor");
    expect(namesOf(await ask(admin, "GET", `${R}/list`))).not.toContain("monitor");
    const answer = await ask(admin, "GET", `${R}/get?role_id=${monitor?.role_id}`);
    expect(refusal(answer)).toEqual([404, "RESOURCE_DOES_NOT_EXIST", expect.any(String)]);
  });

  test("stay as they are", async () => {
    const editor = await server.app.identity.roles.findRole("team", "editor");
    const [grant] = await server.app.identity.roles.listGrants([editor?.role_id ?? 0]);
    const role_permission_id = grant?.grant_id;
    for (const as of [admin, manager]) {
      for (const [method, path, body] of [
        ["PATCH", "update", { role_id: editor?.role_id, name: "other" }],
        ["DELETE", "delete", { role_id: editor?.role_id }],
        ["PATCH", "permissions/update", { role_permission_id, permission: "MANAGE" }],
        ["DELETE", "permissions/remove", { role_permission_id }],
      ] as const) {
        const answer = await ask(as, method, `${R}/${path}`, body);
        expect([path, answer.status, answer.json.error_code]).toEqual([path, 400, "INVALID_STATE"]);
      }
    }
  });
});

describe("who manages a workspace", () => {
  test("manages the roles in it, and none elsewhere", async () => {
    const role_id = await newRole(manager, "made by the manager");
    const fields = { role_id, resource_type: "experiment", resource_pattern: "*", permission: "EDIT" };
    accepted(await ask(manager, "POST", `${R}/permissions/add`, fields));
    accepted(await ask(manager, "POST", `${R}/assign`, { username: "member", role_id }));
    const elsewhere = await server.app.identity.roles.findRole("default", "viewer");
    for (const [method, path, body] of [
      ["POST", "create", { workspace: "default", name: "x" }],
      ["GET", `get?role_id=${elsewhere?.role_id}`, undefined],
      ["GET", "list?workspace=default", undefined],
      ["GET", "list?workspace=team&workspace=default", undefined],
      ["POST", "assign", { username: "manager", role_id: elsewhere?.role_id }],
      ["GET", `users/list?role_id=${elsewhere?.role_id}`, undefined],
    ] as const) {
      expect([path, ...refusal(await ask(manager, method, `${R}/${path}`, body))]).toEqual([
        path,
        ...forbidden,
      ]);
    }
  });

  test("sees of others the roles in it", async () => {
    const both = await person(server, "of both", { role: "editor" });
    const viewer = await server.app.identity.roles.findRole("team", "viewer");
    await server.app.identity.roles.assignRole({ name: "of both" }, viewer?.role_id ?? 0);
    expect(namesOf(await ask(manager, "GET", `${P}/roles/list?username=of+both`))).toEqual(["viewer"]);
    expect(namesOf(await ask(both, "GET", `${P}/roles/list?username=of+both`)).toSorted()).toEqual([
      "editor",
      "viewer",
    ]);
    const listed = accepted(await ask(manager, "GET", `${P}/permissions/list?username=of+both`));
    expect(listed.permissions.map((one: Json) => one.workspace)).toEqual(["team"]);
    await person(server, "of the other one", { role: "editor" });
    const other = await ask(manager, "GET", `${P}/roles/list?username=of+the+other+one`);
    expect(refusal(other)).toEqual(forbidden);
  });

  test("does not with a key that is limited", async () => {
    const { key } = await server.app.identity.apiKeys.createApiKey(
      { name: "manager" },
      { name: "limited", maxPermission: "EDIT" },
    );
    const limited = { headers: { authorization: `Bearer ${key}` } };
    const created = await ask(limited, "POST", `${R}/create`, { workspace: "team", name: "y" });
    expect(refusal(created)).toEqual(forbidden);
    const user = { username: "y", password: "a long password" };
    expect(refusal(await ask(limited, "POST", "/api/2.0/mlflow/users/create", user))).toEqual(forbidden);
    expect((await ask(limited, "GET", `${R}/list?workspace=team`)).status).toBe(200);
  });

  test("grants in the workspace of the request", async () => {
    const one = { username: "member", resource_type: "experiment", resource_id: "70", permission: "EDIT" };
    expect(refusal(await ask(manager, "POST", `${P}/permissions/grant`, one))).toEqual(forbidden);
    accepted(await ask(inTeam(manager), "POST", `${P}/permissions/grant`, one));
    const query = new URLSearchParams({ username: "member", resource_type: "experiment", resource_id: "70" });
    const asked = `${P}/permissions/get?${query.toString()}`;
    expect(accepted(await ask(inTeam(manager), "GET", asked))).toEqual({ allowed: true, permission: "EDIT" });
    expect(refusal(await ask(manager, "GET", asked))).toEqual(forbidden);
    expect(accepted(await ask(member, "GET", asked))).toEqual({
      allowed: false,
      permission: "NO_PERMISSIONS",
    });
    expect(accepted(await ask(admin, "GET", asked)).permission).toBe("NO_PERMISSIONS");
  });
});

describe("what somebody was granted directly", () => {
  test("is no role that members see, take or give", async () => {
    const granted = await person(server, "granted", { workspace: "team", role: "viewer" });
    accepted(
      await ask(inTeam(manager), "POST", `${P}/permissions/grant`, {
        username: "granted",
        resource_type: "registered_model",
        resource_id: "secret model",
        permission: "EDIT",
      }),
    );
    const row = accepted(await ask(granted, "GET", `${P}/current/permissions`)).permissions.find(
      (one: Json) => one.resource_pattern === "secret model",
    );
    expect(row).toEqual({
      role_id: expect.any(Number),
      role_name: `__user_${granted.row.principal_id}__`,
      workspace: "team",
      resource_type: "registered_model",
      resource_pattern: "secret model",
      permission: "EDIT",
    });
    const path = `get?role_id=${row.role_id}`;
    expect(refusal(await ask(member, "GET", `${R}/${path}`))).toEqual(forbidden);
    const listed = `${R}/permissions/list?role_id=${row.role_id}`;
    expect(refusal(await ask(member, "GET", listed))).toEqual(forbidden);
    for (const as of [granted, manager, admin]) {
      expect((await ask(as, "GET", `${R}/${path}`)).status).toBe(200);
    }
    expect(namesOf(await ask(manager, "GET", `${R}/list?workspace=team`))).not.toContain(row.role_name);
    const given = await ask(admin, "POST", `${R}/assign`, { username: "member", role_id: row.role_id });
    expect([given.status, given.json.error_code]).toEqual([400, "INVALID_STATE"]);
  });

  test("counts at once, and no longer when it is taken away", async () => {
    const late = await person(server, "late");
    const role_id = await newRole(admin, "late members");
    const fields = { role_id, resource_type: "workspace", resource_pattern: "*", permission: "USE" };
    accepted(await ask(admin, "POST", `${R}/permissions/add`, fields));
    const search = "/api/2.0/mlflow/experiments/search?max_results=1";
    expect((await ask(inTeam(late), "GET", search)).status).toBe(403);
    accepted(await ask(admin, "POST", `${R}/assign`, { username: "late", role_id }));
    expect((await ask(inTeam(late), "GET", search)).status).toBe(200);
    accepted(await ask(admin, "DELETE", `${R}/unassign`, { username: "late", role_id }));
    expect((await ask(inTeam(late), "GET", search)).status).toBe(403);
  });
});

test("a service account is given roles as a user is", async () => {
  const robot = await machine(server, "robot");
  const viewer = await server.app.identity.roles.findRole("team", "viewer");
  const role_id = viewer?.role_id;
  const { assignment } = accepted(await ask(manager, "POST", `${R}/assign`, { username: "robot", role_id }));
  expect(assignment).toEqual({ id: expect.any(Number), user_id: robot.row.principal_id, role_id });
  expect(namesOf(await ask(robot, "GET", `${R}/list?workspace=team`))).toContain("viewer");
});

test("values of other types are the caller's mistake", async () => {
  const role_id = await newRole(admin, "for odd values");
  const grant = { role_id, resource_type: "registered_model", resource_pattern: "x", permission: "READ" };
  const direct = { username: "member", resource_type: "prompt", resource_id: "x", permission: "READ" };
  for (const value of [null, true, [], {}, "a\0b", "", "x".repeat(5000), "-1", 1e300, "9".repeat(40)]) {
    for (const [method, path, body] of [
      ["POST", `${R}/create`, { workspace: value, name: "odd" }],
      ["POST", `${R}/create`, { workspace: "team", name: value }],
      ["PATCH", `${R}/update`, { role_id, name: value }],
      ["DELETE", `${R}/delete`, { role_id: value }],
      ...Object.keys(grant).map((key) => ["POST", `${R}/permissions/add`, { ...grant, [key]: value }]),
      ["DELETE", `${R}/permissions/remove`, { role_permission_id: value }],
      ["POST", `${R}/assign`, { username: value, role_id }],
      ...Object.keys(direct).flatMap((key) => [
        ["POST", `${P}/permissions/grant`, { ...direct, [key]: value }],
        ["POST", `${P}/permissions/revoke`, { ...direct, [key]: value }],
      ]),
    ] as [string, string, unknown][]) {
      const answer = await ask(inTeam(admin), method, path, body);
      expect([path, JSON.stringify(body).slice(0, 200), answer.status < 500]).toEqual([
        path,
        expect.any(String),
        true,
      ]);
    }
  }
});

test("the audit log tells who gave whom what", async () => {
  accepted(
    await ask(inTeam(manager), "POST", `${P}/permissions/grant`, {
      username: "member",
      resource_type: "experiment",
      resource_id: "71",
      permission: "DENY",
    }),
  );
  const { events } = await server.app.identity.audit.search({}, { maxResults: 1, pageToken: undefined });
  expect(events[0]).toMatchObject({
    principal: "manager",
    action: "users.permissions.grant",
    resource_type: "principal",
    resource_id: "member",
    workspace: "team",
    outcome: "allowed",
    details: { grant: "experiment 71", permission: "DENY" },
  });
});
