import { keysetPages, pairsOf, type MlflowDatabase } from "./database-pages.ts";
import type { RunPage, SourceMetric, SourcePoints, SourceRun, SourceRunDataset } from "./source.ts";
import {
  readInt,
  readNumberOrNull,
  readText,
  readTextOrNull,
  type SqlRow,
  type SqlValue,
} from "./sql-reader.ts";

/** Points that a page of runs should have: what a kill can cost, and enough for a transaction. */
const POINTS = 100_000;
const MOST_RUNS = 500;
/** Points read at once. */
const CHUNK = 10_000;

export async function* readRuns(
  database: MlflowDatabase,
  after: string | undefined,
): AsyncGenerator<RunPage> {
  const select = `select run_uuid, ${database.reader.integer("experiment_id")}, name, user_id, status, start_time, end_time, lifecycle_stage,
    deleted_time, artifact_uri from runs`;
  let size = 50;
  let cursor = after;
  for (;;) {
    const { value: page } = await keysetPages(database, {
      select,
      key: ["run_uuid"],
      after: cursor,
      size,
    }).next();
    if (page === undefined) return;
    const ids = page.rows.map(([uuid]) => readText(uuid));
    const rows = await completeRuns(database, page.rows, ids);
    let points = 0;
    yield {
      rows,
      cursor: page.cursor,
      async *points() {
        for await (const columns of readPoints(database, ids)) {
          points += columns.values.length;
          yield columns;
        }
      },
    };
    if (page.rows.length < size) return;
    cursor = page.cursor;
    // Runs are alike: the next page takes as many as had room in this one.
    size = Math.max(
      1,
      Math.min(MOST_RUNS, size * 4, Math.floor((POINTS / Math.max(1, points)) * ids.length)),
    );
  }
}

async function* readPoints({ reader }: MlflowDatabase, ids: readonly string[]): AsyncGenerator<SourcePoints> {
  const among = reader.among("run_uuid", ids, 1);
  const sql = `select run_uuid, ${reader.quote("key")}, value, ${reader.integer("timestamp")},
    ${reader.integer("step")}, is_nan from metrics where ${among.sql}`;
  for await (const rows of reader.stream(sql, among.parameters, CHUNK)) {
    const columns: SourcePoints = { run_uuids: [], keys: [], values: [], timestamps: [], steps: [] };
    for (const [uuid, key, value, timestamp, step, nan] of rows) {
      columns.run_uuids.push(uuid as string);
      columns.keys.push(key as string);
      columns.values.push(readValue(value, nan));
      columns.timestamps.push(readInt(timestamp));
      columns.steps.push(readInt(step));
    }
    yield columns;
  }
}

/** NaN is stored as zero, with a mark. */
export const readValue = (value: SqlValue | undefined, nan: SqlValue | undefined): number =>
  nan === 1 || nan === true ? Number.NaN : Number(value);

async function completeRuns(
  database: MlflowDatabase,
  rows: readonly SqlRow[],
  ids: readonly string[],
): Promise<SourceRun[]> {
  const { reader } = database;
  const key = reader.quote("key");
  const among = reader.among("run_uuid", ids, 1);
  const texts = async (table: string): Promise<Map<string, SqlRow[]>> =>
    byRun(
      await reader.rows(`select run_uuid, ${key}, value from ${table} where ${among.sql}`, among.parameters),
    );
  const params = await texts("params");
  const tags = await texts("tags");
  const latest = byRun(
    await reader.rows(
      `select run_uuid, ${key}, value, ${reader.integer("timestamp")}, ${reader.integer("step")}, is_nan
        from latest_metrics where ${among.sql}`,
      among.parameters,
    ),
  );
  const datasets = await readRunDatasets(database, ids);
  const models = await readRunModels(database, ids);
  return rows.map(([uuid, experiment, name, user, status, start, end, stage, deleted, uri]) => {
    const id = readText(uuid);
    return {
      run_uuid: id,
      experiment_id: readText(experiment),
      name: readTextOrNull(name),
      user_id: readTextOrNull(user),
      status: readText(status),
      start_time: readNumberOrNull(start),
      end_time: readNumberOrNull(end),
      lifecycle_stage: stage === "deleted" ? "deleted" : "active",
      deleted_time: readNumberOrNull(deleted),
      artifact_uri: readText(uri),
      params: pairsOf(params.get(id)),
      tags: pairsOf(tags.get(id)),
      datasets: datasets.get(id) ?? [],
      model_inputs: models.inputs.get(id) ?? [],
      model_outputs: models.outputs.get(id) ?? [],
      latest_metrics: (latest.get(id) ?? []).map(readMetric),
    };
  });
}

const readMetric = ([, key, value, timestamp, step, nan]: SqlRow): SourceMetric => ({
  key: readText(key),
  value: readValue(value, nan),
  timestamp: readInt(timestamp),
  step: readInt(step),
});

const byRun = (rows: readonly SqlRow[]): Map<string, SqlRow[]> =>
  Map.groupBy(rows, ([uuid]) => readText(uuid));

async function readRunDatasets(
  { reader }: MlflowDatabase,
  ids: readonly string[],
): Promise<Map<string, SourceRunDataset[]>> {
  const among = reader.among("i.destination_id", ids, 1);
  const inputs = await reader.rows(
    `select i.destination_id, i.input_uuid, d.name, d.digest
      from inputs i join datasets d on d.dataset_uuid = i.source_id
      where i.source_type = 'DATASET' and i.destination_type = 'RUN' and ${among.sql}
      order by i.destination_id, d.name, d.digest`,
    among.parameters,
  );
  if (inputs.length === 0) return new Map();
  const uuids = reader.among(
    "input_uuid",
    inputs.map(([, uuid]) => readText(uuid)),
    1,
  );
  const tags = Map.groupBy(
    await reader.rows(`select input_uuid, name, value from input_tags where ${uuids.sql}`, uuids.parameters),
    ([uuid]) => readText(uuid),
  );
  const found = new Map<string, SourceRunDataset[]>();
  for (const [run, uuid, name, digest] of inputs) {
    const list = found.get(readText(run)) ?? [];
    list.push({ name: readText(name), digest: readText(digest), tags: pairsOf(tags.get(readText(uuid))) });
    found.set(readText(run), list);
  }
  return found;
}

type RunModels = {
  inputs: Map<string, { model_id: string }[]>;
  outputs: Map<string, { model_id: string; step: number | bigint }[]>;
};

async function readRunModels({ reader, has }: MlflowDatabase, ids: readonly string[]): Promise<RunModels> {
  const models: RunModels = { inputs: new Map(), outputs: new Map() };
  if (!has("logged_models")) return models;
  const among = reader.among("source_id", ids, 1);
  const rows = await reader.rows(
    `select source_id, destination_id, source_type, ${has("inputs", "step") ? reader.integer("step") : "0"}
      from inputs where source_type in ('RUN_INPUT', 'RUN_OUTPUT') and ${among.sql} order by source_id, destination_id`,
    among.parameters,
  );
  for (const [run, model, type, step] of rows) {
    const id = readText(run);
    const model_id = readText(model);
    if (type === "RUN_INPUT") models.inputs.set(id, [...(models.inputs.get(id) ?? []), { model_id }]);
    else models.outputs.set(id, [...(models.outputs.get(id) ?? []), { model_id, step: readInt(step) }]);
  }
  return models;
}
