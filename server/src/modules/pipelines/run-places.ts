import type { CollectionDeps } from "./collection.ts";
import { noSuch } from "./collection.ts";
import { selectPlaceOfRun, selectPlaceOfStep, type PlaceOfRun } from "./steps.sql.ts";

/**
 * Whose a run is and where, as access to it and to its steps goes by that: asked for with every request about them.
 * Neither changes, but for workspaces that are merged, so that an answer is good for as long as names of workspaces are.
 */
export type RunPlaces = {
  /** Throws `not_found`. */
  ofRun(id: string): PlaceOfRun | Promise<PlaceOfRun>;
  /** Of the step's run. Throws `not_found`. */
  ofStep(id: string): PlaceOfRun | Promise<PlaceOfRun>;
  /** Of a step that was just made. */
  remember(stepId: string, runId: string): void;
};

const KNOWN_MICROS = 2_000_000;
const MAX_KNOWN = 10_000;

export function createRunPlaces({ database, clock }: CollectionDeps): RunPlaces {
  const known = new Map<string, { place: PlaceOfRun; until: number }>();

  const keep = (id: string, place: PlaceOfRun): PlaceOfRun => {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(id, { place, until: clock() + KNOWN_MICROS });
    return place;
  };
  const peek = (id: string): PlaceOfRun | undefined => {
    const found = known.get(id);
    return found !== undefined && clock() < found.until ? found.place : undefined;
  };

  return {
    ofRun: (id) =>
      peek(id) ??
      selectPlaceOfRun(database, id).then((place) => {
        if (place === undefined) throw noSuch("pipeline run", id);
        return keep(id, place);
      }),
    ofStep: (id) =>
      peek(id) ??
      selectPlaceOfStep(database, id).then((place) => {
        if (place === undefined) throw noSuch("step run", id);
        return keep(id, place);
      }),
    remember(stepId, runId) {
      const place = peek(runId);
      if (place !== undefined) keep(stepId, place);
    },
  };
}
