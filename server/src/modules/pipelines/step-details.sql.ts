import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import {
  grouped,
  objectOf,
  selectVersionsOfStep,
  type MetadataRow,
  type ShownVersionRow,
} from "./related.sql.ts";
import type { LogsRow, StepRunRow } from "./run-tables.ts";

/** What is shown of steps besides their rows, for as many of them as are shown. */

type LinkedArtifact = [name: string, position: number, artifactVersionId: string];
type LinkedInput = [...LinkedArtifact, type: string, chunkIndex: number | null, chunkSize: number | null];

/** What is shown of a step whether or not it is asked for whole. */
export type StepLinks = {
  id: string;
  inputs: readonly LinkedInput[] | null;
  outputs: readonly LinkedArtifact[] | null;
  logs: readonly LogsRow[] | null;
};

/** What is shown besides of a step that is asked for whole; JSON where it says so. */
export type StepDetails = StepLinks & {
  spec_json: string;
  /** Substitutions in it are those of the pipeline alone: see `spliceSubstitutions`. */
  config_json: string;
  parents: readonly string[] | null;
  is_logged_about: boolean;
};

/** A step as it is after it was written, with what is shown of it. */
export type WrittenStep = { row: StepRunRow; shown: ShownStepParts | undefined };

/** What is shown of one step, with its inputs and outputs. */
export type ShownStepParts = { details: StepDetails; versions: readonly ShownVersionRow[] };

// One statement for all of it: what costs is not the rows, but the way to the database and back. Times are numbers
// that JSON holds exactly.
const links = `
  s.id,
  (
    select json_agg(json_build_array(i.name, i.position, i.artifact_version_id, i.type, i.chunk_index, i.chunk_size)
      order by i.name, i.position)
    from pipelines.step_inputs as i where i.step_id = s.id
  ) as inputs,
  (
    select json_agg(json_build_array(o.name, o.position, o.artifact_version_id) order by o.name, o.position)
    from pipelines.step_outputs as o where o.step_id = s.id
  ) as outputs,
  (
    select json_agg(l order by l.created, l.id) from pipelines.logs as l where l.step_run_id = s.id
  ) as logs`;

// For a page of steps: a subquery for each step of it would take three times as long.
const inputsText: Prepared = {
  name: "pipelines_select_step_inputs",
  text: `
    select i.step_id as resource_id, i.name, i.position, i.artifact_version_id, i.type, i.chunk_index, i.chunk_size
    from pipelines.step_inputs as i where i.step_id = any ($1::uuid[]) order by i.name, i.position`,
};

const outputsText: Prepared = {
  name: "pipelines_select_step_outputs",
  text: `
    select o.step_id as resource_id, o.name, o.position, o.artifact_version_id
    from pipelines.step_outputs as o where o.step_id = any ($1::uuid[]) order by o.name, o.position`,
};

const logsText: Prepared = {
  name: "pipelines_select_step_logs",
  text: `
    select l.step_run_id as resource_id, l.* from pipelines.logs as l
    where l.step_run_id = any ($1::uuid[]) order by l.created, l.id`,
};

const detailsText: Prepared = {
  name: "pipelines_select_step_details",
  text: `
    select ${links},
      coalesce(s.spec_json, c.spec_json, '{}') as spec_json,
      coalesce(s.config_json, c.config_json, '{}') as config_json,
      array(select p.parent_id from pipelines.step_parents as p where p.step_id = s.id) as parents,
      exists (select from pipelines.run_metadata_resources as l where l.resource_id = s.id) as is_logged_about
    from pipelines.steps as s
      left join pipelines.snapshot_steps as c on c.snapshot_id = s.snapshot_id and c.name = s.name
    where s.id = any ($1::uuid[])`,
};

type OfStep = Row & { resource_id: string };
type OutputRow = OfStep & { name: string; position: number; artifact_version_id: string };
type InputRow = OutputRow & { type: string; chunk_index: number | null; chunk_size: number | null };

/** By the ids of steps; the statements are sent at once. */
export async function selectStepLinks(
  database: Queryable,
  stepIds: readonly string[],
): Promise<Map<string, StepLinks>> {
  const [inputRows, outputRows, logRows] = await Promise.all([
    database.prepared<InputRow>(inputsText, [stepIds]),
    database.prepared<OutputRow>(outputsText, [stepIds]),
    database.prepared<LogsRow & OfStep>(logsText, [stepIds]),
  ]);
  const [inputs, outputs, logs] = [grouped(inputRows), grouped(outputRows), grouped(logRows)];
  return new Map(
    stepIds.map((id) => [
      id,
      {
        id,
        inputs: (inputs.get(id) ?? []).map(linkedInput),
        outputs: (outputs.get(id) ?? []).map(linkedOutput),
        logs: logs.get(id) ?? null,
      },
    ]),
  );
}

const linkedOutput = (row: OutputRow): LinkedArtifact => [row.name, row.position, row.artifact_version_id];
const linkedInput = (row: InputRow): LinkedInput => [
  row.name,
  row.position,
  row.artifact_version_id,
  row.type,
  row.chunk_index,
  row.chunk_size,
];

export async function selectStepDetails(
  database: Queryable,
  stepIds: readonly string[],
): Promise<Map<string, StepDetails>> {
  const rows = await database.prepared<StepDetails & Row>(detailsText, [stepIds]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Both statements are sent at once. */
export async function selectStepParts(database: Queryable, id: string): Promise<ShownStepParts | undefined> {
  const [found, versions] = await Promise.all([
    selectStepDetails(database, [id]),
    selectVersionsOfStep(database, id),
  ]);
  const details = found.get(id);
  return details && { details, versions };
}

const fullMetadataText: Prepared = {
  name: "pipelines_select_full_metadata",
  text: `
    with owners as (
      select id as run_id, id, '' as prefix from unnest($1::uuid[]) as w (id)
      union all
      select s.run_id, s.id, s.name || '::' from pipelines.steps as s where s.run_id = any ($1::uuid[])
      union all
      select r.id, h.id, 'schedule:' from pipelines.runs as r join pipelines.snapshots as p on p.id = r.snapshot_id
        join pipelines.schedules as h on h.id = p.schedule_id where r.id = any ($1::uuid[])
    )
    select run_id as resource_id, key, value_json from (
      select o.run_id, o.prefix || m.key as key, m.value_json, m.created, m.id,
        row_number() over (partition by o.run_id, o.prefix || m.key order by m.created desc, m.id desc) = 1 as newest,
        bool_and(left(m.value_json, 1) = '{') over (partition by o.run_id, o.prefix || m.key) as objects
      from owners as o join pipelines.run_metadata_resources as l on l.resource_id = o.id
        join pipelines.run_metadata as m on m.id = l.metadata_id
    ) as logged
    where newest or (objects and $2::boolean) order by resource_id, key, created, id`,
};

/**
 * What was logged about runs, their steps as `step::key`, and their schedules as `schedule:key`: by the id of the run,
 * as the text of a JSON object. Objects of one key are laid over one another if `laysOver` says so.
 */
export async function selectFullMetadata(
  database: Queryable,
  runIds: readonly string[],
  laysOver: boolean,
): Promise<Map<string, string>> {
  const rows = await database.prepared<MetadataRow>(fullMetadataText, [runIds, laysOver]);
  return new Map([...grouped(rows)].map(([id, values]) => [id, objectOf(values)]));
}
