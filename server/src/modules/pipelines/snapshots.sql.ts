import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { SnapshotRow } from "./pipeline-tables.ts";

/** That something still needs the snapshot `s`: it may lose its name, but is not deleted by itself. */
const isReferenced = `
  s.schedule_id is not null or s.template_id is not null
  or exists (select from pipelines.runs as r where r.snapshot_id = s.id)
  or exists (select from pipelines.steps as r where r.snapshot_id = s.id)
  or exists (select from pipelines.deployments as r where r.snapshot_id = s.id)
  or exists (select from pipelines.run_templates as r where r.source_snapshot_id = s.id)
  or exists (select from pipelines.trigger_snapshots as r where r.snapshot_id = s.id)
  or exists (select from pipelines.snapshots as r where r.source_snapshot_id = s.id)`;

export type NameHolder = { id: string; is_referenced: boolean };

const holderText: Prepared = {
  name: "pipelines_lock_snapshot_of_name",
  text: `
    select s.id, (${isReferenced}) as is_referenced from pipelines.snapshots as s
    where s.pipeline_id = $1::uuid and s.name = $2::text for update`,
};

/** The snapshot of a pipeline that has a name, which no other transaction changes until this one ends. */
export async function lockSnapshotOfName(
  transaction: Queryable,
  pipelineId: string,
  name: string,
): Promise<NameHolder | undefined> {
  return (await transaction.prepared<NameHolder & Row>(holderText, [pipelineId, name]))[0];
}

const unnameText: Prepared = {
  name: "pipelines_unname_snapshot",
  text: "update pipelines.snapshots set name = null, updated = $2::bigint where id = $1::uuid",
};

export async function unnameSnapshot(transaction: Queryable, id: string, now: Micros): Promise<void> {
  await transaction.prepared(unnameText, [id, now]);
}

const untriggerText: Prepared = {
  name: "pipelines_detach_triggers_of_derived_snapshots",
  text: `
    delete from pipelines.trigger_snapshots as l using pipelines.snapshots as s
    where s.source_snapshot_id = $1::uuid and l.snapshot_id = s.id`,
};

/** Triggers let go of what was made from a snapshot that has no name any more. */
export async function detachTriggersOfDerived(transaction: Queryable, id: string): Promise<void> {
  await transaction.prepared(untriggerText, [id]);
}

const unused = `
  s.workspace_id = $1::integer and s.name is null and s.created < $2::bigint and not (${isReferenced})`;

const countText: Prepared = {
  name: "pipelines_count_unused_snapshots",
  text: `select count(*) as count from pipelines.snapshots as s where ${unused}`,
};

const lockUnusedText: Prepared = {
  name: "pipelines_lock_unused_snapshots",
  text: `
    select s.id, s.created from pipelines.snapshots as s
    where ${unused} and (s.created, s.id) > ($4::bigint, $5::uuid)
    order by s.created, s.id limit $3::integer for update skip locked`,
};

export type Unused = { workspaceId: number; olderThan: Micros };

/** Snapshots without a name, made before that time, that nothing needs. */
export async function countUnusedSnapshots(
  database: Queryable,
  { workspaceId, olderThan }: Unused,
): Promise<number> {
  const [row] = await database.prepared<{ count: number }>(countText, [workspaceId, olderThan]);
  return row?.count ?? 0;
}

export type PlaceAmongSnapshots = Pick<SnapshotRow, "id" | "created">;

export const firstPlace: PlaceAmongSnapshots = { created: 0, id: "00000000-0000-0000-0000-000000000000" };

/** The next ones after a place in the order in which they were made. */
export const lockUnusedSnapshots = (
  transaction: Queryable,
  { workspaceId, olderThan }: Unused,
  { limit, after }: { limit: number; after: PlaceAmongSnapshots },
): Promise<PlaceAmongSnapshots[]> =>
  transaction.prepared<PlaceAmongSnapshots>(lockUnusedText, [
    workspaceId,
    olderThan,
    limit,
    after.created,
    after.id,
  ]);

// Whoever needs one meanwhile waits for its row, so it is asked for once more when the row is held.
const deleteUnusedText: Prepared = {
  name: "pipelines_delete_unused_snapshots",
  text: `
    delete from pipelines.snapshots as s where s.id = any ($1::uuid[]) and s.name is null and not (${isReferenced})
    returning s.id`,
};

export async function deleteUnusedSnapshots(
  transaction: Queryable,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await transaction.prepared<{ id: string }>(deleteUnusedText, [ids]);
  return rows.map(({ id }) => id);
}

/** What is shown of a snapshot wherever it is shown, without what may be long. */
export type ShownSnapshotRow = Pick<
  SnapshotRow,
  | "id"
  | "workspace_id"
  | "user_id"
  | "name"
  | "is_dynamic"
  | "pipeline_id"
  | "stack_id"
  | "created"
  | "updated"
> & { runnable: boolean; deployable: boolean; deployment_id: string | null };

// Images of a build that are elsewhere can be run from here; a stack with a deployer serves what was built.
const shownText: Prepared = {
  name: "pipelines_select_shown_snapshots",
  text: `
    select s.id, s.workspace_id, s.user_id, s.name, s.is_dynamic, s.pipeline_id, s.stack_id, s.created, s.updated,
      coalesce(not b.is_local and b.stack_id is not null, false) as runnable,
      s.build_id is not null and exists (
        select from pipelines.stack_components as l join pipelines.components as c on c.id = l.component_id
        where l.stack_id = s.stack_id and c.type = 'deployer'
      ) as deployable,
      (
        select d.id from pipelines.deployments as d where d.snapshot_id = s.id order by d.created, d.id limit 1
      ) as deployment_id
    from pipelines.snapshots as s left join pipelines.builds as b on b.id = s.build_id
    where s.id = any ($1::uuid[])`,
};

/** By id, with what follows from their builds, stacks and deployments. */
export async function selectShownSnapshots(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, ShownSnapshotRow>> {
  if (ids.length === 0) return new Map();
  const rows = await database.prepared<ShownSnapshotRow & Row>(shownText, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** What templates and deployments show of the snapshot that they are of. */
export type SourceRow = ShownSnapshotRow &
  Pick<SnapshotRow, "build_id" | "code_reference_id" | "pipeline_spec_json">;

const sourcesText: Prepared = {
  name: "pipelines_select_source_snapshots",
  text: `
    select s.id, s.build_id, s.code_reference_id, s.pipeline_spec_json from pipelines.snapshots as s
    where s.id = any ($1::uuid[])`,
};

export async function selectSources(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, SourceRow>> {
  const [shown, rows] = await Promise.all([
    selectShownSnapshots(database, ids),
    ids.length === 0 ? [] : database.prepared<SourceRow & Row>(sourcesText, [ids]),
  ]);
  return new Map(
    rows.flatMap((row) => {
      const one = shown.get(row.id);
      return one === undefined ? [] : [[row.id, { ...one, ...row }]];
    }),
  );
}
