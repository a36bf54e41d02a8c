import { createBatch } from "../../kernel/batch.ts";
import type { Scope } from "../identity/index.ts";
import type { TrackingDeps } from "./deps.ts";
import { readExperimentId } from "./experiment-ids.ts";
import {
  selectNamedExperiment,
  selectOwners,
  selectPlaces,
  selectPlacesBelow,
  type PlaceRow,
} from "./object-owners.sql.ts";

/** Which experiments things are in: what permissions are asked by. Ids are texts, as clients know them. */
export type ObjectOwners = {
  /** Of a run of any workspace; known at once where it was asked for lately. */
  experimentOfRun(runId: string): string | Promise<string | undefined>;
  experimentOfLoggedModel(modelId: string): string | Promise<string | undefined>;
  experimentOfName(scope: Scope, name: string): Promise<string | undefined>;
  /**
   * The experiments in whose place of the server's own store a key is, with the rest of the key. A place that ends in
   * its experiment's id is that experiment's alone: nobody takes it over by giving another experiment a place in or
   * around it. Of places that somebody chose the innermost counts, for all experiments that have it.
   */
  placesOfKey(key: string): Promise<ArtifactPlace[]>;
  /** The experiments whose places are below a key. */
  experimentsBelow(key: string): Promise<string[]>;
};

type ArtifactPlace = { experimentId: string; rest: string };

/** An id of an experiment in its one spelling; undefined for one that no experiment can have. */
export function canonicalExperimentId(id: string): string | undefined {
  if (!INTEGER.test(id)) return undefined;
  const read = readExperimentId(id);
  return read === undefined ? undefined : String(read);
}

const INTEGER = /^\s*[+-]?\d+\s*$/;

/**
 * A run stays in its experiment, but a purged one may be imported again, into another: what is known is asked for
 * again after one to two of these.
 */
const SPAN_MS = 60_000;
const CAPACITY = 100_000;
/** Of ids that clients choose to ask for; longer ones are not looked up. */
const LONGEST_ID = 255;

export type Remembered = ObjectOwners & {
  /** Of what was just made, so that its first use asks nothing. */
  remember(of: "run" | "logged_model", id: string, experimentId: string): void;
};

export function createObjectOwners(deps: TrackingDeps): Remembered {
  const { database } = deps;
  const known = {
    run: createOwnerMemory(deps, "run"),
    logged_model: createOwnerMemory(deps, "logged_model"),
  };
  return {
    experimentOfRun: known.run.get,
    experimentOfLoggedModel: known.logged_model.get,
    remember: (of, id, experimentId) => known[of].set(id, experimentId),
    experimentOfName: ({ workspaceId }, name) => selectNamedExperiment(database, workspaceId, name),
    experimentsBelow: (key) => selectPlacesBelow(database, key),
    placesOfKey: createPlaces(deps),
  };
}

/** Look-ups of one moment share a statement: a folder is asked for with all that is in it. */
function createPlaces({ database, ids: experimentIds, onBatch }: TrackingDeps): ObjectOwners["placesOfKey"] {
  const lookUps = createBatch<string, ArtifactPlace[]>({
    name: "artifact_places",
    concurrency: 2,
    maxWeight: 500,
    onBatch,
    async run(keys) {
      const prefixes = new Set(keys.flatMap(prefixesOf));
      const endInIds = [...prefixes].filter((prefix) => ID.test(lastOf(prefix)));
      const numbers = await experimentIds.numbersOf(endInIds.map(lastOf));
      const byId = { ids: [] as number[], keys: [] as string[] };
      for (const [at, prefix] of endInIds.entries()) {
        const number = numbers[at];
        if (number === undefined) continue;
        byId.ids.push(number);
        byId.keys.push(prefix);
      }
      const found = Map.groupBy(await selectPlaces(database, byId, [...prefixes]), ({ place }) => place);
      return keys.map((key) =>
        deciding(prefixesOf(key).flatMap((prefix) => found.get(prefix) ?? [])).map((row) => ({
          experimentId: row.experiment_id,
          rest: row.place === "" ? key : key.slice(row.place.length + 1),
        })),
      );
    },
  });
  return (key) => lookUps.add(key);
}

/** Every place that a key may be in: `` and `a` and `a/b` for `a/b`. */
function prefixesOf(key: string): string[] {
  const prefixes = [""];
  const longest = key.slice(0, LONGEST_PLACE);
  for (let end = longest.indexOf("/"); end !== -1; end = longest.indexOf("/", end + 1)) {
    prefixes.push(longest.slice(0, end));
  }
  if (longest !== "") prefixes.push(longest);
  return prefixes;
}

const lastOf = (prefix: string): string => prefix.slice(prefix.lastIndexOf("/") + 1);

const ID = /^\d{1,19}$/;

/** Longer than any location that is stored. */
const LONGEST_PLACE = 2200;

/** The outermost place that ends in its experiment's id decides alone, else the innermost. */
function deciding(places: readonly PlaceRow[]): readonly PlaceRow[] {
  const byId = places.filter((row) => row.by_id).toSorted((a, b) => a.place.length - b.place.length);
  if (byId.length > 0) return byId.slice(0, 1);
  const innermost = Math.max(...places.map(({ place }) => place.length));
  return places.filter(({ place }) => place.length === innermost);
}

type OwnerMemory = {
  get(id: string): string | Promise<string | undefined>;
  set(id: string, experimentId: string): void;
};

/** Look-ups of one moment share a statement. What is not there is not remembered: it may be made. */
function createOwnerMemory(deps: TrackingDeps, of: "run" | "logged_model"): OwnerMemory {
  // Two generations: no order of use need be kept, and what is old goes all at once.
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  let since = deps.now();

  const turn = (now: number): void => {
    old = now - since >= 2 * SPAN_MS ? new Map() : young;
    young = new Map();
    since = now;
  };

  const set = (id: string, experimentId: string): void => {
    if (young.size >= CAPACITY / 2) turn(deps.now());
    young.set(id, experimentId);
  };

  const lookUps = createBatch<string, string | undefined>({
    name: `${of}_owner`,
    concurrency: 2,
    maxWeight: 1000,
    onBatch: deps.onBatch,
    async run(ids) {
      const found = await selectOwners(deps.database, of, [...new Set(ids)]);
      for (const [id, experimentId] of found) set(id, experimentId);
      return ids.map((id) => found.get(id));
    },
  });

  return {
    set,
    get(id) {
      const now = deps.now();
      if (now - since >= SPAN_MS) turn(now);
      const experimentId = young.get(id) ?? old.get(id);
      if (experimentId !== undefined) return experimentId;
      return id.length > LONGEST_ID ? Promise.resolve(undefined) : lookUps.add(id);
    },
  };
}
