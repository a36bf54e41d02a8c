import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";
import { idText } from "./experiment-ids.ts";

type Owner = { id: string; experiment_id: string };

const selectRunOwnersText: Prepared = {
  name: "tracking_select_run_owners",
  text: `
    select run_uuid as id, ${idText("experiment_id")} as experiment_id
    from tracking.runs where run_uuid = any($1::text[])`,
};

const selectLoggedModelOwnersText: Prepared = {
  name: "tracking_select_logged_model_owners",
  text: `
    select model_id as id, ${idText("experiment_id")} as experiment_id
    from tracking.logged_models where model_id = any($1::text[])`,
};

/** The experiments of runs or logged models of any workspace, by their ids; of those that there are. */
export async function selectOwners(
  database: Queryable,
  of: "run" | "logged_model",
  ids: readonly string[],
): Promise<Map<string, string>> {
  const statement = of === "run" ? selectRunOwnersText : selectLoggedModelOwnersText;
  const rows = await database.prepared<Owner>(statement, [ids]);
  return new Map(rows.map((row) => [row.id, row.experiment_id]));
}

const selectNamedText: Prepared = {
  name: "tracking_select_experiment_named",
  text: `
    select ${idText("experiment_id")} as experiment_id from tracking.experiments
    where workspace_id = $1 and name = $2`,
};

export async function selectNamedExperiment(
  database: Queryable,
  workspaceId: number,
  name: string,
): Promise<string | undefined> {
  const [row] = await database.prepared<{ experiment_id: string }>(selectNamedText, [workspaceId, name]);
  return row?.experiment_id;
}

/** The beginning of a place: as much of it as is in the index. */
const INDEXED_PLACE = `left(tracking.own_place(e.artifact_location), 600) collate "C"`;

export type PlaceRow = { experiment_id: string; place: string; by_id: boolean };

// The place of an experiment ends in its id, so that it is found by its primary key; one that somebody chose is
// found by an index of all places.
const selectPlacesText: Prepared = {
  name: "tracking_select_artifact_places",
  text: `
    select ${idText("e.experiment_id")} as experiment_id, place.key as place, true as by_id
    from unnest($1::integer[], $2::text[]) as place (experiment_id, key)
    join tracking.experiments as e
      on e.experiment_id = place.experiment_id and e.artifact_location = 'mlflow-artifacts:/' || place.key
    union all
    select ${idText("e.experiment_id")}, place.key, false
    from unnest($3::text[]) as place (key)
    join tracking.experiments as e on ${INDEXED_PLACE} = left(place.key, 600)
      and tracking.own_place(e.artifact_location) = place.key`,
};

/** The experiments that have one of these places: by the ids that places end in, and by places alone. */
export async function selectPlaces(
  database: Queryable,
  byId: { ids: readonly number[]; keys: readonly string[] },
  keys: readonly string[],
): Promise<PlaceRow[]> {
  return database.prepared<PlaceRow>(selectPlacesText, [int4Array(byId.ids), byId.keys, keys]);
}

// All places that begin with `a/` are from `a/` to before `a0`; of longer ones the index tells only that they may.
const selectPlacesBelowText: Prepared = {
  name: "tracking_select_artifact_places_below",
  text: `
    select ${idText("e.experiment_id")} as experiment_id from tracking.experiments as e
    where ${INDEXED_PLACE} >= left($1, 600) and ${INDEXED_PLACE} <= left($2, 600)
      and starts_with(tracking.own_place(e.artifact_location), $1)`,
};

/** The experiments whose places are below a key; the empty key is above them all. */
export async function selectPlacesBelow(database: Queryable, key: string): Promise<string[]> {
  const [prefix, end] = key === "" ? ["", LAST] : [`${key}/`, `${key}0`];
  const rows = await database.prepared<{ experiment_id: string }>(selectPlacesBelowText, [prefix, end]);
  return rows.map((row) => row.experiment_id);
}

/** No text is behind it. */
const LAST = "\u{10ffff}".repeat(600);
