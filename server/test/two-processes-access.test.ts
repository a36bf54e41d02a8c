import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type Json, type TestServer } from "./harness.ts";
import { person, type Person } from "./principals.ts";
import { API } from "./runs.ts";

/** Behind a load balancer each request of a client may come to another process. */
let here: TestServer;
let there: TestServer;
let member: Person;
let reader: Person;

beforeAll(async () => {
  here = await startTestServer({ login: "required" });
  there = await startTestServer({ login: "required" }, here);
  const { roles } = here.app.identity;
  const { role_id: roleId } = await roles.createRole({ workspace: "default", name: "members" });
  await roles.addGrant(roleId, { resource_type: "workspace", pattern: "*", permission: "USE" });
  member = await person(here, "member", { role: "members" });
  reader = await person(here, "reader");
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
});

async function ask(on: TestServer, path: string, body: unknown, by: Person = member): Promise<Json> {
  const answer = await on.call("POST", path, body, by.headers);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}

/** The other process knows what the member may, from before. */
const meet = (): Promise<unknown> => ask(there, `${API}/experiments/search`, { max_results: 1 });

test("what one made through a process one changes, grants and deletes at once through another", async () => {
  await meet();
  const { experiment_id } = await ask(here, `${API}/experiments/create`, { name: "made here" });
  await ask(there, `${API}/experiments/set-experiment-tag`, { experiment_id, key: "a", value: "b" });

  await meet();
  const granted = await ask(here, `${API}/experiments/create`, { name: "granted there" });
  const grant = { resource_type: "experiment", resource_id: granted.experiment_id, permission: "READ" };
  await ask(there, "/api/3.0/mlflow/users/permissions/grant", { username: "reader", ...grant });
  const found = await here.call(
    "GET",
    `${API}/experiments/get?experiment_id=${granted.experiment_id}`,
    undefined,
    reader.headers,
  );
  expect(found.status).toBe(200);

  await meet();
  await ask(here, `${API}/registered-models/create`, { name: "made here" });
  const old = { name: "made here", username: "reader", permission: "READ" };
  await ask(there, `${API}/registered-models/permissions/create`, old);
  await meet();
  await ask(here, `${API}/registered-models/create`, { name: "deleted there" });
  const path = `${API}/registered-models/delete`;
  const deleted = await there.call("DELETE", path, { name: "deleted there" }, member.headers);
  expect(deleted.status, deleted.text).toBe(200);
});

test("who was made an administrator of a workspace through one process is one to the other", async () => {
  const admin = await person(here, "new administrator", { role: "viewer" });
  await ask(there, `${API}/experiments/search`, { max_results: 1 }, admin);
  const role = await here.app.identity.roles.findRole("default", "admin");
  await here.app.identity.roles.assignRole({ name: "new administrator" }, role?.role_id ?? -1);
  const listed = await there.call("GET", "/console/api/roles?workspace=default", undefined, admin.headers);
  expect(listed.status, listed.text).toBe(200);
});
