import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Json } from "../../../test/harness.ts";
import { newRun, projectIdOf, stepOf } from "../../../test/pipelines.ts";
import { withHeaders } from "../../../test/workspaces.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("team");
afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/pipeline_snapshots";
const OLD = "/api/v1/pipeline_deployments";
const project = await projectIdOf(server, "team");
const other = await projectIdOf(server, "elsewhere");
const stack = (await editor.get("/api/v1/stacks?name=default")).json.items[0].id;
const newPipeline = async (who = editor, where = project): Promise<string> =>
  (await who.post("/api/v1/pipelines", { project: where, name: `p-${randomUUID()}` })).json.id;
const pipeline = await newPipeline();

const body = (more: object = {}): Record<string, unknown> => ({
  project,
  stack,
  pipeline,
  run_name_template: "run-{date}",
  pipeline_configuration: {
    name: "p",
    settings: { docker: { requirements: ["a"], user: null } },
    substitutions: { color: "blue" },
    retry: { max_retries: 2 },
  },
  step_configurations: {
    one: stepOf("one", { config: { parameters: { rate: 0.5 }, retry: { max_retries: 5 } } }),
    two: stepOf("two", { upstream: ["one"], config: { substitutions: { color: "red", size: "l" } } }),
  },
  client_environment: { os: "linux", python_packages: ["zenml==0.98.0"] },
  ...more,
});

const made = async (more: object = {}, who = editor, path = API): Promise<Json> => {
  const answer = await who.post(path, body(more));
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};

describe("snapshots", () => {
  it("show what holds for each step in the end", async () => {
    const { id, metadata } = await made({
      pipeline_spec: { steps: [(stepOf("one") as { spec: object }).spec] },
    });
    const { one, two } = metadata.step_configurations;
    expect(Object.keys(metadata.step_configurations)).toStrictEqual(["one", "two"]);
    expect(one.config).toMatchObject({
      parameters: { rate: 0.5 },
      settings: { docker: { requirements: ["a"] } },
      substitutions: { color: "blue" },
      retry: { max_retries: 5, delay: 0, backoff: 0 },
      cache_policy: { include_step_code: true },
    });
    expect(one.step_config_overrides).toMatchObject({ settings: {}, substitutions: {}, secrets: [] });
    expect(two.config).toMatchObject({
      substitutions: { color: "red", size: "l" },
      retry: { max_retries: 2 },
    });
    expect(two.spec).toMatchObject({
      upstream_steps: ["one"],
      invocation_id: "two",
      pipeline_parameter_name: "two",
    });
    expect(metadata.pipeline_spec.steps[0]).toMatchObject({ invocation_id: "one" });
    expect(metadata.client_environment).toStrictEqual({ os: "linux" });
    expect(metadata.pipeline_configuration).toMatchObject({ execution_mode: "continue_on_failure" });
    expect((await viewer.get(`${API}/${id}`)).json.metadata).toStrictEqual(metadata);
  });

  it("are one record in the words of both versions", async () => {
    const { id } = await made({ pipeline: null, pipeline_configuration: { name: "unnamed" } }, editor, OLD);
    const old = withHeaders(editor, { "user-agent": "zenml/0.84.0" });
    const { json } = await old.get(`${OLD}/${id}`);
    expect(json.metadata.pipeline).toMatchObject({ name: "unnamed" });
    expect(json.metadata).toMatchObject({ stack: { name: "default" }, build: null, template_id: null });
    expect(json.resources).toMatchObject({
      pipeline: { name: "unnamed" },
      stack: { name: "default" },
      user: { name: "ed" },
      tags: [],
    });
    expect(json.body).toMatchObject({ runnable: false, deployable: false, is_dynamic: false });
    expect((await editor.get(`${API}/${id}?hydrate=false`)).json).toMatchObject({ metadata: null });
    // A pipeline of the configuration's name is taken once it is there.
    const again = await made({ pipeline: null, pipeline_configuration: { name: "unnamed" } }, editor, OLD);
    expect(again.body.pipeline_id).toBe(json.body.pipeline_id);
    expect((await editor.post(API, body({ pipeline: null }))).status).toBe(422);
  });

  it("of clients of 0.84 name steps in their way", async () => {
    const spec = { source: "run.one", upstream_steps: [], inputs: {}, pipeline_parameter_name: "one" };
    const steps = { one: { spec, config: { name: "one", enable_cache: false } } };
    const { metadata } = await made({ step_configurations: steps }, editor, OLD);
    expect(metadata.step_configurations.one).toMatchObject({
      spec: { invocation_id: "one", pipeline_parameter_name: "one" },
      config: { enable_cache: false, settings: { docker: { requirements: ["a"] } } },
      step_config_overrides: { enable_cache: false, settings: {} },
    });
  });

  it("are read with the steps that are asked for", async () => {
    const { id } = await made();
    const names = async (query: string): Promise<string[]> =>
      Object.keys((await editor.get(`${API}/${id}?${query}`)).json.metadata.step_configurations);
    expect(await names("step_configuration_filter=two")).toStrictEqual(["two"]);
    expect(await names("step_configuration_filter=two&step_configuration_filter=one")).toStrictEqual([
      "one",
      "two",
    ]);
    expect(await names("step_configuration_filter=three")).toStrictEqual([]);
  });

  it("keep the packages of the client for whoever asks their runs", async () => {
    const { id } = await made();
    const run = await newRun(editor, project, id);
    const environment = async (query: string): Promise<Json> =>
      (await editor.get(`/api/v1/runs/${run.id}?${query}`)).json.metadata.client_environment;
    expect(await environment("")).toStrictEqual({ os: "linux" });
    expect(await environment("include_python_packages=true")).toStrictEqual({
      os: "linux",
      python_packages: ["zenml==0.98.0"],
    });
  });

  it("keep numbers as they came", async () => {
    const text = JSON.stringify(body()).replaceAll('"rate":0.5', '"rate":1.0,"big":12345678901234567890');
    const answer = await editor.call("POST", API, text, { "content-type": "application/json" });
    expect(answer.text).toContain('"parameters":{"rate":1.0,"big":12345678901234567890}');
  });

  it("are refused with steps that can never begin", async () => {
    const refused = async (steps: object, more: object = {}): Promise<[number, string]> => {
      const answer = await editor.post(API, body({ step_configurations: steps, ...more }));
      return [answer.status, answer.json.detail?.[1]];
    };
    const circle = { one: stepOf("one", { upstream: ["two"] }), two: stepOf("two", { upstream: ["one"] }) };
    expect(await refused(circle)).toStrictEqual([400, expect.stringContaining("circle")]);
    const lost = { one: stepOf("one", { upstream: ["gone"] }) };
    expect(await refused(lost)).toStrictEqual([400, expect.stringContaining("'gone'")]);
    // Which steps a dynamic pipeline runs shows later.
    expect((await refused(lost, { is_dynamic: true }))[0]).toBe(200);
    const bad = await editor.post(API, body({ step_configurations: { one: { spec: {} } } }));
    expect(bad.status).toBe(422);
    expect(bad.json[1]).toContain("'step_configurations', 'one', 'config'");
  });

  it("refer to what is in their project alone", async () => {
    const foreign = await newPipeline(stranger, other);
    const build = { project: other, is_local: false, contains_code: true, pipeline: foreign };
    const foreignBuild = (await stranger.post("/api/v1/pipeline_builds", build)).json.id;
    const answers = await Promise.all(
      [
        { pipeline: foreign },
        { build: foreignBuild },
        { schedule: foreign },
        { template: foreign },
        { source_snapshot: foreign },
        { stack: pipeline },
        { code_reference: { commit: "c", subdirectory: "", code_repository: foreign } },
      ].map((more) => editor.post(API, body(more))),
    );
    expect(answers.map(({ status }) => status)).toStrictEqual(answers.map(() => 404));
    const nowhere = randomUUID();
    const unknown = await editor.post(API, body({ pipeline: nowhere }));
    expect(answers[0]?.text.replace(foreign, nowhere)).toBe(unknown.text);
  });

  it("are made once by a request that is repeated, with its tags and its reference to code", async () => {
    const repository = await editor.post("/api/v1/code_repositories", {
      project,
      name: `repo-${randomUUID()}`,
      config: {},
      source: { module: "a", type: "unknown" },
    });
    const code = { commit: "abc", subdirectory: "src", code_repository: repository.json.id };
    const given = body({ name: `once-${randomUUID()}`, replace: true, tags: ["t1"], code_reference: code });
    const headers = { "idempotency-key": randomUUID() };
    const [first, second] = await Promise.all([
      editor.call("POST", API, given, headers),
      editor.call("POST", API, given, headers),
    ]);
    const again = await editor.call("POST", API, given, headers);
    expect([first.status, second.status], second.text).toStrictEqual([200, 200]);
    expect(again.json).toStrictEqual(first.json);
    expect(second.json).toStrictEqual(first.json);
    expect(again.json.resources).toMatchObject({
      tags: [{ name: "t1" }],
      code_reference: { body: { commit: "abc", code_repository: { id: repository.json.id } } },
    });
    const next = await made({ code_reference: code });
    expect(next.resources.code_reference.id).toBe(first.json.resources.code_reference.id);
  });

  it("are for those with a part in the project", async () => {
    const { id } = await made();
    expect((await viewer.post(API, body())).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${id}`)).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${id}`, { description: "x" })).status).toBe(403);
    expect((await stranger.post(API, body())).status).toBe(404);
    const unknown = randomUUID();
    const hidden = await stranger.get(`${API}/${id}`);
    expect(hidden.text.replaceAll(id, unknown)).toBe((await stranger.get(`${API}/${unknown}`)).text);
    expect(hidden.status).toBe(404);
    expect((await stranger.get(`${API}?project=team`)).status).toBe(404);
  });

  it("are run by clients alone", async () => {
    const { id } = await made();
    expect((await editor.post(`${API}/${id}/runs`, {})).status).toBe(405);
    expect((await stranger.post(`${API}/${id}/runs`, {})).status).toBe(404);
  });

  it("go with the runs that were begun from them", async () => {
    const { id } = await made();
    const derived = await made({ source_snapshot: id });
    const run = await newRun(editor, project, derived.id);
    expect((await editor.get(`${API}/${id}`)).json.resources).toMatchObject({
      latest_run_id: run.id,
      latest_run_status: "running",
      latest_run_user: { name: "ed" },
    });
    expect((await editor.call("DELETE", `${API}/${id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${derived.id}`)).json.metadata.source_snapshot_id).toBeNull();
    expect((await editor.call("DELETE", `${OLD}/${derived.id}`)).json).toBeNull();
    expect((await editor.get(`/api/v1/runs/${run.id}`)).status).toBe(404);
  });
});
