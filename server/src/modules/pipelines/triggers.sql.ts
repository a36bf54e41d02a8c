import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";

export type AttachedSnapshot = {
  trigger_id: string;
  snapshot_id: string;
  source_snapshot_id: string | null;
  dispatch_state_json: string | null;
};

const attachedText: Prepared = {
  name: "pipelines_select_snapshots_of_triggers",
  text: `
    select l.trigger_id, l.snapshot_id, s.source_snapshot_id, l.dispatch_state_json
    from pipelines.trigger_snapshots as l join pipelines.snapshots as s on s.id = l.snapshot_id
    where l.trigger_id = any ($1::uuid[]) order by l.created, l.snapshot_id`,
};

export const selectAttached = (database: Queryable, ids: readonly string[]): Promise<AttachedSnapshot[]> =>
  ids.length === 0 ? Promise.resolve([]) : database.prepared<AttachedSnapshot & Row>(attachedText, [ids]);

const latestRunsText: Prepared = {
  name: "pipelines_select_latest_runs_of_triggers",
  text: `
    select t.id as trigger_id, r.id from unnest($1::uuid[]) as t (id) cross join lateral (
      select id from pipelines.runs where trigger_id = t.id order by created desc, id desc limit 1
    ) as r`,
};

/** The id of the newest run of each trigger, by the trigger's id. */
export async function selectLatestRunIds(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await database.prepared<{ trigger_id: string; id: string }>(latestRunsText, [ids]);
  return new Map(rows.map((row) => [row.trigger_id, row.id]));
}

export type AttachableSnapshot = {
  name: string | null;
  workspace_id: number;
  /** Whether there is an image of it that a server could run. */
  runnable: boolean;
  /** Of the build. */
  stack_id: string | null;
  zenml_version: string | null;
  /** Of the build's own stack. */
  components_json: string;
};

const attachableText: Prepared = {
  name: "pipelines_select_attachable_snapshot",
  text: `
    select s.name, s.workspace_id, coalesce(not b.is_local and b.stack_id is not null, false) as runnable,
      b.stack_id, b.zenml_version,
      coalesce((
        select json_agg(json_build_object('type', c.type, 'flavor', c.flavor_name, 'name', c.name,
          'configuration', c.configuration_json::json, 'isCustom', coalesce(f.is_custom, false)))
        from pipelines.stack_components as l join pipelines.components as c on c.id = l.component_id
          left join pipelines.flavors as f on f.type = c.type and f.name = c.flavor_name
        where l.stack_id = b.stack_id
      ), '[]'::json)::text as components_json
    from pipelines.snapshots as s left join pipelines.builds as b on b.id = s.build_id
    where s.id = $1`,
};

export async function selectAttachable(
  database: Queryable,
  snapshotId: string,
): Promise<AttachableSnapshot | undefined> {
  return (await database.prepared<AttachableSnapshot & Row>(attachableText, [snapshotId]))[0];
}

const attachText: Prepared = {
  name: "pipelines_attach_trigger",
  text: `
    insert into pipelines.trigger_snapshots (trigger_id, snapshot_id, created) values ($1, $2, $3)
    on conflict do nothing`,
};

export async function insertAttachment(
  transaction: Queryable,
  given: { triggerId: string; snapshotId: string; now: Micros },
): Promise<void> {
  await transaction.prepared(attachText, [given.triggerId, given.snapshotId, given.now]);
}

const detachText: Prepared = {
  name: "pipelines_detach_trigger",
  text: `
    delete from pipelines.trigger_snapshots as l using pipelines.snapshots as s
    where l.trigger_id = $1 and s.id = l.snapshot_id
      and ($2::uuid is null or s.id = $2 or s.source_snapshot_id = $2) returning l.snapshot_id`,
};

/** Of a snapshot or what was made of it, or all. False where there was none. */
export async function deleteAttachments(
  transaction: Queryable,
  triggerId: string,
  snapshotId: string | null,
): Promise<boolean> {
  return (await transaction.prepared(detachText, [triggerId, snapshotId])).length > 0;
}

const clearText: Prepared = {
  name: "pipelines_clear_dispatch_errors",
  text: `
    update pipelines.trigger_snapshots as l set dispatch_state_json = case
      when l.dispatch_state_json::json ->> 'last_status' = 'ERROR' then null
      else (l.dispatch_state_json::jsonb || '{"last_error_message": null, "last_error_type": null,
        "last_error_severity": null, "last_error_stack_trace": null, "last_error_at": null, "first_error_at": null,
        "last_error_count": 0}'::jsonb)::text end
    from pipelines.snapshots as s
    where l.trigger_id = $1 and s.id = l.snapshot_id and l.dispatch_state_json is not null
      and ($2::uuid is null or s.source_snapshot_id = $2)`,
};

export async function clearDispatchErrors(
  database: Queryable,
  triggerId: string,
  snapshotId: string | null,
): Promise<void> {
  await database.prepared(clearText, [triggerId, snapshotId]);
}
