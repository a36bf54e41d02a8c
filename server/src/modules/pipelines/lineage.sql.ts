import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";

/** What belongs to one run of a pipeline, asked by one statement for each kind. Lists are cut after their limit. */

export type LineageStep = {
  id: string;
  name: string;
  version: number;
  status: string;
  start_time: Micros | null;
  end_time: Micros | null;
  original_step_run_id: string | null;
  model_version_id: string | null;
};

const stepsText: Prepared = {
  name: "pipelines_select_lineage_steps",
  text: `
    select id, name, version, status, start_time, end_time, original_step_run_id, model_version_id
    from pipelines.steps where run_id = $1::uuid order by created, id limit $2::integer`,
};

export const selectLineageSteps = (
  database: Queryable,
  runId: string,
  limit: number,
): Promise<LineageStep[]> => database.prepared<LineageStep & Row>(stepsText, [runId, limit]);

export type StepOrder = { step_id: string; parent_id: string };

const orderText: Prepared = {
  name: "pipelines_select_lineage_order",
  text: `
    select p.step_id, p.parent_id from pipelines.step_parents as p
    where p.step_id = any ($1::uuid[]) order by p.step_id, p.parent_id limit $2::integer`,
};

export const selectStepOrder = (
  database: Queryable,
  stepIds: readonly string[],
  limit: number,
): Promise<StepOrder[]> => database.prepared<StepOrder & Row>(orderText, [stepIds, limit]);

export type StepArtifact = {
  step_id: string;
  artifact_version_id: string;
  name: string;
  direction: "input" | "output";
};

const stepArtifactsText: Prepared = {
  name: "pipelines_select_lineage_step_artifacts",
  text: `
    (select step_id, artifact_version_id, name, 'output' as direction from pipelines.step_outputs
      where step_id = any ($1::uuid[]) order by step_id, name, position limit $2::integer)
    union all
    (select step_id, artifact_version_id, name, 'input' from pipelines.step_inputs
      where step_id = any ($1::uuid[]) order by step_id, name, position limit $2::integer)`,
};

/** What each step made, and what it took. */
export const selectStepArtifacts = (
  database: Queryable,
  stepIds: readonly string[],
  limit: number,
): Promise<StepArtifact[]> => database.prepared<StepArtifact & Row>(stepArtifactsText, [stepIds, limit]);

export type LineageArtifact = {
  id: string;
  artifact_id: string;
  artifact_name: string;
  version: string;
  type: string;
  uri: string;
};

const artifactsText: Prepared = {
  name: "pipelines_select_lineage_artifacts",
  text: `
    select v.id, v.artifact_id, a.name as artifact_name, v.version, v.type, v.uri
    from pipelines.artifact_versions as v join pipelines.artifacts as a on a.id = v.artifact_id
    where v.id = any ($1::uuid[]) order by v.created, v.id`,
};

export const selectLineageArtifacts = (
  database: Queryable,
  ids: readonly string[],
): Promise<LineageArtifact[]> => database.prepared<LineageArtifact & Row>(artifactsText, [ids]);

export type OtherRun = {
  artifact_version_id: string;
  direction: "made" | "took";
  run_id: string;
  run_name: string;
};

// The first run that made each version, and the newest steps that took it: few of each, whatever there are.
const otherRunsText: Prepared = {
  name: "pipelines_select_lineage_other_runs",
  text: `
    select distinct v.id as artifact_version_id, e.direction, r.id as run_id, r.name as run_name
    from unnest($1::uuid[]) as v (id) cross join lateral (
      (select 'made' as direction, s.run_id from pipelines.step_outputs as o
          join pipelines.steps as s on s.id = o.step_id
        where o.artifact_version_id = v.id and s.status = 'completed' order by s.created limit 1)
      union all
      (select 'took', s.run_id from (
          select step_id from pipelines.step_inputs where artifact_version_id = v.id limit $3::integer
        ) as i join pipelines.steps as s on s.id = i.step_id)
    ) as e join pipelines.runs as r on r.id = e.run_id
    where r.id <> $2::uuid`,
};

/** Other runs that made or took these versions. */
export const selectOtherRuns = (
  database: Queryable,
  artifactVersionIds: readonly string[],
  { runId, each }: { runId: string; each: number },
): Promise<OtherRun[]> => database.prepared<OtherRun & Row>(otherRunsText, [artifactVersionIds, runId, each]);

export type TrackedRun = { resource_id: string; mlflow_run_id: string };

const trackedText: Prepared = {
  name: "pipelines_select_lineage_tracked_runs",
  text: `
    select distinct l.resource_id, m.value_json::json #>> '{}' as mlflow_run_id
    from pipelines.run_metadata_resources as l join pipelines.run_metadata as m on m.id = l.metadata_id
    where l.resource_id = any ($1::uuid[]) and m.key = 'mlflow_run_id' and left(m.value_json, 1) = '"'
    limit $2::integer`,
};

/** The runs of MLflow that steps, or the run itself, say they logged to. */
export const selectTrackedRuns = (
  database: Queryable,
  resourceIds: readonly string[],
  limit: number,
): Promise<TrackedRun[]> => database.prepared<TrackedRun & Row>(trackedText, [resourceIds, limit]);

export type LineageModel = {
  id: string;
  model_id: string;
  model_name: string;
  name: string;
  number: number;
  stage: string | null;
  /** What it is linked to: the run, a step, or a version of an artifact. */
  linked: string[];
};

const modelsText: Prepared = {
  name: "pipelines_select_lineage_models",
  text: `
    with links as (
      select model_version_id, pipeline_run_id as linked from pipelines.model_version_runs
        where pipeline_run_id = $1::uuid
      union select model_version_id, id from pipelines.runs where id = $1::uuid and model_version_id is not null
      union select model_version_id, id from pipelines.steps
        where id = any ($2::uuid[]) and model_version_id is not null
      union select model_version_id, artifact_version_id from pipelines.model_version_artifacts
        where artifact_version_id = any ($3::uuid[])
    )
    select v.id, v.model_id, m.name as model_name, v.name, v.number, v.stage,
      array_agg(l.linked order by l.linked) as linked
    from links as l join pipelines.model_versions as v on v.id = l.model_version_id
      join pipelines.models as m on m.id = v.model_id
    group by v.id, m.name order by m.name, v.number limit $4::integer`,
};

export const selectLineageModels = (
  database: Queryable,
  of: { runId: string; stepIds: readonly string[]; artifactVersionIds: readonly string[] },
  limit: number,
): Promise<LineageModel[]> =>
  database.prepared<LineageModel & Row>(modelsText, [of.runId, of.stepIds, of.artifactVersionIds, limit]);
