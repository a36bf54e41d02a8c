import type { Database } from "../../kernel/database.ts";
import type { Scope } from "../identity/index.ts";
import type { VersionOfRun, Registry } from "../registry/index.ts";
import type { LinkedRun, Tracking } from "../tracking/index.ts";
import { noSuch } from "./collection.ts";
import {
  selectLineageArtifacts,
  selectLineageModels,
  selectLineageSteps,
  selectOtherRuns,
  selectStepArtifacts,
  selectStepOrder,
  selectTrackedRuns,
  type LineageArtifact,
  type LineageModel,
  type LineageStep,
  type OtherRun,
  type StepArtifact,
  type StepOrder,
} from "./lineage.sql.ts";
import { pipelines, type PipelineRow } from "./pipeline-tables.ts";
import { selectRow } from "./records.ts";
import { runs, type PipelineRunRow } from "./run-tables.ts";

/** An MLflow run that a step logged to; without details where it is elsewhere, or not the caller's to read. */
export type LoggedRun = {
  run_id: string;
  details: LinkedRun | null;
  /** The steps that say so; none where its name and its tag do. */
  step_ids: string[];
};

export type RunLineage = {
  run: PipelineRunRow;
  pipeline: PipelineRow | undefined;
  steps: LineageStep[];
  order: StepOrder[];
  artifacts: LineageArtifact[];
  stepArtifacts: StepArtifact[];
  otherRuns: OtherRun[];
  loggedRuns: LoggedRun[];
  registeredVersions: VersionOfRun[];
  modelVersions: LineageModel[];
  truncated: boolean;
};

export type PipelineLineage = {
  /** All that belongs to a run of a pipeline. Throws `not_found`. */
  ofRun(scope: Scope, runId: string): Promise<RunLineage>;
};

export type PipelineLineageDeps = {
  database: Database;
  tracking: Pick<Tracking, "findLinkedRuns" | "findTaggedRunsNamed">;
  registry: Pick<Registry, "findVersionsOfRuns">;
};

const MAX_STEPS = 3000;
const MAX_LINKS = 20_000;
const MAX_ARTIFACTS = 5000;
const MAX_RUNS = 1000;
const MAX_MODELS = 1000;
/** Steps of other runs that took an artifact, of each. */
const OTHERS_EACH = 20;

/** ZenML's clients put it on every run of MLflow that they begin. */
const ZENML_TAG = "zenml";

/** From steps to what they made, where they logged it, and what was registered of it: over all that Plinth serves. */
export function createPipelineLineage({
  database,
  tracking,
  registry,
}: PipelineLineageDeps): PipelineLineage {
  return {
    async ofRun(scope, runId) {
      const run = await selectRow(database, runs, runId);
      if (run?.workspace_id !== scope.workspaceId) throw noSuch("pipeline run", runId);
      const cut = createCut();
      const [pipeline, steps] = await Promise.all([
        run.pipeline_id === null ? undefined : selectRow(database, pipelines, run.pipeline_id),
        selectLineageSteps(database, runId, MAX_STEPS + 1).then((found) => cut.after(found, MAX_STEPS)),
      ]);
      const stepIds = steps.map(({ id }) => id);
      const [order, taken, tracked] = await Promise.all([
        selectStepOrder(database, stepIds, MAX_LINKS + 1).then((found) => cut.after(found, MAX_LINKS)),
        selectStepArtifacts(database, stepIds, MAX_LINKS + 1).then((found) =>
          cut.after(found, 2 * MAX_LINKS),
        ),
        selectTrackedRuns(database, [runId, ...stepIds], MAX_RUNS + 1).then((found) =>
          cut.after(found, MAX_RUNS),
        ),
      ]);
      const ids = cut.after([...new Set(taken.map((one) => one.artifact_version_id))], MAX_ARTIFACTS);
      const [artifacts, otherRuns, modelVersions, loggedRuns] = await Promise.all([
        selectLineageArtifacts(database, ids),
        selectOtherRuns(database, ids, { runId, each: OTHERS_EACH }),
        selectLineageModels(database, { runId, stepIds, artifactVersionIds: ids }, MAX_MODELS + 1).then(
          (found) => cut.after(found, MAX_MODELS),
        ),
        findLoggedRuns(scope, { tracking, tracked, experimentName: pipeline?.name, run }),
      ]);
      const readable = loggedRuns.flatMap(({ details }) => details?.run_id ?? []);
      const registered = await registry.findVersionsOfRuns(scope, readable, MAX_MODELS + 1);
      const shown = new Set(ids);
      return {
        run,
        pipeline,
        steps,
        order,
        artifacts,
        stepArtifacts: taken.filter((one) => shown.has(one.artifact_version_id)),
        otherRuns,
        loggedRuns,
        registeredVersions: cut.after(registered, MAX_MODELS),
        modelVersions,
        truncated: cut.happened(),
      };
    },
  };
}

type Sought = {
  tracking: PipelineLineageDeps["tracking"];
  tracked: readonly { resource_id: string; mlflow_run_id: string }[];
  experimentName: string | undefined;
  run: PipelineRunRow;
};

/**
 * The runs of MLflow that the steps name, and those that ZenML's experiment tracker began for this run: in the
 * experiment of the pipeline's name, called as the run is. Failed steps name none.
 */
async function findLoggedRuns(scope: Scope, sought: Sought): Promise<LoggedRun[]> {
  const { tracking, tracked, experimentName, run } = sought;
  const stepsOf = Map.groupBy(tracked, (one) => one.mlflow_run_id);
  const [named, called] = await Promise.all([
    tracking.findLinkedRuns(scope, [...stepsOf.keys()]),
    experimentName === undefined
      ? []
      : tracking.findTaggedRunsNamed(scope, {
          experimentName,
          runName: run.name,
          tag: ZENML_TAG,
          limit: MAX_RUNS,
        }),
  ]);
  const details = new Map([...called, ...named].map((one) => [one.run_id, one]));
  const runIds = new Set([...stepsOf.keys(), ...details.keys()]);
  return [...runIds].map((runId) => ({
    run_id: runId,
    details: details.get(runId) ?? null,
    step_ids: (stepsOf.get(runId) ?? []).map((one) => one.resource_id).filter((id) => id !== run.id),
  }));
}

/** Cuts lists that were asked for with one more than they may have, and remembers whether one had it. */
function createCut(): { after<T>(list: T[], limit: number): T[]; happened(): boolean } {
  let happened = false;
  return {
    after(list, limit) {
      if (list.length <= limit) return list;
      happened = true;
      return list.slice(0, limit);
    },
    happened: () => happened,
  };
}
