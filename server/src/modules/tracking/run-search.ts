import type { Scope } from "../identity/index.ts";
import type { TrackingDeps } from "./deps.ts";
import { decodePlace, encodePlace, type Place } from "./keyset.ts";
import {
  firstPhase,
  nextPhase,
  phases,
  phaseTerms,
  selectRunIds,
  type FoundRun,
  type Phase,
  type RunQuery,
  type View,
} from "./run-search.sql.ts";
import { parseRunFilter, parseRunOrderBy } from "./search-run.ts";
import { readableIn } from "./visible-experiments.ts";

export type RunSearchRequest = {
  experimentIds: readonly string[];
  filter: string;
  orderBy: readonly string[];
  view: View;
  maxResults: number;
  pageToken?: string;
};

export type RunPage = { runs: FoundRun[]; nextPageToken: string | undefined };

export type RunSearch = {
  /** The runs of a page by their internal ids, in order, with their versions; `getRunSet` reads their data. */
  searchRuns(scope: Scope, request: RunSearchRequest): Promise<RunPage>;
};

export function createRunSearch(deps: TrackingDeps): RunSearch {
  return {
    async searchRuns(scope, request) {
      const { workspaceId } = scope;
      const filter = parseRunFilter(request.filter);
      const orderBy = parseRunOrderBy(request.orderBy);
      const numbers = await deps.ids.numbersOf(readableIn(scope, "run", request.experimentIds));
      const experimentIds = [...new Set(numbers.filter((id) => id !== undefined))];
      const keys = [...filter, ...orderBy]
        .filter((one) => one.kind === "metric" || one.kind === "param" || one.kind === "tag")
        .map((one) => one.key);
      const keyIds = await deps.keys.find([...new Set(keys)]);
      const query: RunQuery = { workspaceId, experimentIds, view: request.view, filter, keyIds, orderBy };
      const search = [request.experimentIds, request.filter, request.orderBy, request.view];
      const start = request.pageToken === undefined ? undefined : readStart(query, search, request.pageToken);
      if (experimentIds.length === 0) return { runs: [], nextPageToken: undefined };
      return collect(deps, query, { search, maxResults: request.maxResults, start });
    },
  };
}

type Start = { phase: Phase; place: Place | undefined };

/** Fills a page phase by phase; a phase that ends early is followed by the next. */
async function collect(
  deps: TrackingDeps,
  query: RunQuery,
  page: { search: readonly unknown[]; maxResults: number; start: Start | undefined },
): Promise<RunPage> {
  const runs: FoundRun[] = [];
  let phase: Phase | undefined = page.start?.phase ?? firstPhase(query);
  let after = page.start?.place;
  // Where the page ends: in the phase of its last run, also when that phase has no more.
  let end: { phase: Phase; place: Place } | undefined;
  while (phase !== undefined) {
    const size = page.maxResults - runs.length;
    const found = await selectRunIds(deps.database, query, { phase, after, size });
    for (const run of found.runs) runs.push(run);
    if (found.runs.length > 0 && found.lastPlace !== undefined) end = { phase, place: found.lastPlace };
    if (found.more && end !== undefined) return { runs, nextPageToken: writeStart(page.search, end) };
    phase = nextPhase(phase);
    after = undefined;
  }
  return { runs, nextPageToken: undefined };
}

const writeStart = (search: readonly unknown[], end: { phase: Phase; place: Place }): string =>
  `${phases.indexOf(end.phase)}.${encodePlace(search, end.place)}`;

function readStart(query: RunQuery, search: readonly unknown[], token: string): Start {
  const phase = phases[Number(/^\d(?=\.)/.exec(token)?.[0] ?? phases.length)] ?? firstPhase(query);
  return { phase, place: decodePlace(search, phaseTerms(query, phase), token.slice(2)) };
}
