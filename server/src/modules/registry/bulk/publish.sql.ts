import type { Prepared, Queryable } from "../../../kernel/database.ts";
import { int4Array } from "../../../kernel/pg-arrays.ts";

/** What an import needs before and after its rows: what is taken, what there is, and showing or removing it. */

const selectTakenText: Prepared = {
  name: "registry_bulk_taken_models",
  text: "select name from registry.registered_models where workspace_id = $1 and name = any($2::text[])",
};

export async function selectTakenModels(
  database: Queryable,
  workspaceId: number,
  names: readonly string[],
): Promise<string[]> {
  const rows = await database.prepared<{ name: string }>(selectTakenText, [workspaceId, names]);
  return rows.map((row) => row.name);
}

const moveText: Prepared = {
  name: "registry_bulk_move_models",
  text: "update registry.registered_models set workspace_id = $2 where workspace_id = $1 returning model_key",
};

/** Makes the models of one workspace those of another; a taken name violates `registered_models_name_key`. */
export async function moveModels(database: Queryable, from: number, to: number): Promise<number> {
  return (await database.prepared(moveText, [from, to])).length;
}

const removeText: Prepared = {
  name: "registry_bulk_remove_models",
  text: "delete from registry.registered_models where workspace_id = $1",
};

/** With their versions, tags and aliases. */
export async function removeModels(database: Queryable, workspaceId: number): Promise<void> {
  await database.prepared(removeText, [workspaceId]);
}

export type RegistryCounts = {
  registered_models: number;
  registered_model_tags: number;
  model_versions: number;
  model_version_tags: number;
  aliases: number;
};

const selectCountsText: Prepared = {
  name: "registry_bulk_counts",
  text: `
    with models as materialized (
      select model_key from registry.registered_models where workspace_id = any($1::integer[])
    ), versions as materialized (
      select version_key from registry.model_versions where model_key in (select model_key from models)
    )
    select (select count(*) from models) as registered_models,
      (select count(*) from registry.registered_model_tags where model_key in (select model_key from models))
        as registered_model_tags,
      (select count(*) from versions) as model_versions,
      (select count(*) from registry.model_version_tags where version_key in (select version_key from versions))
        as model_version_tags,
      (select count(*) from registry.aliases where model_key in (select model_key from models)) as aliases`,
};

/** What stands in these workspaces. */
export async function selectRegistryCounts(
  database: Queryable,
  workspaceIds: readonly number[],
): Promise<RegistryCounts> {
  const [row] = await database.prepared<RegistryCounts>(selectCountsText, [int4Array(workspaceIds)]);
  if (row === undefined) throw new Error("A count returned no row.");
  return row;
}
