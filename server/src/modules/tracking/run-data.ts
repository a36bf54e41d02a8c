import { createBatch, type Batch } from "../../kernel/batch.ts";
import type { Queryable } from "../../kernel/database.ts";
import { invalidParameter, notFound, PlinthError } from "../../kernel/errors.ts";
import type { TrackingDeps } from "./deps.ts";
import {
  insertModelMetrics,
  insertParams,
  insertPoints,
  insertSeries,
  lockSeries,
  selectModelIds,
  selectParams,
  selectRunStates,
  updateRunNames,
  upsertTags,
  type ModelMetrics,
  type Points,
  type RunState,
  type Series,
  type Texts,
} from "./run-data.sql.ts";
import { touchRuns } from "./runs.sql.ts";
import { pythonText } from "./search-text.ts";

export type Int = number | bigint;

export type MetricPoint = {
  key: string;
  /** Infinities arrive clipped to the largest double, as MLflow stores them; NaN stays NaN. */
  value: number;
  timestamp: Int;
  step: Int;
  modelId?: string;
  datasetName?: string;
  datasetDigest?: string;
};

export type KeyValue = { key: string; value: string };

/** One request's data: all of it is stored, or none. */
export type RunData = {
  runId: string;
  metrics: readonly MetricPoint[];
  params: readonly KeyValue[];
  tags: readonly KeyValue[];
  /** How a changed parameter is reported: MLflow words it differently for one and for a batch. */
  single: boolean;
};

export const RUN_NAME_TAG = "mlflow.runName";

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
  const wantedKeys = new Set<string>();
  for (const item of items) {
    for (const metric of item.metrics) wantedKeys.add(metric.key);
    for (const param of item.params) wantedKeys.add(param.key);
    for (const tag of item.tags) wantedKeys.add(tag.key);
  }
  const [states] = await Promise.all([
    selectRunStates(database, [...new Set(items.map((item) => item.runId))]),
    keys.ensure(wantedKeys),
  ]);
  const runs = new Map(states.map((state) => [state.run_uuid, state]));
  const plan = await planBatch(deps, items, runs);
  if (plan.series.size + plan.params.runIds.length + plan.tags.runIds.length > 0) {
    await database.transaction((transaction) => write(transaction, plan));
  }
  return plan.answers;
}

type PlannedSeries = { newest: Series; points: MetricPoint[] };

type Plan = {
  runIds: Set<number>;
  answers: (PlinthError | undefined)[];
  series: Map<string, PlannedSeries>;
  params: Texts;
  tags: Texts;
  names: Map<number, string>;
  models: ModelMetrics;
};

/** Decides for every request whether it is taken, in order, and gathers the rows of those that are. */
async function planBatch(
  deps: TrackingDeps,
  items: readonly RunData[],
  runs: ReadonlyMap<string, RunState>,
): Promise<Plan> {
  const stored = await storedParams(deps, items, runs);
  const models = await knownModels(deps, items);
  const newParams = new Map<string, { run: RunState; key: number; value: string }>();
  const newTags = new Map<string, { run: RunState; key: number; value: string }>();
  const plan: Plan = {
    answers: [],
    runIds: new Set(),
    series: new Map(),
    params: emptyTexts(),
    tags: emptyTexts(),
    names: new Map(),
    models: emptyModelMetrics(),
  };
  for (const item of items) {
    const refusal = refuse(item, { runs, stored, newParams, models, keyOf: deps.keys.idOf });
    plan.answers.push(refusal);
    if (refusal !== undefined) continue;
    const run = runs.get(item.runId) as RunState;
    plan.runIds.add(run.run_id);
    for (const { key, value } of item.params) {
      const id = deps.keys.idOf(key);
      const place = `${run.run_id}:${id}`;
      if (!stored.has(place)) newParams.set(place, { run, key: id, value });
    }
    for (const { key, value } of item.tags) {
      // A run cannot be left without a name: MLflow ignores an empty one.
      if (key === RUN_NAME_TAG && value === "") continue;
      const id = deps.keys.idOf(key);
      newTags.set(`${run.run_id}:${id}`, { run, key: id, value });
      if (key === RUN_NAME_TAG) plan.names.set(run.run_id, value);
    }
    addMetrics(plan, item, { run, idOf: deps.keys.idOf });
  }
  fillTexts(plan.params, newParams);
  fillTexts(plan.tags, newTags);
  return plan;
}

function addMetrics(
  plan: Plan,
  item: RunData,
  context: { run: RunState; idOf: (key: string) => number },
): void {
  // By the key's text within a request: a look by (run, key) for each point costs three times as much.
  const known = new Map<string, PlannedSeries>();
  for (const metric of item.metrics) {
    let series = known.get(metric.key);
    if (series === undefined) {
      series = planSeries(plan, metric, context);
      known.set(metric.key, series);
    }
    if (metric.modelId !== undefined) {
      addModelMetric(plan.models, { metric, key: series.newest.key_id, runId: context.run.run_id });
    }
    if (series.points.length > 0 && isSame(metric, series.newest)) continue;
    series.points.push(metric);
    if (series.points.length === 1 || isNewer(metric, series.newest)) {
      series.newest.value = metric.value;
      series.newest.timestamp = metric.timestamp;
      series.newest.step = metric.step;
    }
  }
}

/** The series of a metric of a run, which other requests of the batch may have added to already. */
function planSeries(
  plan: Plan,
  { key, value, timestamp, step }: MetricPoint,
  { run, idOf }: { run: RunState; idOf: (key: string) => number },
): PlannedSeries {
  const id = idOf(key);
  const place = `${run.run_id}:${id}`;
  const found = plan.series.get(place);
  if (found !== undefined) return found;
  const { run_id, experiment_id } = run;
  const series: PlannedSeries = {
    newest: { run_id, key_id: id, experiment_id, value, timestamp, step },
    points: [],
  };
  plan.series.set(place, series);
  return series;
}

type Judgement = {
  runs: ReadonlyMap<string, RunState>;
  stored: ReadonlyMap<string, string>;
  newParams: ReadonlyMap<string, { value: string }>;
  models: ReadonlySet<string>;
  keyOf: (key: string) => number;
};

function refuse(item: RunData, judgement: Judgement): PlinthError | undefined {
  const run = judgement.runs.get(item.runId);
  if (run === undefined) return runNotFound(item.runId);
  if (run.deleted) return runNotActive(item.runId);
  const changed: { key: string; old_value: string; new_value: string }[] = [];
  for (const { key, value } of item.params) {
    const place = `${run.run_id}:${judgement.keyOf(key)}`;
    const old = judgement.stored.get(place) ?? judgement.newParams.get(place)?.value;
    if (old !== undefined && old !== value) changed.push({ key, old_value: old, new_value: value });
  }
  const [first] = changed;
  if (first !== undefined)
    return item.single ? paramChanged(item.runId, first) : paramsChanged(item.runId, changed);
  const unknown = item.metrics.find(
    (metric) => metric.modelId !== undefined && !judgement.models.has(metric.modelId),
  );
  if (unknown !== undefined) return notFound(`Logged model with ID '${unknown.modelId}' not found.`);
  return undefined;
}

export const runNotFound = (runId: string): PlinthError => notFound(`Run with id=${runId} not found`);

export const runNotActive = (runId: string): PlinthError =>
  invalidParameter(`The run ${runId} must be in the 'active' state. Current state is deleted.`);

type Changed = { key: string; old_value: string; new_value: string };

const paramChanged = (runId: string, { key, old_value, new_value }: Changed): PlinthError =>
  invalidParameter(
    `Changing param values is not allowed. Param with key='${key}' was already logged with value='${old_value}' ` +
      `for run ID='${runId}'. Attempted logging new value '${new_value}'.`,
  );

const paramsChanged = (runId: string, changed: readonly Changed[]): PlinthError => {
  const list = changed.map(
    ({ key, old_value, new_value }) =>
      `{'key': ${pythonText(key)}, 'old_value': ${pythonText(old_value)}, 'new_value': ${pythonText(new_value)}}`,
  );
  return invalidParameter(
    `Changing param values is not allowed. Params were already logged='[${list.join(", ")}]' for run ID='${runId}'.`,
  );
};

async function storedParams(
  deps: TrackingDeps,
  items: readonly RunData[],
  runs: ReadonlyMap<string, RunState>,
): Promise<Map<string, string>> {
  const wanted = { runIds: [] as number[], keyIds: [] as number[] };
  for (const item of items) {
    const run = runs.get(item.runId);
    if (run === undefined) continue;
    for (const { key } of item.params) {
      wanted.runIds.push(run.run_id);
      wanted.keyIds.push(deps.keys.idOf(key));
    }
  }
  if (wanted.runIds.length === 0) return new Map();
  const rows = await selectParams(deps.database, wanted);
  return new Map(rows.map((row) => [`${row.run_id}:${row.key_id}`, row.value]));
}

async function knownModels(deps: TrackingDeps, items: readonly RunData[]): Promise<Set<string>> {
  const wanted = new Set<string>();
  for (const item of items) {
    for (const metric of item.metrics) if (metric.modelId !== undefined) wanted.add(metric.modelId);
  }
  return wanted.size === 0 ? wanted : selectModelIds(deps.database, [...wanted]);
}

/** (step, timestamp, value) decide which of two points is the newer. */
function isNewer(a: Point, b: Point): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  // NaN counts as zero here, as it does in MLflow's tables.
  return (a.value || 0) > (b.value || 0);
}

type Point = { step: Int; timestamp: Int; value: number };

const isSame = (a: Point, b: Point): boolean =>
  a.step === b.step && a.timestamp === b.timestamp && (a.value === b.value || Object.is(a.value, b.value));

async function write(transaction: Queryable, plan: Plan): Promise<void> {
  await writeTexts(transaction, plan);
  if (plan.series.size > 0) await writeMetrics(transaction, plan);
  // Runs last, so that batches hold each other up only while they commit.
  if (plan.names.size > 0) {
    const names = [...plan.names].toSorted(([a], [b]) => a - b);
    await updateRunNames(transaction, {
      runIds: names.map(([id]) => id),
      names: names.map(([, name]) => name),
    });
  }
  if ((await touchRuns(transaction, [...plan.runIds])) < plan.runIds.size) throw new LostRace();
}

async function writeMetrics(transaction: Queryable, plan: Plan): Promise<void> {
  if (plan.models.modelIds.length > 0) await insertModelMetrics(transaction, plan.models);
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
  if (rows.values.length > 0) await insertPoints(transaction, rows, changed);
}

async function writeTexts(transaction: Queryable, { params, tags }: Plan): Promise<void> {
  if (params.runIds.length > 0 && (await insertParams(transaction, params)) < params.runIds.length)
    throw new LostRace();
  if (tags.runIds.length > 0) await upsertTags(transaction, tags);
}

function pushPoint(points: Points, seriesId: number, point: MetricPoint): void {
  points.values.push(point.value);
  points.timestamps.push(point.timestamp);
  points.seriesIds.push(seriesId);
  points.steps.push(point.step);
}

function addModelMetric(
  models: ModelMetrics,
  one: { metric: MetricPoint; key: number; runId: number },
): void {
  models.modelIds.push(one.metric.modelId as string);
  models.keyIds.push(one.key);
  models.runIds.push(one.runId);
  models.steps.push(one.metric.step);
  models.timestamps.push(one.metric.timestamp);
  models.values.push(Number.isNaN(one.metric.value) ? 0 : one.metric.value);
  models.datasetNames.push(one.metric.datasetName ?? null);
  models.datasetDigests.push(one.metric.datasetDigest ?? null);
}

const emptyPoints = (): Points => ({ values: [], timestamps: [], seriesIds: [], steps: [] });

const emptyTexts = (): Texts => ({ runIds: [], keyIds: [], experimentIds: [], values: [] });

const emptyModelMetrics = (): ModelMetrics => ({
  modelIds: [],
  keyIds: [],
  runIds: [],
  steps: [],
  timestamps: [],
  values: [],
  datasetNames: [],
  datasetDigests: [],
});

/** Sorted by (run, key): rows are locked in one order by all writers. */
function fillTexts(
  texts: Texts,
  rows: ReadonlyMap<string, { run: RunState; key: number; value: string }>,
): void {
  const sorted = [...rows.values()].toSorted((a, b) => a.run.run_id - b.run.run_id || a.key - b.key);
  for (const { run, key, value } of sorted) {
    texts.runIds.push(run.run_id);
    texts.keyIds.push(key);
    texts.experimentIds.push(run.experiment_id);
    texts.values.push(value);
  }
}
