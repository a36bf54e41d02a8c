import type { ZenmlVersion } from "../../src/environment.ts";
import { del, get, post, put, sweepOf, type Scenario, type Step } from "../requests.ts";
import { givenPipeline } from "./pipelines.ts";

const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";
const source = { module: "flows", attribute: "make", type: "user" };
const start = "2030-01-02T03:04:05.000006";
const end = "2030-01-02T03:05:06";

/** A step as each client writes it into a snapshot or deployment. */
const stepOf = (isNew: boolean, name: string, upstream: readonly string[], config: object = {}): object => ({
  spec: {
    source,
    upstream_steps: upstream,
    inputs: upstream.length === 0 ? {} : { value: { step_name: upstream[0], output_name: "output" } },
    ...(isNew ? { invocation_id: name } : { pipeline_parameter_name: name }),
  },
  config: { name, outputs: { output: { materializer_source: [source] } }, ...config },
  ...(isNew
    ? { step_config_overrides: { name, outputs: { output: { materializer_source: [source] } }, ...config } }
    : {}),
});

/** A plan of two steps, as the client of this version sends it. */
export const snapshotOf = (isNew: boolean, more: object = {}): object => ({
  project: "{project}",
  run_name_template: "run-{date}",
  pipeline_configuration: { name: "{unique}-given-pipeline", enable_cache: false, extra: { a: 1.0 } },
  step_configurations: {
    make: stepOf(isNew, "make", [], {
      parameters: { number: 1 },
      retry: { max_retries: 1, delay: 0, backoff: 0 },
    }),
    use: stepOf(isNew, "use", ["make"]),
  },
  client_environment: { os: "linux" },
  client_version: isNew ? "0.98.0" : "0.84.0",
  server_version: "x",
  pipeline_version_hash: "{unique}",
  pipeline_spec: { version: "0.4", source, parameters: {}, steps: [] },
  stack: "{stack}",
  pipeline: "{pipeline}",
  ...more,
});

/** Runs and steps from their beginning to their end, as the client of this version sends them. */
function runScenario(version: ZenmlVersion): Scenario {
  const isNew = version === "0.98.0";
  const base = isNew ? "/pipeline_snapshots" : "/pipeline_deployments";
  const planned = isNew ? "pipeline" : "pipeline_id";
  const plan = isNew ? { snapshot: "{snapshot}" } : { deployment: "{snapshot}", pipeline: "{pipeline}" };
  const runOf = (name: string, more: object = {}): object => ({
    project: "{project}",
    name: `{unique}-${name}`,
    ...plan,
    status: "initializing",
    start_time: start,
    ...more,
  });
  const stepRun = (name: string, more: object = {}): object => ({
    project: "{project}",
    name,
    pipeline_run_id: "{run}",
    status: "running",
    start_time: start,
    inputs: {},
    outputs: {},
    ...more,
  });
  const artifact = (name: string): Step =>
    post(
      `given artifact ${name}`,
      "/artifact_versions",
      {
        project: "{project}",
        artifact_name: `{unique}-${name}`,
        type: "DataArtifact",
        uri: `/tmp/{unique}/${name}`,
        materializer: source,
        data_type: source,
        save_type: "step_output",
      },
      { [name]: "id" },
    );
  const path = (id: string): string => `/steps/{${id}}`;
  return {
    name: `runs of ${version}`,
    versions: [version],
    steps: [
      givenPipeline(),
      post("given a plan", base, snapshotOf(isNew), { snapshot: "id" }),
      get("the plan", `${base}/{snapshot}`),
      get("the plan without metadata", `${base}/{snapshot}`, { hydrate: "false" }),
      get("plans", base, { project: "{project}", [planned]: "{pipeline}" }),
      sweepOf(base, { scope: { project: "{project}", [planned]: "{pipeline}" }, orders: ["created"] }),
      post("a plan with a stack that is not there", base, snapshotOf(isNew, { stack: missing })),
      post("a plan without steps", base, snapshotOf(isNew, { step_configurations: {} })),
      post("a plan without a template of names", base, snapshotOf(isNew, { run_name_template: undefined })),
      post("a placeholder", "/runs", runOf("first", { orchestrator_run_id: null }), { run: "0.id" }),
      post("the same placeholder", "/runs", runOf("first", { orchestrator_run_id: null })),
      post("begun", "/runs", runOf("first", { orchestrator_run_id: "{unique}", status: "running" })),
      post("begun twice", "/runs", runOf("first", { orchestrator_run_id: "{unique}", status: "running" })),
      post("of a plan that is not there", "/runs", { ...runOf("x"), snapshot: missing, deployment: missing }),
      post("in a status that is none", "/runs", runOf("x", { status: "nothing" })),
      post("without a status", "/runs", runOf("x", { status: undefined })),
      get("the run", "/runs/{run}"),
      get("its status", "/runs/{run}/status"),
      get("its configuration", "/runs/{run}/pipeline-configuration"),
      artifact("made"),
      artifact("used"),
      post(
        "the first step",
        "/steps",
        stepRun("make", { cache_key: "{unique}-key", code_hash: "c", docstring: "d", source_code: "s" }),
        {
          make: "id",
        },
      ),
      post("a step that the plan has not", "/steps", stepRun("nothing")),
      post("a step of a run that is not there", "/steps", stepRun("use", { pipeline_run_id: missing })),
      post("a step in a status that is none", "/steps", stepRun("use", { status: "nothing" })),
      get("the step", path("make")),
      put("it fails", path("make"), { status: "failed", end_time: end }),
      get("and will be tried again", path("make")),
      post("it is tried again", "/steps", stepRun("make"), { again: "id" }),
      post("and once too often", "/steps", stepRun("make")),
      get("the first attempt", path("make")),
      put("it has an output", path("again"), {
        outputs: { output: ["{made}"] },
        status: "completed",
        end_time: end,
      }),
      get("the step with its output", path("again")),
      put("completed twice", path("again"), { status: "completed", end_time: end }),
      put("an output that is not there", path("again"), { outputs: { output: [missing] } }),
      post(
        "the second step",
        "/steps",
        stepRun("use", { inputs: { value: ["{made}"] }, parent_step_ids: ["{again}"] }),
        {
          use: "id",
        },
      ),
      get("the second step is read", path("use")),
      post("metadata of it", "/run-metadata", {
        project: "{project}",
        resources: [
          { id: "{use}", type: "step_run" },
          { id: "{run}", type: "pipeline_run" },
        ],
        values: { loss: 0.25, name: "x", list: [1, 2.0] },
        types: { loss: "float", name: "str", list: "list" },
      }),
      put("the run is not over", "/runs/{run}", { status: "provisioning" }),
      put("it is completed", path("use"), {
        outputs: { output: ["{used}"] },
        status: "completed",
        end_time: end,
      }),
      get("the run is over", "/runs/{run}"),
      get("the run without metadata", "/runs/{run}", { hydrate: "false" }),
      get("its steps", "/runs/{run}/steps"),
      get("its steps in a list", "/steps", {
        project: "{project}",
        pipeline_run_id: "{run}",
        sort_by: "asc:created",
        hydrate: "true",
      }),
      get("with what was retried", "/steps", {
        project: "{project}",
        pipeline_run_id: "{run}",
        exclude_retried: "false",
      }),
      get("by cache key", "/steps", { project: "{project}", cache_key: "{unique}-key" }),
      sweepOf("/steps", { scope: { project: "{project}", pipeline_run_id: "{run}" } }),
      put("changed when it is over", "/runs/{run}", { status: "running" }),
      put("tagged", "/runs/{run}", { add_tags: ["{unique}-a", "{unique}-b"] }),
      put("untagged", "/runs/{run}", { remove_tags: ["{unique}-a"] }),
      get("by tag", "/runs", { project: "{project}", tag: "{unique}-b" }),
      post(
        "a second run",
        "/runs",
        runOf("second", { orchestrator_run_id: "{unique}-2", status: "running" }),
        { second: "0.id" },
      ),
      post(
        "a run of a name that is taken",
        "/runs",
        runOf("second", { orchestrator_run_id: "{unique}-3", status: "running" }),
      ),
      get("runs", "/runs", { project: "{project}", pipeline_id: "{pipeline}", sort_by: "desc:created" }),
      get("runs with metadata", "/runs", {
        project: "{project}",
        pipeline_id: "{pipeline}",
        hydrate: "true",
        sort_by: "asc:created",
      }),
      sweepOf("/runs", {
        scope: { project: "{project}", pipeline_id: "{pipeline}" },
        orders: ["created", "name"],
      }),
      get("the pipeline knows its last run", "/pipelines/{pipeline}"),
      get("the artifact knows its producer", "/artifact_versions/{made}"),
      post("stopped", "/runs/{second}/stop", undefined),
      get("the second run", "/runs/{second}"),
      put("the second run fails", "/runs/{second}", { status: "failed" }),
      del("deleted", "/runs/{second}"),
      del("deleted twice", "/runs/{second}"),
      get("a run that is not there", `/runs/${missing}`),
      get("a step that is not there", `/steps/${missing}`),
      del("the plan is not deleted while it has runs", `${base}/{snapshot}`),
      del("the first run is deleted", "/runs/{run}"),
      get("its steps are gone", path("use")),
      get("its artifacts are not", "/artifact_versions/{made}"),
      del("the pipeline", "/pipelines/{pipeline}"),
      get("the plan is gone with it", `${base}/{snapshot}`),
    ],
  };
}

export const runScenarios: readonly Scenario[] = [runScenario("0.98.0"), runScenario("0.84.0")];
