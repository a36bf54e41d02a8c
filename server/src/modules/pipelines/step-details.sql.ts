import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { StepInputRow, StepOutputRow } from "./run-tables.ts";

/** What is shown of steps besides their rows, for as many of them as are shown. */

export type StepConfiguration = { step_id: string; spec_json: string; config_json: string };

const configurationsText: Prepared = {
  name: "pipelines_select_step_configurations",
  text: `
    select s.id as step_id, coalesce(s.spec_json, c.spec_json, '{}') as spec_json,
      coalesce(s.config_json, c.config_json, '{}') as config_json
    from pipelines.steps as s
      left join pipelines.snapshot_steps as c on c.snapshot_id = s.snapshot_id and c.name = s.name
    where s.id = any ($1::uuid[])`,
};

/** By the ids of steps. Substitutions in them are those of the pipeline alone: see `spliceSubstitutions`. */
export async function selectStepConfigurations(
  database: Queryable,
  stepIds: readonly string[],
): Promise<Map<string, StepConfiguration>> {
  const rows = await database.prepared<StepConfiguration & Row>(configurationsText, [stepIds]);
  return new Map(rows.map((row) => [row.step_id, row]));
}

const linksText: Prepared = {
  name: "pipelines_select_step_links",
  text: `
    select step_id, name, position, artifact_version_id, type, chunk_index, chunk_size from pipelines.step_inputs
    where step_id = any ($1::uuid[])
    union all
    select step_id, name, position, artifact_version_id, null, null, null from pipelines.step_outputs
    where step_id = any ($1::uuid[])
    order by name, position`,
};

type LinkRow = Omit<StepInputRow, "type"> & { type: string | null };

export type StepLinks = { inputs: StepInputRow[]; outputs: StepOutputRow[] };

/** Inputs and outputs by the ids of steps, in the order of their names and places. */
export async function selectStepLinks(
  database: Queryable,
  stepIds: readonly string[],
): Promise<Map<string, StepLinks>> {
  const links = new Map<string, StepLinks>(stepIds.map((id) => [id, { inputs: [], outputs: [] }]));
  for (const row of await database.prepared<LinkRow & Row>(linksText, [stepIds])) {
    const { type } = row;
    const of = links.get(row.step_id);
    if (type === null) of?.outputs.push(row);
    else of?.inputs.push({ ...row, type });
  }
  return links;
}

const parentsText: Prepared = {
  name: "pipelines_select_step_parents",
  text: "select step_id, parent_id from pipelines.step_parents where step_id = any ($1::uuid[])",
};

/** Ids of parents by the ids of steps. */
export async function selectStepParents(
  database: Queryable,
  stepIds: readonly string[],
): Promise<Map<string, string[]>> {
  const parents = new Map<string, string[]>();
  const rows = await database.prepared<{ step_id: string; parent_id: string }>(parentsText, [stepIds]);
  for (const { step_id: id, parent_id: parent } of rows) {
    const known = parents.get(id);
    if (known === undefined) parents.set(id, [parent]);
    else known.push(parent);
  }
  return parents;
}

const metadataText: Prepared = {
  name: "pipelines_select_ids_of_full_metadata",
  text: `
    select s.run_id, s.id, s.name || '::' as prefix from pipelines.steps as s where s.run_id = any ($1::uuid[])
    union all
    select r.id, h.id, 'schedule:' from pipelines.runs as r join pipelines.snapshots as p on p.id = r.snapshot_id
      join pipelines.schedules as h on h.id = p.schedule_id where r.id = any ($1::uuid[])`,
};

/** What else is shown among the metadata of a run when all of it is asked for, and with what before its keys. */
export const selectMetadataOwners = (
  database: Queryable,
  runIds: readonly string[],
): Promise<{ run_id: string; id: string; prefix: string }[]> => database.prepared(metadataText, [runIds]);
