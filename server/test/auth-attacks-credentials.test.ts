import { createHmac, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "./harness.ts";
import { basic, bearer, machine, person, type Person } from "./principals.ts";
import { accepted, API, fresh, newExperiment } from "./runs.ts";
import { stored } from "./stored.ts";
import { withHeaders } from "./workspaces.ts";

/** Attacks on passwords, keys, tokens and sessions that servers of the field were open to, by their names. */
let server: TestServer;
let root: Person;

beforeAll(async () => {
  server = await startTestServer({ login: "required", "secrets-key": randomBytes(32).toString("base64") });
  root = await person(server, "root", { isAdmin: true });
});
afterAll(() => server[Symbol.asyncDispose]());

type Headers = Record<string, string>;

const me = (headers: Headers): Promise<Answer> => server.call("GET", "/console/api/me", undefined, headers);
const as = (headers: Headers): TestServer => withHeaders(server, headers);
const login = (fields: Record<string, string>): Promise<Answer> =>
  server.call("POST", "/api/v1/login", new URLSearchParams(fields).toString(), {
    "content-type": "application/x-www-form-urlencoded",
  });
const one = (name: string, about: Parameters<typeof person>[2] = {}): Promise<Person> =>
  person(server, fresh(name).replace(" ", "-"), about);

async function unchanged(attack: () => Promise<void>): Promise<void> {
  const before = await stored(server);
  await attack();
  expect(await stored(server)).toEqual(before);
}

describe("a password", () => {
  test("CVE-2025-1474, CVE-2025-11200: is never missing, empty or short", () =>
    unchanged(async () => {
      for (const path of ["/api/2.0/mlflow/users/create", "/ajax-api/2.0/mlflow/users/create"]) {
        for (const password of [undefined, "", " ", "1", "short", "elevenchars", null, 12_345_678_901_234]) {
          const answer = await server.call("POST", path, { username: "weak", password }, root.headers);
          expect([password, answer.status]).toEqual([password, 400]);
        }
      }
      const update = { username: "root", password: "x" };
      expect(
        (await server.call("PATCH", "/api/2.0/mlflow/users/update-password", update, root.headers)).status,
      ).toBe(400);
    }));

  test("CVE-2025-11200, CVE-2026-33419: is not guessed: the same refusal for every name, and soon none is taken", async () => {
    const target = await one("guessed");
    const tries = async (name: string): Promise<[number, string][]> => {
      const answers: [number, string][] = [];
      for (let count = 0; count < 12; count += 1) {
        const answer = await me(basic(name, `wrong password ${count}`));
        answers.push([answer.status, answer.text.replaceAll(/\d+/g, "N")]);
      }
      return answers;
    };
    const real = await tries(target.row.name);
    const invented = await tries("nobody-of-this-name");
    expect(real.slice(0, 3).map(([status]) => status)).toEqual([401, 401, 401]);
    expect(real.at(-1)?.[0]).toBe(429);
    // Whether the name is somebody's cannot be told: not from the status, nor the words, nor how soon it is enough.
    expect(invented).toEqual(real);
  });
});

describe("a key", () => {
  test("CVE-2020-11012: opens nothing with another secret", async () => {
    const { key } = await machine(server, fresh("robot"));
    const [, id = ""] = key.split("_");
    const wrong = [
      `plinth_${id}_${"0".repeat(64)}`,
      `plinth_${id}_`,
      `plinth_${id}`,
      key.slice(0, -1),
      `${key}0`,
      key.toUpperCase(),
    ];
    expect((await me(bearer(key))).status).toBe(200);
    const paths = server.routes.filter(
      ({ method, access, url }) =>
        method === "GET" && access.kind !== "public" && !/^\/(?:plinth|devices|signup)/.test(url),
    );
    for (const { url } of paths.filter((_, at) => at % 5 === 0)) {
      for (const token of wrong.slice(0, 2)) {
        const { status } = await server.call(
          "GET",
          url.replaceAll(/:\w+|\*/g, "x"),
          undefined,
          bearer(token),
        );
        expect([url, status]).toEqual([url, 401]);
      }
    }
    for (const token of wrong)
      expect([token.length, (await me(bearer(token))).status]).toEqual([token.length, 401]);
  });

  test("CVE-2023-27589: is refused once it, or who has it, is switched off", async () => {
    const { apiKeys, principals } = server.app.identity;
    const { key, keyId, row } = await machine(server, fresh("robot"));
    await apiKeys.updateApiKey({ principalId: row.principal_id }, { keyId }, { active: false });
    expect((await me(bearer(key))).status).toBe(401);
    await apiKeys.updateApiKey({ principalId: row.principal_id }, { keyId }, { active: true });
    expect((await me(bearer(key))).status).toBe(200);
    await principals.setActive({ principalId: row.principal_id }, false);
    expect((await me(bearer(key))).status).toBe(401);
    const user = await one("off");
    expect((await me(user.headers)).status).toBe(200);
    await principals.setActive({ name: user.row.name }, false);
    expect((await me(user.headers)).status).toBe(401);
  });

  test("CVE-2024-24747, CVE-2025-62506: may no more than it was made for, and makes none that may", async () => {
    const editor = await one("editor", { role: "editor" });
    const { apiKeys } = server.app.identity;
    for (const owner of [editor, root]) {
      const made = await apiKeys.createApiKey(
        { name: owner.row.name },
        { name: fresh("read"), maxPermission: "READ" },
      );
      const limited = as(bearer(made.key));
      accepted(await limited.get(`${API}/experiments/search?max_results=1`));
      const zenml = await login({ grant_type: "zenml-api-key", password: made.zenmlKey });
      const token = as(bearer(accepted(zenml).access_token as string));
      await unchanged(async () => {
        for (const caller of [limited, token]) {
          for (const [method, path, body] of [
            ["POST", `${API}/experiments/create`, { name: "x" }],
            ["POST", "/console/api/me/keys", { name: "wider" }],
            ["POST", "/console/api/me/keys", { name: "same", max_permission: "READ" }],
            ["POST", "/console/api/me/s3-keys", {}],
            [
              "POST",
              "/console/api/me/password",
              { current_password: owner.password, password: "another good password" },
            ],
            ["POST", "/console/api/users", { name: "sneaked", password: "a good long password" }],
            [
              "POST",
              "/api/2.0/mlflow/users/create",
              { username: "sneaked", password: "a good long password" },
            ],
            [
              "PATCH",
              "/api/2.0/mlflow/users/update-password",
              { username: owner.row.name, password: "another good password" },
            ],
            ["PATCH", "/api/2.0/mlflow/users/update-admin", { username: owner.row.name, is_admin: true }],
            [
              "PUT",
              "/api/v1/current-user",
              { password: "another good password", old_password: owner.password },
            ],
          ] as const) {
            const answer = await caller.call(method, path, body);
            expect([method, path, answer.status]).toEqual([method, path, 403]);
          }
        }
        // Nor a token that outlives it and has its owner's rights.
        const asked = await limited.get("/api/v1/api_token?token_type=generic");
        if (asked.status === 200) {
          const more = as(bearer(String(asked.json)));
          expect((await more.post(`${API}/experiments/create`, { name: "x" })).status).toBe(403);
        }
      });
    }
  });

  test("CVE-2022-24842: is made for nobody else, least of all for an administrator", async () => {
    const user = await one("user", { role: "admin" });
    const robot = await machine(server, fresh("robot"));
    await unchanged(async () => {
      for (const [method, path, body] of [
        ["POST", "/console/api/principals/root/keys", { name: "mine" }],
        ["POST", "/console/api/principals/root/s3-keys", {}],
        ["POST", `/console/api/principals/${robot.row.name}/keys`, { name: "mine" }],
        ["POST", `/api/v1/service_accounts/${robot.row.uuid}/api_keys`, { name: "mine" }],
        ["PUT", `/api/v1/service_accounts/${robot.row.uuid}/api_keys/${robot.keyId}/rotate`, {}],
        ["POST", "/console/api/service-accounts", { name: "mine" }],
        ["POST", "/console/api/users/root/password", {}],
      ] as const) {
        const answer = await as(user.headers).call(method, path, body);
        expect([path, answer.status]).toEqual([path, 403]);
      }
    });
  });
});

describe("rights", () => {
  test("CVE-2021-43858, CVE-2024-55949: nobody widens their own", async () => {
    const editor = await one("climber", { role: "editor" });
    const { roles } = server.app.identity;
    const admin = await roles.findRole("default", "admin");
    const { name } = editor.row;
    const model = { resource_type: "workspace", pattern: "*", permission: "MANAGE" };
    await unchanged(async () => {
      for (const [method, path, body] of [
        ["PATCH", "/api/2.0/mlflow/users/update-admin", { username: name, is_admin: true }],
        ["POST", "/api/3.0/mlflow/roles/assign", { username: name, role_id: admin?.role_id }],
        [
          "POST",
          "/api/3.0/mlflow/roles/permissions/add",
          { role_id: admin?.role_id, ...model, resource_pattern: "*" },
        ],
        [
          "POST",
          "/api/3.0/mlflow/users/permissions/grant",
          { username: name, resource_type: "experiment", resource_id: "0", permission: "MANAGE" },
        ],
        [
          "POST",
          "/api/2.0/mlflow/experiments/permissions/create",
          { username: name, experiment_id: "0", permission: "MANAGE" },
        ],
        ["PUT", `/console/api/roles/default/admin/assignments/${name}`, undefined],
        ["PUT", "/console/api/roles/default/editor/grants", model],
        ["PUT", "/console/api/roles/-/monitor/grants", { ...model, resource_type: "server" }],
        ["PATCH", `/console/api/users/${name}`, { is_admin: true }],
        ["PUT", `/api/v1/users/${editor.row.uuid}`, { is_admin: true }],
      ] as const) {
        const answer = await as(editor.headers).call(method, path, body);
        expect([path, answer.status]).toEqual([path, 403]);
      }
      // Of what one may change of oneself, this is no part.
      const own = await as(editor.headers).call("PUT", "/api/v1/current-user", { is_admin: true });
      expect(own.status >= 400 || own.json.body.is_admin === false).toBe(true);
    });
    expect((await me(editor.headers)).json.is_admin).toBe(false);
  });

  test("CVE-2023-25812: what is denied is denied, whatever else is granted", async () => {
    const editor = await one("denied", { role: "editor" });
    const { roles } = server.app.identity;
    const experiment = await newExperiment(as(root.headers));
    const path = `${API}/experiments/get?experiment_id=${experiment}`;
    accepted(await as(editor.headers).get(path));
    const ref = { principalId: editor.row.principal_id };
    const custom = await roles.createRole({ workspace: "default", name: fresh("all") });
    await roles.addGrant(custom.role_id, {
      resource_type: "experiment",
      pattern: experiment,
      permission: "MANAGE",
    });
    await roles.assignRole(ref, custom.role_id);
    accepted(await as(editor.headers).get(path));
    const denial = {
      resource_type: "experiment",
      pattern: experiment,
      permission: "DENY",
      replace: true,
    } as const;
    await roles.grantDirectly(ref, 1, denial);
    for (const [method, url, body] of [
      ["GET", path, undefined],
      ["POST", `${API}/runs/create`, { experiment_id: experiment }],
      ["POST", `${API}/experiments/delete`, { experiment_id: experiment }],
      ["GET", `/api/2.0/mlflow-artifacts/artifacts?path=${experiment}`, undefined],
    ] as const) {
      expect([url, (await as(editor.headers).call(method, url, body)).status]).toEqual([url, 403]);
    }
    const found = accepted(
      await as(editor.headers).get(`${API}/experiments/search?max_results=1000`),
    ).experiments;
    expect(found.map((row: { experiment_id: string }) => row.experiment_id)).not.toContain(experiment);
  });
});

describe("a token", () => {
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

  test("CVE-2026-33322: of another algorithm, or of none, is nobody's", async () => {
    const fields = { username: "root", password: root.password };
    const token = accepted(await login(fields)).access_token as string;
    expect((await me(bearer(token))).json.name).toBe("root");
    const [head = "", claims = "", signature = ""] = token.split(".");
    const header = JSON.parse(Buffer.from(head, "base64url").toString()) as Record<string, string>;
    const later = {
      ...(JSON.parse(Buffer.from(claims, "base64url").toString()) as object),
      exp: 4_000_000_000,
    };
    const signed = (alg: object, key: string | Buffer): string => {
      const text = `${encoded({ ...header, ...alg })}.${encoded(later)}`;
      return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
    };
    for (const forged of [
      `${encoded({ ...header, alg: "none" })}.${encoded(later)}.`,
      `${encoded({ ...header, alg: "NONE" })}.${encoded(later)}.${signature}`,
      `${encoded({ alg: "none", typ: "JWT" })}.${claims}.`,
      `${encoded({ ...header, alg: "HS512" })}.${claims}.${signature}`,
      `${encoded({ ...header, alg: "RS256" })}.${claims}.${signature}`,
      `${encoded({ ...header, jwk: { kty: "oct", k: "AAAA" } })}.${claims}.${signature}`,
      `${head}.${encoded(later)}.${signature}`,
      `${head}.${claims}.`,
      `${head}.${claims}`,
      signed({}, ""),
      signed({}, header["kid"] ?? ""),
      signed({ kid: undefined }, ""),
      signed({ kid: "../../../../dev/null" }, ""),
      signed({ kid: "' union select 'x' --" }, "x"),
    ]) {
      const answer = await me(bearer(forged));
      expect([forged.slice(0, 60), answer.status]).toEqual([forged.slice(0, 60), 401]);
    }
  });

  test("CVE-2024-4680: ends with the password, and so do cookies and what was remembered", async () => {
    const user = await one("leaver");
    const { sessions, principals } = server.app.identity;
    const token = accepted(await login({ username: user.row.name, password: user.password }))
      .access_token as string;
    const from = { method: "password", address: "127.0.0.1", userAgent: undefined } as const;
    const { cookie } = await sessions.createSession(user.row, from);
    const all: Headers[] = [user.headers, bearer(token), { cookie: `plinth_session=${cookie}` }];
    for (const headers of all) expect((await me(headers)).status).toBe(200);
    await principals.setPassword({ name: user.row.name }, "another good password");
    for (const headers of all)
      expect([Object.keys(headers), (await me(headers)).status]).toEqual([Object.keys(headers), 401]);
    expect((await me(basic(user.row.name, "another good password"))).status).toBe(200);
  });
});

describe("ZenML's routes", () => {
  test("CVE-2024-25723: nobody takes an account over by activating it", async () => {
    const user = await one("taken");
    await unchanged(async () => {
      for (const headers of [{}, user.headers]) {
        for (const body of [
          { password: "a good long password" },
          { password: "a good long password", activation_token: "" },
          { password: "a good long password", activation_token: "x" },
          { password: "a good long password", activation_token: null },
          {
            name: "root",
            is_admin: true,
            password: "a good long password",
            activation_token: "0".repeat(64),
          },
        ]) {
          for (const name of ["root", root.row.uuid, user.row.name, "nobody-at-all"]) {
            const answer = await server.call("PUT", `/api/v1/users/${name}/activate`, body, headers);
            expect([name, answer.status >= 400 && answer.status < 500]).toEqual([name, true]);
          }
        }
      }
    });
    expect((await me(root.headers)).status).toBe(200);
  });

  test("CVE-2024-2083: no path of a request is one of a file", async () => {
    for (const [path, status] of [
      ["/api/v1/steps/x/logs", 422],
      ["/api/v1/steps/..%2f..%2fetc%2fpasswd/logs", 422],
      ["/api/v1/logs?path=/etc/passwd", 405],
      ["/api/v1/..%2f..%2f..%2fetc/passwd", 404],
    ] as const) {
      const answer = await server.call("GET", path, undefined, root.headers);
      expect([path, answer.status, answer.text.includes("root:")]).toEqual([path, status, false]);
    }
  });
});
