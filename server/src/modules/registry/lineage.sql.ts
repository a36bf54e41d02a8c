import type { Database, Prepared } from "../../kernel/database.ts";
import type { Visible } from "../identity/index.ts";
import { visibleParameters, visibleText, type VisibleModels } from "./visible-models.ts";

/** A version as its lineage shows it. */
export type LinkedVersion = {
  name: string;
  version: number;
  aliases: string[];
  stage: string;
  creation_time: number;
  run_id: string | null;
  model_id: string | null;
};

type LifecycleStage = "active" | "deleted";
/** Where nothing of this name is in the workspace, neither is its experiment. */
type LinkedModel = { model_id: string; name: string | null; experiment_id?: string | null };

export type LineageRow = LinkedVersion & {
  source: string;
  logged_model: {
    model_id: string;
    name: string;
    experiment_id: string;
    source_run_id: string | null;
    lifecycle_stage: LifecycleStage;
    creation_time: number;
  } | null;
  run: {
    experiment_id?: string;
    run_id: string;
    run_name: string;
    user_id: string;
    status: string;
    lifecycle_stage: LifecycleStage;
    start_time: number;
    end_time: number | null;
  } | null;
  experiment: { experiment_id: string; name: string; lifecycle_stage: LifecycleStage } | null;
  parent_runs: { run_id: string; run_name: string; experiment_id?: string }[];
  datasets: { name: string; digest: string; source_type: string; source: string; context: string | null }[];
  input_models: LinkedModel[];
  output_models: LinkedModel[];
};

const LINKED = `
  m.name, v.version, v.stage, v.creation_timestamp::float8 as creation_time, nullif(v.run_uuid, '') as run_id, v.model_id,
  array(select a.alias from registry.aliases as a where a.version_key = v.version_key order by a.alias) as aliases`;

const stage = (row: string): string => `case when ${row}.deleted_at is null then 'active' else 'deleted' end`;

const PARENTS = 10;

/** Models on one side of the run, with their names where they are of the same workspace. */
const models = (direction: "i" | "o"): string => `
  coalesce((
    select json_agg(json_build_object(
      'model_id', e.model_id, 'name', e.name, 'experiment_id', tracking.experiment_id_text(e.experiment_id)
    ) order by e.model_id) from (
      select link.model_id, l.name, l.experiment_id
      from (
        select link.model_id from tracking.run_models as link
        where link.run_id = r.run_id and link.direction = '${direction}' order by link.model_id limit $4::integer
      ) as link
      left join lateral (
        select l.name, l.experiment_id from tracking.logged_models as l
        join tracking.experiments as x using (experiment_id)
        where l.model_id = link.model_id and x.workspace_id = $1
      ) as l on true
    ) as e
  ), '[]')`;

/**
 * The version that `found` gives, and all it comes from, in one statement: a descent of an index for each thing. What
 * is of another workspace is as unknown as what is not there.
 */
const lineageOf = (found: string): string => `
  with recursive v as materialized (${found}),
  r as materialized (
    select r.*, e.name as experiment_name, e.deleted_at as experiment_deleted_at
    from v join tracking.runs as r on r.run_id = v.origin_run_id
    join tracking.experiments as e using (experiment_id) where e.workspace_id = $1
  ),
  l as materialized (
    select l.* from v join tracking.logged_models as l using (model_id)
    join tracking.experiments as e using (experiment_id) where e.workspace_id = $1
  ),
  parents as (
    select r.run_id, r.run_uuid, r.name, r.experiment_id, 0 as depth from r
    union all
    select p.run_id, p.run_uuid, p.name, p.experiment_id, c.depth + 1
    from parents as c
    join tracking.tags as t on t.run_id = c.run_id
      and t.key_id = (select key_id from tracking.keys where key = 'mlflow.parentRunId')
    join tracking.runs as p on p.run_uuid = t.value
    join tracking.experiments as e on e.experiment_id = p.experiment_id and e.workspace_id = $1
    where c.depth < ${PARENTS}
  )
  select ${LINKED}, v.source,
    (select json_build_object(
      'model_id', l.model_id, 'name', l.name, 'experiment_id', tracking.experiment_id_text(l.experiment_id), 'source_run_id', l.source_run_uuid,
      'lifecycle_stage', ${stage("l")}, 'creation_time', l.creation_timestamp
    ) from l) as logged_model,
    (select json_build_object(
      'experiment_id', tracking.experiment_id_text(r.experiment_id), 'run_id', r.run_uuid, 'run_name', r.name, 'user_id', r.user_id, 'lifecycle_stage', ${stage("r")},
      'status', coalesce((array['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'])[r.status], 'RUNNING'),
      'start_time', r.start_time, 'end_time', r.end_time
    ) from r) as run,
    (select json_build_object('experiment_id', tracking.experiment_id_text(e.experiment_id), 'name', e.name, 'lifecycle_stage', ${stage("e")})
      from tracking.experiments as e where e.experiment_id = v.origin_experiment_id and e.workspace_id = $1
    ) as experiment,
    coalesce((
      select json_agg(json_build_object(
        'run_id', p.run_uuid, 'run_name', p.name, 'experiment_id', tracking.experiment_id_text(p.experiment_id)
      ) order by p.depth)
      from parents as p where p.depth > 0
    ), '[]') as parent_runs,
    coalesce((
      select json_agg(json_build_object(
        'name', d.name, 'digest', d.digest, 'source_type', d.source_type, 'source', left(d.source, 1000),
        'context', d.context
      ) order by d.position) from (
        select d.name, d.digest, d.source_type, d.source, i.tags ->> 'mlflow.data.context' as context, i.position
        from tracking.run_datasets as i join tracking.datasets as d using (dataset_id)
        where i.run_id = r.run_id order by i.run_id, i.dataset_id limit $4::integer
      ) as d
    ), '[]') as datasets,
    ${models("i")} as input_models, ${models("o")} as output_models
  from v join registry.registered_models as m using (model_key) left join r on true`;

const VERSIONS = "registry.model_versions as v join registry.registered_models as m using (model_key)";

const selectByVersionText: Prepared = {
  name: "registry_select_lineage_by_version",
  text: lineageOf(
    `select v.* from ${VERSIONS} where m.workspace_id = $1 and m.name = $2 and v.version = $3::integer`,
  ),
};

const selectByAliasText: Prepared = {
  name: "registry_select_lineage_by_alias",
  text: lineageOf(`
    select v.* from ${VERSIONS} join registry.aliases as a on a.model_key = m.model_key and a.version_key = v.version_key
    where m.workspace_id = $1 and m.name = $2 and a.alias = $3::text`),
};

/** Lists are cut after `limit`. */
export async function selectLineage(
  database: Database,
  place: { workspaceId: number; name: string } & ({ version: number } | { alias: string }),
  limit: number,
): Promise<LineageRow | undefined> {
  const [statement, which] =
    "version" in place ? [selectByVersionText, place.version] : [selectByAliasText, place.alias];
  const rows = await database.prepared<LineageRow>(statement, [place.workspaceId, place.name, which, limit]);
  return rows[0];
}

export type LineageOrigin =
  | { experimentId: string }
  | { runId: string }
  | { modelId: string }
  | { datasetName: string; datasetDigest: string };

/** A version and its place among the others of the same answer. */
export type PlacedVersion = LinkedVersion & { place: number[] };

const SAME_WORKSPACE = `
  join tracking.experiments as e on e.experiment_id = v.origin_experiment_id and e.workspace_id = m.workspace_id`;

/** Behind every key: where the first page begins. */
export const LAST_KEY = 2 ** 31 - 1;

/** Experiments whose runs may be read, by $12 and $13. */
const EXPERIMENT_VISIBLE = `case $12::text when 'all' then true
  when 'only' then tracking.experiment_id_text(e.experiment_id) = any($13::text[])
  else tracking.experiment_id_text(e.experiment_id) <> all($13::text[]) end`;

/** One statement for who may see all, and one with further parameters for who may not. */
type Statement = { all: Prepared; some: Prepared };

const statement = (name: string, text: (isSome: boolean) => string): Statement => ({
  all: { name, text: text(false) },
  some: { name: `${name}_visible`, text: text(true) },
});

/**
 * The workspace is in $1, the number of rows in $2, what is asked for behind, and then the last row's place. Last, for
 * who may not see all, `visibleParameters`.
 */
const newestFirst =
  (join: string, condition: string) =>
  (isSome: boolean): string =>
    `
  select ${LINKED}, array[v.version_key] as place
  from ${VERSIONS} ${join}
  where m.workspace_id = $1 and ${condition} and v.version_key < $4 ${isSome ? `and ${visibleText(5)}` : ""}
  order by v.version_key desc limit $2`;

const statements: Record<"experiment" | "run" | "model" | "dataset", Statement> = {
  experiment: statement(
    "registry_select_versions_of_experiment",
    newestFirst(SAME_WORKSPACE, "v.origin_experiment_id = tracking.experiment_number($3::text)"),
  ),
  run: statement(
    "registry_select_versions_of_run",
    newestFirst(
      SAME_WORKSPACE,
      "v.origin_run_id = (select run_id from tracking.runs where run_uuid = $3::text)",
    ),
  ),
  model: statement("registry_select_versions_of_logged_model", newestFirst("", "v.model_id = $3::text")),
  // Each experiment has the dataset anew. Run by run along the index of the dataset's runs, with limits that keep the
  // planner from joining the whole: of 100,000 runs any page of 100 versions reads 700 buffers.
  dataset: statement(
    "registry_select_versions_of_dataset",
    (isSome) => `
      select ${LINKED}, array[d.dataset_id, v.from_run, v.version_key] as place
      from (
        select d.dataset_id from tracking.datasets as d join tracking.experiments as e using (experiment_id)
        where e.workspace_id = $1 and d.name = $3::text and d.digest = $4::text and d.dataset_id <= $5
          ${isSome ? `and ${EXPERIMENT_VISIBLE}` : ""}
        order by d.dataset_id desc
      ) as d
      cross join lateral (
        select i.run_id as from_run, own.* from tracking.run_datasets as i
        cross join lateral (
          select v.* from registry.model_versions as v
          ${isSome ? "join registry.registered_models as m using (model_key)" : ""}
          where v.origin_run_id = i.run_id ${isSome ? `and ${visibleText(8)}` : ""}
            and v.version_key < case when d.dataset_id = $5 and i.run_id = $6 then $7 else ${LAST_KEY} end
          order by v.version_key desc limit $2
        ) as own
        where i.dataset_id = d.dataset_id and i.run_id <= case when d.dataset_id = $5 then $6 else ${LAST_KEY} end
        order by i.run_id desc, own.version_key desc limit $2
      ) as v
      join registry.registered_models as m on m.model_key = v.model_key and m.workspace_id = $1
      order by d.dataset_id desc, v.from_run desc, v.version_key desc limit $2`,
  ),
};

/** How many numbers a place has. */
export const placeLength = (origin: LineageOrigin): number => ("datasetName" in origin ? 3 : 1);

/** Up to `limit` versions after the place of the last one. */
export async function selectVersionsOf(
  database: Database,
  origin: LineageOrigin,
  page: {
    workspaceId: number;
    after: readonly number[];
    limit: number;
    visible: VisibleLineage | undefined;
  },
): Promise<PlacedVersion[]> {
  const [statement, wanted] = statementOf(origin);
  const values = [page.workspaceId, page.limit, ...wanted, ...page.after];
  const { visible } = page;
  if (visible === undefined) return database.prepared<PlacedVersion>(statement.all, values);
  const { runs, ...models } = visible;
  const experiments = "datasetName" in origin ? [runs.kind, runs.kind === "all" ? [] : runs.ids] : [];
  return database.prepared<PlacedVersion>(statement.some, [
    ...values,
    ...visibleParameters(models),
    ...experiments,
  ]);
}

export type VersionOfRun = LinkedVersion & { origin_run_id: string };

const ofRunsText = statement(
  "registry_select_versions_of_runs",
  (isSome) => `
    select ${LINKED}, r.run_uuid as origin_run_id
    from tracking.runs as r join ${VERSIONS} on v.origin_run_id = r.run_id ${SAME_WORKSPACE}
    where m.workspace_id = $1 and r.run_uuid = any ($3::text[]) ${isSome ? `and ${visibleText(4)}` : ""}
    order by v.version_key desc limit $2`,
);

/** The newest versions made from any of these runs. */
export async function selectVersionsOfRuns(
  database: Database,
  runIds: readonly string[],
  { workspaceId, limit, visible }: { workspaceId: number; limit: number; visible: VisibleModels | undefined },
): Promise<VersionOfRun[]> {
  const values = [workspaceId, limit, runIds];
  return visible === undefined
    ? database.prepared<VersionOfRun>(ofRunsText.all, values)
    : database.prepared<VersionOfRun>(ofRunsText.some, [...values, ...visibleParameters(visible)]);
}

/** Which versions may be seen, and of which experiments the runs. */
export type VisibleLineage = VisibleModels & { runs: Visible };

function statementOf(origin: LineageOrigin): [Statement, unknown[]] {
  if ("experimentId" in origin) return [statements.experiment, [origin.experimentId]];
  if ("runId" in origin) return [statements.run, [origin.runId]];
  if ("modelId" in origin) return [statements.model, [origin.modelId]];
  return [statements.dataset, [origin.datasetName, origin.datasetDigest]];
}
