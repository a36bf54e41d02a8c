import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { edits, manages, reads } from "../../kernel/access.ts";
import type { Caller, CredentialLimit } from "../../kernel/caller.ts";
import type { Identity } from "./identity.ts";
import type { Scope } from "./scope.ts";

let server: TestServer;
let beside: TestServer;
let identity: Identity;

beforeAll(async () => {
  server = await startTestServer();
  beside = await startTestServer({}, server);
  identity = server.app.identity;
});
afterAll(async () => {
  await beside[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

let count = 0;
const newName = (): string => `name-${(count += 1)}`;

async function makeCaller(kind: "user" | "service_account" = "service_account"): Promise<Caller> {
  const row = await identity.principals.createPrincipal({ kind, name: newName() });
  const { principal_id: principalId, uuid, name } = row;
  return {
    principal: { principalId, uuid, kind, name, isAdmin: false },
    credential: { kind: "api_key" },
    address: "127.0.0.1",
  };
}

const limited = (caller: Caller, limit: CredentialLimit): Caller => ({
  ...caller,
  credential: { kind: "api_key", limit },
});

const refOf = ({ principal }: Caller): { principalId: number } => ({
  principalId: principal?.principalId ?? -1,
});

const administrator: Caller = {
  principal: { principalId: 0, uuid: "", kind: "local", name: "local", isAdmin: true },
  credential: { kind: "local" },
  address: "127.0.0.1",
};

async function makeWorkspace(): Promise<string> {
  const name = newName();
  expect((await server.post("/api/3.0/mlflow/workspaces", { name })).status).toBe(201);
  return name;
}

async function roleOf(workspace: string | null, name: string): Promise<number> {
  const role = await identity.roles.findRole(workspace, name);
  return role?.role_id ?? -1;
}

const denied = { code: "permission_denied", message: "Permission denied" };

describe("entering a workspace", () => {
  test("a stranger gets the same refusal for every name, an administrator is told", async () => {
    const stranger = await makeCaller();
    await expect(async () => identity.enter(stranger, await makeWorkspace())).rejects.toMatchObject(denied);
    await expect(async () => identity.enter(stranger, "nowhere")).rejects.toMatchObject(denied);
    await expect(async () => identity.enter(stranger, "default")).rejects.toMatchObject(denied);
    await expect(async () => identity.enter(administrator, "nowhere")).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("a role gives its rights in its workspace alone, and the same object at once from then on", async () => {
    const [caller, workspace, other] = [await makeCaller(), await makeWorkspace(), await makeWorkspace()];
    await identity.roles.assignRole(refOf(caller), await roleOf(workspace, "editor"));
    const scope = await identity.enter(caller, workspace);
    expect(scope.workspace).toBe(workspace);
    expect(scope.policy.uniform).toBe("EDIT");
    expect(identity.enter({ ...caller }, workspace)).toBe(scope);
    await expect(async () => identity.enter(caller, other)).rejects.toMatchObject(denied);
    await identity.roles.assignRole(refOf(caller), await roleOf(other, "admin"));
    expect((await identity.enter(caller, other)).policy.isAdmin).toBe(true);
  });

  test("whatever is taken away is refused at once", async () => {
    const [caller, workspace] = [await makeCaller(), await makeWorkspace()];
    const { roles } = identity;
    const viewer = await roleOf(workspace, "viewer");
    await roles.assignRole(refOf(caller), viewer);
    await identity.enter(caller, workspace);
    await roles.unassignRole(refOf(caller), viewer);
    await expect(async () => identity.enter(caller, workspace)).rejects.toMatchObject(denied);

    const role = await roles.createRole({ workspace, name: "readers" });
    await roles.assignRole(refOf(caller), role.role_id);
    const grant = await roles.addGrant(role.role_id, {
      resource_type: "experiment",
      pattern: "7",
      permission: "EDIT",
    });
    const on7 = async (): Promise<string> =>
      (await identity.enter(caller, workspace)).policy.on("experiment", "7");
    expect(await on7()).toBe("EDIT");
    await roles.updateGrant(grant.grant_id, "READ");
    expect(await on7()).toBe("READ");
    await roles.removeGrant(grant.grant_id);
    await expect(on7).rejects.toMatchObject(denied);
    await roles.addGrant(role.role_id, { resource_type: "workspace", pattern: "*", permission: "EDIT" });
    expect(await on7()).toBe("EDIT");
    await roles.deleteRole(role.role_id);
    await expect(on7).rejects.toMatchObject(denied);
  });

  test("a key is limited to its permission and its workspaces, an administrator's too", async () => {
    const [caller, workspace, other] = [await makeCaller(), await makeWorkspace(), await makeWorkspace()];
    await identity.roles.assignRole(refOf(caller), await roleOf(workspace, "admin"));
    await identity.roles.assignRole(refOf(caller), await roleOf(other, "admin"));
    const { workspaceId } = await identity.enter(caller, workspace);
    const limit = { maxPermission: "READ", workspaceIds: new Set([workspaceId]) } as const;
    for (const one of [caller, administrator]) {
      const scope = await identity.enter(limited(one, limit), workspace);
      expect(scope.policy.on("experiment", "7")).toBe("READ");
      expect(scope.policy.isAdmin).toBe(false);
      expect(scope.policy.mayCreate).toBe(false);
      await expect(async () => identity.enter(limited(one, limit), other)).rejects.toMatchObject(denied);
      await expect(async () => identity.enter(limited(one, limit), "nowhere")).rejects.toMatchObject(denied);
    }
    expect((await identity.enter(caller, workspace)).policy.isAdmin).toBe(true);
  });

  test("users have a part in the default workspace where the configuration says so", async () => {
    await using open = await startTestServer({ "default-permission": "READ" }, server);
    const [user, account] = [await makeCaller("user"), await makeCaller()];
    const scope = await open.app.identity.enter(user, "default");
    expect(scope.policy.uniform).toBe("READ");
    await expect(async () => open.app.identity.enter(account, "default")).rejects.toMatchObject(denied);
    await identity.roles.grantDirectly(refOf(user), scope.workspaceId, {
      resource_type: "workspace",
      pattern: "*",
      permission: "DENY",
      replace: false,
    });
    await open.app.identity.roles.readChanges();
    await expect(async () => open.app.identity.enter(user, "default")).rejects.toMatchObject(denied);
  });
});

describe("what concerns the platform", () => {
  test("is for its administrators, and for roles that read the server", async () => {
    const caller = await makeCaller();
    const admit = async (by: Caller, access: Parameters<Identity["admit"]>[1]): Promise<boolean> =>
      identity.admit(by, access);
    await expect(admit(caller, reads("server"))).rejects.toMatchObject(denied);
    await identity.roles.assignRole(refOf(caller), await roleOf(null, "monitor"));
    expect(await admit(caller, reads("server"))).toBe(true);
    for (const access of [manages("server"), reads("principal"), reads("audit")]) {
      await expect(admit(caller, access)).rejects.toMatchObject(denied);
    }
    const ofOne = limited(caller, { maxPermission: "EDIT", workspaceIds: new Set([1]) });
    await expect(admit(ofOne, reads("server"))).rejects.toMatchObject(denied);
    expect(await admit(administrator, manages("principal"))).toBe(true);
    const readingAdministrator = limited(administrator, { maxPermission: "READ", workspaceIds: undefined });
    expect(await admit(readingAdministrator, reads("audit"))).toBe(true);
    await expect(admit(readingAdministrator, edits("principal"))).rejects.toMatchObject(denied);
    const editing = limited(administrator, { maxPermission: "EDIT", workspaceIds: undefined });
    await expect(admit(editing, edits("principal"))).rejects.toMatchObject(denied);
  });

  test("what a key may not do at all is refused before anything is read", () => {
    const key = limited(administrator, { maxPermission: "READ", workspaceIds: undefined });
    expect(identity.admit(key, reads("experiment"))).toBe(false);
    expect(() => identity.admit(key, edits("experiment"))).toThrow("Permission denied");
  });
});

describe("who makes something", () => {
  const made = { resource_type: "experiment", id: "7" } as const;

  async function makeMember(): Promise<{ caller: Caller; workspace: string; enter(): Promise<Scope> }> {
    const [caller, workspace] = [await makeCaller(), await makeWorkspace()];
    const role = await identity.roles.createRole({ workspace, name: "members" });
    await identity.roles.addGrant(role.role_id, {
      resource_type: "workspace",
      pattern: "*",
      permission: "USE",
    });
    await identity.roles.assignRole(refOf(caller), role.role_id);
    return { caller, workspace, enter: async () => identity.enter(caller, workspace) };
  }

  test("manages it, at once and without asking the database again", async () => {
    const { caller, enter } = await makeMember();
    const before = await enter();
    await identity.roles.readChanges();
    expect(before.policy.on("experiment", "7")).toBe("READ");
    await identity.grantCreator(caller, before, made);
    const after = await enter();
    expect([after.policy.on("experiment", "7"), after.policy.on("experiment", "8")]).toEqual([
      "MANAGE",
      "READ",
    ]);
    // Nor is it forgotten when the feed tells of it.
    await identity.roles.readChanges();
    expect(identity.enter(caller, before.workspace)).toBe(after);
    expect(
      await identity.roles.findDirectGrant(refOf(caller), before.workspaceId, {
        resource_type: "experiment",
        pattern: "7",
      }),
    ).toMatchObject({ permission: "MANAGE" });
  });

  test("many at once, on two processes, in one personal role", async () => {
    const { caller, workspace, enter } = await makeMember();
    const place = await enter();
    const ids = Array.from({ length: 200 }, (_, at) => String(at + 1));
    await Promise.all(
      ids.map(async (id, at) =>
        (at % 2 === 0 ? identity : beside.app.identity).grantCreator(caller, place, { ...made, id }),
      ),
    );
    await identity.roles.readChanges();
    const { policy } = await enter();
    expect(ids.every((id) => policy.on("experiment", id) === "MANAGE")).toBe(true);
    const held = await identity.roles.listRolesOf(refOf(caller), { workspace });
    expect(held.map((role) => role.kind)).toEqual(["custom", "personal"]);
  });

  test("gets nothing where a role gives it already, or the name stands for everything", async () => {
    const { caller, enter } = await makeMember();
    const scope = await enter();
    await identity.grantCreator(caller, scope, { resource_type: "registered_model", id: "*" });
    const holder = refOf(caller);
    expect(await identity.roles.listRolesOf(holder)).toHaveLength(1);
    await identity.roles.assignRole(holder, await roleOf(scope.workspace, "admin"));
    await identity.grantCreator(caller, await enter(), made);
    expect(await identity.roles.listGrantsOf(holder)).toHaveLength(2);
    await identity.grantCreator(administrator, scope, made);
  });

  test("does not get past a DENY on that name", async () => {
    const { caller, enter } = await makeMember();
    const scope = await enter();
    const grant = { resource_type: "registered_model", pattern: "payroll", permission: "DENY" };
    await identity.roles.grantDirectly(refOf(caller), scope.workspaceId, { ...grant, replace: false });
    await identity.grantCreator(caller, await enter(), { resource_type: "registered_model", id: "payroll" });
    expect((await enter()).policy.on("registered_model", "payroll")).toBe("DENY");
    const on = { resource_type: "registered_model", pattern: "payroll" } as const;
    const stored = await identity.roles.findDirectGrant(refOf(caller), scope.workspaceId, on);
    expect(stored?.permission).toBe("DENY");
  });

  test("whose workspace or principal is gone meanwhile is no failure", async () => {
    const { caller, enter } = await makeMember();
    const scope = await enter();
    await identity.principals.deletePrincipal(refOf(caller));
    await identity.grantCreator(caller, scope, made);
    const other = await makeMember();
    await identity.grantCreator(other.caller, { ...(await other.enter()), workspaceId: 999_999 }, made);
  });

  test("is known to the other process as soon as it would refuse", async () => {
    const { caller, workspace, enter } = await makeMember();
    const there = await beside.app.identity.enter(caller, workspace);
    expect(await beside.app.identity.renew(there)).toBe(there);
    await identity.grantCreator(caller, await enter(), made);
    const renewed = await beside.app.identity.renew(there);
    expect(renewed.policy.on("experiment", "7")).toBe("MANAGE");
  });
});

describe("two processes", () => {
  test("what one takes away the other refuses within 2 s", async () => {
    const [caller, workspace] = [await makeCaller(), await makeWorkspace()];
    const { roles } = identity;
    const role = await roles.createRole({ workspace, name: "writers" });
    const grant = { resource_type: "workspace", pattern: "*", permission: "EDIT" };
    const enterThere = async (): Promise<Scope> => beside.app.identity.enter(caller, workspace);
    const refusedThere = async (): Promise<void> => {
      const revokedAt = Date.now();
      for (;;) {
        const askedAt = Date.now();
        const answer = await enterThere().catch((error: unknown) => error);
        if (answer instanceof Error) {
          expect(answer).toMatchObject(denied);
          return;
        }
        expect(askedAt).toBeLessThan(revokedAt + 2000);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const added = await roles.addGrant(role.role_id, grant);
    await roles.assignRole(refOf(caller), role.role_id);
    expect((await enterThere()).policy.uniform).toBe("EDIT");
    await roles.unassignRole(refOf(caller), role.role_id);
    await refusedThere();
    await roles.assignRole(refOf(caller), role.role_id);
    // Strangers are told apart from members by what is known now, not 2 s ago.
    expect((await enterThere()).policy.uniform).toBe("EDIT");
    await roles.removeGrant(added.grant_id);
    await refusedThere();
    await roles.addGrant(role.role_id, grant);
    await enterThere();
    await roles.deleteRole(role.role_id);
    await refusedThere();
  });
});
