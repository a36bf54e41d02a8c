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

// Of several values of one key the newest counts.
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
    select distinct on (o.run_id, o.prefix || m.key) o.run_id, o.prefix || m.key as key, m.value_json
    from owners as o join pipelines.run_metadata_resources as l on l.resource_id = o.id
      join pipelines.run_metadata as m on m.id = l.metadata_id
    order by o.run_id, o.prefix || m.key, m.created desc, m.id`,
};

/**
 * What was logged about runs, their steps as `step::key`, and their schedules as `schedule:key`: by the id of the run,
 * as the text of a JSON object.
 */
export async function selectFullMetadata(
  database: Queryable,
  runIds: readonly string[],
): Promise<Map<string, string>> {
  type Logged = { run_id: string; key: string; value_json: string };
  const members = new Map<string, string[]>();
  for (const { run_id: run, key, value_json: value } of await database.prepared<Logged>(fullMetadataText, [
    runIds,
  ])) {
    const member = `${JSON.stringify(key)}:${value}`;
    const known = members.get(run);
    if (known === undefined) members.set(run, [member]);
    else known.push(member);
  }
  return new Map([...members].map(([id, texts]) => [id, `{${texts.join(",")}}`]));
}
