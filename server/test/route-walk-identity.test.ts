import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RouteEntry } from "../src/kernel/http.ts";
import { toPrincipal } from "../src/modules/identity/index.ts";
import { ask, type Asked } from "../src/protocols/mlflow/workspace-requests-fixture.ts";
import { notKept, OWNER, startAccessWorld, type AccessWorld } from "./access-world.ts";
import type { TestServer } from "./harness.ts";
import { person } from "./principals.ts";
import { API, fresh } from "./runs.ts";
import { stored } from "./stored.ts";

/** Routes about people, keys, roles and workspaces: what each of them refuses to who has no business there. */
const world: AccessWorld = await startAccessWorld();
const { server, actors, ids } = world;

/** Of somebody else, whom nobody here may touch. */
const victim = {
  name: "victim",
  id: 0,
  uuid: "",
  keyId: "",
  s3Key: "",
  sessionId: "",
  deviceId: "",
  machine: "robot",
  machineUuid: "",
  machineKeyId: "",
  roleId: 0,
  grantId: 0,
};

beforeAll(async () => {
  const { principals, apiKeys, s3Keys, sessions, devices, roles } = server.app.identity;
  const { row } = await person(server, victim.name, { role: "editor", workspace: OWNER });
  victim.id = row.principal_id;
  victim.uuid = row.uuid;
  victim.keyId = (await apiKeys.createApiKey({ name: victim.name }, { name: "key" })).row.key_id;
  const shown = await s3Keys.createS3Key({ name: victim.name }, {});
  victim.s3Key = shown.row.access_key_id;
  const from = { method: "password", address: "127.0.0.1", userAgent: undefined } as const;
  victim.sessionId = (await sessions.createSession(row, from)).sessionId;
  const about = { address: "127.0.0.1", hostname: "laptop" };
  const { device, userCode } = await devices.startDevice("01234567-89ab-4def-8123-456789abcdef", about);
  victim.deviceId = device.device_id;
  await devices.verifyDevice(device.device_id, userCode, { by: toPrincipal(row), trusted: false });
  const machine = await principals.createPrincipal({ kind: "service_account", name: victim.machine });
  victim.machineUuid = machine.uuid;
  victim.machineKeyId = (await apiKeys.createApiKey({ name: victim.machine }, { name: "key" })).row.key_id;
  const role = await roles.createRole({ workspace: OWNER, name: "custom" });
  victim.roleId = role.role_id;
  const grant = { resource_type: "experiment", pattern: "*", permission: "READ" } as const;
  victim.grantId = (await roles.addGrant(role.role_id, grant)).grant_id;
});
afterAll(() => world[Symbol.asyncDispose]());

const keyOf = ({ method, url }: Pick<RouteEntry, "method" | "url">): string =>
  `${method} ${url.replace(/^\/(?:ajax-)?api(?=\/\d)/, "")}`;

const password = "a good long password";
const CONSOLE = "/console/api";
const ROLE = `${CONSOLE}/roles/:workspace/:role`;
const U = "/2.0/mlflow/users";
const R = "/3.0/mlflow/roles";
const P = "/3.0/mlflow/users/permissions";

/** A request for what is the victim's or the workspace's. */
type Attack = () => Asked;

const ofRole: Attack = () => ({ path: [OWNER, "custom"] });
const ofDevice: Attack = () => ({ path: [victim.deviceId] });
const ofMachine: Attack = () => ({ path: [victim.machineUuid] });
const granted = (): Record<string, string> => ({
  username: victim.name,
  resource_type: "experiment",
  resource_id: ids.experiment,
  permission: "MANAGE",
});
const onExperiment = (): Record<string, string> => ({ experiment_id: ids.experiment, username: victim.name });
const onModel = (): Record<string, string> => ({ name: ids.registered, username: victim.name });

/** None of these may have an answer of use to a stranger, a viewer, an editor or a limited key, nor change anything. */
const attacks: Record<string, Attack> = {
  [`POST ${CONSOLE}/me/password`]: () => ({ body: { current_password: "not it at all", password } }),
  [`DELETE ${CONSOLE}/me/sessions/:session_id`]: () => ({ path: [victim.sessionId] }),
  [`PATCH ${CONSOLE}/me/keys/:key`]: () => ({ path: [victim.keyId], body: { active: false } }),
  [`POST ${CONSOLE}/me/keys/:key/rotate`]: () => ({ path: [victim.keyId], body: { retain_minutes: 0 } }),
  [`DELETE ${CONSOLE}/me/keys/:key`]: () => ({ path: [victim.keyId] }),
  [`DELETE ${CONSOLE}/me/s3-keys/:key`]: () => ({ path: [victim.s3Key] }),
  [`PATCH ${CONSOLE}/me/devices/:device_id`]: () => ({ ...ofDevice(), body: { trusted: true } }),
  [`DELETE ${CONSOLE}/me/devices/:device_id`]: ofDevice,
  [`GET ${CONSOLE}/principals`]: () => ({ query: { workspace: OWNER } }),
  [`GET ${CONSOLE}/roles`]: () => ({ query: { workspace: OWNER } }),
  [`POST ${CONSOLE}/roles`]: () => ({ body: { workspace: OWNER, name: fresh("sneaked") } }),
  [`GET ${ROLE}`]: ofRole,
  [`PATCH ${ROLE}`]: () => ({ ...ofRole(), body: { description: "x" } }),
  [`DELETE ${ROLE}`]: ofRole,
  [`GET ${ROLE}/grants`]: ofRole,
  [`PUT ${ROLE}/grants`]: () => ({
    ...ofRole(),
    body: { resource_type: "experiment", pattern: "*", permission: "MANAGE" },
  }),
  [`DELETE ${ROLE}/grants`]: () => ({ ...ofRole(), query: { resource_type: "experiment", pattern: "*" } }),
  [`GET ${ROLE}/assignments`]: ofRole,
  [`PUT ${ROLE}/assignments/:principal`]: () => ({ path: [OWNER, "admin", "viewer"] }),
  [`DELETE ${ROLE}/assignments/:principal`]: () => ({ path: [OWNER, "admin", "admin"] }),
  [`POST ${CONSOLE}/workspaces`]: () => ({ body: { name: "sneaked" } }),
  [`PATCH ${CONSOLE}/workspaces/:workspace`]: () => ({ path: [OWNER], body: { description: "x" } }),
  [`DELETE ${CONSOLE}/workspaces/:workspace`]: () => ({ path: [OWNER], query: { mode: "CASCADE" } }),
  "GET /api/v1/projects/:project_name_or_id": () => ({ path: [OWNER] }),
  "PUT /api/v1/projects/:project_name_or_id": () => ({ path: [OWNER], body: { description: "x" } }),
  "GET /api/v1/workspaces/:project_name_or_id": () => ({ path: [OWNER] }),
  "PUT /api/v1/workspaces/:project_name_or_id": () => ({ path: [OWNER], body: { description: "x" } }),
  "PUT /api/v1/settings": () => ({ body: { server_name: "sneaked" } }),
  "PUT /api/v1/users/:user_name_or_id/email-opt-in": () => ({
    path: [victim.uuid],
    body: { email: "sneaked@example.com", email_opted_in: true },
  }),
  "GET /api/v1/devices/:device_id": ofDevice,
  "PUT /api/v1/devices/:device_id": () => ({ ...ofDevice(), body: { locked: true } }),
  "DELETE /api/v1/devices/:device_id": ofDevice,
  "PUT /api/v1/devices/:device_id/verify": () => ({ ...ofDevice(), body: { user_code: "0123456789abcdef" } }),
  "PUT /api/v1/users/:user_name_or_id": () => ({ path: [victim.uuid], body: { password, is_admin: true } }),
  "GET /api/v1/service_accounts/:service_account_name_or_id/api_keys": ofMachine,
  "GET /api/v1/service_accounts/:service_account_name_or_id/api_keys/:api_key_name_or_id": () => ({
    path: [victim.machineUuid, victim.machineKeyId],
  }),
  [`POST ${U}/create`]: () => ({ body: { username: fresh("sneaked"), password } }),
  [`GET ${U}/get`]: () => ({ query: { username: victim.name } }),
  [`PATCH ${U}/update-password`]: () => ({ body: { username: victim.name, password } }),
  [`GET ${P}/list`]: () => ({ query: { username: victim.name } }),
  [`GET ${P}/get`]: () => ({ query: granted() }),
  [`POST ${P}/grant`]: () => ({ body: granted() }),
  [`POST ${P}/revoke`]: () => ({ body: granted() }),
  [`GET /3.0/mlflow/users/roles/list`]: () => ({ query: { username: victim.name } }),
  [`POST ${R}/create`]: () => ({ body: { name: fresh("sneaked"), workspace: OWNER } }),
  [`GET ${R}/get`]: () => ({ query: { role_id: String(victim.roleId) } }),
  [`PATCH ${R}/update`]: () => ({ body: { role_id: victim.roleId, description: "x" } }),
  [`DELETE ${R}/delete`]: () => ({ body: { role_id: victim.roleId } }),
  [`POST ${R}/permissions/add`]: () => ({
    body: {
      role_id: victim.roleId,
      resource_type: "workspace",
      resource_pattern: "*",
      permission: "MANAGE",
    },
  }),
  [`GET ${R}/permissions/list`]: () => ({ query: { role_id: String(victim.roleId) } }),
  [`PATCH ${R}/permissions/update`]: () => ({
    body: { role_permission_id: victim.grantId, permission: "MANAGE" },
  }),
  [`DELETE ${R}/permissions/remove`]: () => ({ body: { role_permission_id: victim.grantId } }),
  [`POST ${R}/assign`]: () => ({ body: { username: "viewer", role_id: victim.roleId } }),
  [`DELETE ${R}/unassign`]: () => ({ body: { username: victim.name, role_id: victim.roleId } }),
  [`GET ${R}/users/list`]: () => ({ query: { role_id: String(victim.roleId) } }),
  ...Object.fromEntries(
    (["experiments", "registered-models"] as const).flatMap((resource): [string, Attack][] => {
      const about = resource === "experiments" ? onExperiment : onModel;
      const path = `/2.0/mlflow/${resource}/permissions`;
      return [
        [`POST ${path}/create`, () => ({ body: { ...about(), permission: "MANAGE" } })],
        [`GET ${path}/get`, () => ({ query: about() })],
        [`PATCH ${path}/update`, () => ({ body: { ...about(), permission: "MANAGE" } })],
        [`DELETE ${path}/delete`, () => ({ body: about() })],
      ];
    }),
  ),
};

/** What MLflow lets some of them do: members look at roles; who administers a workspace makes accounts, without any right. */
const allowed: Record<string, readonly string[]> = {
  [`GET ${R}/get`]: ["viewer", "editor", "limited"],
  [`GET ${R}/permissions/list`]: ["viewer", "editor", "limited"],
  [`POST ${U}/create`]: ["stranger"],
  "GET /api/v1/projects/:project_name_or_id": ["viewer", "editor", "limited"],
  "GET /api/v1/workspaces/:project_name_or_id": ["viewer", "editor", "limited"],
};

/** Why these need no attack: they are about the caller, or the same for whoever is logged in. */
const harmless: Record<string, string> = {
  [`GET ${CONSOLE}/me`]: "who one is",
  [`GET ${CONSOLE}/me/sessions`]: "one's own",
  [`GET ${CONSOLE}/me/keys`]: "one's own",
  [`POST ${CONSOLE}/me/keys`]: "one's own, no wider than its maker",
  [`GET ${CONSOLE}/me/s3-keys`]: "one's own",
  [`POST ${CONSOLE}/me/s3-keys`]: "one's own, no wider than its maker",
  [`GET ${CONSOLE}/me/devices`]: "one's own",
  [`POST ${CONSOLE}/me/devices/find`]: "by the code that the device shows",
  [`POST ${CONSOLE}/me/devices`]: "by the code that the device shows",
  [`GET ${CONSOLE}/workspaces`]: "those that one has a part in",
  [`GET ${CONSOLE}/workspaces/:workspace`]: "for members, as the walk over workspaces shows",
  "GET /plinth/account": "one's own page",
  "POST /plinth/account/password": "a form with a token of its own",
  "POST /plinth/account/sessions/end": "a form with a token of its own",
  "POST /plinth/account/keys": "a form with a token of its own",
  "POST /plinth/account/keys/delete": "a form with a token of its own",
  "POST /plinth/account/devices/delete": "a form with a token of its own",
  "GET /devices/verify": "a page",
  "POST /devices/verify": "a form with a token of its own",
  "GET /api/v1/api_token": "one's own",
  "GET /api/v1/devices": "one's own",
  "GET /api/v1/projects": "those that one has a part in",
  "GET /api/v1/workspaces": "those that one has a part in",
  "GET /api/v1/settings": "the name of the server, for whoever logs in",
  "GET /api/v1/load-info": "how many requests are in work",
  "GET /api/v1/statistics": "how many there are of what one may see",
  "GET /api/v1/onboarding_state": "which first steps were taken",
  "GET /api/v1/resource_requests": "not kept, as with ZenML's open-source server",
  "GET /api/v1/resource_requests/:resource_request_id": "not kept",
  "POST /api/v1/resource_requests/:resource_request_id/release": "not kept",
  "POST /api/v1/resource_requests/:resource_request_id/renew": "not kept",
  "GET /api/v1/current-user": "who one is",
  "PUT /api/v1/current-user": "who one is",
  "GET /api/v1/users": "names, as ZenML's clients show them",
  "GET /api/v1/users/:user_name_or_id": "names, as ZenML's clients show them",
  "GET /api/v1/service_accounts": "names, as ZenML's clients show them",
  "GET /api/v1/service_accounts/:service_account_name_or_id": "names, as ZenML's clients show them",
  [`GET ${U}/list`]: "names, for those who may share what they make",
  [`GET ${U}/current`]: "who one is",
  "GET /3.0/mlflow/users/current/permissions": "one's own",
  [`GET ${R}/list`]: "those of workspaces that one manages",
  "GET /3.0/mlflow/workspaces": "those that one has a part in",
};

const about = server.routes.filter(({ access, method }) => {
  if (method === "HEAD" || access.kind === "public") return false;
  return access.kind === "login" || access.resource === "role" || access.resource === "workspace";
});

test("every route about people, roles and workspaces is in one of the tables", () => {
  const known = [...Object.keys(attacks), ...Object.keys(harmless)];
  const asked = new Set(about.map(keyOf).filter((key) => !notKept.has(key)));
  asked.delete("GET /3.0/mlflow/workspaces/:workspace_name");
  expect(known.toSorted()).toEqual([...asked].toSorted());
});

const callers: [string, TestServer][] = (["stranger", "viewer", "editor", "limited"] as const).map((name) => [
  name,
  actors[name],
]);

describe.each(callers)("%s", (name, caller) => {
  const routes = [...new Map(about.toReversed().map((route) => [keyOf(route), route]))].filter(
    ([key]) => attacks[key] !== undefined && allowed[key]?.includes(name) !== true,
  );

  test("gets nothing from what is others' alone, and changes nothing", async () => {
    const before = await stored(server);
    for (const [key, route] of routes) {
      const { status, text } = await ask(caller, route, (attacks[key] as Attack)());
      // A wrong password, or what is not one's own, is told in other words.
      expect([key, [400, 401, 403, 404].includes(status), text]).toEqual([key, true, expect.any(String)]);
      for (const secret of [victim.uuid, victim.keyId, victim.sessionId]) {
        const isGiven = JSON.stringify((attacks[key] as Attack)()).includes(secret);
        expect([key, !isGiven && text.includes(secret)]).toEqual([key, false]);
      }
    }
    expect(await stored(server)).toEqual(before);
  });

  test("is told the same of what is not there", async () => {
    for (const [key, route] of routes.filter(([one]) => one.startsWith("GET /console/api/roles/"))) {
      const real = await ask(caller, route, { path: [OWNER, "custom"] });
      const unknown = await ask(caller, route, { path: [OWNER, "nothing"] });
      const nowhere = await ask(caller, route, { path: ["nowhere", "custom"] });
      expect([key, unknown.status, nowhere.status]).toEqual([key, real.status, real.status]);
      expect([key, unknown.text, nowhere.text]).toEqual([key, real.text, real.text]);
    }
  });
});

test("an administrator of the workspace does all that concerns its roles, and nothing of another one", async () => {
  const { admin } = actors;
  const done = async (key: string, asked: Asked): Promise<number> => {
    const [method = "", url = ""] = key.split(" ");
    return (await ask(admin, { method, url }, asked)).status;
  };
  expect(await done(`POST ${CONSOLE}/roles`, { body: { workspace: OWNER, name: "made" } })).toBe(201);
  const path = [OWNER, "made"];
  const grant = { resource_type: "experiment", pattern: "*", permission: "READ" };
  expect(await done(`PUT ${ROLE}/grants`, { path, body: grant })).toBe(200);
  expect(await done(`PUT ${ROLE}/assignments/:principal`, { path: [...path, "viewer"] })).toBe(204);
  expect(await done(`GET ${ROLE}/assignments`, { path })).toBe(200);
  expect(await done(`DELETE ${ROLE}`, { path })).toBe(204);
  const before = await stored(server);
  for (const [key, asked] of [
    [`POST ${CONSOLE}/roles`, { body: { workspace: "elsewhere", name: "made" } }],
    [`POST ${CONSOLE}/roles`, { body: { workspace: "-", name: "made" } }],
    [`PUT ${ROLE}/assignments/:principal`, { path: ["elsewhere", "admin", "admin"] }],
    [`PUT ${ROLE}/assignments/:principal`, { path: ["-", "monitor", "admin"] }],
    [`PUT ${ROLE}/grants`, { path: [OWNER, "viewer"], body: { ...grant, permission: "MANAGE" } }],
    [`POST ${CONSOLE}/workspaces`, { body: { name: "made" } }],
    [`DELETE ${CONSOLE}/workspaces/:workspace`, { path: [OWNER], query: { mode: "CASCADE" } }],
    [`PATCH ${CONSOLE}/workspaces/:workspace`, { path: [OWNER], body: { protected: true } }],
  ] as [string, Asked][]) {
    expect([key, [403, 409].includes(await done(key, asked))]).toEqual([key, true]);
  }
  expect((await admin.get(`${API}/users/get?username=root`)).status).toBeGreaterThanOrEqual(400);
  expect(await stored(server)).toEqual(before);
});
