import { decodePageToken, encodePageToken, foreignToken } from "../../kernel/page-token.ts";
import type { TrackingDeps } from "./deps.ts";
import { experimentNumber } from "./runs.ts";
import {
  firstPhase,
  nextPhase,
  phases,
  selectRunIds,
  type Phase,
  type Place,
  type RunQuery,
  type View,
} from "./run-search.sql.ts";
import { parseRunFilter, parseRunOrderBy } from "./search-run.ts";

export type RunSearchRequest = {
  experimentIds: readonly string[];
  filter: string;
  orderBy: readonly string[];
  view: View;
  maxResults: number;
  pageToken?: string;
};

export type RunSearch = {
  /** The internal ids of the runs of a page, in order. Their data is read with `getRunSet`. */
  searchRuns(request: RunSearchRequest): Promise<{ runIds: number[]; nextPageToken: string | undefined }>;
};

export function createRunSearch(deps: TrackingDeps): RunSearch {
  return {
    async searchRuns(request) {
      const filter = parseRunFilter(request.filter);
      const orderBy = parseRunOrderBy(request.orderBy);
      const numbers = request.experimentIds.map((id) => experimentNumber(id));
      const experimentIds = [...new Set(numbers.filter((id) => id !== undefined))];
      const start = request.pageToken === undefined ? undefined : readPlace(request.pageToken);
      if (experimentIds.length === 0) return { runIds: [], nextPageToken: undefined };
      const keys = [...filter, ...orderBy]
        .filter((one) => one.kind === "metric" || one.kind === "param" || one.kind === "tag")
        .map((one) => one.key);
      const keyIds = await deps.keys.find([...new Set(keys)]);
      const query: RunQuery = { experimentIds, view: request.view, filter, keyIds, orderBy };
      if (start !== undefined && (start.phase === "all") !== (firstPhase(query) === "all"))
        throw foreignToken();
      return collect(deps, query, { maxResults: request.maxResults, start });
    },
  };
}

type Start = { phase: Phase; place: Place | undefined };

/** Fills a page phase by phase; a phase that ends early is followed by the next. */
async function collect(
  deps: TrackingDeps,
  query: RunQuery,
  page: { maxResults: number; start: Start | undefined },
): Promise<{ runIds: number[]; nextPageToken: string | undefined }> {
  const runIds: number[] = [];
  let phase: Phase | undefined = page.start?.phase ?? firstPhase(query);
  let after = page.start?.place;
  while (phase !== undefined) {
    const size = page.maxResults - runIds.length;
    const found = await selectRunIds(deps.database, query, { phase, after, size });
    runIds.push(...found.runIds);
    // A full page may end where a phase does: the next one then begins at its start.
    const place = size === 0 ? undefined : found.lastPlace;
    if (found.more) return { runIds, nextPageToken: encodePlace(phase, place) };
    phase = nextPhase(phase);
    after = undefined;
  }
  return { runIds, nextPageToken: undefined };
}

const encodePlace = (phase: Phase, place: Place | undefined): string =>
  encodePageToken([phase, JSON.stringify(place ?? null)]);

function readPlace(token: string): Start {
  const [name, text] = decodePageToken(token, 2);
  const phase = phases.find((one) => one === name);
  if (phase === undefined || typeof text !== "string") throw foreignToken();
  let place: unknown;
  try {
    place = JSON.parse(text);
  } catch {
    throw foreignToken();
  }
  if (place === null) return { phase, place: undefined };
  if (!Array.isArray(place) || !place.every((part) => typeof part === "string")) throw foreignToken();
  return { phase, place };
}
