import type { Prepared, Queryable } from "../../../kernel/database.ts";
import { int4Array } from "../../../kernel/pg-arrays.ts";

/** Where the files of versions are, before and after an import has copied them. */

export type VersionLocation = {
  version_key: number;
  name: string;
  version: number;
  source: string;
  storage_location: string;
};

const selectText: Prepared = {
  name: "registry_bulk_version_locations",
  text: `
    select v.version_key, m.name, v.version, v.source, v.storage_location
    from registry.model_versions as v join registry.registered_models as m using (model_key)
    where m.workspace_id = any($1::integer[]) and v.version_key > $2
    order by v.version_key limit $3`,
};

export async function selectVersionLocations(
  database: Queryable,
  workspaceIds: readonly number[],
  page: { after: number; limit: number },
): Promise<VersionLocation[]> {
  return database.prepared<VersionLocation>(selectText, [int4Array(workspaceIds), page.after, page.limit]);
}

const updateText: Prepared = {
  name: "registry_bulk_update_version_locations",
  text: `
    update registry.model_versions as v set source = new.source, storage_location = new.storage_location
    from unnest($1::integer[], $2::text[], $3::text[]) as new (version_key, source, storage_location)
    where v.version_key = new.version_key`,
};

export async function updateVersionLocations(
  database: Queryable,
  rows: readonly Pick<VersionLocation, "version_key" | "source" | "storage_location">[],
): Promise<void> {
  await database.prepared(updateText, [
    int4Array(rows.map((row) => row.version_key)),
    rows.map((row) => row.source),
    rows.map((row) => row.storage_location),
  ]);
}
