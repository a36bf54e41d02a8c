import { entityScenario } from "../entity-cases.ts";
import { get, post, type Scenario } from "../requests.ts";
import {
  givenArtifactVersion,
  givenProject,
  givenRun,
  givenSnapshot,
  givenStepRun,
  missing,
} from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

const time = "2030-01-02T03:04:05";

/** What ran before or after runs and steps. */
export const hookScenarios: readonly Scenario[] = [
  entityScenario({
    name: "hook invocations",
    versions: ["0.98.0"],
    path: "/hook_invocations",
    unique: "id",
    given: [
      givenPipeline(),
      givenSnapshot(),
      givenRun(),
      givenStepRun("step"),
      givenArtifactVersion("shown"),
      givenProject(),
      post(
        "given logs",
        "/logs",
        {
          project: "{project}",
          uri: "/tmp/{unique}/logs",
          source: "hook:step_start",
          artifact_store_id: "{artifact_store}",
          pipeline_run_id: "{run}",
        },
        { logs: "id" },
      ),
    ],
    seeds: {
      all: {
        project: "{project}",
        hook_type: "step_start",
        name: "announce",
        status: "completed",
        start_time: time,
        end_time: "2030-01-02T03:04:06.000007",
        source: "hooks.announce",
        pipeline_run_id: "{run}",
        step_run_id: "{step}",
        outputs: { output: ["{shown}"] },
        exception_info: { traceback: "t", source: "s", message: "m", user_code_line: 3 },
        logs_id: "{logs}",
      },
      least: {
        project: "{project}",
        hook_type: "run_end",
        status: "running",
        start_time: time,
        pipeline_run_id: "{run}",
      },
      failed: {
        project: "{project}",
        hook_type: "custom",
        name: "x.y-z",
        status: "failed",
        start_time: time,
        pipeline_run_id: "{run}",
      },
    },
    required: ["project", "hook_type", "status", "start_time", "pipeline_run_id"],
    probed: ["hook_type", "name", "status", "source", "step_run_id", "outputs", "exception_info", "logs_id"],
    variants: {
      "with an id": { id: "0d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c12" },
      "an id that is none": { id: "x" },
      "a hook that is none": { hook_type: "midnight" },
      "a status that is none": { status: "resting" },
      "a name with a space": { name: "a b" },
      "a name that begins with a digit": { name: "1a" },
      "an empty name": { name: "" },
      "an end that is no time": { end_time: "later" },
      "a long name": { name: "n".repeat(10_000) },
      "a long source": { source: "s".repeat(300) },
      "a run that is not there": { pipeline_run_id: missing },
      "a step that is not there": { step_run_id: missing },
      "an output that is not there": { outputs: { output: [missing] } },
      "a run that is no run": { pipeline_run_id: "{step}" },
      "logs that are not there": { logs_id: missing },
      "in another project": { project: "{other}" },
      "of another project's run": { project: "{other}", step_run_id: null, outputs: {}, logs_id: null },
    },
    updates: {},
    scope: { project: "{project}", pipeline_run_id: "{run}" },
    further: [
      get("of the step", "/hook_invocations", {
        project: "{project}",
        step_run_id: "{step}",
        hook_type: "step_start",
      }),
      get("the run", "/runs/{run}"),
      get("the step", "/steps/{step}"),
      get("its logs", "/logs/{logs}"),
      get("what it made", "/artifact_versions/{shown}"),
      { label: "it is not changed", method: "PUT", path: "/hook_invocations/{all}", json: { name: "b" } },
    ],
  }),
];
