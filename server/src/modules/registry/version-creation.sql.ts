import type { Prepared, Queryable } from "../../kernel/database.ts";
import type { VersionRow } from "./model-versions.sql.ts";
import type { ModelPlace } from "./registered-models.sql.ts";
import { RECORDED, recordEvent } from "./webhooks/deliveries.sql.ts";

export type NewVersionRow = ModelPlace &
  Pick<VersionRow, "source" | "storage_location" | "run_uuid" | "run_link" | "model_id" | "tags"> & {
    description: string;
  };

// By their keys, so that batches of several processes cannot wait for one another in a circle.
const lockModelsText: Prepared = {
  name: "registry_lock_models",
  text: `
    select m.model_key from registry.registered_models as m
    join unnest($1::integer[], $2::text[]) as wanted (workspace_id, name) using (workspace_id, name)
    order by m.model_key for no key update of m`,
};

// A model gives out the numbers of a whole batch at once: `place` is the model's place among those of
// the batch, `nth` the version's place among the new ones of its model. 20 connections, one model: 5,000
// versions a second; a commit for each, one after the other, would end near 550 (an fsync takes 1.8 ms).
const insertVersionsText: Prepared = {
  name: "registry_insert_versions",
  text: `
    with counted as (
      update registry.registered_models as m
      set last_version = m.last_version + wanted.count, last_updated_timestamp = $4
      from unnest($1::integer[], $2::text[], $3::integer[])
        with ordinality as wanted (workspace_id, name, count, place)
      where m.workspace_id = wanted.workspace_id and m.name = wanted.name
      returning wanted.place, wanted.workspace_id, wanted.name, m.model_key, m.last_version - wanted.count as earlier
    ), added as (
      insert into registry.model_versions (
        model_key, version, creation_timestamp, last_updated_timestamp, description, source, storage_location,
        run_uuid, run_link, model_id
      )
      select model_key, earlier + nth, $4, $4, description, source, storage_location, run_uuid, run_link, model_id
      from unnest($5::bigint[], $6::integer[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
        as version (place, nth, description, source, storage_location, run_uuid, run_link, model_id)
      join counted using (place)
      order by model_key, nth
      returning version_key, model_key, version
    ), tagged as (
      insert into registry.model_version_tags (version_key, key, value)
      select version_key, key, value
      from unnest($13::bigint[], $14::integer[], $15::text[], $16::text[]) as tag (place, nth, key, value)
      join counted using (place)
      join added on added.model_key = counted.model_key and added.version = counted.earlier + tag.nth
    ), ${recordEvent("model_version.created", {
      workspace: "any($1::integer[])",
      from: `counted as c join unnest($5::bigint[], $6::integer[], $7::text[], $8::text[], $10::text[])
          as v (place, nth, description, source, run_uuid) using (place)
        left join (
          select place, nth, json_object_agg(key, value) as tags
          from unnest($13::bigint[], $14::integer[], $15::text[], $16::text[]) as tag (place, nth, key, value)
          group by place, nth
        ) as t using (place, nth)`,
      where: "l.workspace_id = c.workspace_id",
      data: `json_build_object(
        'name', c.name, 'version', (c.earlier + v.nth)::text, 'source', v.source, 'run_id', nullif(v.run_uuid, ''),
        'tags', coalesce(t.tags, '{}'), 'description', nullif(v.description, ''))`,
      order: "c.model_key, nth",
    })}
    select place::integer, model_key, earlier, ${RECORDED} from counted`,
};

export type Numbered = { model_key: number; version: number };

type CountedModel = { place: number; model_key: number; earlier: number; recorded: number };

/**
 * Numbers and inserts these versions, those of one model in the order in which they come. Undefined
 * for a version whose model is not there. No version may have a tag twice. `recorded`: what webhooks are to be told.
 */
export async function insertVersions(
  transaction: Queryable,
  rows: readonly NewVersionRow[],
  now: number,
): Promise<{ numbered: (Numbered | undefined)[]; recorded: number }> {
  const models = new Map<string, ModelPlace & { place: number; count: number }>();
  const versions = rows.map((row) => {
    const { workspaceId, name } = row;
    const key = `${workspaceId} ${name}`;
    const model = models.get(key) ?? { workspaceId, name, place: models.size + 1, count: 0 };
    models.set(key, model);
    model.count += 1;
    return { ...row, place: model.place, nth: model.count };
  });
  const of = [...models.values()];
  const places = [of.map(({ workspaceId }) => workspaceId), of.map(({ name }) => name)];
  const tags = versions.flatMap(({ place, nth, tags: own }) => own.map((tag) => ({ ...tag, place, nth })));
  // The second goes out behind the first, and sees the rows as they are once they are locked.
  const [, counted] = await Promise.all([
    transaction.prepared(lockModelsText, places),
    transaction.prepared<CountedModel>(insertVersionsText, [
      ...places,
      of.map(({ count }) => count),
      now,
      versions.map(({ place }) => place),
      versions.map(({ nth }) => nth),
      versions.map(({ description }) => description),
      versions.map(({ source }) => source),
      versions.map(({ storage_location: location }) => location),
      versions.map(({ run_uuid: run }) => run),
      versions.map(({ run_link: link }) => link),
      versions.map(({ model_id: id }) => id),
      tags.map(({ place }) => place),
      tags.map(({ nth }) => nth),
      tags.map(({ key }) => key),
      tags.map(({ value }) => value),
    ]),
  ]);
  const byPlace = new Map(counted.map((model) => [model.place, model]));
  const numbered = versions.map(({ place, nth }) => {
    const model = byPlace.get(place);
    return model && { model_key: model.model_key, version: model.earlier + nth };
  });
  return { numbered, recorded: counted[0]?.recorded ?? 0 };
}
