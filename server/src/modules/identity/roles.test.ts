import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import type { Roles } from "./roles.ts";

let server: TestServer;
let roles: Roles;

beforeAll(async () => {
  server = await startTestServer();
  roles = server.app.identity.roles;
});
afterAll(() => server[Symbol.asyncDispose]());

let count = 0;
const newName = (): string => `name-${(count += 1)}`;

async function makePrincipal(): Promise<{ principalId: number }> {
  const given = { kind: "service_account", name: newName() } as const;
  return { principalId: (await server.app.identity.principals.createPrincipal(given)).principal_id };
}

async function makeWorkspace(): Promise<{ id: number; name: string }> {
  const name = newName();
  expect((await server.post("/api/3.0/mlflow/workspaces", { name })).status).toBe(201);
  return { id: (await roles.findRole(name, "viewer"))?.workspace_id ?? -1, name };
}

const workspaceGrant = { resource_type: "workspace", pattern: "*", permission: "READ" };

/** How many rows of what is asked for here are left of a workspace. */
async function countOf(
  table: "roles" | "grants" | "assignments",
  roleIds: readonly number[],
): Promise<number> {
  const statement = {
    name: `test_count_${table}`,
    text: `select count(*)::integer as count from identity.${table} where role_id = any($1)`,
  };
  const [row] = await server.database.prepared<{ count: number }>(statement, [roleIds]);
  return row?.count ?? -1;
}

/** What happened to each of several things done at once: `done`, or the code of the error. */
const outcomes = async (all: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(all)).map((one) =>
    one.status === "fulfilled" ? "done" : String((one.reason as { code?: string }).code),
  );

describe("roles", () => {
  test("every workspace has its builtin roles, which nobody changes", async () => {
    const { name } = await makeWorkspace();
    const listed = await roles.listRoles({ workspaces: [name] });
    expect(listed.map((role) => [role.name, role.kind])).toEqual([
      ["viewer", "builtin"],
      ["editor", "builtin"],
      ["admin", "builtin"],
    ]);
    const grants = await roles.listGrants(listed.map((role) => role.role_id));
    expect(grants.map((grant) => grant.permission)).toEqual(["READ", "EDIT", "MANAGE"]);
    const viewer = listed[0]?.role_id as number;
    await expect(roles.updateRole(viewer, { name: "x" })).rejects.toMatchObject({ code: "invalid_state" });
    await expect(roles.deleteRole(viewer)).rejects.toMatchObject({ code: "invalid_state" });
    const more = { resource_type: "workspace", pattern: "*", permission: "MANAGE" };
    await expect(roles.addGrant(viewer, more)).rejects.toMatchObject({ code: "invalid_state" });
    const own = grants[0]?.grant_id as number;
    await expect(roles.updateGrant(own, "MANAGE")).rejects.toMatchObject({ code: "invalid_state" });
    await expect(roles.removeGrant(own)).rejects.toMatchObject({ code: "invalid_state" });
  });

  test("are made, found, renamed and deleted", async () => {
    const { name: workspace } = await makeWorkspace();
    const role = await roles.createRole({ workspace, name: "readers", description: "Read" });
    expect(role).toMatchObject({
      workspace,
      name: "readers",
      description: "Read",
      kind: "custom",
      principal_id: null,
    });
    expect(await roles.findRole(workspace, "readers")).toEqual(role);
    expect(await roles.findRole("default", "readers")).toBeUndefined();
    await expect(roles.createRole({ workspace, name: "readers" })).rejects.toMatchObject({
      code: "already_exists",
    });
    await expect(roles.updateRole(role.role_id, { name: "viewer" })).rejects.toMatchObject({
      code: "already_exists",
    });
    const renamed = await roles.updateRole(role.role_id, { name: "writers" });
    expect(renamed).toMatchObject({ name: "writers", description: "Read" });
    expect(await roles.getRole(role.role_id)).toEqual(renamed);
    await roles.deleteRole(role.role_id);
    await expect(roles.getRole(role.role_id)).rejects.toMatchObject({ code: "not_found" });
    await expect(roles.deleteRole(role.role_id)).rejects.toMatchObject({ code: "not_found" });
  });

  test.each(["", " ", "__user_1__", "__mine", " a", "a\u202Eb", "a\n", "x".repeat(256)])(
    "is not called %j",
    async (name) => {
      await expect(roles.createRole({ workspace: "default", name })).rejects.toMatchObject({
        code: "invalid_parameter",
      });
    },
  );

  test("stand in a workspace that is there, or above all", async () => {
    await expect(roles.createRole({ workspace: "nowhere", name: "a" })).rejects.toMatchObject({
      code: "not_found",
    });
    const above = await roles.createRole({ workspace: null, name: "operators" });
    await expect(roles.createRole({ workspace: null, name: "operators" })).rejects.toMatchObject({
      code: "already_exists",
    });
    await expect(roles.addGrant(above.role_id, workspaceGrant)).rejects.toMatchObject({
      code: "invalid_parameter",
    });
    await roles.addGrant(above.role_id, { resource_type: "server", pattern: "*", permission: "MANAGE" });
    expect(await roles.findRole(null, "operators")).toMatchObject({ workspace: null, workspace_id: null });
    expect((await roles.listRoles({ platform: true })).map(({ name }) => name)).toEqual([
      "monitor",
      "operators",
    ]);
  });
});

describe("assignments", () => {
  test("are made once and taken away once", async () => {
    const [principal, { name: workspace }] = [await makePrincipal(), await makeWorkspace()];
    const { role_id: roleId } = await roles.createRole({ workspace, name: "readers" });
    expect(await roles.assignRole(principal, roleId)).toMatchObject({ role_id: roleId, source: "manual" });
    await expect(roles.assignRole(principal, roleId)).rejects.toMatchObject({ code: "already_exists" });
    expect((await roles.listRolesOf(principal)).map((role) => role.role_id)).toEqual([roleId]);
    expect(await roles.listRolesOf(principal, { workspace: "default" })).toEqual([]);
    expect((await roles.listAssignments(roleId)).map((one) => one.principal_id)).toEqual([
      principal.principalId,
    ]);
    await roles.unassignRole(principal, roleId);
    await expect(roles.unassignRole(principal, roleId)).rejects.toMatchObject({ code: "not_found" });
    await expect(roles.assignRole({ name: "nobody" }, roleId)).rejects.toMatchObject({ code: "not_found" });
    await expect(roles.assignRole(principal, 999_999)).rejects.toMatchObject({ code: "not_found" });
  });

  test("a personal role stays with its principal", async () => {
    const [principal, other, { id, name: workspace }] = [
      await makePrincipal(),
      await makePrincipal(),
      await makeWorkspace(),
    ];
    const { role_id: roleId } = await roles.grantDirectly(principal, id, {
      ...workspaceGrant,
      replace: false,
    });
    const role = await roles.getRole(roleId);
    expect(role).toMatchObject({
      kind: "personal",
      name: `__user_${principal.principalId}__`,
      workspace,
    });
    expect(await roles.listRoles({ workspaces: [workspace] })).toHaveLength(3);
    expect(await roles.listRoles({ workspaces: [workspace], personal: true })).toHaveLength(4);
    const refused = await outcomes([
      roles.assignRole(other, roleId),
      roles.unassignRole(principal, roleId),
      roles.updateRole(roleId, { name: "mine" }),
      roles.deleteRole(roleId),
    ]);
    expect(new Set(refused)).toEqual(new Set(["invalid_state"]));
    await roles.setGroupRoles(other.principalId, [roleId]);
    expect(await roles.listRolesOf(other)).toEqual([]);
  });

  test("by groups are replaced, those by hand are not", async () => {
    const [principal, { name: workspace }] = [await makePrincipal(), await makeWorkspace()];
    const ids: number[] = [];
    for (const name of ["a", "b", "c"]) ids.push((await roles.createRole({ workspace, name })).role_id);
    const [a = 0, b = 0, c = 0] = ids;
    const held = async (): Promise<(number | string)[][]> =>
      (await roles.listAssignmentsOf([principal.principalId])).map((one) => [one.role_id, one.source]);
    await roles.assignRole(principal, a);
    await roles.setGroupRoles(principal.principalId, [a, b, 999_999]);
    expect(await held()).toEqual([
      [a, "manual"],
      [b, "group"],
    ]);
    await roles.setGroupRoles(principal.principalId, [c]);
    expect(await held()).toEqual([
      [a, "manual"],
      [c, "group"],
    ]);
    // By hand from now on: it stays when the group is gone.
    expect(await roles.assignRole(principal, c)).toMatchObject({ source: "manual" });
    await roles.setGroupRoles(principal.principalId, []);
    expect(await held()).toEqual([
      [a, "manual"],
      [c, "manual"],
    ]);
  });
});

describe("what is above goes", () => {
  test("a principal: with its assignments and personal roles", async () => {
    const [principal, { id, name: workspace }] = [await makePrincipal(), await makeWorkspace()];
    const { role_id: personal } = await roles.grantDirectly(principal, id, {
      ...workspaceGrant,
      replace: false,
    });
    const { role_id: shared } = await roles.createRole({ workspace, name: "shared" });
    await roles.addGrant(shared, workspaceGrant);
    await roles.assignRole(principal, shared);
    await server.app.identity.principals.deletePrincipal(principal);
    expect(await countOf("grants", [personal])).toBe(0);
    expect(await countOf("roles", [personal])).toBe(0);
    expect(await countOf("assignments", [personal, shared])).toBe(0);
    expect(await countOf("grants", [shared])).toBe(1);
  });

  test.each(["CASCADE", "SET_DEFAULT"])(
    "a workspace (%s): with its roles; none comes along",
    async (mode) => {
      const [principal, { id, name: workspace }] = [await makePrincipal(), await makeWorkspace()];
      const { role_id: personal } = await roles.grantDirectly(principal, id, {
        ...workspaceGrant,
        replace: false,
      });
      const ids = (await roles.listRoles({ workspaces: [workspace], personal: true })).map(
        (role) => role.role_id,
      );
      expect(ids).toContain(personal);
      const path = `/api/3.0/mlflow/workspaces/${workspace}?mode=${mode}`;
      expect((await server.call("DELETE", path)).status).toBe(204);
      for (const table of ["roles", "grants", "assignments"] as const)
        expect(await countOf(table, ids)).toBe(0);
      expect(await roles.listRolesOf(principal)).toEqual([]);
      // Roles of the hidden place for what was deleted are nobody's to see.
      expect((await roles.listRoles({})).filter((role) => role.workspace?.includes("/"))).toEqual([]);
    },
  );
});

describe("two processes at once", () => {
  let there: Roles;
  let beside: TestServer;
  beforeAll(async () => {
    beside = await startTestServer({}, server);
    there = beside.app.identity.roles;
  });
  afterAll(() => beside[Symbol.asyncDispose]());

  test("one of two that assign the same does it", async () => {
    const [principal, { name: workspace }] = [await makePrincipal(), await makeWorkspace()];
    const { role_id: roleId } = await roles.createRole({ workspace, name: "readers" });
    const both = [roles, there, roles, there];
    const assigned = await outcomes(both.map((one) => one.assignRole(principal, roleId)));
    expect(assigned.toSorted()).toEqual(["already_exists", "already_exists", "already_exists", "done"]);
    const taken = await outcomes(both.map((one) => one.unassignRole(principal, roleId)));
    expect(taken.toSorted()).toEqual(["done", "not_found", "not_found", "not_found"]);
  });

  test("a role that is deleted while it is assigned and changed leaves nothing behind", async () => {
    const { name: workspace } = await makeWorkspace();
    const principals = [await makePrincipal(), await makePrincipal(), await makePrincipal()];
    for (let round = 0; round < 5; round += 1) {
      const { role_id: roleId } = await roles.createRole({ workspace, name: newName() });
      const done = await outcomes([
        ...principals.map((principal) => there.assignRole(principal, roleId)),
        roles.addGrant(roleId, workspaceGrant),
        roles.deleteRole(roleId),
        there.addGrant(roleId, workspaceGrant),
        there.deleteRole(roleId),
      ]);
      for (const one of done) expect(["done", "not_found", "already_exists"]).toContain(one);
      expect(await countOf("roles", [roleId])).toBe(0);
      expect(await countOf("grants", [roleId])).toBe(0);
      expect(await countOf("assignments", [roleId])).toBe(0);
    }
  });

  test("principals and roles that are deleted across each other", async () => {
    const { name: workspace } = await makeWorkspace();
    const principals = [];
    const ids: number[] = [];
    for (let at = 0; at < 4; at += 1) {
      principals.push(await makePrincipal());
      ids.push((await roles.createRole({ workspace, name: newName() })).role_id);
    }
    for (const principal of principals) for (const id of ids) await roles.assignRole(principal, id);
    const done = await outcomes([
      ...ids.map((id, at) => (at % 2 === 0 ? roles : there).deleteRole(id)),
      ...principals.map((one, at) =>
        (at % 2 === 0 ? beside : server).app.identity.principals.deletePrincipal(one),
      ),
    ]);
    expect(new Set(done)).toEqual(new Set(["done"]));
    expect(await countOf("assignments", ids)).toBe(0);
  });

  test("many direct grants make one personal role", async () => {
    const [principal, { id, name: workspace }] = [await makePrincipal(), await makeWorkspace()];
    const patterns = Array.from({ length: 20 }, (_, at) => String(at));
    const granted = await Promise.all(
      patterns.map((pattern, at) =>
        (at % 2 === 0 ? roles : there).grantDirectly(principal, id, {
          resource_type: "experiment",
          pattern,
          permission: "READ",
          replace: false,
        }),
      ),
    );
    expect(new Set(granted.map((grant) => grant.role_id)).size).toBe(1);
    expect(await roles.listRolesOf(principal, { workspace })).toHaveLength(1);
    expect(await roles.listGrantsOf(principal)).toHaveLength(20);
    const same = { resource_type: "experiment", pattern: "5", permission: "EDIT", replace: false };
    const revoked = await outcomes([
      roles.revokeDirectly(principal, id, { resource_type: "experiment", pattern: "5" }),
      there.revokeDirectly(principal, id, { resource_type: "experiment", pattern: "5" }),
    ]);
    expect(revoked.toSorted()).toEqual(["done", "not_found"]);
    const again = await outcomes([
      roles.grantDirectly(principal, id, same),
      there.grantDirectly(principal, id, same),
    ]);
    expect(again.toSorted()).toEqual(["already_exists", "done"]);
  });
});
