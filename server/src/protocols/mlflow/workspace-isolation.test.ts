import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { API, fresh, refusal } from "../../../test/runs.ts";
import { stored } from "../../../test/stored.ts";
import { inWorkspace, newWorkspace } from "../../../test/workspaces.ts";
import {
  ask,
  makeWorld,
  nothing,
  SECRET,
  withoutIds,
  type Asked,
  type Ids,
  type Route,
} from "./workspace-requests-fixture.ts";
import { aboutPeople, byId, byPath, lists, open } from "./workspace-routes-fixture.ts";
import { noEvaluationEndpoints } from "./genai-none-entities.ts";
import { noGatewayEndpoints } from "./genai-none-gateway.ts";
import { noTraceEndpoints } from "./genai-none-traces.ts";

const server: TestServer = await startTestServer({ "outbound-allowed-hosts": "127.0.0.1" });
let owner: TestServer;
let strangers: TestServer[];
let world: Ids;
const workspace = "owner";

const keyOf = ({ method, url }: Route): string =>
  `${method === "HEAD" ? "GET" : method} ${url.replace(/^\/(?:ajax-)?api/, "")}`;

/** What Plinth does not keep, no workspace has. */
const notKept = new Set(
  [...noTraceEndpoints(), ...noEvaluationEndpoints(), ...noGatewayEndpoints()].map(
    ({ method, path }) => `${method} ${path}`,
  ),
);
const routes: Route[] = server.routes.filter(
  (route) => route.protocol === "mlflow" && !notKept.has(keyOf(route)) && !aboutPeople.test(route.url),
);
/** Of those that share their handler (`/ajax-api`, HEAD) the first. */
const among = (table: Record<string, unknown>): Route[] =>
  Object.keys(table).map((key) => routes.find((route) => keyOf(route) === key) as Route);
const called = (list: Route[]): [string, Route][] =>
  list.map((route) => [`${route.method} ${route.url}`, route]);

beforeAll(async () => {
  owner = inWorkspace(server, await newWorkspace(server, workspace));
  strangers = [inWorkspace(server, await newWorkspace(server, "stranger")), server];
  // Ids that are found in no other text.
  await server.database.prepared(
    {
      name: "test_restart_ids",
      text: "select setval(pg_get_serial_sequence('tracking.experiments', 'experiment_id'), 40000)",
    },
    [],
  );
  world = await makeWorld(owner, workspace);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test("every route is in one of the tables, and nothing else is", () => {
  const tables = [byId, lists, byPath, open].flatMap((table) => Object.keys(table));
  expect(tables.toSorted()).toEqual([...new Set(routes.map(keyOf))].toSorted());
});

describe("what is named by an id of another workspace", () => {
  test.each(called(among(byId)))(
    "%s answers as if it were not there, and changes nothing",
    async (_name, route) => {
      const asked = byId[keyOf(route)] as (ids: Ids) => Asked;
      const before = await stored(server);
      for (const stranger of strangers) {
        const answer = await ask(stranger, route, asked(world));
        const unknown = await ask(stranger, route, asked(nothing));
        expect(withoutIds(answer, world)).toBe(withoutIds(unknown, nothing));
        expect(answer.text).not.toContain(SECRET);
      }
      expect(await stored(server)).toEqual(before);
      // The same request of the owner is one that finds it.
      const owned = await makeWorld(owner, workspace);
      const own = await ask(owner, route, asked(owned));
      const found = own.status < 300 || own.json?.message.startsWith("Presigned ");
      expect([found, own.text]).toEqual([true, expect.any(String)]);
      const unknown = await ask(owner, route, asked(nothing));
      expect(withoutIds(own, owned)).not.toBe(withoutIds(unknown, nothing));
    },
  );
});

describe("a path of the artifacts of another workspace", () => {
  test.each(called(among(byPath)))("%s is refused, and nothing changes", async (_name, route) => {
    const asked = byPath[keyOf(route)] as (ids: Ids) => Asked;
    const before = await stored(server);
    for (const [index, name] of ["stranger", "default"].entries()) {
      const answer = await ask(strangers[index] as TestServer, route, asked(world));
      const message = `Artifact path targets workspace '${workspace}' but the workspace specified in the request is '${name}'.`;
      expect(refusal(answer)).toEqual([400, "INVALID_PARAMETER_VALUE", message]);
    }
    expect(await stored(server)).toEqual(before);
    const own = await ask(owner, route, asked(await makeWorld(owner, workspace)));
    // 501: this store has no addresses of its own, which is asked after the right to the path.
    const ended = /mpu\/complete/.test(route.url) ? [400] : /presigned/.test(route.url) ? [501] : [200];
    expect([ended.includes(own.status), own.text]).toEqual([true, expect.any(String)]);
  });

  test.each([
    "",
    "workspaces",
    "workspaces/",
    "./workspaces/owner",
    "%77orkspaces/owner",
    "workspaces//owner",
  ])("is not reached as %j", async (path) => {
    for (const stranger of strangers) {
      for (const [method, url] of [
        ["GET", "/api/2.0/mlflow-artifacts/artifacts/"],
        ["DELETE", "/api/2.0/mlflow-artifacts/artifacts/"],
      ] as const) {
        const answer = await stranger.call(method, `${url}${path}`);
        expect([answer.status, answer.text]).toEqual([400, expect.not.stringContaining(SECRET)]);
      }
      const listed = await stranger.get(`/api/2.0/mlflow-artifacts/artifacts?path=${path}`);
      expect([listed.status === 200, listed.text]).toEqual([
        path === "",
        expect.not.stringContaining("owner/"),
      ]);
    }
  });

  test("is where a caller of that workspace puts what it names without one", async () => {
    const url = "/api/2.0/mlflow-artifacts/artifacts";
    expect((await owner.call("PUT", `${url}/loose/a.txt`, "mine")).status).toBe(200);
    expect((await owner.get(`${url}/workspaces/${workspace}/loose/a.txt`)).text).toBe("mine");
    for (const stranger of strangers) expect((await stranger.get(`${url}/loose/a.txt`)).status).toBe(404);
  });
});

describe("an experiment that keeps its place outside of its workspace's folder, as an imported one may", () => {
  const PROXY = "/api/2.0/mlflow-artifacts/artifacts";
  let place: string;

  beforeAll(async () => {
    const name = fresh("placed at the root");
    const { experiment_id: id } = (await owner.post(`${API}/experiments/create`, { name })).json;
    place = String(id);
    await server.database.prepared(
      {
        name: "test_place",
        text: "update tracking.experiments set artifact_location = $2 where experiment_id = $1",
      },
      [Number(id), `mlflow-artifacts:/${place}`],
    );
    expect((await owner.call("PUT", `${PROXY}/${place}/run/artifacts/a.txt`, SECRET)).status).toBe(200);
  });

  test("is reached from its workspace, by the path that clients take from its location", async () => {
    expect((await owner.get(`${PROXY}/${place}/run/artifacts/a.txt`)).text).toBe(SECRET);
    const [row] = await server.database.prepared<{ count: number }>(
      { name: "test_place_key", text: "select count(*)::integer from storage.objects where key = $1" },
      [`${place}/run/artifacts/a.txt`],
    );
    expect(row?.count).toBe(1);
  });

  test("is reached from no other one, not even by what it is in", async () => {
    // To another workspace it is a path below its own folder, where nothing is; to the default one it is this one.
    const seen = [];
    for (const stranger of strangers) {
      const read = await stranger.get(`${PROXY}/${place}/run/artifacts/a.txt`);
      expect(read.text).not.toContain(SECRET);
      const listed = await stranger.get(`${PROXY}?path=${place}`);
      const put = await stranger.call("PUT", `${PROXY}/${place}/run/artifacts/a.txt`, "x");
      const gone = await stranger.call("DELETE", `${PROXY}/${place}`);
      seen.push(
        [read, listed, put, gone].map(({ status }) => status),
        listed.text === "{}",
      );
    }
    expect(seen).toEqual([[404, 200, 200, 200], true, [400, 400, 400, 400], false]);
    expect((await owner.get(`${PROXY}/${place}/run/artifacts/a.txt`)).text).toBe(SECRET);
  });
});

describe("an upload in parts of another workspace", () => {
  test.each(["complete", "abort"])("cannot be ended by %s of a path of one's own", async (end) => {
    const [stranger] = strangers as [TestServer];
    const asked = { path: "big", upload_id: world.upload, parts: [] };
    const own = await stranger.post(`/api/2.0/mlflow-artifacts/mpu/${end}/own`, asked);
    const unknown = await stranger.post(`/api/2.0/mlflow-artifacts/mpu/${end}/own`, {
      ...asked,
      upload_id: nothing.upload,
    });
    expect(withoutIds(own, world)).toBe(withoutIds(unknown, nothing));
  });
});

describe("what a request in a workspace refers to", () => {
  test("a metric of a run refers to a logged model of the same workspace", async () => {
    const theirs = await makeWorld(strangers[0] as TestServer, "stranger");
    const metric = { key: "loss", value: 1, timestamp: 1, model_id: world.model };
    const answer = await (strangers[0] as TestServer).post(`${API}/runs/log-batch`, {
      run_id: theirs.run,
      metrics: [metric],
    });
    expect(refusal(answer)).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      `Logged model with ID '${world.model}' not found.`,
    ]);
  });

  test.each<[string, (ids: Ids) => Record<string, unknown>]>([
    ["a run's files", (ids) => ({ source: `mlflow-artifacts:/${ids.runArtifacts}/model`, run_id: ids.run })],
    ["a run's files without the run", (ids) => ({ source: `mlflow-artifacts:/${ids.runArtifacts}/model` })],
    ["a logged model", (ids) => ({ source: `models:/${ids.model}`, model_id: ids.model })],
    ["a version", (ids) => ({ source: `models:/${ids.registered}/1` })],
    ["an alias", (ids) => ({ source: `models:/${ids.registered}@best` })],
    ["a stage", (ids) => ({ source: `models:/${ids.registered}/None` })],
    ["a logged model beside a bucket", (ids) => ({ source: "s3://bucket/x", model_id: ids.model })],
  ])("a model version is not made from %s of another workspace", async (_name, fields) => {
    for (const stranger of strangers) {
      const name = fresh("version of a stranger");
      await stranger.post(`${API}/registered-models/create`, { name });
      const answer = await stranger.post(`${API}/model-versions/create`, { name, ...fields(world) });
      const unknown = await stranger.post(`${API}/model-versions/create`, { name, ...fields(nothing) });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(withoutIds(answer, world)).toBe(withoutIds(unknown, nothing));
    }
  });

  test("a version that names a run of another workspace reads none of its files", async () => {
    const [stranger] = strangers as [TestServer];
    const name = fresh("version by run");
    await stranger.post(`${API}/registered-models/create`, { name });
    await stranger.post(`${API}/model-versions/create`, { name, source: `runs:/${world.run}/model` });
    const query = new URLSearchParams({ name, version: "1", path: "MLmodel" });
    const answer = await stranger.get(`/model-versions/get-artifact?${query.toString()}`);
    expect([answer.status, answer.text]).toEqual([404, expect.not.stringContaining(SECRET)]);
  });

  test.each([
    "mlflow-artifacts:/workspaces",
    "mlflow-artifacts:/workspaces/owner/1",
    "MLFLOW-ARTIFACTS:/%77orkspaces/owner",
  ])("an experiment of the default workspace is not put at %s", async (artifact_location) => {
    const answer = await server.post(`${API}/experiments/create`, {
      name: fresh("placed"),
      artifact_location,
    });
    expect(refusal(answer)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      expect.stringContaining("must not be below"),
    ]);
  });

  test("searches of experiments of several workspaces find what is in one's own", async () => {
    const [stranger] = strangers as [TestServer];
    const theirs = await makeWorld(stranger, "stranger");
    for (const order_by of [[], ["metrics.loss"], ["params.depth desc"]]) {
      const found = await stranger.post(`${API}/runs/search`, {
        experiment_ids: [world.experiment, theirs.experiment],
        order_by,
      });
      expect(found.json.runs.map((run: { info: { run_id: string } }) => run.info.run_id)).toEqual([
        theirs.run,
      ]);
    }
    const models = await stranger.post(`${API}/logged-models/search`, {
      experiment_ids: [world.experiment, theirs.experiment],
    });
    expect(models.json.models.map((one: { info: { model_id: string } }) => one.info.model_id)).toEqual([
      theirs.model,
    ]);
  });

  test("requests of two workspaces that share a batch keep apart", async () => {
    const callers = [owner, ...strangers];
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const caller = callers[index % 3] as TestServer;
        const run = world.run;
        if (index % 4 === 0) return caller.get(`${API}/runs/get?run_id=${run}`);
        if (index % 4 === 1)
          return caller.post(`${API}/runs/update`, { run_id: run, run_name: `name ${index}` });
        if (index % 4 === 2) return caller.post(`${API}/runs/create`, { experiment_id: world.experiment });
        return caller.post(`${API}/runs/log-metric`, {
          run_id: run,
          key: "shared",
          value: index,
          timestamp: 1,
        });
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual(
      answers.map((_one, index) => (index % 3 === 0 ? 200 : 404)),
    );
  });

  test("versions of models of one name that share a batch are counted apart", async () => {
    const name = fresh("one name");
    const callers = [owner, ...strangers];
    for (const caller of callers) await caller.post(`${API}/registered-models/create`, { name });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        (callers[index % 3] as TestServer).post(`${API}/model-versions/create`, {
          name,
          source: `s3://bucket/${index % 3}`,
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    for (const [index, caller] of callers.entries()) {
      const query = new URLSearchParams({ filter: `name = '${name}'` }).toString();
      const { model_versions: versions } = (await caller.get(`${API}/model-versions/search?${query}`)).json;
      const numbers = versions.map((one: { version: string }) => Number(one.version));
      expect(numbers.toSorted((a: number, b: number) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(new Set(versions.map((one: { source: string }) => one.source))).toEqual(
        new Set([`s3://bucket/${index}`]),
      );
    }
  });
});
