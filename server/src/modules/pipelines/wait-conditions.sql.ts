import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import { runs, runWaitConditions, type PipelineRunRow, type RunWaitConditionRow } from "./run-tables.ts";

const COLUMNS = Object.keys(runWaitConditions.columns).join(", ");

const rivalsText: Prepared = {
  name: "pipelines_select_rival_conditions",
  text: `
    select ${COLUMNS} from pipelines.run_wait_conditions
    where run_id = $1 and (name = $2 or status = 'pending')`,
};

/** Conditions of a run that are called so, or that it waits for. */
export const selectRivals = (
  transaction: Queryable,
  runId: string,
  name: string,
): Promise<RunWaitConditionRow[]> =>
  transaction.prepared<RunWaitConditionRow & Row>(rivalsText, [runId, name]);

const touchRunText: Prepared = {
  name: "pipelines_touch_run_of_condition",
  text: `
    update pipelines.runs set updated = $2
    where id = (select run_id from pipelines.run_wait_conditions where id = $1)
    returning ${Object.keys(runs.columns).join(", ")}`,
};

/** The run that waits, which no other transaction changes until this one ends. */
export async function touchRunOfCondition(
  transaction: Queryable,
  conditionId: string,
  now: Micros,
): Promise<PipelineRunRow | undefined> {
  return (await transaction.prepared<PipelineRunRow & Row>(touchRunText, [conditionId, now]))[0];
}

const linkText: Prepared = {
  name: "pipelines_link_metadata_to_condition",
  text: `
    insert into pipelines.run_metadata_resources (resource_id, metadata_id, resource_type)
    select $1::uuid, m.id, 'wait_condition' from unnest($2::uuid[]) as m (id) on conflict do nothing`,
};

export async function linkMetadata(
  transaction: Queryable,
  conditionId: string,
  metadataIds: readonly string[],
): Promise<void> {
  if (metadataIds.length > 0) await transaction.prepared(linkText, [conditionId, metadataIds]);
}
