import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { accepted, API, fresh, refusal } from "../../../test/runs.ts";
import { inWorkspace, newWorkspace, WORKSPACES } from "../../../test/workspaces.ts";
import { makeWorld, SECRET, type Ids } from "./workspace-requests-fixture.ts";

let server: TestServer;
let beside: TestServer;

beforeAll(async () => {
  server = await startTestServer({ "outbound-allowed-hosts": "127.0.0.1" });
  beside = await startTestServer({}, server);
});
afterAll(async () => {
  await beside[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const remove = (name: string, mode: string): Promise<Answer> =>
  server.call("DELETE", `${WORKSPACES}/${name}?mode=${mode}`);

const filled = async (): Promise<{ name: string; team: TestServer; ids: Ids }> => {
  const name = await newWorkspace(server);
  const team = inWorkspace(server, name);
  return { name, team, ids: await makeWorld(team, name) };
};

const ofRun = (team: TestServer, { run }: Ids): Promise<Answer> => team.get(`${API}/runs/get?run_id=${run}`);

const artifact = (team: TestServer, { runArtifacts }: Ids): Promise<Answer> =>
  team.get(`/api/2.0/mlflow-artifacts/artifacts/${runArtifacts}/model/MLmodel`);

const ofModel = (team: TestServer, { registered }: Ids): Promise<Answer> =>
  team.get(`${API}/registered-models/get?${new URLSearchParams({ name: registered }).toString()}`);

describe("RESTRICT", () => {
  test("keeps a workspace as long as something is in it", async () => {
    const { name, team, ids } = await filled();
    const still = (table: string, count: number): unknown[] => [
      400,
      "INVALID_STATE",
      `Cannot delete workspace '${name}': table '${table}' still contains ${count} resource(s). ` +
        "Remove or reassign them before deleting the workspace.",
    ];
    expect(refusal(await server.call("DELETE", `${WORKSPACES}/${name}`))).toEqual(still("experiments", 2));
    expect((await ofRun(team, ids)).status).toBe(200);
    for (const experiment_id of [ids.experiment]) {
      accepted(await team.post(`${API}/experiments/delete`, { experiment_id }));
    }
    // Deleted, they can be restored: only a purge takes them out.
    expect(refusal(await remove(name, "RESTRICT"))).toEqual(still("experiments", 2));
    accepted(await server.post("/console/api/purge", {}));
    expect(refusal(await remove(name, "RESTRICT"))).toEqual(still("registered_models", 1));
    accepted(await team.call("DELETE", `${API}/registered-models/delete`, { name: ids.registered }));
    expect(refusal(await remove(name, "RESTRICT"))).toEqual(still("webhooks", 1));
    accepted(await team.call("DELETE", `${API}/webhooks/${ids.webhook}`));
    expect((await remove(name, "RESTRICT")).status).toBe(204);
  });
});

describe("SET_DEFAULT", () => {
  test("moves everything to the default workspace, where all of it can be used", async () => {
    const { name, ids } = await filled();
    expect((await remove(name, "SET_DEFAULT")).status).toBe(204);
    expect(accepted(await ofRun(server, ids)).run.data.tags).toContainEqual({ key: "note", value: SECRET });
    expect((await artifact(server, ids)).text).toBe(SECRET);
    expect((await ofModel(server, ids)).status).toBe(200);
    expect((await server.get(`${API}/webhooks/${ids.webhook}`)).status).toBe(200);
    const put = `/api/2.0/mlflow-artifacts/artifacts/${ids.runArtifacts}/more.txt`;
    expect((await server.call("PUT", put, "more")).status).toBe(200);
    const query = new URLSearchParams({ name: ids.registered, version: "1", path: "MLmodel" }).toString();
    expect((await server.get(`/model-versions/get-artifact?${query}`)).text).toBe(SECRET);
    const { experiment } = accepted(
      await server.get(`${API}/experiments/get?experiment_id=${ids.experiment}`),
    );
    expect(experiment.workspace).toBe("default");
    // Whoever makes a workspace of that name again gets nothing of it.
    const again = inWorkspace(server, await newWorkspace(server, name));
    expect((await ofRun(again, ids)).status).toBe(404);
    expect((await artifact(again, ids)).status).toBe(400);
    for (const below of [ids.experiment, `${ids.experiment}/${ids.run}`]) {
      const gone = await again.call("DELETE", `/api/2.0/mlflow-artifacts/artifacts/${below}`);
      expect(gone.status).toBe(400);
    }
    expect((await artifact(server, ids)).text).toBe(SECRET);
  });

  test("moves what an own artifact root held, which a workspace of the old name cannot delete", async () => {
    const name = await newWorkspace(server);
    const url = "/api/2.0/mlflow-artifacts/artifacts";
    await server.call("PATCH", `${WORKSPACES}/${name}`, {
      default_artifact_root: "mlflow-artifacts:/things",
    });
    const ids = await makeWorld(inWorkspace(server, name), name);
    expect(ids.runArtifacts).toBe(`workspaces/${name}/things/${ids.experiment}/${ids.run}/artifacts`);
    expect((await remove(name, "SET_DEFAULT")).status).toBe(204);
    const again = inWorkspace(server, await newWorkspace(server, name));
    for (const path of ["things", `workspaces/${name}/things`]) {
      expect((await again.call("DELETE", `${url}/${path}`)).status).toBe(400);
    }
    expect((await artifact(server, ids)).text).toBe(SECRET);
    expect((await again.call("PUT", `${url}/things/own.txt`, "own")).status).toBe(200);
    expect((await again.call("DELETE", `${url}/things/own.txt`)).status).toBe(200);
  });

  test("moves nothing when names would be there twice", async () => {
    const { name, team, ids } = await filled();
    const registered = fresh("twice registered");
    for (const one of [team, server]) {
      accepted(await one.post(`${API}/experiments/create`, { name: `twice ${name}` }));
      accepted(await one.post(`${API}/registered-models/create`, { name: registered }));
    }
    expect(refusal(await remove(name, "SET_DEFAULT"))).toEqual([
      400,
      "INVALID_STATE",
      expect.stringContaining(`\n  - experiments: 'twice ${name}'\n  - registered_models: '${registered}'\n`),
    ]);
    expect((await ofRun(team, ids)).status).toBe(200);
    expect((await ofRun(server, ids)).status).toBe(404);
    expect((await ofModel(server, ids)).status).toBe(404);
  });
});

describe("CASCADE", () => {
  test("takes everything out of sight at once, in every process, and out of the store by a purge", async () => {
    const { name, team, ids } = await filled();
    const other = inWorkspace(beside, name);
    expect((await ofRun(other, ids)).status).toBe(200);
    const others = await filled();
    expect((await remove(name, "CASCADE")).status).toBe(204);
    // The other process still knows the name, and finds nothing behind it.
    expect((await ofRun(other, ids)).status).toBe(404);
    const logged = await other.post(`${API}/runs/log-metric`, {
      run_id: ids.run,
      key: "a",
      value: 1,
      timestamp: 1,
    });
    expect(logged.status).toBe(404);
    expect((await ofModel(other, ids)).status).toBe(404);
    for (const one of [server, others.team]) {
      expect((await ofRun(one, ids)).status).toBe(404);
      expect((await artifact(one, ids)).status).toBe(400);
    }
    expect((await ofRun(team, ids)).json.message).toBe(`Workspace '${name}' not found`);
    expect((await server.get(WORKSPACES)).text).not.toContain(`${name}/`);
    const again = inWorkspace(server, await newWorkspace(server, name));
    expect((await ofRun(again, ids)).status).toBe(404);
    expect((await artifact(again, ids)).status).toBe(400);
    expect((await ofModel(again, ids)).status).toBe(404);
    // Younger than the purge wants: it stays for now.
    accepted(await server.post("/console/api/purge", { older_than_seconds: 3600 }));
    expect(await left(ids)).toEqual({
      experiments: 2,
      runs: 2,
      models: 1,
      registered: 1,
      objects: 2,
      workspaces: 1,
    });
    accepted(await server.post("/console/api/purge", {}));
    expect(await left(ids)).toEqual({
      experiments: 0,
      runs: 0,
      models: 0,
      registered: 0,
      objects: 0,
      workspaces: 0,
    });
    expect((await ofRun(others.team, others.ids)).status).toBe(200);
    expect((await artifact(others.team, others.ids)).text).toBe(SECRET);
  });

  test("leaves a run that was made while it went to the purge after the next", async () => {
    const { name, ids } = await filled();
    expect((await remove(name, "CASCADE")).status).toBe(204);
    await server.database.prepared(
      { name: "test_straggler", text: "update tracking.runs set deleted_at = null where run_uuid = $1" },
      [ids.run],
    );
    accepted(await server.post("/console/api/purge", {}));
    expect(await left(ids)).toMatchObject({ runs: 1, registered: 0, workspaces: 1 });
    accepted(await server.post("/console/api/purge", {}));
    expect(await left(ids)).toMatchObject({ experiments: 0, runs: 0, objects: 0, workspaces: 0 });
  });

  test("does not hold up, and is not held up by, writers: what comes late is refused", async () => {
    const { name, team, ids } = await filled();
    const writers = Array.from({ length: 40 }, (_, index) =>
      index % 2
        ? team.post(`${API}/experiments/create`, { name: `late ${index}` })
        : inWorkspace(beside, name).post(`${API}/runs/create`, { experiment_id: ids.experiment }),
    );
    const [gone, ...answers] = await Promise.all([remove(name, "CASCADE"), ...writers]);
    expect(gone.status).toBe(204);
    for (const { status } of answers) expect([200, 400, 404]).toContain(status);
    const rows = await server.database.prepared<{ count: number }>(
      {
        name: "test_visible_leftovers",
        text: `select count(*)::integer as count from tracking.experiments as e
          join identity.workspaces as w using (workspace_id) where e.name like 'late %' and not w.hidden`,
      },
      [],
    );
    expect(rows[0]?.count).toBe(0);
  });
});

/** What is stored of a world, whoever may see it. */
async function left(ids: Ids): Promise<Record<string, number>> {
  const [row] = await server.database.prepared<Record<string, number>>(
    {
      name: "test_left",
      text: `select
        (select count(*) from tracking.experiments where experiment_id = any($1::integer[]))::integer as experiments,
        (select count(*) from tracking.runs where run_uuid = any($2::text[]))::integer as runs,
        (select count(*) from tracking.logged_models where model_id = $3)::integer as models,
        (select count(*) from registry.registered_models where name = $4)::integer as registered,
        (select count(*) from storage.objects where key like $5)::integer as objects,
        (select count(*) from identity.workspaces where name like $6)::integer as workspaces`,
    },
    [
      [Number(ids.experiment), Number(ids.deletedExperiment)],
      [ids.run, ids.deletedRun],
      ids.model,
      ids.registered,
      `workspaces/${ids.workspace}/${ids.experiment}/%`,
      `${ids.workspace}/%`,
    ],
  );
  return row ?? {};
}
