import type { ZenmlVersion } from "../../src/environment.ts";
import { get, post, put, type Scenario, type Step } from "../requests.ts";
import { givenOldSnapshot, givenRun, givenSnapshot, givenStepRun, missing } from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

const logs = (more: object = {}): object => ({
  project: "{project}",
  uri: "/tmp/{unique}/logs/one.log",
  source: "step",
  artifact_store_id: "{artifact_store}",
  ...more,
});

/** What nobody but the client's own machine can read: a store of the kind `local`. */
const read = (kind: "runs" | "steps", id: string, isNew: boolean): readonly Step[] => {
  const path = `/${kind}/${id}/logs`;
  const ask = (label: string, query: Record<string, string>): Step =>
    get(`${kind}: logs ${label}`, path, query);
  return [
    ask("by source", { source: kind === "runs" ? "client" : "step" }),
    ask("of another source", { source: "nothing" }),
    ask("of what starts runs", { source: "runner" }),
    ask("of no source", {}),
    get(`${kind}: logs of nothing`, `/${kind}/${missing}/logs`, { source: "step" }),
    get(`${kind}: logs of what is no id`, `/${kind}/no-id/logs`, { source: "step" }),
    ...(isNew
      ? [
          ask("by id", { logs_id: "{logs}" }),
          ask("by an id that is none", { logs_id: "nothing" }),
          ask("by another id", { logs_id: missing }),
          ask("by both", { logs_id: "{logs}", source: "step" }),
        ]
      : []),
  ];
};

/** Logs of runs and steps, as each version's client says where they are, in a store that the server cannot read. */
const oldScenario: Scenario = {
  name: "logs of 0.84.0",
  versions: ["0.84.0"],
  steps: [
    givenPipeline(),
    givenOldSnapshot(),
    givenRun("run", {
      logs: { uri: "/tmp/{unique}/run.log", artifact_store_id: "{artifact_store}", source: "client" },
    }),
    givenStepRun("made", {
      logs: { uri: "/tmp/{unique}/step.log", artifact_store_id: "{artifact_store}", source: "step" },
    }),
    get("the step names its logs", "/steps/{made}", undefined, { logs: "metadata.logs.id" }),
    get("the run names its logs", "/runs/{run}"),
    get("the logs", "/logs/{logs}"),
    get("the logs without metadata", "/logs/{logs}", { hydrate: "false" }),
    get("logs that are not there", `/logs/${missing}`),
    get("logs by what is no id", "/logs/no-id"),
    ...read("runs", "{run}", false),
    ...read("steps", "{made}", false),
  ],
};

const newScenario: Scenario = {
  name: "logs of 0.98.0",
  versions: ["0.98.0"],
  steps: [
    givenPipeline(),
    givenSnapshot(),
    givenRun(),
    givenStepRun(),
    post("given logs of a step", "/logs", logs({ step_run_id: "{made}" }), { logs: "id" }),
    post("given logs of a run", "/logs", logs({ pipeline_run_id: "{run}", source: "client" }), {
      of_run: "id",
    }),
    post("given logs of nothing yet", "/logs", logs({ uri: "/tmp/{unique}/logs/two.log" }), { loose: "id" }),
    post("logs that start runs", "/logs", {
      project: "{project}",
      source: "runner",
      pipeline_run_id: "{run}",
    }),
    post("with an id of their own", "/logs", logs({ id: "{uuid}" })),
    post("with an id that is taken", "/logs", logs({ id: "{logs}" })),
    post("in no store", "/logs", logs({ artifact_store_id: undefined })),
    post("in a store that is not there", "/logs", logs({ artifact_store_id: missing })),
    post("in two stores", "/logs", logs({ log_store_id: "{orchestrator}" })),
    post("of a run and a step", "/logs", logs({ pipeline_run_id: "{run}", step_run_id: "{made}" })),
    post("of a step that is not there", "/logs", logs({ step_run_id: missing })),
    post("of a run that is not there", "/logs", logs({ pipeline_run_id: missing })),
    post("in a project that is not there", "/logs", logs({ project: missing })),
    post("in no project", "/logs", logs({ project: undefined })),
    post("without a source", "/logs", logs({ source: undefined })),
    post("nothing", "/logs", {}),
    get("the logs", "/logs/{logs}"),
    get("the logs without metadata", "/logs/{logs}", { hydrate: "false" }),
    get("logs of a run", "/logs/{of_run}"),
    get("logs of nothing yet", "/logs/{loose}"),
    get("logs that are not there", `/logs/${missing}`),
    get("logs by what is no id", "/logs/no-id"),
    get("entries", "/logs/{logs}/entries"),
    get("entries of nothing yet", "/logs/{loose}/entries"),
    get("entries of what is not there", `/logs/${missing}/entries`),
    get("entries, a limit that is none", "/logs/{logs}/entries", { limit: "many" }),
    get("entries, none of them", "/logs/{logs}/entries", { limit: "0" }),
    get("entries from a place that is none", "/logs/{logs}/entries", { start: "middle" }),
    get("entries before and after", "/logs/{logs}/entries", { before: "a", after: "b" }),
    get("entries behind what is no place", "/logs/{logs}/entries", { after: "a" }),
    get("entries of a level that is none", "/logs/{logs}/entries", { level: "LOUD" }),
    get("entries since no time", "/logs/{logs}/entries", { since: "yesterday" }),
    put("attached", "/logs/{loose}", { step_run_id: "{made}" }),
    put("attached once more", "/logs/{loose}", { pipeline_run_id: "{run}" }),
    put("attached to both", "/logs/{loose}", { pipeline_run_id: "{run}", step_run_id: "{made}" }),
    put("attached to what is not there", "/logs/{of_run}", { step_run_id: missing }),
    put("attached to nothing", "/logs/{loose}", {}),
    put("what is not there is attached", `/logs/${missing}`, { step_run_id: "{made}" }),
    get("the step names its logs", "/steps/{made}"),
    get("the run names its logs", "/runs/{run}"),
    ...read("runs", "{run}", true),
    ...read("steps", "{made}", true),
  ],
};

const versionOf = (as: string, more: object = {}): Step =>
  post(
    `given artifact version ${as}`,
    "/artifact_versions",
    {
      project: "{project}",
      artifact_name: `{unique}-${as}`,
      type: "DataArtifact",
      uri: `/tmp/{unique}/${as}`,
      materializer: { module: "builtins", attribute: "int", type: "builtin" },
      data_type: { module: "builtins", attribute: "int", type: "builtin" },
      save_type: "manual",
      ...more,
    },
    { [as]: "id" },
  );

const bytesOf = (version: string): readonly Step[] => [
  get(`${version} shown`, `/artifact_versions/{${version}}/visualize`),
  get(`${version} shown, the second`, `/artifact_versions/{${version}}/visualize`, { index: "1" }),
  get(`${version} shown, one that is none`, `/artifact_versions/{${version}}/visualize`, { index: "x" }),
  get(`${version} shown, one beyond`, `/artifact_versions/{${version}}/visualize`, { index: "7" }),
  get(`${version} to be loaded`, `/artifact_versions/{${version}}/download-token`),
  get(`${version} loaded without a token`, `/artifact_versions/{${version}}/data`),
  get(`${version} loaded with another token`, `/artifact_versions/{${version}}/data`, { token: "no" }),
];

/** What is in a store that the server cannot read, and what says that it would like to. */
const bytesScenario = (version: ZenmlVersion): Scenario => ({
  name: `bytes of artifacts of ${version}`,
  versions: [version],
  steps: [
    versionOf("kept", {
      artifact_store_id: "{artifact_store}",
      visualizations: [
        { type: "html", uri: "/tmp/{unique}/v.html" },
        { type: "image", uri: "/tmp/{unique}/v.png" },
      ],
    }),
    versionOf("plain", { artifact_store_id: "{artifact_store}" }),
    versionOf("loose"),
    ...bytesOf("kept"),
    ...bytesOf("plain"),
    ...bytesOf("loose"),
    get("nothing shown", `/artifact_versions/${missing}/visualize`),
    get("nothing to be loaded", `/artifact_versions/${missing}/download-token`),
    get("nothing loaded", `/artifact_versions/${missing}/data`, { token: "no" }),
    ...(version === "0.98.0"
      ? [
          givenPipeline(),
          givenSnapshot(),
          get("code to be loaded", "/pipeline_snapshots/{snapshot}/download-token"),
          get("code loaded without a token", "/pipeline_snapshots/{snapshot}/code"),
          get("code of nothing to be loaded", `/pipeline_snapshots/${missing}/download-token`),
        ]
      : []),
  ],
});

/** Logs, and the bytes of artifacts. */
export const logScenarios: readonly Scenario[] = [
  newScenario,
  oldScenario,
  bytesScenario("0.98.0"),
  bytesScenario("0.84.0"),
];
