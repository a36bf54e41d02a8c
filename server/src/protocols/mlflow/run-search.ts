import { Readable } from "node:stream";
import { reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Scope } from "../../modules/identity/index.ts";
import type { Tracking } from "../../modules/tracking/index.ts";
import type { FoundRun, View } from "../../modules/tracking/run-search.sql.ts";
import type { Endpoint } from "./endpoint.ts";
import { viewType } from "./fields.ts";
import { filtered } from "./guard.ts";
import { createRunCache, type RunCache } from "./run-cache.ts";
import { runJson, runParts } from "./run-json.ts";
import { linksJson } from "./runs.ts";
import { int64, message, pythonJson, repeated, string } from "./wire.ts";

const DEFAULT_RESULTS = 1000;
export const MAX_RESULTS = 50_000;
/** Runs read and written at a time, so that memory does not grow with the page. */
const CHUNK = 500;

const views: Record<number, View> = { 1: "active", 2: "deleted", 3: "all" };

export const viewOf = (value: unknown): View => views[(value ?? 1) as number] ?? "active";

export function runSearchEndpoints(tracking: Tracking): Endpoint[] {
  const cache = createRunCache();
  return [
    {
      method: "POST",
      path: "/2.0/mlflow/runs/search",
      access: reads("run"),
      needs: () => filtered,
      request: message({
        experiment_ids: repeated(string),
        filter: string,
        run_view_type: viewType,
        max_results: int64,
        order_by: repeated(string),
        page_token: string,
      }),
      checks: {
        experiment_ids: ["array"],
        filter: ["string"],
        max_results: ["int", atMostResults],
        order_by: ["array", onlyStrings],
      },
      async handle(values, { scope }) {
        const maxResults = Number(values["max_results"] ?? DEFAULT_RESULTS);
        if (maxResults < 1) {
          throw invalidParameter(
            `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be a positive integer`,
          );
        }
        const pageToken = values["page_token"] as string | undefined;
        const { runs, nextPageToken } = await tracking.searchRuns(scope, {
          experimentIds: (values["experiment_ids"] ?? []) as string[],
          filter: (values["filter"] ?? "") as string,
          orderBy: (values["order_by"] ?? []) as string[],
          view: viewOf(values["run_view_type"]),
          maxResults,
          ...(pageToken ? { pageToken } : {}),
        });
        const end = nextPageToken === undefined ? "}" : `"next_page_token":"${nextPageToken}"}`;
        if (runs.length === 0) return `{${end}`;
        const closing = nextPageToken === undefined ? "]}" : `],${end}`;
        const chunks = runChunks(
          { tracking, scope, cache: scope.policy.withholds("logged_model") ? noCache : cache },
          runs,
        );
        if (runs.length > 2 * CHUNK) return Readable.from(joined(chunks, closing));
        let body = "";
        for await (const text of joined(chunks, closing)) body += text;
        return body;
      },
    },
  ];
}

/** The cache holds runs as nearly everybody sees them: with the models that they name. */
const noCache: RunCache = { get: () => undefined, set: () => undefined };

async function* joined(chunks: AsyncIterable<string>, closing: string): AsyncIterable<string> {
  let lead = '{"runs":[';
  for await (const chunk of chunks) {
    if (chunk === "") continue;
    yield lead + chunk;
    lead = ",";
  }
  yield (lead === "," ? "" : lead) + closing;
}

type Source = { tracking: Tracking; scope: Scope; cache: RunCache };

/** The runs as JSON, a chunk at a time and the next one already under way: two connections work at once. */
async function* runChunks(source: Source, runs: readonly FoundRun[]): AsyncIterable<string> {
  // Small pages are halved, so that they too are read by two connections.
  const size = Math.min(CHUNK, Math.max(50, Math.ceil(runs.length / 2)));
  const ahead: Promise<string>[] = [];
  for (let at = 0; at < runs.length; at += size) {
    const chunk = chunkJson(source, runs.slice(at, at + size));
    // A failure is reported when its turn comes, not as an unhandled rejection before.
    chunk.catch(() => undefined);
    ahead.push(chunk);
    if (ahead.length === 2) yield (await ahead.shift()) as string;
  }
  for (const chunk of ahead) yield await chunk;
}

async function chunkJson(source: Source, runs: readonly FoundRun[]): Promise<string> {
  const { cache } = source;
  const found = runs.map(({ runId, version }) => cache.get(runId, version));
  const missing = runs.filter((_run, index) => found[index] === undefined).map((run) => run.runId);
  const read = missing.length === 0 ? undefined : await readRuns(source, missing);
  const list: string[] = [];
  runs.forEach(({ runId }, index) => {
    // One that was purged since it was found is in neither.
    const json = found[index] ?? read?.get(runId);
    if (json !== undefined) list.push(json);
  });
  return list.join(",");
}

async function readRuns(
  { tracking, scope, cache }: Source,
  runIds: readonly number[],
): Promise<Map<number, string>> {
  const set = await tracking.getRunSet(runIds);
  const [parts, links] = await Promise.all([runParts(set, tracking.keys), linksJson(tracking, set, scope)]);
  const read = new Map<number, string>();
  for (const row of set.runs) {
    const part = parts.get(row.run_id);
    if (part === undefined) continue;
    const experimentId = tracking.experimentIdOf(row.experiment_id);
    const json = runJson({ row, experimentId }, part, links(row.run_id));
    cache.set(row.run_id, row.version, json);
    read.set(row.run_id, json);
  }
  return read;
}

function atMostResults(value: unknown): void {
  const number = Number(value ?? 0);
  if (Number.isFinite(number) && number > MAX_RESULTS) {
    throw invalidParameter(
      `Invalid value ${number} for parameter 'max_results' supplied:  Hint: Value was of type 'int'. ` +
        "See the API docs for more information about request parameters.",
    );
  }
}

function onlyStrings(value: unknown): void {
  if (!Array.isArray(value) || value.every((item) => typeof item === "string")) return;
  throw invalidParameter(
    `Invalid value ${pythonJson(value)} for parameter 'order_by' supplied:  Hint: Value was of type 'list'. ` +
      "See the API docs for more information about request parameters.",
  );
}
