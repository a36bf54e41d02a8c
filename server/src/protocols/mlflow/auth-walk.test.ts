import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { person } from "../../../test/principals.ts";
import { API, fresh } from "../../../test/runs.ts";
import { stored } from "../../../test/stored.ts";
import { newWorkspace, withHeaders } from "../../../test/workspaces.ts";
import { aboutPeople } from "./workspace-routes-fixture.ts";

/** Each endpoint about users, roles and permissions is asked by everybody, about somebody and something of `owner`. */
const server: TestServer = await startTestServer({ login: "required" });

const IN_OWNER = { "x-mlflow-workspace": "owner" };
const names = ["nobody", "stranger", "viewer", "editor", "outsider", "manager", "admin"] as const;
type Name = (typeof names)[number];
const headersOf = new Map<Name, Record<string, string>>([["nobody", {}]]);

beforeAll(async () => {
  const admin = await person(server, "admin", { isAdmin: true });
  for (const name of ["owner", "elsewhere"]) await newWorkspace(withHeaders(server, admin.headers), name);
  headersOf.set("admin", admin.headers);
  headersOf.set("stranger", (await person(server, "stranger")).headers);
  await person(server, "grantee");
  for (const [name, workspace, role] of [
    ["viewer", "owner", "viewer"],
    ["editor", "owner", "editor"],
    ["manager", "owner", "admin"],
    // Manages another workspace.
    ["outsider", "elsewhere", "admin"],
  ] as const) {
    headersOf.set(name, (await person(server, name, { workspace, role })).headers);
  }
});
afterAll(() => server[Symbol.asyncDispose]());

/** Somebody with a role in `owner`, an experiment and a model there, and a grant on both. */
type Target = { user: string; role: number; grant: number; experiment: string; model: string };

async function makeTarget(): Promise<Target> {
  const { roles } = server.app.identity;
  const admin = headersOf.get("admin") ?? {};
  const user = fresh("victim");
  await person(server, user, { workspace: "owner", role: "viewer" });
  const { role_id: role, workspace_id: workspaceId } = await roles.createRole({
    workspace: "owner",
    name: fresh("role"),
  });
  const { grant_id: grant } = await roles.addGrant(role, {
    resource_type: "experiment",
    pattern: "*",
    permission: "READ",
  });
  await roles.assignRole({ name: user }, role);
  const model = fresh("model");
  const made = await server.call(
    "POST",
    `${API}/experiments/create`,
    { name: fresh("e") },
    { ...admin, ...IN_OWNER },
  );
  await server.call("POST", `${API}/registered-models/create`, { name: model }, { ...admin, ...IN_OWNER });
  const experiment = made.json.experiment_id as string;
  for (const [resource_type, pattern] of [
    ["experiment", experiment],
    ["registered_model", model],
  ] as const) {
    const permission = "READ";
    await roles.grantDirectly({ name: user }, workspaceId ?? 0, {
      resource_type,
      pattern,
      permission,
      replace: false,
    });
  }
  return { user, role, grant, experiment, model };
}

type Asked = { may: readonly Name[]; fields(target: Target): Record<string, unknown> };

const everybody = names.filter((name) => name !== "nobody");
const members = ["viewer", "editor", "manager", "admin"] as const;
const managers = ["manager", "admin"] as const;

const of = (may: readonly Name[], fields: Asked["fields"] = () => ({})): Asked => ({ may, fields });

const U = "/2.0/mlflow/users";
const P = "/3.0/mlflow/users";
const R = "/3.0/mlflow/roles";

const byName = ({ user }: Target) => ({ username: user });
const onExperiment = ({ user, experiment }: Target) => ({
  username: user,
  resource_type: "experiment",
  resource_id: experiment,
});
const role = (target: Target) => ({ role_id: target.role });
const grant = (target: Target) => ({ role_permission_id: target.grant });

const walk: Record<string, Asked> = {
  // They give no rights by that.
  [`POST ${U}/create`]: of(["outsider", ...managers], () => ({
    username: fresh("new"),
    password: "a long password",
  })),
  [`GET ${U}/get`]: of(["admin"], byName),
  // Whoever makes things there.
  [`GET ${U}/list`]: of(["editor", ...managers]),
  [`GET ${U}/current`]: of(everybody),
  [`PATCH ${U}/update-password`]: of(["admin"], ({ user }) => ({
    username: user,
    password: "another long password",
  })),
  [`PATCH ${U}/update-admin`]: of(["admin"], ({ user }) => ({ username: user, is_admin: true })),
  [`DELETE ${U}/delete`]: of(["admin"], byName),
  [`POST ${P}/permissions/grant`]: of(managers, (target) => ({
    ...onExperiment(target),
    resource_type: "registered_model",
    resource_id: fresh("other model"),
    permission: "MANAGE",
  })),
  [`POST ${P}/permissions/revoke`]: of(managers, onExperiment),
  [`GET ${P}/permissions/get`]: of(managers, onExperiment),
  [`GET ${P}/permissions/list`]: of(managers, byName),
  [`GET ${P}/current/permissions`]: of(everybody),
  [`GET ${P}/roles/list`]: of(managers, byName),
  [`POST ${R}/create`]: of(managers, () => ({ workspace: "owner", name: fresh("made") })),
  [`GET ${R}/get`]: of(members, role),
  [`GET ${R}/list`]: of(members, () => ({ workspace: "owner" })),
  [`PATCH ${R}/update`]: of(managers, (target) => ({ ...role(target), name: fresh("renamed") })),
  [`DELETE ${R}/delete`]: of(managers, role),
  [`POST ${R}/permissions/add`]: of(managers, (target) => ({
    ...role(target),
    resource_type: "workspace",
    resource_pattern: "*",
    permission: "MANAGE",
  })),
  [`GET ${R}/permissions/list`]: of(members, role),
  [`PATCH ${R}/permissions/update`]: of(managers, (target) => ({ ...grant(target), permission: "MANAGE" })),
  [`DELETE ${R}/permissions/remove`]: of(managers, grant),
  [`POST ${R}/assign`]: of(managers, (target) => ({ ...role(target), username: "grantee" })),
  [`DELETE ${R}/unassign`]: of(managers, (target) => ({ ...role(target), username: target.user })),
  [`GET ${R}/users/list`]: of(managers, role),
  ...Object.fromEntries(
    [
      ["experiments", (target: Target) => ({ experiment_id: target.experiment })] as const,
      ["registered-models", (target: Target) => ({ name: target.model })] as const,
    ].flatMap(([kind, on]) => {
      const path = `/2.0/mlflow/${kind}/permissions`;
      const fields = (target: Target) => ({ ...on(target), username: target.user });
      return [
        [
          `POST ${path}/create`,
          of(managers, (target) => ({ ...on(target), username: "grantee", permission: "READ" })),
        ],
        [`GET ${path}/get`, of(managers, fields)],
        [`PATCH ${path}/update`, of(managers, (target) => ({ ...fields(target), permission: "EDIT" }))],
        [`DELETE ${path}/delete`, of(managers, fields)],
      ] as const;
    }),
  ),
};

const routes = server.routes.filter(
  ({ protocol, url }) => protocol === "mlflow" && aboutPeople.test(url) && !url.endsWith("/ui-telemetry"),
);

test("every endpoint is in the table, under both prefixes", () => {
  const found = routes.filter(({ method }) => method !== "HEAD").map(({ method, url }) => `${method} ${url}`);
  const wanted = Object.keys(walk).flatMap((key) =>
    ["/api", "/ajax-api"].map((prefix) => key.replace(" ", ` ${prefix}`)),
  );
  expect(found.toSorted()).toEqual(wanted.toSorted());
});

async function ask(who: Name, key: string, target: Target): Promise<Answer> {
  const [method = "", path = ""] = key.split(" ");
  const fields = (walk[key] as Asked).fields(target);
  const headers = { ...headersOf.get(who), ...IN_OWNER };
  if (method !== "GET") return server.call(method, `/api${path}`, fields, headers);
  const texts = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]);
  return server.call(method, `/api${path}?${new URLSearchParams(texts).toString()}`, undefined, headers);
}

describe.each(Object.entries(walk))("%s", (key, { may }) => {
  test("is refused to who may not, and changes nothing", async () => {
    const target = await makeTarget();
    const before = await stored(server);
    for (const who of names.filter((name) => !may.includes(name))) {
      const answer = await ask(who, key, target);
      expect([who, answer.status, answer.json?.error_code]).toEqual(
        who === "nobody" ? [who, 401, "UNAUTHENTICATED"] : [who, 403, "PERMISSION_DENIED"],
      );
      expect(answer.text).not.toContain(target.user);
    }
    expect(await stored(server)).toEqual(before);
  });

  test("is done for who may", async () => {
    for (const who of may) {
      const answer = await ask(who, key, await makeTarget());
      expect([who, answer.status, answer.text]).toEqual([who, 200, expect.any(String)]);
    }
  });
});

test("nobody learns by a refusal whether there is such a user, role, grant or workspace", async () => {
  const target = await makeTarget();
  const nothing: Target = {
    user: "no such user",
    role: 2_000_000,
    grant: 2_000_000,
    experiment: "2000000",
    model: "no such model",
  };
  for (const who of ["stranger", "outsider", "viewer"] as const) {
    for (const [key, { may }] of Object.entries(walk)) {
      if (may.includes(who)) continue;
      const [known, unknown] = [await ask(who, key, target), await ask(who, key, nothing)];
      expect([who, key, unknown.status, unknown.text]).toEqual([who, key, known.status, known.text]);
    }
  }
});
