import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { basic, machine, person, type Person } from "../../../test/principals.ts";
import { accepted, refusal } from "../../../test/runs.ts";

const U = "/api/2.0/mlflow/users";

let server: TestServer;
let admin: Person;
let ann: Person;

type As = { headers: Record<string, string> };
const ask = (as: As, method: string, ...[path, body]: [path: string, body?: unknown]): Promise<Answer> =>
  server.call(method, path, body, as.headers);

beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  admin = await person(server, "admin", { isAdmin: true });
  ann = await person(server, "ann", { role: "editor" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const forbidden = [403, "PERMISSION_DENIED", "Permission denied"];

describe("who asks", () => {
  test("is told how to log in", async () => {
    const answer = await server.get(`${U}/current`);
    expect(refusal(answer)).toEqual([401, "UNAUTHENTICATED", expect.stringContaining("not authenticated")]);
    expect(answer.headers.get("www-authenticate")).toBe('Basic realm="mlflow"');
  });

  test("as a page is not, or the browser would open a window of its own", async () => {
    const answer = await server.call("GET", `${U}/current`, undefined, { "sec-fetch-site": "same-origin" });
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, null]);
  });

  test("is told alike of a wrong password and of a user that is not there", async () => {
    const wrong = await server.call("GET", `${U}/current`, undefined, basic("ann", "not the password"));
    const unknown = await server.call("GET", `${U}/current`, undefined, basic("nobody", "not the password"));
    expect(wrong.status).toBe(401);
    expect(unknown.text).toBe(wrong.text);
  });

  test("learns who that is, and whether a browser may forget the password", async () => {
    const user = { id: ann.row.principal_id, username: "ann", is_admin: false };
    expect(accepted(await ask(ann, "GET", `${U}/current`))).toEqual({ user, is_basic_auth: true });
    const { key } = await server.app.identity.apiKeys.createApiKey({ name: "ann" }, { name: "current" });
    const byKey = { headers: { authorization: `Bearer ${key}` } };
    expect(accepted(await ask(byKey, "GET", `${U}/current`))).toEqual({ user, is_basic_auth: false });
  });

  test("with a key as the password is the same user", async () => {
    const { key } = await server.app.identity.apiKeys.createApiKey({ name: "ann" }, { name: "as password" });
    const answer = await ask({ headers: basic("ann", key) }, "GET", `${U}/current`);
    expect(accepted(answer).user.username).toBe("ann");
  });
});

describe("a list of users", () => {
  const list = async (as: As): Promise<Map<string, Json>> =>
    new Map(accepted(await ask(as, "GET", `${U}/list`)).users.map((user: Json) => [user.username, user]));

  test("shows an administrator everybody with all roles, and no service account", async () => {
    await machine(server, "robot");
    await person(server, "with a role", { role: "viewer" });
    const users = await list(admin);
    expect([...users.keys()]).toEqual(expect.arrayContaining(["admin", "ann", "with a role"]));
    expect(users.has("robot")).toBe(false);
    expect(users.get("with a role")).toEqual({
      id: expect.any(Number),
      username: "with a role",
      is_admin: false,
      roles: [
        {
          id: expect.any(Number),
          name: "viewer",
          workspace: "default",
          description: expect.any(String),
          permissions: [expect.objectContaining({ resource_type: "workspace", permission: "READ" })],
        },
      ],
    });
  });

  test("shows who may create things everybody, and the roles of nobody else", async () => {
    const users = await list(ann);
    expect(users.get("ann").roles.map((role: Json) => role.name)).toEqual(["editor"]);
    expect(users.get("with a role").roles).toEqual([]);
  });

  test("shows who manages the workspace the roles in it", async () => {
    const manager = await person(server, "manager of default", { role: "admin" });
    const users = await list(manager);
    expect(users.get("with a role").roles.map((role: Json) => role.name)).toEqual(["viewer"]);
  });

  test("is refused to others", async () => {
    const viewer = await person(server, "viewer of users", { role: "viewer" });
    const stranger = await person(server, "stranger to users");
    for (const as of [viewer, stranger]) {
      expect(refusal(await ask(as, "GET", `${U}/list`))).toEqual(forbidden);
    }
  });

  test("goes over all pages", async () => {
    const text = `insert into identity.principals (kind, name, creation_timestamp, last_updated_timestamp)
      select 'user', 'many ' || lpad(n::text, 4, '0'), 1, 1 from generate_series(1, 1203) as n`;
    await server.database.prepared({ name: "test_many_users", text }, []);
    const names = [...(await list(admin)).keys()];
    expect(names.filter((name) => name.startsWith("many "))).toHaveLength(1203);
    expect(new Set(names).size).toBe(names.length);
    const gone = "delete from identity.principals where name like 'many %'";
    await server.database.prepared({ name: "test_no_many_users", text: gone }, []);
  });
});

describe("a user of MLflow 2.9's client", () => {
  test("comes with what was granted directly", async () => {
    const user = await person(server, "granted");
    const grant = async (resource_type: "experiment" | "registered_model" | "run", pattern: string) =>
      server.app.identity.roles.grantDirectly({ name: "granted" }, 1, {
        resource_type,
        pattern,
        permission: "EDIT",
        replace: false,
      });
    await grant("experiment", "7");
    await grant("experiment", "*");
    await grant("registered_model", "a model");
    await grant("run", "*");
    const user_id = user.row.principal_id;
    expect(accepted(await ask(user, "GET", `${U}/get?username=granted`)).user).toEqual({
      id: user_id,
      username: "granted",
      is_admin: false,
      experiment_permissions: [{ experiment_id: "7", user_id, permission: "EDIT" }],
      registered_model_permissions: [{ name: "a model", user_id, permission: "EDIT" }],
    });
  });
});

describe("administrators", () => {
  test("are never all gone", async () => {
    const update = await ask(admin, "PATCH", `${U}/update-admin`, { username: "admin", is_admin: false });
    expect([update.status, update.json.error_code]).toEqual([400, "INVALID_STATE"]);
    expect((await ask(admin, "GET", `${U}/get?username=ann`)).status).toBe(200);
  });

  test("are made by true and false alone", async () => {
    for (const is_admin of ["true", 1, null]) {
      const answer = await ask(admin, "PATCH", `${U}/update-admin`, { username: "ann", is_admin });
      expect([answer.status, answer.json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    }
  });

  test("are none with a key that is limited", async () => {
    const { key } = await server.app.identity.apiKeys.createApiKey(
      { name: "admin" },
      { name: "limited", maxPermission: "EDIT" },
    );
    const limited = { headers: { authorization: `Bearer ${key}` } };
    const created = await ask(limited, "POST", `${U}/create`, { username: "x", password: "a long password" });
    expect(refusal(created)).toEqual(forbidden);
    expect(refusal(await ask(limited, "DELETE", `${U}/delete`, { username: "ann" }))).toEqual(forbidden);
    expect(refusal(await ask(limited, "GET", `${U}/get?username=ann`))).toEqual(forbidden);
    const password = { username: "ann", password: "another password of ann" };
    expect(refusal(await ask(limited, "PATCH", `${U}/update-password`, password))).toEqual(forbidden);
  });

  test("and users change no password with such a key", async () => {
    const { key } = await server.app.identity.apiKeys.createApiKey(
      { name: "ann" },
      { name: "limited", maxPermission: "EDIT" },
    );
    const limited = { headers: { authorization: `Bearer ${key}` } };
    const answer = await ask(limited, "PATCH", `${U}/update-password`, {
      username: "ann",
      password: "another password of ann",
      current_password: ann.password,
    });
    expect([answer.status, answer.json.error_code]).toEqual([403, "PERMISSION_DENIED"]);
  });

  test("know their password to change it, by whatever they logged in", async () => {
    const { key } = await server.app.identity.apiKeys.createApiKey({ name: "admin" }, { name: "whole" });
    const byKey = { headers: { authorization: `Bearer ${key}` } };
    const answer = await ask(byKey, "PATCH", `${U}/update-password`, {
      username: "admin",
      password: "another password of admin",
    });
    expect(refusal(answer)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      "Current password is required when changing your own password.",
    ]);
  });
});

test("a service account is no user, and has no password", async () => {
  await machine(server, "robot of users");
  for (const [method, path, body] of [
    ["GET", `${U}/get?username=robot+of+users`],
    ["PATCH", `${U}/update-password`, { username: "robot of users", password: "a long password" }],
    ["PATCH", `${U}/update-admin`, { username: "robot of users", is_admin: true }],
    ["DELETE", `${U}/delete`, { username: "robot of users" }],
  ] as const) {
    const answer = await ask(admin, method, path, body);
    expect(refusal(answer)).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      "User with username=robot of users not found",
    ]);
  }
});

test("values of other types are the caller's mistake", async () => {
  for (const value of [null, 7, true, [], {}, "a\0b", "\u{1f600}".repeat(3000)]) {
    for (const [method, path, fields] of [
      ["POST", `${U}/create`, { username: value, password: "a long password" }],
      ["POST", `${U}/create`, { username: "typed", password: value === "a\0b" ? "short" : value }],
      ["PATCH", `${U}/update-password`, { username: value, password: "a long password" }],
      ["PATCH", `${U}/update-admin`, { username: value, is_admin: true }],
      ["DELETE", `${U}/delete`, { username: value }],
    ] as const) {
      const answer = await ask(admin, method, path, fields);
      expect([answer.status, answer.text.length < 2000], JSON.stringify(fields).slice(0, 100)).toEqual([
        expect.toSatisfy((status: number) => status === 400 || status === 404),
        true,
      ]);
    }
  }
});

test("a deletion by its query is heard, too", async () => {
  await person(server, "to be deleted");
  expect((await ask(admin, "DELETE", `${U}/delete?username=to+be+deleted`)).status).toBe(200);
  expect((await ask(admin, "GET", `${U}/get?username=to+be+deleted`)).status).toBe(404);
});

test("an open server has a local administrator, of whom no client is told", async () => {
  await using open = await startTestServer();
  for (const path of [`${U}/current`, "/ajax-api/3.0/mlflow/users/current/permissions"]) {
    const answer = await open.get(path);
    expect([answer.status, answer.json.error_code]).toEqual([404, "ENDPOINT_NOT_FOUND"]);
  }
  const created = await open.post(`${U}/create`, { username: "first", password: "the first password" });
  expect(accepted(created).user.username).toBe("first");
  const first = await open.call("GET", `${U}/current`, undefined, basic("first", "the first password"));
  expect(accepted(first).user.username).toBe("first");
  const wrong = await open.call("GET", `${U}/current`, undefined, basic("first", "another password"));
  expect(wrong.status).toBe(401);
});
