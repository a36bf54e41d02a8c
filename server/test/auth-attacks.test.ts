import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { byId, byPath, lists } from "../src/protocols/mlflow/workspace-routes-fixture.ts";
import { ask, SECRET } from "../src/protocols/mlflow/workspace-requests-fixture.ts";
import { notKept, OWNER, startAccessWorld, type AccessWorld } from "./access-world.ts";
import type { Answer, Json, TestServer } from "./harness.ts";
import { basic, person } from "./principals.ts";
import { send } from "./raw-http.ts";
import { accepted, API, fresh } from "./runs.ts";
import { stored } from "./stored.ts";
import { inWorkspace, withHeaders } from "./workspaces.ts";

/** Attacks on authentication and authorization that MLflow's server was open to, by their names. */
const world: AccessWorld = await startAccessWorld();
const { server, actors, ids } = world;
const { admin, editor, viewer, root } = actors;
const { roles } = server.app.identity;
const ARTIFACTS = "/api/2.0/mlflow-artifacts";

/** Has a part in the workspace by one model alone, and so no right to anything else in it. */
let outsider: TestServer;

beforeAll(async () => {
  const { row, headers } = await person(server, "outsider");
  const place = await roles.findRole(OWNER, "viewer");
  const own = {
    resource_type: "registered_model",
    pattern: "of the outsider",
    permission: "MANAGE",
  } as const;
  accepted(await root.post(`${API}/registered-models/create`, { name: own.pattern }));
  await roles.grantDirectly({ principalId: row.principal_id }, place?.workspace_id ?? 0, {
    ...own,
    replace: false,
  });
  outsider = inWorkspace(withHeaders(server, headers), OWNER);
});
afterAll(() => world[Symbol.asyncDispose]());

const refused = ({ status, text }: Answer): void =>
  expect([status, text]).toEqual([403, expect.stringContaining("Permission denied")]);

/** Sends something that must change nothing. */
async function inVain(attack: () => Promise<void>): Promise<void> {
  const before = await stored(server);
  await attack();
  expect(await stored(server)).toEqual(before);
}

describe("without credentials", () => {
  test("CVE-2023-6014: nobody makes a user, by JSON or as a form", () =>
    inVain(async () => {
      const user = { username: "intruder", password: "a good long password" };
      for (const prefix of ["/api", "/ajax-api"]) {
        const path = `${prefix}/2.0/mlflow/users/create`;
        expect((await server.call("POST", path, user)).status).toBe(401);
        const form = new URLSearchParams(user).toString();
        const type = { "content-type": "application/x-www-form-urlencoded" };
        expect((await server.call("POST", path, form, type)).status).toBe(401);
      }
    }));

  test.each(["/ajax-api/3.0/mlflow/jobs/x", "/api/3.0/mlflow/jobs/x", "/ajax-api/3.0/mlflow/jobs/cancel/x"])(
    "CVE-2026-0545, CVE-2026-2652: jobs at %s ask for a login",
    async (path) => {
      for (const method of ["GET", "PATCH", "POST", "DELETE"]) {
        const { status } = await server.call(method, path, method === "GET" ? undefined : {});
        expect([401, 404, 405]).toContain(status);
      }
      const isCancel = path.includes("cancel");
      expect((await server.call(isCancel ? "PATCH" : "GET", path, isCancel ? {} : undefined)).status).toBe(
        401,
      );
    },
  );

  test("CVE-2026-2635: no password is known before somebody chose one", async () => {
    for (const name of ["admin", "root", "mlflow", "plinth", "default"]) {
      for (const password of ["password", "password1234", "admin", "", "plinth", "mlflow"]) {
        const { status } = await server.call("GET", "/console/api/me", undefined, basic(name, password));
        expect([name, password, [401, 429].includes(status)]).toEqual([name, password, true]);
      }
    }
  });

  test("CVE-2023-28432: nothing that is open to all shows how the server is set up", async () => {
    const { database } = server.connection;
    const open = server.routes.filter(({ access, method }) => access.kind === "public" && method === "GET");
    expect(open.length).toBeGreaterThan(8);
    for (const { url } of open) {
      const { text } = await server.get(url.replaceAll(/:\w+/g, "x"));
      for (const word of [
        database,
        "data-dir",
        "secrets-key",
        tmpdir(),
        server.connection.password ?? database,
      ]) {
        expect([url, text.includes(word)]).toEqual([url, false]);
      }
    }
  });
});

describe("from another site", () => {
  const evil = { origin: "http://evil.test" };

  test("CVE-2023-43472: a simple request changes nothing, whoever's browser sends it", () =>
    inVain(async () => {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
        const body = JSON.stringify({ name: fresh("from elsewhere") });
        const answer = await admin.call("POST", `${API}/experiments/create`, body, {
          ...evil,
          "content-type": type,
        });
        expect(answer.status).toBe(403);
        const without = await admin.call("POST", `${API}/experiments/create`, body, { "content-type": type });
        expect(without.status).toBe(400);
      }
    }));

  test("CVE-2025-14279, CVE-2026-2611: foreign names and origins are refused", async () => {
    const path = "/ajax-api/3.0/mlflow/assistant/message";
    const headers = { ...basic("admin", "the password of admin"), "content-type": "application/json" };
    const body = "{}";
    for (const more of [{ host: "evil.test" }, evil, { origin: "null" }]) {
      const answer = await send(server.url, { method: "POST", path, headers: { ...headers, ...more }, body });
      expect([more, answer.status]).toEqual([more, 403]);
    }
    const read = await send(server.url, {
      method: "GET",
      path: `${API}/experiments/search?max_results=1`,
      headers: { ...headers, host: "evil.test" },
    });
    expect(read.status).toBe(403);
  });

  test("CVE-2025-1473: the form of sign-up makes no user", async () => {
    const { principals, sessions } = server.app.identity;
    const from = { method: "password", address: "127.0.0.1", userAgent: undefined } as const;
    const { cookie } = await sessions.createSession(await principals.getPrincipal({ name: "root" }), from);
    const fields = {
      username: "intruder",
      password: "a good long password",
      csrf_token: "x",
      form_token: "x",
    };
    const form = new URLSearchParams(fields).toString();
    const bodies = { "application/x-www-form-urlencoded": form, "text/plain": JSON.stringify(fields) };
    await inVain(async () => {
      for (const more of [
        evil,
        { "sec-fetch-site": "cross-site" },
        { ...evil, "sec-fetch-site": "cross-site" },
      ]) {
        for (const path of ["/api/2.0/mlflow/users/create-ui", "/api/2.0/mlflow/users/create"]) {
          for (const [type, body] of Object.entries(bodies)) {
            const headers = { ...more, cookie: `plinth_session=${cookie}`, "content-type": type };
            const { status } = await send(server.url, { method: "POST", path, headers, body });
            expect([path, more, type, status >= 400]).toEqual([path, more, type, true]);
          }
        }
      }
    });
  });
});

describe("with a right to something else", () => {
  test("CVE-2024-3099: names that look or decode alike are names of their own", async () => {
    const names = ["a b", "a%20b", "a+b", "caf\u00e9", "cafe\u0301", "A b"];
    for (const name of names) accepted(await root.post(`${API}/registered-models/create`, { name }));
    const place = await roles.findRole(OWNER, "viewer");
    const { row, headers } = await person(server, "names");
    const grant = {
      resource_type: "registered_model",
      pattern: "a%20b",
      permission: "MANAGE",
      replace: true,
    } as const;
    await roles.grantDirectly({ principalId: row.principal_id }, place?.workspace_id ?? 0, grant);
    const caller = inWorkspace(withHeaders(server, headers), OWNER);
    for (const name of names) {
      const query = new URLSearchParams({ name }).toString();
      const answer = await caller.get(`${API}/registered-models/get?${query}`);
      if (name === "a%20b") expect(accepted(answer).registered_model.name).toBe(name);
      else refused(answer);
    }
    const found = accepted(await caller.get(`${API}/registered-models/search`)).registered_models;
    expect(found.map((one: Json) => one.name)).toEqual(["a%20b"]);
  });

  test("CVE-2024-4263: who edits deletes no artifact", () =>
    inVain(async () => {
      refused(await editor.call("DELETE", `${ARTIFACTS}/artifacts/${ids.runArtifacts}`));
      refused(await editor.call("DELETE", `${ARTIFACTS}/artifacts/${ids.runArtifacts}/model/MLmodel`));
    }));

  test("CVE-2025-14297, CVE-2026-2734: no field of GraphQL tells what its endpoint would not", () =>
    inVain(async () => {
      const fields = [
        `mlflowGetExperiment(input: {experimentId: "${ids.experiment}"}) { experiment { name tags { value } } }`,
        `mlflowGetRun(input: {runId: "${ids.run}"}) { run { info { runName } data { tags { value } } experiment { name } } }`,
        `mlflowSearchRuns(input: {experimentIds: ["${ids.experiment}"]}) { runs { info { runName } data { tags { value } } } }`,
        `mlflowListArtifacts(input: {runId: "${ids.run}"}) { files { path } }`,
        `mlflowGetMetricHistoryBulkInterval(input: {runIds: ["${ids.run}"], metricKey: "loss"}) { metrics { value } }`,
        `mlflowSearchModelVersions(input: {}) { modelVersions { name tags { value } } }`,
      ];
      for (const field of fields) {
        const answer = await outsider.post("/graphql", { query: `{ ${field} }` });
        const name = field.slice(0, field.indexOf("("));
        const found = answer.json.data?.[name] ?? null;
        const isEmpty =
          found === null ||
          Object.values(found as object).every(
            (value) => value === null || (Array.isArray(value) && value.length === 0),
          );
        expect([name, answer.status, isEmpty, answer.text]).toEqual([
          name,
          200,
          true,
          expect.not.stringContaining(SECRET),
        ]);
        // Who may read is told.
        const own = await viewer.post("/graphql", { query: `{ ${field} }` });
        expect([name, own.json.errors, own.text]).toEqual([
          name,
          null,
          expect.not.stringContaining('":null}}'),
        ]);
      }
      const mutations = [
        `mlflowSearchDatasets(input: {experimentIds: ["${ids.experiment}"]}) { datasetSummaries { name } }`,
        `mlflowSearchRuns(input: {experimentIds: ["${ids.experiment}"]}) { runs { info { runName } } }`,
      ];
      for (const field of mutations) {
        const answer = await outsider.post("/graphql", { query: `mutation { ${field} }` });
        expect([field, answer.status, /rows|runName/.test(answer.text)]).toEqual([field, 200, false]);
      }
    }));

  test("CVE-2025-15381, CVE-2026-8147, CVE-2026-13484: traces, assessments and label schemas are refused", () =>
    inVain(async () => {
      const of = /\/(?:traces|label-schemas|issues|review-queues)(?:\/|$)/;
      const asked = server.routes.filter(
        ({ method, url }) =>
          of.test(url) && url.startsWith("/api/") && notKept.has(`${method} ${url.slice(4)}`),
      );
      expect(asked.length).toBeGreaterThan(20);
      const body = { experiment_id: ids.experiment, experiment_ids: [ids.experiment] };
      for (const route of asked) {
        const isRead = route.method === "GET" || route.method === "HEAD";
        const query = { experiment_id: ids.experiment, experiment_ids: ids.experiment };
        const answer = await ask(outsider, route, isRead ? { query } : { body });
        // What lacks a field is told so; nothing more, and never that it was done.
        expect([route.url, [400, 403].includes(answer.status)]).toEqual([route.url, true]);
      }
    }));

  test("CVE-2026-2651: nobody ends or goes on with another's upload", () =>
    inVain(async () => {
      const asked = { path: "big", upload_id: ids.upload, parts: [{ part_number: 1, etag: "x" }] };
      for (const caller of [outsider, viewer, actors.limited]) {
        for (const step of ["create", "complete", "abort"]) {
          refused(
            await caller.post(`${ARTIFACTS}/mpu/${step}/${ids.runArtifacts}`, { ...asked, num_parts: 1 }),
          );
        }
      }
      // An upload belongs to the path it was begun for, also for who may write to both.
      for (const step of ["complete", "abort"]) {
        const own = `${ARTIFACTS}/mpu/${step}/${ids.runArtifacts}/elsewhere`;
        const { status } = await editor.post(own, asked);
        expect([step, status]).toEqual([step, 404]);
      }
    }));

  test("CVE-2026-3198: lists of a gateway show nothing, never a secret", async () => {
    const gateway = server.routes.filter(
      ({ method, url }) => method === "GET" && /^\/api\/3\.0\/mlflow\/gateway\/.*list/.test(url),
    );
    expect(gateway.length).toBeGreaterThan(4);
    for (const { url } of gateway) {
      const { status, text } = await outsider.get(url);
      expect([url, status >= 400 || text === "{}" || /^\{"\w+":\[\]\}$/.test(text)]).toEqual([url, true]);
    }
  });

  test("CVE-2026-33866: no file of a logged model is read by way of its page", () =>
    inVain(async () => {
      const path = `/ajax-api/2.0/mlflow/logged-models/${ids.model}/artifacts/files?artifact_file_path=model/MLmodel`;
      refused(await outsider.get(path));
      expect((await viewer.get(path)).text).toBe(SECRET);
    }));

  test("CVE-2026-69148: no version is made of another's run, and so none of its files is read", () =>
    inVain(async () => {
      const own = { name: "of the outsider" };
      const file = `mlflow-artifacts:/${ids.runArtifacts}/model`;
      for (const fields of [
        { source: file, run_id: ids.run },
        { source: file },
        { source: `runs:/${ids.run}/model`, run_id: ids.run },
        { source: `models:/${ids.model}`, model_id: ids.model },
        { source: `models:/${ids.registered}/1` },
        { source: "s3://bucket/x", run_id: ids.run },
      ]) {
        refused(await outsider.post(`${API}/model-versions/create`, { ...own, ...fields }));
      }
    }));

  test("GHSA-3p64-6gvh-82v5: inputs of a run are logged by who edits it alone", () =>
    inVain(async () => {
      const dataset = { name: "n", digest: "d", source_type: "s", source: "s" };
      for (const caller of [viewer, outsider, actors.limited]) {
        refused(await caller.post(`${API}/runs/log-inputs`, { run_id: ids.run, datasets: [{ dataset }] }));
      }
    }));

  test("CVE-2024-36107: a condition on a forbidden artifact tells nothing of it", async () => {
    const path = `${ARTIFACTS}/artifacts/${ids.runArtifacts}/model/MLmodel`;
    const etag = (await viewer.get(path)).headers.get("etag") ?? "";
    for (const headers of [
      { "if-none-match": etag },
      { "if-match": "x" },
      { "if-modified-since": new Date(Date.now() + 1e6).toUTCString() },
      { "if-unmodified-since": new Date(0).toUTCString() },
      { range: "bytes=1000-" },
    ]) {
      refused(await outsider.call("GET", path, undefined, headers));
      expect((await outsider.call("HEAD", path, undefined, headers)).status).toBe(403);
    }
  });

  test("nothing at all is reached by it: every route is refused, or shows what is the caller's alone", () =>
    inVain(async () => {
      const requests = { ...byId, ...byPath };
      for (const route of server.routes.filter(({ url }) => !url.startsWith("/ajax-api"))) {
        const key = `${route.method} ${route.url.replace(/^\/api(?=\/\d)/, "")}`;
        const request = requests[key];
        if (request === undefined || key.includes("/graphql")) continue;
        const answer = await ask(outsider, route, request(ids));
        // Searches within what is named find nothing there.
        const isEmpty = answer.status === 200 && ["{}", '{"runs":[]}', '{"models":[]}'].includes(answer.text);
        expect([key, answer.status === 403 || isEmpty, answer.text]).toEqual([
          key,
          true,
          expect.not.stringContaining(SECRET),
        ]);
      }
      for (const [key, { asked, shows }] of Object.entries(lists)) {
        const [method = "", url = ""] = key.split(" ");
        const answer = await ask(outsider, { method, url: `/api${url}` }, asked);
        expect([key, answer.text.includes(shows(ids))]).toEqual([key, false]);
      }
    }));
});
