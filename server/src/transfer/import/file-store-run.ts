import {
  META,
  filesBelow,
  foldersIn,
  orProblem,
  readStage,
  readTexts,
  type StoreContext,
} from "./file-store-layout.ts";
import { readMetricLines, type BrokenLines } from "./file-store-metric.ts";
import { readMeta, type Meta } from "./file-store-yaml.ts";
import { Unreadable } from "./local-folder.ts";
import type { SourcePoints, SourceRun, SourceRunDataset } from "./source.ts";

/** Names of the datasets of one experiment by the folder that holds them. */
export type DatasetNames = (id: string) => { name: string; digest: string } | undefined;

export type ReadRun = {
  row: SourceRun;
  /** The metric files, and what they hold together. */
  metrics: { key: string; path: string }[];
  metricBytes: number;
};

const STATUS = new Map([
  ["1", "RUNNING"],
  ["2", "SCHEDULED"],
  ["3", "FINISHED"],
  ["4", "FAILED"],
  ["5", "KILLED"],
]);

const RUN_ID = /^[a-zA-Z0-9][\w-]{0,255}$/;

/** Undefined for a folder that is no run, and for one that cannot be read, which is then a problem. */
export function readRun(
  context: StoreContext,
  { path, experimentId, datasets }: { path: string; experimentId: string; datasets: DatasetNames },
): ReadRun | undefined {
  return orProblem(context, "the run is left out", () => {
    const { folder } = context;
    const where = folder.pathOf(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    const meta = readMeta(folder, `${path}/${META}`);
    if (meta === undefined) {
      // Artifacts of other experiments may be here too, when their location says so.
      const looksLikeRun = /^[0-9a-f]{32}$/.test(name) && folder.list(`${path}/metrics`) !== undefined;
      if (looksLikeRun) throw new Unreadable(where, `has no ${META}`);
      return undefined;
    }
    checkIdentity(meta, { where, name, experimentId });
    const tags = readTexts(context, `${path}/tags`, "tag");
    const metrics = [...filesBelow(context, `${path}/metrics`)];
    let metricBytes = 0;
    for (const { path: place } of metrics) {
      using file = folder.open(place);
      metricBytes += file?.stats.size ?? 0;
    }
    const row: SourceRun = {
      run_uuid: name,
      experiment_id: experimentId,
      name: meta.textOrNull("run_name") || (tags.find(({ key }) => key === "mlflow.runName")?.value ?? null),
      user_id: meta.textOrNull("user_id"),
      status: readStatus(meta, where),
      start_time: meta.numberOrNull("start_time"),
      end_time: meta.numberOrNull("end_time"),
      lifecycle_stage: readStage(meta.textOrNull("lifecycle_stage"), where),
      deleted_time: meta.numberOrNull("deleted_time"),
      artifact_uri: meta.textOrNull("artifact_uri") ?? "",
      params: readTexts(context, `${path}/params`, "parameter"),
      tags,
      ...readInputs(context, path, datasets),
      model_outputs: readOutputs(context, path),
    };
    return { row, metrics, metricBytes };
  });
}

function checkIdentity(
  meta: Meta,
  { where, name, experimentId }: { where: string; name: string; experimentId: string },
): void {
  // 2.x wrote `run_uuid`, and `run_id` beside it.
  const id = meta.textOrNull("run_id") ?? meta.textOrNull("run_uuid");
  if (id !== name) throw new Unreadable(where, `its ${META} is that of the run '${id ?? ""}'`);
  if (!RUN_ID.test(id)) throw new Unreadable(where, "its id is not one that MLflow gives");
  const experiment = meta.text("experiment_id");
  if (experiment !== experimentId) {
    throw new Unreadable(where, `its ${META} is that of a run of the experiment '${experiment}'`);
  }
}

function readStatus(meta: Meta, where: string): string {
  const status = meta.textOrNull("status") ?? "1";
  const known = STATUS.get(status) ?? [...STATUS.values()].find((word) => word === status);
  if (known === undefined) throw new Unreadable(where, `its status '${status.slice(0, 40)}' is not known`);
  return known;
}

function readInputs(
  context: StoreContext,
  path: string,
  datasetNames: DatasetNames,
): Pick<SourceRun, "datasets" | "model_inputs"> {
  const datasets: SourceRunDataset[] = [];
  const models: { model_id: string }[] = [];
  for (const name of foldersIn(context, `${path}/inputs`)) {
    const place = `${path}/inputs/${name}`;
    orProblem(context, "the input is left out", () => {
      const meta = readMeta(context.folder, `${place}/${META}`);
      if (meta === undefined) throw new Unreadable(context.folder.pathOf(place), `has no ${META}`);
      const id = meta.text("source_id");
      const type = meta.text("source_type");
      if (type === "MODEL") models.push({ model_id: id });
      else if (type === "DATASET") {
        const dataset = datasetNames(id);
        if (dataset === undefined) {
          throw new Unreadable(context.folder.pathOf(place), `the dataset '${id}' it names is not there`);
        }
        datasets.push({ ...dataset, tags: meta.texts("tags") });
      } else throw new Unreadable(context.folder.pathOf(place), `inputs of type '${type}' are not known`);
    });
  }
  return { datasets, model_inputs: models };
}

function readOutputs(context: StoreContext, path: string): SourceRun["model_outputs"] {
  return foldersIn(context, `${path}/outputs`).flatMap((name) => {
    const place = `${path}/outputs/${name}`;
    const read = orProblem(context, "the output is left out", () => {
      const meta = readMeta(context.folder, `${place}/${META}`);
      if (meta === undefined) throw new Unreadable(context.folder.pathOf(place), `has no ${META}`);
      return { model_id: meta.text("destination_id"), step: meta.numberOrNull("step") ?? 0 };
    });
    return read === undefined ? [] : [read];
  });
}

/** All points of a run as columns; broken lines are told, one problem a file. */
export async function* readPoints(context: StoreContext, run: ReadRun): AsyncGenerator<SourcePoints> {
  for (const { key, path } of run.metrics) {
    const broken: { lines: BrokenLines | undefined } = { lines: undefined };
    let any = false;
    try {
      using file = context.folder.open(path);
      if (file === undefined) throw new Unreadable(context.folder.pathOf(path), "is gone");
      for await (const lines of readMetricLines(file, broken)) {
        any = true;
        yield {
          run_uuids: lines.map(() => run.row.run_uuid),
          keys: lines.map(() => key),
          values: lines.map((line) => line.value),
          timestamps: lines.map((line) => line.timestamp),
          steps: lines.map((line) => line.step),
        };
      }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const effect = any ? "the points behind it are left out" : `the metric '${key}' is left out`;
      context.onProblem({ where: error.path, what: error.reason, effect });
      continue;
    }
    tellBroken(context, { path, key, lines: broken.lines, any });
  }
}

function tellBroken(
  { folder, onProblem }: StoreContext,
  { path, key, lines, any }: { path: string; key: string; lines: BrokenLines | undefined; any: boolean },
): void {
  const where = folder.pathOf(path);
  if (lines !== undefined) {
    const { number, text, why } = lines.first;
    const others = lines.count === 1 ? "" : `, as are ${lines.count - 1} more`;
    const what = `line ${number} is no metric point: ${why} (${JSON.stringify(text)})${others}`;
    onProblem({ where, what, effect: lines.count === 1 ? "the line is left out" : "the lines are left out" });
  } else if (!any) {
    onProblem({ where, what: "is empty", effect: `the metric '${key}' is left out` });
  }
}
