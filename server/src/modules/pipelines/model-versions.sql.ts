import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { PipelineModelRow, PipelineModelVersionRow } from "./artifact-tables.ts";

const insertModelText: Prepared = {
  name: "pipelines_ensure_model",
  text: `
    insert into pipelines.models (id, workspace_id, user_id, name, license, description, audience, use_cases,
      limitations, trade_offs, ethics, save_models_to_registry, created, updated)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
    on conflict (workspace_id, name) do nothing`,
};

const lockByNameText: Prepared = {
  name: "pipelines_lock_model_by_name",
  text: "select id from pipelines.models where workspace_id = $1 and name = $2 for no key update",
};

export type NewModel = Omit<PipelineModelRow, "created" | "updated">;

/**
 * The id of the model of this name, which is made where there is none, and to which no other transaction adds versions
 * until this one ends. Undefined where it was deleted at the same moment.
 */
export async function ensureModel(
  transaction: Queryable,
  model: NewModel,
  now: Micros,
): Promise<string | undefined> {
  await transaction.prepared(insertModelText, [
    model.id,
    model.workspace_id,
    model.user_id,
    model.name,
    model.license,
    model.description,
    model.audience,
    model.use_cases,
    model.limitations,
    model.trade_offs,
    model.ethics,
    model.save_models_to_registry,
    now,
  ]);
  const values = [model.workspace_id, model.name];
  return (await transaction.prepared<{ id: string }>(lockByNameText, values))[0]?.id;
}

const lockText: Prepared = {
  name: "pipelines_lock_model",
  text: "select name from pipelines.models where id = $1 for no key update",
};

/** The name of the model, to which no other transaction adds versions until this one ends. */
export async function lockModel(transaction: Queryable, id: string): Promise<string | undefined> {
  return (await transaction.prepared<{ name: string }>(lockText, [id]))[0]?.name;
}

const COLUMNS =
  "id, workspace_id, user_id, model_id, name, number, description, stage, producer_run_id, created, updated";

const insertText: Prepared = {
  name: "pipelines_insert_model_version",
  text: `
    insert into pipelines.model_versions (${COLUMNS})
    select $1, $2, $3, $4, coalesce($5, next::text), next, $6, $7,
      case when $5 is null then $8::uuid end, $9::bigint, $9::bigint
    from (select coalesce(max(number), 0) + 1 as next from pipelines.model_versions where model_id = $4) as numbers
    on conflict (id) do nothing returning id`,
};

export type NewVersion = Omit<PipelineModelVersionRow, "name" | "number" | "created" | "updated"> & {
  /** Null: the number. */
  name: string | null;
};

/** Adds a version to a model that is locked, with the next number. False where it is there already. */
export async function insertModelVersion(
  transaction: Queryable,
  version: NewVersion,
  now: Micros,
): Promise<boolean> {
  const added = await transaction.prepared(insertText, [
    version.id,
    version.workspace_id,
    version.user_id,
    version.model_id,
    version.name,
    version.description,
    version.stage,
    version.producer_run_id,
    now,
  ]);
  return added.length > 0;
}

/** One of the ways to name a version of a model. */
export type VersionKey =
  | { readonly number: number }
  | { readonly stage: string }
  | { readonly latest: true }
  | { readonly name: string }
  | { readonly producerRunId: string };

const finds: Readonly<Record<string, Prepared>> = Object.fromEntries(
  Object.entries({
    number: "number = $2::integer",
    stage: "stage = $2",
    latest: "$2::boolean",
    name: "name = $2",
    producerRunId: "producer_run_id = $2::uuid",
  }).map(([key, condition]) => [
    key,
    {
      name: `pipelines_find_model_version_by_${key}`,
      text: `select ${COLUMNS} from pipelines.model_versions where model_id = $1 and ${condition}
        order by number desc limit 1`,
    },
  ]),
);

export async function findModelVersion(
  database: Queryable,
  modelId: string,
  by: VersionKey,
): Promise<PipelineModelVersionRow | undefined> {
  const [entry] = Object.entries(by);
  const statement = entry === undefined ? undefined : finds[entry[0]];
  if (entry === undefined || statement === undefined) throw new TypeError("no key of a version is given");
  return (await database.prepared<PipelineModelVersionRow & Row>(statement, [modelId, entry[1]]))[0];
}

const versionsOfText: Prepared = {
  name: "pipelines_select_ids_of_model_versions",
  text: "select id from pipelines.model_versions where model_id = $1",
};

export async function selectVersionIds(database: Queryable, modelId: string): Promise<string[]> {
  const rows = await database.prepared<{ id: string }>(versionsOfText, [modelId]);
  return rows.map(({ id }) => id);
}

export type LatestVersion = { model_id: string; id: string; name: string };

const latestText: Prepared = {
  name: "pipelines_select_latest_model_versions",
  text: `
    select m.id as model_id, v.id, v.name from unnest($1::uuid[]) as m (id) cross join lateral (
      select id, name from pipelines.model_versions where model_id = m.id order by number desc limit 1
    ) as v`,
};

/** The newest version of each model, by the model's id. */
export async function selectLatestVersions(
  database: Queryable,
  modelIds: readonly string[],
): Promise<Map<string, LatestVersion>> {
  if (modelIds.length === 0) return new Map();
  const rows = await database.prepared<LatestVersion>(latestText, [modelIds]);
  return new Map(rows.map((row) => [row.model_id, row]));
}
