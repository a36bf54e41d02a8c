import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";

/**
 * The flavors that come with ZenML, and the stack `default` of them that everybody may use. They are written at the
 * first start, and again when a release of Plinth knows others, or when somebody changed or deleted one.
 */

const DATA = join(import.meta.dirname, "../../../data/zenml-flavors.json");

const digestText: Prepared = {
  name: "pipelines_select_flavors_digest",
  text: "select flavors_digest from pipelines.server_settings",
};

const lockDigestText: Prepared = {
  name: "pipelines_lock_flavors_digest",
  text: "select flavors_digest from pipelines.server_settings for update",
};

const setDigestText: Prepared = {
  name: "pipelines_update_flavors_digest",
  text: "update pipelines.server_settings set flavors_digest = $1",
};

// In the order of the list, which is that of their times. Ids are worked out, so that they are the same everywhere.
const upsertText: Prepared = {
  name: "pipelines_upsert_builtin_flavors",
  text: `
    insert into pipelines.flavors (id, name, type, display_name, integration, source, config_schema_json, connector_type,
      connector_resource_type, connector_resource_id_attr, logo_url, docs_url, sdk_docs_url, is_custom, created, updated)
    select md5('zenml flavor ' || (g.flavor ->> 'type') || ' ' || (g.flavor ->> 'name'))::uuid, g.flavor ->> 'name',
      g.flavor ->> 'type', g.flavor ->> 'display_name', g.flavor ->> 'integration', g.flavor ->> 'source',
      (g.flavor -> 'config_schema')::text, g.flavor ->> 'connector_type', g.flavor ->> 'connector_resource_type',
      g.flavor ->> 'connector_resource_id_attr', g.flavor ->> 'logo_url', g.flavor ->> 'docs_url',
      g.flavor ->> 'sdk_docs_url', false, $2::bigint + g.at, $2::bigint + g.at
    from json_array_elements($1::json) with ordinality as g (flavor, at)
    on conflict on constraint flavors_name_key do update set display_name = excluded.display_name,
      integration = excluded.integration, source = excluded.source, config_schema_json = excluded.config_schema_json,
      connector_type = excluded.connector_type, connector_resource_type = excluded.connector_resource_type,
      connector_resource_id_attr = excluded.connector_resource_id_attr, logo_url = excluded.logo_url,
      docs_url = excluded.docs_url, sdk_docs_url = excluded.sdk_docs_url, is_custom = false, updated = excluded.updated`,
};

// Clients of 0.84 know no deployers, and those of 0.98 need none: an orchestrator and an artifact store make a stack.
const defaultsText: Prepared = {
  name: "pipelines_insert_default_stack",
  text: `
    with components as (
      insert into pipelines.components (id, name, type, flavor_name, configuration_json, created, updated)
      select md5('zenml component default ' || g.type)::uuid, 'default', g.type, 'local', '{}', $1, $1
      from unnest(array['orchestrator', 'artifact_store']) as g (type)
      on conflict on constraint components_name_key do nothing returning id
    ), stacks as (
      insert into pipelines.stacks (id, name, description, labels_json, created, updated)
      values (md5('zenml stack default')::uuid, 'default', '', '{}', $1, $1)
      on conflict on constraint stacks_name_key do nothing returning id
    )
    insert into pipelines.stack_components (stack_id, component_id, position)
    select s.id, c.id, 0 from stacks as s cross join components as c`,
};

export type BuiltinFlavors = { json: string; digest: string };

export async function readBuiltinFlavors(): Promise<BuiltinFlavors> {
  const json = await readFile(DATA, "utf8");
  return { json, digest: createHash("sha256").update(json).digest("hex") };
}

/** Costs one statement where they are there already, unless all are to be written again. */
export async function syncBuiltinFlavors(
  { database, clock }: { database: Database; clock(): Micros },
  { isForced }: { isForced: boolean },
): Promise<void> {
  const { json, digest } = await readBuiltinFlavors();
  const isThere = async (queryable: Queryable, text: Prepared): Promise<boolean> => {
    const [row] = await queryable.prepared<{ flavors_digest: string | null }>(text, []);
    return row?.flavors_digest === digest && !isForced;
  };
  if (await isThere(database, digestText)) return;
  await database.transaction(async (transaction) => {
    // One process at a time: the others find it done.
    if (await isThere(transaction, lockDigestText)) return;
    const now = clock();
    await transaction.prepared(upsertText, [json, now]);
    await transaction.prepared(defaultsText, [now]);
    await transaction.prepared(setDigestText, [digest]);
  });
}

/** To be said with every change of a built-in flavor, so that the next start restores it. */
export async function forgetFlavorsDigest(transaction: Queryable): Promise<void> {
  await transaction.prepared(setDigestText, [null]);
}
