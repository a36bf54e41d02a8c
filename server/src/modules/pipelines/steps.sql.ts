import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import { runs, steps, type PipelineRunRow, type StepInputRow, type StepRunRow } from "./run-tables.ts";

const RUN_COLUMNS = Object.keys(runs.columns).join(", ");
const STEP_COLUMNS = Object.keys(steps.columns).join(", ");

// Steps that begin at once do not wait for one another, but for a run that is being stopped.
const shareRunText: Prepared = {
  name: "pipelines_share_run",
  text: `select ${RUN_COLUMNS} from pipelines.runs where id = $1 for share`,
};

/** The run, which stays in its state until the transaction ends. */
export async function shareRun(transaction: Queryable, id: string): Promise<PipelineRunRow | undefined> {
  return (await transaction.prepared<PipelineRunRow & Row>(shareRunText, [id]))[0];
}

const touchRunText: Prepared = {
  name: "pipelines_touch_run_of_step",
  text: `
    update pipelines.runs set updated = $2 where id = (select run_id from pipelines.steps where id = $1)
    returning ${RUN_COLUMNS}`,
};

/** The run of a step, which no other transaction changes until this one ends. */
export async function touchRunOfStep(
  transaction: Queryable,
  stepId: string,
  now: Micros,
): Promise<PipelineRunRow | undefined> {
  return (await transaction.prepared<PipelineRunRow & Row>(touchRunText, [stepId, now]))[0];
}

export type PlannedStep = {
  spec_json: string;
  config_json: string;
  upstream_steps: string[];
  max_retries: number;
};

const plannedText: Prepared = {
  name: "pipelines_select_planned_step",
  text: `
    select c.spec_json, c.config_json, c.upstream_steps, c.max_retries from pipelines.runs as r
      join pipelines.snapshot_steps as c on c.snapshot_id = r.snapshot_id and c.name = $2
    where r.id = $1`,
};

/** A step as the snapshot of its run says; undefined where that has none of this name. */
export async function selectPlannedStep(
  database: Queryable,
  runId: string,
  name: string,
): Promise<PlannedStep | undefined> {
  return (await database.prepared<PlannedStep & Row>(plannedText, [runId, name]))[0];
}

const attemptsText: Prepared = {
  name: "pipelines_select_attempts",
  text: `select ${STEP_COLUMNS} from pipelines.steps where run_id = $1 and name = $2 order by version`,
};

export const selectAttempts = (database: Queryable, runId: string, name: string): Promise<StepRunRow[]> =>
  database.prepared<StepRunRow & Row>(attemptsText, [runId, name]);

const retriedText: Prepared = {
  name: "pipelines_mark_retried",
  text: `
    update pipelines.steps set status = 'retried', end_time = coalesce(end_time, $3), updated = $3
    where run_id = $1 and name = $2`,
};

/** Attempts that another one follows. */
export async function markRetried(
  transaction: Queryable,
  { runId, name, now }: { runId: string; name: string; now: Micros },
): Promise<void> {
  await transaction.prepared(retriedText, [runId, name, now]);
}

const inputsText: Prepared = {
  name: "pipelines_insert_step_inputs",
  text: `
    insert into pipelines.step_inputs
      (step_id, name, position, artifact_version_id, type, chunk_index, chunk_size)
    select $1::uuid, n.name, n.position, n.artifact_version_id, n.type, n.chunk_index, n.chunk_size
    from json_to_recordset($2::json) as n
      (name text, position integer, artifact_version_id uuid, type text, chunk_index integer, chunk_size integer)
    on conflict do nothing`,
};

export type NewStepInput = Omit<StepInputRow, "step_id">;

export async function insertStepInputs(
  transaction: Queryable,
  stepId: string,
  inputs: readonly NewStepInput[],
): Promise<void> {
  if (inputs.length > 0) await transaction.prepared(inputsText, [stepId, JSON.stringify(inputs)]);
}

// Names and ids side by side: places go on behind those of the outputs that are there.
const outputsText: Prepared = {
  name: "pipelines_insert_step_outputs",
  text: `
    insert into pipelines.step_outputs (step_id, name, position, artifact_version_id)
    select $1::uuid, n.name, n.at + (select count(*) from pipelines.step_outputs where step_id = $1::uuid), n.id
    from unnest($2::text[], $3::uuid[]) with ordinality as n (name, id, at)
    on conflict (step_id, artifact_version_id) do nothing`,
};

export type NamedArtifact = { name: string; id: string };

export async function insertStepOutputs(
  transaction: Queryable,
  stepId: string,
  outputs: readonly NamedArtifact[],
): Promise<void> {
  if (outputs.length === 0) return;
  const names = outputs.map(({ name }) => name);
  await transaction.prepared(outputsText, [stepId, names, outputs.map(({ id }) => id)]);
}

// The last attempt of each.
const parentsText: Prepared = {
  name: "pipelines_insert_step_parents",
  text: `
    with parents as (
      select distinct on (name) id, name from pipelines.steps
      where run_id = $2 and name = any ($3::text[]) order by name, version desc
    ),
    linked as (
      insert into pipelines.step_parents (step_id, parent_id)
      select $1::uuid, id from parents on conflict do nothing
    )
    select name from parents`,
};

/** The names of those that were found. */
export async function insertStepParents(
  transaction: Queryable,
  { stepId, runId, names }: { stepId: string; runId: string; names: readonly string[] },
): Promise<Set<string>> {
  if (names.length === 0) return new Set();
  const rows = await transaction.prepared<{ name: string }>(parentsText, [stepId, runId, names]);
  return new Set(rows.map(({ name }) => name));
}

const originalInputsText: Prepared = {
  name: "pipelines_select_inputs_of_original",
  text: `
    select name, position, artifact_version_id, type, chunk_index, chunk_size from pipelines.step_inputs
    where step_id = $1 order by name, position`,
};

export const selectInputsOf = (database: Queryable, stepId: string): Promise<NewStepInput[]> =>
  database.prepared<NewStepInput & Row>(originalInputsText, [stepId]);

const inheritText: Prepared = {
  name: "pipelines_inherit_metadata",
  text: `
    insert into pipelines.run_metadata_resources (resource_id, metadata_id, resource_type)
    select $1::uuid, l.metadata_id, l.resource_type
    from pipelines.run_metadata_resources as l join pipelines.run_metadata as m on m.id = l.metadata_id
    where l.resource_id = $2::uuid and l.resource_type = 'step_run' and m.publisher_step_id = $2::uuid
    on conflict do nothing`,
};

/** What a step logged about itself holds for those that take its result from the cache. */
export async function inheritMetadata(
  transaction: Queryable,
  stepId: string,
  originalId: string,
): Promise<void> {
  await transaction.prepared(inheritText, [stepId, originalId]);
}

export type Heartbeat = {
  id: string;
  status: string;
  heartbeat_threshold: number | null;
  latest_heartbeat: Micros;
  run_status: string;
};

const beatText: Prepared = {
  name: "pipelines_beat_step",
  text: `
    with beat as (
      update pipelines.steps set latest_heartbeat = $2
      where id = $1 and status not in ('failed', 'completed', 'cached', 'skipped', 'retried', 'stopped', 'cancelled')
      returning id, run_id, status, heartbeat_threshold, latest_heartbeat
    )
    select b.id, b.status, b.heartbeat_threshold, b.latest_heartbeat, r.status as run_status
    from beat as b join pipelines.runs as r on r.id = b.run_id`,
};

/** Undefined where there is no such step, or it is finished. */
export async function beatStep(database: Queryable, id: string, now: Micros): Promise<Heartbeat | undefined> {
  return (await database.prepared<Heartbeat & Row>(beatText, [id, now]))[0];
}

const placeOfRunText: Prepared = {
  name: "pipelines_select_place_of_run",
  text: "select id, workspace_id, user_id from pipelines.runs where id = $1",
};

export async function selectPlaceOfRun(database: Queryable, id: string): Promise<PlaceOfRun | undefined> {
  return (await database.prepared<PlaceOfRun & Row>(placeOfRunText, [id]))[0];
}

const placeText: Prepared = {
  name: "pipelines_select_place_of_step",
  text: `
    select r.id, r.workspace_id, r.user_id from pipelines.steps as s join pipelines.runs as r on r.id = s.run_id
    where s.id = $1`,
};

/** Whose run a step is of, and where: what access to it goes by. */
export type PlaceOfRun = { id: string; workspace_id: number; user_id: string | null };

export async function selectPlaceOfStep(
  database: Queryable,
  stepId: string,
): Promise<PlaceOfRun | undefined> {
  return (await database.prepared<PlaceOfRun & Row>(placeText, [stepId]))[0];
}

const configurationText: Prepared = {
  name: "pipelines_select_run_configuration",
  text: "select pipeline_configuration_json as text from pipelines.snapshots where id = $1",
};

export async function selectConfigurationText(database: Queryable, snapshotId: string): Promise<string> {
  const [row] = await database.prepared<{ text: string }>(configurationText, [snapshotId]);
  if (row === undefined) throw new Error(`the snapshot ${snapshotId} of a run is gone`);
  return row.text;
}
