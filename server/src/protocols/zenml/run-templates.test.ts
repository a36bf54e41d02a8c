import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Json } from "../../../test/harness.ts";
import { newRun, newSnapshot, projectIdOf } from "../../../test/pipelines.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("default");
afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/run_templates";
const project = await projectIdOf(server);
const post = async (path: string, body: object): Promise<Json> => {
  const answer = await editor.post(`/api/v1${path}`, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const component = async (type: string, flavor: string, configuration: object): Promise<string> =>
  (await post("/components", { name: randomUUID(), type, flavor, configuration })).id;

/** A stack that is reached from anywhere, but for its orchestrator if so. */
async function newStack(flavor: string, configuration: object = {}): Promise<string> {
  const orchestrator = await component("orchestrator", flavor, configuration);
  const store = await component("artifact_store", "s3", { path: "s3://bucket" });
  const components = { orchestrator: [orchestrator], artifact_store: [store] };
  return (await post("/stacks", { name: `stack-${randomUUID()}`, components })).id;
}
const remote = await newStack("kubernetes");
const { pipeline } = await newSnapshot(editor, project, { name: "templated" });

async function sourceWith(stack: string | null): Promise<string> {
  const build = stack && {
    build: (
      await post("/pipeline_builds", { project, pipeline, stack, is_local: false, contains_code: true })
    ).id,
  };
  const { id } = await post("/pipeline_snapshots", {
    project,
    pipeline,
    stack: remote,
    run_name_template: "run",
    pipeline_configuration: { name: "templated" },
    pipeline_spec: { steps: [] },
    ...build,
  });
  return id;
}
const body = (source: string, more: object = {}): object => ({
  project,
  name: `t-${randomUUID()}`,
  source_snapshot_id: source,
  ...more,
});

describe("run templates", () => {
  it("are made, read, changed and deleted, and name their snapshot", async () => {
    const source = await sourceWith(remote);
    const { id, ...created } = await post(
      "/run_templates",
      body(source, { name: "weekly", description: "d", tags: ["t"] }),
    );
    expect(created).toMatchObject({
      name: "weekly",
      body: { runnable: true, hidden: false },
      metadata: { description: "d", pipeline_spec: { version: "0.5", steps: [] } },
      resources: {
        user: { name: "ed" },
        source_snapshot: { id: source, name: "weekly" },
        source_deployment: { id: source },
        pipeline: { name: "templated" },
        build: { permission_denied: false },
        code_reference: null,
        tags: [{ name: "t" }],
        latest_run_id: null,
      },
    });
    expect((await editor.get(`/api/v1/pipeline_snapshots/${source}`)).json).toMatchObject({
      name: "weekly",
      metadata: { description: "d" },
    });
    const changed = await editor.call("PUT", `${API}/${id}`, {
      name: "daily",
      hidden: true,
      add_tags: ["u"],
      remove_tags: ["t"],
    });
    expect(changed.json).toMatchObject({
      name: "daily",
      body: { hidden: true },
      metadata: { description: "d" },
      resources: { tags: [{ name: "u" }] },
    });
    expect((await viewer.get(`${API}/${id}?hydrate=false`)).json.metadata).toBeNull();
    expect((await editor.call("DELETE", `${API}/${id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${id}`)).status).toBe(404);
  });

  it("are of a deployment in the words of 0.84, and hidden without a name for it", async () => {
    const source = await sourceWith(remote);
    const given = body(source, { hidden: true, source_deployment_id: source, source_snapshot_id: undefined });
    const { resources } = await post("/run_templates", given);
    expect(resources.source_deployment).toMatchObject({ id: source, name: null });
    const missing = await editor.post(API, body(source, { source_snapshot_id: undefined }));
    expect(missing.status).toBe(422);
    expect(missing.json[1]).toContain("'source_snapshot_id'");
  });

  it("take snapshots alone that can be run from elsewhere", async () => {
    const refused = async (source: string): Promise<[number, string]> => {
      const answer = await editor.post(API, body(source));
      return [answer.status, answer.json.detail[1]];
    };
    expect(await refused(await sourceWith(null))).toStrictEqual([
      400,
      expect.stringContaining("no associated build"),
    ]);
    const local = await sourceWith(await newStack("kubernetes", { local: true }));
    expect(await refused(local)).toStrictEqual([400, expect.stringContaining("local components")]);
    const { id: flavor } = await post("/flavors", {
      name: "own",
      type: "orchestrator",
      config_schema: {},
      source: "own.Flavor",
      integration: "own",
      is_custom: true,
    });
    expect(flavor).toBeDefined();
    const custom = await sourceWith(await newStack("own"));
    expect(await refused(custom)).toStrictEqual([400, expect.stringContaining("custom flavor")]);
    expect((await refused(randomUUID()))[0]).toBe(404);
  });

  it("show the newest run that was begun from them", async () => {
    const source = await sourceWith(remote);
    const template = await post("/run_templates", body(source));
    const begun = await post("/pipeline_snapshots", {
      project,
      pipeline,
      stack: remote,
      run_name_template: "run",
      pipeline_configuration: { name: "templated" },
      template: template.id,
    });
    expect(begun.metadata.template_id).toBe(template.id);
    const run = await newRun(editor, project, begun.id);
    expect((await editor.get(`${API}/${template.id}`)).json.resources).toMatchObject({
      latest_run_id: run.id,
      latest_run_status: "running",
    });
    await editor.call("DELETE", `${API}/${template.id}`);
    expect((await editor.get(`/api/v1/pipeline_snapshots/${begun.id}`)).json.metadata.template_id).toBeNull();
  });

  it("have names of their own, and are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const given = body(await sourceWith(remote), { name: "once" });
    const first = await editor.call("POST", API, given, headers);
    expect((await editor.call("POST", API, given, headers)).json).toStrictEqual(first.json);
    expect((await editor.post(API, given)).status).toBe(409);
    // The name of a snapshot of the pipeline is taken, too.
    await editor.call("DELETE", `${API}/${first.json.id}`);
    expect((await editor.post(API, body(await sourceWith(remote), { name: "once" }))).status).toBe(409);
  });

  it("are narrowed by all that both versions ask", async () => {
    const source = await sourceWith(remote);
    await post("/run_templates", body(source, { name: "f-one", tags: ["f"] }));
    await post("/run_templates", body(source, { name: "f-two", hidden: true }));
    const { resources } = (await editor.get(`/api/v1/pipeline_snapshots/${source}`)).json;
    const names = async (query: string): Promise<string[]> => {
      const answer = await editor.get(`${API}?project=default&name=startswith:f-&sort_by=name&${query}`);
      expect(answer.status, answer.text).toBe(200);
      return answer.json.items.map((one: Json) => one.name);
    };
    expect(await names("hidden=false")).toStrictEqual(["f-one"]);
    expect(await names("tags=f")).toStrictEqual(["f-one"]);
    for (const query of [
      `pipeline_id=${pipeline}`,
      "pipeline=templated",
      `stack_id=${remote}`,
      `stack=${resources.stack.name}`,
      `build_id=${resources.build.id}`,
    ]) {
      expect(await names(query), query).toStrictEqual(["f-one", "f-two"]);
    }
    expect(await names(`build_id=${randomUUID()}`)).toStrictEqual([]);
    expect(await names(`code_repository_id=${randomUUID()}`)).toStrictEqual([]);
  });

  it("are run by clients alone, and are for those with a part in the project", async () => {
    const source = await sourceWith(remote);
    const { id } = await post("/run_templates", body(source));
    expect((await editor.post(`${API}/${id}/runs`, {})).status).toBe(405);
    expect((await viewer.post(API, body(source))).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${id}`, { hidden: true })).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${id}`)).status).toBe(403);
    expect((await stranger.get(`${API}/${id}`)).status).toBe(404);
  });
});
