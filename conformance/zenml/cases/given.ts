// What scenarios about other things begin with.
import { post, type Step } from "../requests.ts";
import { snapshotOf } from "./runs.ts";

/** An id that is nowhere. */
export const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";

export const givenProject = (as = "other"): Step =>
  post(`given project ${as}`, "/projects", { name: `{unique}-${as}` }, { [as]: "id" });

/** Of the pipeline that `givenPipeline()` makes, or of what is said. */
export const givenSnapshot = (as = "snapshot", more: object = {}): Step =>
  post(`given snapshot ${as}`, "/pipeline_snapshots", snapshotOf(true, more), { [as]: "id" });

/** As clients of 0.84 make the same. */
export const givenOldSnapshot = (as = "snapshot", more: object = {}): Step =>
  post(`given deployment ${as}`, "/pipeline_deployments", snapshotOf(false, more), { [as]: "id" });

export const givenBuild = (as = "build", more: object = {}): Step =>
  post(
    `given build ${as}`,
    "/pipeline_builds",
    {
      project: "{project}",
      pipeline: "{pipeline}",
      stack: "{stack}",
      is_local: false,
      contains_code: true,
      images: { orchestrator: { image: "a:1" } },
      zenml_version: "0.98.0",
      python_version: "3.11",
      ...more,
    },
    { [as]: "id" },
  );

/** Of the snapshot that `givenSnapshot()` makes, or of what is said. */
export const givenRun = (as = "run", more: object = {}): Step =>
  post(
    `given run ${as}`,
    "/runs",
    {
      project: "{project}",
      name: `{unique}-${as}`,
      snapshot: "{snapshot}",
      deployment: "{snapshot}",
      pipeline: "{pipeline}",
      status: "running",
      orchestrator_run_id: `{unique}-${as}`,
      start_time: "2030-01-02T03:04:05",
      ...more,
    },
    { [as]: "0.id" },
  );

const source = { module: "builtins", attribute: "int", type: "builtin" };

export const givenArtifactVersion = (as: string, more: object = {}, save: object = {}): Step =>
  post(
    `given artifact version ${as}`,
    "/artifact_versions",
    {
      project: "{project}",
      artifact_name: `{unique}-${as}`,
      type: "DataArtifact",
      uri: `/tmp/{unique}/${as}`,
      materializer: source,
      data_type: source,
      save_type: "manual",
      ...more,
    },
    { [as]: "id", ...save },
  );

export const givenStepRun = (as = "made", more: object = {}): Step =>
  post(
    `given step ${as}`,
    "/steps",
    {
      project: "{project}",
      name: "make",
      pipeline_run_id: "{run}",
      status: "running",
      start_time: "2030-01-02T03:04:05",
      inputs: {},
      outputs: {},
      ...more,
    },
    { [as]: "id" },
  );

export const givenModelVersion = (as = "version", project = "{project}"): readonly Step[] => [
  post(
    `given model of ${as}`,
    "/models",
    { project, name: `{unique}-model-${as}` },
    { [`model_of_${as}`]: "id" },
  ),
  post(
    `given model version ${as}`,
    "/model_versions",
    { project, model: `{model_of_${as}}`, name: `{unique}-${as}` },
    { [as]: "id" },
  ),
];
