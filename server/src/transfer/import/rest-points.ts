import { CONNECTIONS, RestError, type RestClient } from "./rest-client.ts";
import { inOrder, notMlflow, type RestWorkspace } from "./rest-pages.ts";
import { readPoints, type PointAnswer, type RunAnswer } from "./rest-shapes.ts";
import type { SourcePoints } from "./source.ts";

/** What MLflow answers at most for several runs together (`get_metric_history_bulk_handler`), and its page otherwise. */
const MAX_POINTS = 25_000;

export type PointReader = (
  runs: readonly { id: string; run: RunAnswer }[],
  workspace: RestWorkspace,
) => AsyncGenerator<SourcePoints>;

/**
 * Reads the histories of many runs. Asked for one after the other, 100,000 runs of ten metrics are a million
 * requests; MLflow's web UI has one for a metric of several runs, 20 in 2.9 and 100 in 3.x, which answers
 * up to 25,000 points. Where there may be more, runs are asked for in smaller groups, in the end alone.
 */
export function createPointReader(client: RestClient, runsAtOnce: number): PointReader {
  /** Runs in one request, by metric: what fitted last time. */
  const fitting = new Map<string, number>();
  let hasBulk = true;

  const bulk = async (
    key: string,
    ids: string[],
    workspace: RestWorkspace,
  ): Promise<SourcePoints | undefined> => {
    const path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk";
    const query = [
      ...ids.map((id) => ["run_id", id] as const),
      ["metric_key", key] as const,
      ["max_results", String(MAX_POINTS)] as const,
    ];
    try {
      const read = readPoints(await client.json({ method: "GET", path, query, workspace }));
      // Others than MLflow do not have it, or say something of their own.
      if (
        read === undefined ||
        read.points.some(({ run_id }) => run_id === undefined || !ids.includes(run_id))
      ) {
        hasBulk = false;
        return undefined;
      }
      if (read.points.length >= MAX_POINTS) return undefined;
      return asColumns(key, read.points, "");
    } catch (error) {
      if (!(error instanceof RestError) || error.transient || error.status === 401 || error.status === 403)
        throw error;
      hasBulk = false;
      return undefined;
    }
  };

  async function* history(key: string, id: string, workspace: RestWorkspace): AsyncGenerator<SourcePoints> {
    const path = "/api/2.0/mlflow/metrics/get-history";
    let token: string | undefined;
    for (;;) {
      const query = [
        ["run_id", id],
        ["metric_key", key],
        ["max_results", String(MAX_POINTS)],
        ...(token === undefined ? [] : [["page_token", token]]),
      ] as [string, string][];
      const read = readPoints(await client.json({ method: "GET", path, query, workspace }));
      if (read === undefined) throw notMlflow(client.address + path, "no list of points");
      yield asColumns(key, read.points, id);
      if (read.next === undefined) return;
      if (read.next === token) throw notMlflow(client.address + path, "the page after this one is this one");
      token = read.next;
    }
  }

  /** The points of some runs, in as few requests as they fit in; the long ones of a single run are left to stream. */
  async function fetchGroup(
    key: string,
    ids: string[],
    workspace: RestWorkspace,
  ): Promise<{ columns: SourcePoints[]; single: string[] }> {
    if (ids.length === 1 || !hasBulk) return { columns: [], single: ids };
    const columns = await bulk(key, ids, workspace);
    if (columns !== undefined) return { columns: [columns], single: [] };
    const half = Math.ceil(ids.length / 2);
    fitting.set(key, Math.max(1, Math.min(half, fitting.get(key) ?? half)));
    const halves = [ids.slice(0, half), ids.slice(half)];
    const parts: Awaited<ReturnType<typeof fetchGroup>>[] = [];
    for (const part of halves) parts.push(await fetchGroup(key, part, workspace));
    return { columns: parts.flatMap((part) => part.columns), single: parts.flatMap((part) => part.single) };
  }

  return async function* read(runs, workspace) {
    const byKey = new Map<string, string[]>();
    for (const { id, run } of runs) {
      for (const { key } of run.data.metrics) {
        const ids = byKey.get(key);
        if (ids === undefined) byKey.set(key, [id]);
        else ids.push(id);
      }
    }
    function* groups(): Generator<() => Promise<{ key: string; columns: SourcePoints[]; single: string[] }>> {
      for (const [key, ids] of byKey) {
        for (let from = 0; from < ids.length;) {
          const some = ids.slice(from, from + Math.min(runsAtOnce, fitting.get(key) ?? runsAtOnce));
          from += some.length;
          yield async () => ({ key, ...(await fetchGroup(key, some, workspace)) });
        }
      }
    }
    for await (const { key, columns, single } of inOrder(groups(), CONNECTIONS)) {
      yield* columns;
      const firsts = single.map((id) => async () => firstPage(history(key, id, workspace)));
      for await (const { first, rest } of inOrder(firsts, CONNECTIONS)) {
        if (first !== undefined) yield first;
        yield* rest;
      }
    }
  };
}

/** Begins a history: its first page is asked for now, the others when they are wanted. */
async function firstPage(
  pages: AsyncGenerator<SourcePoints>,
): Promise<{ first: SourcePoints | undefined; rest: AsyncGenerator<SourcePoints> }> {
  const { value, done } = await pages.next();
  return { first: done === true ? undefined : value, rest: pages };
}

function asColumns(key: string, points: readonly PointAnswer[], run: string): SourcePoints {
  return {
    run_uuids: points.map(({ run_id }) => (run === "" ? (run_id ?? "") : run)),
    keys: points.map(() => key),
    values: points.map(({ value }) => value),
    timestamps: points.map(({ timestamp }) => timestamp),
    steps: points.map(({ step }) => step),
  };
}
