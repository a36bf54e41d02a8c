import type { Snapshot } from "../../kernel/snapshot.ts";
import { columnsOf, intArray, type Table } from "../../kernel/table.ts";
import { idText } from "./experiment-ids.ts";

/** What of tracking leaves: experiments by their ids; of those all, or only what is not deleted. */
export type ExportSelection = { experimentIds: readonly number[]; includeDeleted: boolean };

const LIFECYCLE = (row: string): string =>
  `case when ${row}.deleted_at is null then 'active' else 'deleted' end as lifecycle_stage`;

const active = (row: string, { includeDeleted }: ExportSelection): string =>
  includeDeleted ? "true" : `${row}.deleted_at is null`;

export type ExportExperiment = { experiment_id: number; id: string; name: string; workspace: string };

/** The experiments of these workspaces; with `wanted`, only those whose id or name is among them. */
export async function selectExportExperiments(
  snapshot: Snapshot,
  wanted: {
    workspaceIds: readonly number[];
    idsOrNames: readonly string[] | undefined;
    includeDeleted: boolean;
  },
): Promise<ExportExperiment[]> {
  return snapshot.rows(
    `select e.experiment_id, ${idText("e.experiment_id")} as id, e.name, w.name as workspace
     from tracking.experiments as e join identity.workspaces as w using (workspace_id)
     where workspace_id = any($1::integer[]) and ($2::text[] is null or ${idText("e.experiment_id")} = any($2) or e.name = any($2))
       and ($3 or e.deleted_at is null)
     order by e.experiment_id`,
    [wanted.workspaceIds, wanted.idsOrNames ?? null, wanted.includeDeleted],
  );
}

/** Each is small beside the runs, and read as one. */
export function experimentTables(selection: ExportSelection): Table[] {
  const ids = intArray(selection.experimentIds);
  return [
    {
      name: "experiments",
      columns: columnsOf({
        experiment_id: "text",
        name: "text",
        workspace: "text",
        artifact_location: "text",
        lifecycle_stage: "text",
        creation_time: "timestamp",
        last_update_time: "timestamp",
        deleted_time: "timestamp?",
      }),
      select: `
        select ${idText("e.experiment_id")}, e.name, w.name, e.artifact_location, ${LIFECYCLE("e")}, e.creation_time,
          e.last_update_time, e.deleted_at
        from tracking.experiments as e join identity.workspaces as w using (workspace_id)
        where e.experiment_id = any(${ids}) order by e.experiment_id`,
    },
    {
      name: "experiment_tags",
      columns: columnsOf({ experiment_id: "text", key: "text", value: "text" }),
      select: `
        select ${idText("experiment_id")}, key, value from tracking.experiment_tags
        where experiment_id = any(${ids}) order by experiment_tags.experiment_id, key collate "C"`,
    },
    {
      name: "datasets",
      columns: columnsOf({
        experiment_id: "text",
        name: "text",
        digest: "text",
        source_type: "text",
        source: "text",
        schema: "text?",
        profile: "text?",
      }),
      select: `
        select ${idText("experiment_id")}, name, digest, source_type, source, schema, profile from tracking.datasets
        where experiment_id = any(${ids}) order by dataset_id`,
    },
    ...modelTables(ids, active("m", selection)),
  ];
}

function modelTables(ids: string, condition: string): Table[] {
  const child = (columns: string, table: string): string => `
    select m.model_id, ${columns} from tracking.logged_models as m join tracking.${table} as c using (model_key)
    where m.experiment_id = any(${ids}) and ${condition} order by m.model_key, c.key collate "C"`;
  const keyValue = columnsOf({ model_id: "text", key: "text", value: "text" });
  return [
    {
      name: "logged_models",
      columns: columnsOf({
        model_id: "text",
        experiment_id: "text",
        name: "text",
        artifact_location: "text",
        status: "text",
        status_message: "text?",
        model_type: "text?",
        source_run_id: "text?",
        lifecycle_stage: "text",
        creation_time: "timestamp",
        last_update_time: "timestamp",
        deleted_time: "timestamp?",
      }),
      select: `
        select m.model_id, ${idText("m.experiment_id")}, m.name, m.artifact_location,
          coalesce((array['PENDING', 'READY', 'FAILED'])[m.status], 'UNSPECIFIED'), m.status_message, m.model_type,
          m.source_run_uuid, ${LIFECYCLE("m")}, m.creation_timestamp, m.last_updated_timestamp, m.deleted_at
        from tracking.logged_models as m
        where m.experiment_id = any(${ids}) and ${condition} order by m.model_key`,
    },
    {
      name: "logged_model_params",
      columns: keyValue,
      select: child("c.key, c.value", "logged_model_params"),
    },
    { name: "logged_model_tags", columns: keyValue, select: child("c.key, c.value", "logged_model_tags") },
    {
      name: "logged_model_metrics",
      columns: columnsOf({
        model_id: "text",
        run_id: "text",
        key: "text",
        value: "number",
        timestamp: "timestamp",
        step: "integer",
        dataset_name: "text?",
        dataset_digest: "text?",
      }),
      select: `
        select m.model_id, r.run_uuid, k.key, c.value, c.timestamp, c.step, c.dataset_name, c.dataset_digest
        from tracking.logged_models as m join tracking.logged_model_metrics as c using (model_key)
        join tracking.runs as r on r.run_id = c.run_id join tracking.keys as k using (key_id)
        where m.experiment_id = any(${ids}) and ${condition}
        order by c.model_key, c.key_id, c.run_id, c.step, c.timestamp`,
    },
  ];
}

/** The ids of all runs that leave, in the order in which they do. */
export const selectExportRuns = (selection: ExportSelection): string => `
  select r.run_id from tracking.runs as r
  where r.experiment_id = any(${intArray(selection.experimentIds)}) and ${active("r", selection)} order by r.run_id`;

export async function countExportRuns(snapshot: Snapshot, selection: ExportSelection): Promise<number> {
  const [row] = await snapshot.rows<{ count: number }>(
    `select count(*)::float8 as count from (${selectExportRuns(selection)}) as runs`,
  );
  return row?.count ?? 0;
}

const points = columnsOf({
  run_id: "text",
  key: "text",
  value: "number",
  timestamp: "timestamp",
  step: "integer",
});
const keyValue = columnsOf({ run_id: "text", key: "text", value: "text" });

/** What runs are made of, in files of one row for each value; read for some runs at a time. */
export const runTables = {
  runs: {
    name: "runs",
    columns: columnsOf({
      run_id: "text",
      experiment_id: "text",
      run_name: "text",
      user_id: "text",
      status: "text",
      lifecycle_stage: "text",
      start_time: "timestamp",
      end_time: "timestamp?",
      deleted_time: "timestamp?",
      artifact_uri: "text",
    }),
    select: (runs: readonly number[]) => `
      select r.run_uuid, ${idText("r.experiment_id")}, r.name, r.user_id,
        coalesce((array['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'])[r.status], 'RUNNING'),
        ${LIFECYCLE("r")}, r.start_time, r.end_time, r.deleted_at, r.artifact_uri
      from tracking.runs as r where r.run_id = any(${intArray(runs)}) order by r.run_id`,
  },
  latest_metrics: {
    name: "latest_metrics",
    columns: points,
    select: (runs: readonly number[]) => `
      select r.run_uuid, k.key, m.value, m.timestamp, m.step ${of("run_metrics as m", runs)} order by r.run_id, m.key_id`,
  },
  params: {
    name: "params",
    columns: keyValue,
    select: (runs: readonly number[]) =>
      `select r.run_uuid, k.key, m.value ${of("params as m", runs)} order by r.run_id, m.key_id`,
  },
  tags: {
    name: "tags",
    columns: keyValue,
    select: (runs: readonly number[]) =>
      `select r.run_uuid, k.key, m.value ${of("tags as m", runs)} order by r.run_id, m.key_id`,
  },
  inputs: {
    name: "inputs",
    columns: columnsOf({
      run_id: "text",
      experiment_id: "text",
      dataset_name: "text",
      dataset_digest: "text",
      context: "text?",
      tags: "text",
    }),
    select: (runs: readonly number[]) => `
      select r.run_uuid, ${idText("d.experiment_id")}, d.name, d.digest, i.tags ->> 'mlflow.data.context', i.tags::text
      from tracking.run_datasets as i join tracking.runs as r using (run_id) join tracking.datasets as d using (dataset_id)
      where i.run_id = any(${intArray(runs)}) order by i.run_id, i.position`,
  },
  run_models: {
    name: "run_models",
    columns: columnsOf({ run_id: "text", model_id: "text", direction: "text", step: "integer" }),
    select: (runs: readonly number[]) => `
      select r.run_uuid, m.model_id, case m.direction when 'i' then 'input' else 'output' end, m.step
      from tracking.run_models as m join tracking.runs as r using (run_id)
      where m.run_id = any(${intArray(runs)}) order by m.run_id, m.direction, m.model_id`,
  },
} as const;

const of = (table: string, runs: readonly number[]): string => `
  from tracking.${table} join tracking.runs as r using (run_id) join tracking.keys as k using (key_id)
  where m.run_id = any(${intArray(runs)})`;

/** Full history, as `historyOf` reads it. */
export const metricsTable = { name: "metrics", columns: points } as const;

export type Series = { series_id: number; run_id: string; key: string };

export const selectExportSeries = (runs: readonly number[]): string => `
  select m.series_id, r.run_uuid as run_id, k.key ${of("run_metrics as m", runs)} order by r.run_id, m.key_id`;

/**
 * The points of these series, one after the other, each in order of (timestamp, step, value); `series` counts from 1.
 * The index gives each in order of its slots of time, so that nothing is sorted but the points of one slot.
 */
export const historyOf = (series: readonly number[]): Table => ({
  name: "metrics",
  columns: columnsOf({ series: "integer", value: "number", timestamp: "timestamp", step: "integer" }),
  select: `
    select w.series, p.value, p.timestamp, p.step
    from unnest(${intArray(series)}) with ordinality as w (series_id, series)
    cross join lateral (
      select value, timestamp, coalesce(wide_step, step) as step from tracking.metric_points
      where series_id = w.series_id
      order by series_id, tracking.slot(timestamp), timestamp, coalesce(wide_step, step), value
    ) as p`,
});

export type UsedKeys = { kind: "metrics" | "params" | "tags"; key: string; runs: number; distinct: number };

/** Of each kind the keys that most runs have; `distinct` is how many the kind has altogether. */
export async function selectMostUsedKeys(
  snapshot: Snapshot,
  selection: ExportSelection,
  limit: number,
): Promise<UsedKeys[]> {
  const runs = selection.includeDeleted
    ? ""
    : "and not exists (select from tracking.runs as r where r.run_id = u.run_id and r.deleted_at is not null)";
  const kinds = [
    ["metrics", "run_metrics"],
    ["params", "params"],
    ["tags", "tags"],
  ].map(
    ([kind, table]) => `
    (select '${kind}' as kind, k.key, used.runs, used.distinct from (
      select key_id, count(*)::float8 as runs, (count(*) over ())::float8 as distinct from tracking.${table} as u
      where experiment_id = any(${intArray(selection.experimentIds)}) ${runs} group by key_id
    ) as used join tracking.keys as k using (key_id) order by used.runs desc, k.key limit ${limit})`,
  );
  return snapshot.rows(kinds.join(" union all "));
}
