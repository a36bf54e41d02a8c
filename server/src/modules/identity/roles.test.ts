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

/** A user made with nothing but a row: what is tested here asks for no password. */
async function makeUser(): Promise<number> {
  count += 1;
  const [row] = await server.database.prepared<{ principal_id: number }>(
    {
      name: "test_insert_user",
      text: `
        insert into identity.principals (kind, name, creation_timestamp, last_updated_timestamp)
        values ('user', $1, 0, 0) returning principal_id`,
    },
    [`user-${count}`],
  );
  return (row as { principal_id: number }).principal_id;
}

async function makeWorkspace(): Promise<{ id: number; name: string }> {
  count += 1;
  const name = `team-${count}`;
  await server.post("/api/3.0/mlflow/workspaces", { name });
  const [row] = await server.database.prepared<{ workspace_id: number }>(
    { name: "test_workspace_id", text: "select workspace_id from identity.workspaces where name = $1" },
    [name],
  );
  return { id: (row as { workspace_id: number }).workspace_id, name };
}

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
});
