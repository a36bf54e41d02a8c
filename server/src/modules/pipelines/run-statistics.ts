import { sql, type RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { conditionOf } from "./list.sql.ts";
import type { ListQuery } from "./list.ts";
import { runFields } from "./run-fields.ts";

export type Grouping =
  | {
      name: string;
      type: "status" | "pipeline" | "snapshot" | "source_snapshot" | "stack" | "trigger" | "user" | "tag";
    }
  | { name: string; type: "time"; granularity: "hour" | "day" | "week" | "month" }
  | { name: string; type: "metadata"; metadata_key: string };

export type Metric = { name: string; aggregation: "avg" | "sum" | "min" | "max" } & (
  | { source: "duration" | "step_count" | "cached_step_count" | "output_artifact_count" }
  | { source: "metadata"; metadata_key: string }
);

export type StatisticsRequest = {
  query: Pick<ListQuery, "conditions" | "any">;
  workspaceId: number;
  groupings: readonly Grouping[];
  metrics: readonly Metric[];
  maxGroups: number;
};

export type StatisticsGroup = {
  /** In the order of the groupings; those of metadata are JSON. */
  keys: (string | null)[];
  /** In the order of the metrics. */
  metrics: (number | null)[];
  runs: number;
};

type Fragment = RawBuilder<unknown>;

const simple: Readonly<Record<Exclude<Grouping["type"], "time" | "metadata">, string>> = {
  status: "t.status",
  pipeline: "t.pipeline_id::text",
  snapshot: "t.snapshot_id::text",
  source_snapshot:
    "(select s.source_snapshot_id::text from pipelines.snapshots as s where s.id = t.snapshot_id)",
  stack: "t.stack_id::text",
  trigger: "t.trigger_id::text",
  user: "t.user_id::text",
  tag: "g.name",
};

const formats = { hour: "YYYY-MM-DD HH24:00:00", day: "YYYY-MM-DD", week: "YYYY-MM-DD", month: "YYYY-MM-01" };

const sources: Readonly<Record<Exclude<Metric["source"], "metadata">, string>> = {
  duration: "(t.end_time - t.start_time) / 1000000.0",
  step_count: "(select count(distinct s.name) from pipelines.steps as s where s.run_id = t.id)",
  cached_step_count:
    "(select count(distinct s.name) from pipelines.steps as s where s.run_id = t.id and s.status = 'cached')",
  output_artifact_count: `(select count(distinct o.artifact_version_id) from pipelines.steps as s
    join pipelines.step_outputs as o on o.step_id = s.id where s.run_id = t.id)`,
};

/** The newest value of a key that was logged about a run. */
const logged = (key: string, column: Fragment): Fragment => sql`(
  select ${column} from pipelines.run_metadata_resources as l join pipelines.run_metadata as m on m.id = l.metadata_id
  where l.resource_id = t.id and l.resource_type = 'pipeline_run' and m.key = ${key}
  order by m.created desc, m.id limit 1)`;

function keyOf(grouping: Grouping): Fragment {
  switch (grouping.type) {
    case "time": {
      const unit = grouping.granularity;
      return sql`to_char(date_trunc(${sql.lit(unit)}, to_timestamp(t.start_time / 1000000)), ${sql.lit(formats[unit])})`;
    }
    case "metadata":
      return logged(grouping.metadata_key, sql`m.value_json`);
    default:
      return sql.raw(simple[grouping.type]);
  }
}

const valueOf = (metric: Metric): Fragment =>
  metric.source === "metadata"
    ? logged(
        metric.metadata_key,
        sql`case when m.type in ('int', 'float') then m.value_json::double precision end`,
      )
    : sql.raw(sources[metric.source]);

/** Groups of runs: by time in its order, else the largest first; and whether there are more than were asked for. */
export async function computeRunStatistics(
  database: Database,
  { query, workspaceId, groupings, metrics, maxGroups }: StatisticsRequest,
): Promise<{ groups: StatisticsGroup[]; truncated: boolean }> {
  const where = conditionOf({
    fields: runFields,
    query: { ...query, order: { field: "created", descending: false }, page: 1, size: 1 },
    where: [sql`t.workspace_id = ${workspaceId}`],
  });
  const keys = groupings.map((one, at) => sql`${keyOf(one)} as ${sql.raw(`k${at}`)}`);
  const values = metrics.map((one, at) => sql`${valueOf(one)} as ${sql.raw(`v${at}`)}`);
  const byTag = groupings.some(({ type }) => type === "tag");
  const tags = byTag
    ? sql`left join pipelines.tag_resources as tr on tr.resource_id = t.id and tr.resource_type = 'pipeline_run'
        left join pipelines.tags as g on g.id = tr.tag_id`
    : sql``;
  const names = groupings.map((_one, at) => `k${at}`);
  const aggregates = metrics.map(({ aggregation }, at) =>
    sql.raw(`${aggregation}(v${at})::double precision as m${at}`),
  );
  const timeAt = groupings.findIndex(({ type }) => type === "time");
  const order =
    timeAt === -1
      ? ["runs desc", ...names.map((name) => `${name} asc nulls first`)]
      : [
          `k${timeAt} desc nulls last`,
          ...names.filter((_name, at) => at !== timeAt).map((name) => `${name} desc nulls last`),
        ];
  const group = names.length === 0 ? sql`` : sql.raw(`group by ${names.join(", ")}`);
  const selected = [...names.map((name) => sql.raw(name)), ...aggregates];
  const statement = sql<Record<string, unknown>>`
    select ${sql.join([...selected, sql`count(distinct id)::integer as runs`])}
    from (select ${sql.join([sql`t.id`, ...keys, ...values])} from pipelines.runs as t ${tags} where ${where}) as r
    ${group} order by ${sql.raw(order.join(", "))} limit ${maxGroups + 1}`.compile(database.kysely);
  const rows = await database.run<Record<string, unknown>>(statement);
  const kept = rows.slice(0, maxGroups);
  if (timeAt !== -1) kept.reverse();
  return {
    groups: kept.map((row) => ({
      keys: names.map((name) => row[name] as string | null),
      metrics: metrics.map((_metric, at) => row[`m${at}`] as number | null),
      runs: row["runs"] as number,
    })),
    truncated: rows.length > maxGroups,
  };
}
