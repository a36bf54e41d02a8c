import { createBatch, type Batch } from "../../kernel/batch.ts";
import type { Queryable } from "../../kernel/database.ts";
import { PlinthError } from "../../kernel/errors.ts";
import type { TrackingDeps } from "./deps.ts";
import { isNewer, isSame, planBatch, type MetricPoint, type Plan, type RunData } from "./run-data-plan.ts";
import {
  insertModelMetrics,
  insertParams,
  insertPoints,
  insertSeries,
  lockSeries,
  selectRunStates,
  updateRunNames,
  upsertTags,
  type Points,
  type Series,
} from "./run-data.sql.ts";
import { touchRuns } from "./runs.sql.ts";

/** Thrown inside a batch when another stored a parameter or deleted a run first: the batch starts anew. */
class LostRace extends PlinthError {
  constructor() {
    super("unavailable", "Concurrent writers kept colliding. Try again.", { retryAfterSeconds: 1 });
  }
}

/**
 * The write path of metrics, parameters and tags. Whatever arrives while a batch is being committed
 * makes the next one: one look at the runs, one statement for each table, one commit for all.
 */
export function createRunData(deps: TrackingDeps): Batch<RunData, void> {
  return createBatch<RunData, void>({
    name: "run_data",
    // While PostgreSQL flushes one to disk, others are prepared, and it flushes them together.
    concurrency: 4,
    lane: (item) => item.runId,
    maxWeight: 8000,
    weight: (item) => 1 + item.metrics.length + item.params.length + item.tags.length,
    onBatch: deps.onBatch,
    async run(items) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await writeBatch(deps, items);
        } catch (error) {
          if (!(error instanceof LostRace) || attempt === 10) throw error;
        }
      }
    },
  });
}

async function writeBatch(
  deps: TrackingDeps,
  items: readonly RunData[],
): Promise<(PlinthError | undefined)[]> {
  const { database, keys } = deps;
  const wanted = new Set<string>();
  for (const item of items) {
    for (const metric of item.metrics) wanted.add(metric.key);
    for (const param of item.params) wanted.add(param.key);
    for (const tag of item.tags) wanted.add(tag.key);
  }
  const states = await selectRunStates(database, [...new Set(items.map((item) => item.runId))]);
  const ground = { items, runs: new Map(states.map((state) => [state.run_uuid, state])) };
  const missing = keys.missing(wanted);
  if (missing.length === 0) {
    const plan = await planBatch(database, { ...ground, idOf: keys.idOf });
    if (plan.runIds.size > 0) await database.transaction((transaction) => write(transaction, plan));
    return plan.answers;
  }
  // New keys are added by the same commit.
  const { added, answers } = await database.transaction(async (transaction) => {
    const rows = await keys.add(transaction, missing);
    const ids = new Map(rows.map((row) => [row.key, row.key_id]));
    const plan = await planBatch(transaction, { ...ground, idOf: (key) => ids.get(key) ?? keys.idOf(key) });
    if (plan.runIds.size > 0) await write(transaction, plan);
    return { added: rows, answers: plan.answers };
  });
  keys.remember(added);
  return answers;
}

/**
 * All statements of a batch. Those that do not need one another's results are sent without waiting: the
 * connection is pipelined, so they share a round trip.
 */
async function write(transaction: Queryable, plan: Plan): Promise<void> {
  const { params, tags, models } = plan;
  const sent: Promise<unknown>[] = [];
  const send = <T>(statement: Promise<T>): Promise<T> => {
    // A failure is reported where all are awaited, also when another one was reported before.
    statement.catch(() => undefined);
    sent.push(statement);
    return statement;
  };
  const inserted = params.runIds.length > 0 ? send(insertParams(transaction, params)) : 0;
  if (tags.runIds.length > 0) void send(upsertTags(transaction, tags));
  if (models.modelIds.length > 0) void send(insertModelMetrics(transaction, models));
  if (plan.series.size > 0) {
    const { rows, changed } = await numberSeries(transaction, plan);
    if (rows.values.length > 0) void send(insertPoints(transaction, rows, changed));
  }
  // Runs last, so that batches hold each other up only while they commit.
  if (plan.names.size > 0) {
    const names = [...plan.names].toSorted(([a], [b]) => a - b);
    const columns = { runIds: names.map(([id]) => id), names: names.map(([, name]) => name) };
    void send(updateRunNames(transaction, columns));
  }
  const active = send(touchRuns(transaction, [...plan.runIds]));
  await Promise.all(sent);
  if ((await inserted) < params.runIds.length || (await active) < plan.runIds.size) throw new LostRace();
}

/** Locks the series of a batch and adds new ones; returns the points by series, and what is now the newest. */
async function numberSeries(
  transaction: Queryable,
  plan: Plan,
): Promise<{ rows: Points; changed: Series[] }> {
  const all = [...plan.series.values()].toSorted(
    (a, b) => a.newest.run_id - b.newest.run_id || a.newest.key_id - b.newest.key_id,
  );
  const newest = all.map((one) => one.newest);
  const stored = new Map((await lockSeries(transaction, newest)).map((one) => [one.ordinal, one]));
  const added = newest.filter((_one, ordinal) => !stored.has(ordinal));
  const addedIds = added.length === 0 ? [] : await insertSeries(transaction, added);
  const rows = emptyPoints();
  const changed: Series[] = [];
  let nextAdded = 0;
  all.forEach(({ points, newest: one }, ordinal) => {
    const old = stored.get(ordinal);
    if (old === undefined) {
      const id = addedIds[nextAdded] as number;
      nextAdded += 1;
      for (const point of points) pushPoint(rows, id, point);
      return;
    }
    if (isNewer(one, old)) changed.push(one);
    // The commonest repeat, a client's second try of its last point, is known without a look.
    for (const point of points) if (!isSame(point, old)) pushPoint(rows, old.series_id, point);
  });
  return { rows, changed };
}

function pushPoint(points: Points, seriesId: number, point: MetricPoint): void {
  points.values.push(point.value);
  points.timestamps.push(point.timestamp);
  points.seriesIds.push(seriesId);
  points.steps.push(point.step);
}

const emptyPoints = (): Points => ({ values: [], timestamps: [], seriesIds: [], steps: [] });
