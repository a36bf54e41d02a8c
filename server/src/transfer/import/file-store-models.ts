import {
  META,
  filesBelow,
  foldersIn,
  MODELS,
  orProblem,
  readStage,
  readTexts,
  type StoreContext,
} from "./file-store-layout.ts";
import { readMetricLines, type BrokenLines } from "./file-store-metric.ts";
import { readMeta, type Meta } from "./file-store-yaml.ts";
import { Unreadable } from "./local-folder.ts";
import type {
  SourceDataset,
  SourceLoggedModel,
  SourceModelVersion,
  SourceRegisteredModel,
} from "./source.ts";

const MODEL_STATUS = new Map([
  ["UNSPECIFIED", 0],
  ["PENDING", 1],
  ["READY", 2],
  ["FAILED", 3],
]);

/** A model's points are kept with the model: more than this is not what MLflow's clients log. */
const MAX_METRIC_BYTES = 64 * 1024 * 1024;

export function readDataset(
  context: StoreContext,
  { path, experimentId }: { path: string; experimentId: string },
): SourceDataset | undefined {
  return orProblem(context, "the dataset is left out", () => {
    const meta = metaOf(context, path);
    return {
      experiment_id: experimentId,
      name: meta.text("name"),
      digest: meta.text("digest"),
      source_type: meta.textOrNull("source_type") ?? "",
      source: meta.textOrNull("source") ?? "",
      schema: meta.textOrNull("schema"),
      profile: meta.textOrNull("profile"),
    };
  });
}

export async function readLoggedModel(
  context: StoreContext,
  { path, experimentId }: { path: string; experimentId: string },
): Promise<SourceLoggedModel | undefined> {
  const where = context.folder.pathOf(path);
  const row = orProblem(context, "the logged model is left out", (): SourceLoggedModel => {
    const meta = metaOf(context, path);
    const id = meta.text("model_id");
    if (id !== path.slice(path.lastIndexOf("/") + 1)) {
      throw new Unreadable(where, `its ${META} is that of the model '${id}'`);
    }
    const experiment = meta.text("experiment_id");
    if (experiment !== experimentId) {
      throw new Unreadable(where, `its ${META} is that of a model of the experiment '${experiment}'`);
    }
    const status = meta.textOrNull("status") ?? "1";
    const number = MODEL_STATUS.get(status) ?? (/^[0-3]$/.test(status) ? Number(status) : undefined);
    if (number === undefined) throw new Unreadable(where, `its status '${status.slice(0, 40)}' is not known`);
    return {
      model_id: id,
      experiment_id: experiment,
      name: meta.textOrNull("name") ?? "",
      artifact_location: meta.textOrNull("artifact_location") ?? "",
      creation_timestamp: meta.number("creation_timestamp"),
      last_updated_timestamp: meta.number("last_updated_timestamp"),
      status: number,
      status_message: meta.textOrNull("status_message"),
      model_type: meta.textOrNull("model_type"),
      source_run_id: meta.textOrNull("source_run_id"),
      lifecycle_stage: readStage(meta.textOrNull("lifecycle_stage"), where),
      params: readTexts(context, `${path}/params`, "parameter"),
      tags: readTexts(context, `${path}/tags`, "tag"),
      metrics: [],
    };
  });
  if (row === undefined) return undefined;
  for (const { key, path: place } of filesBelow(context, `${path}/metrics`)) {
    await addModelMetrics(context, { key, path: place, metrics: row.metrics });
  }
  return row;
}

/** Lines `<timestamp> <value> <step> <run>`, and of a dataset its name, which may hold spaces, and digest. */
async function addModelMetrics(
  context: StoreContext,
  { key, path, metrics }: { key: string; path: string; metrics: SourceLoggedModel["metrics"] },
): Promise<void> {
  const where = context.folder.pathOf(path);
  const broken: { lines: BrokenLines | undefined } = { lines: undefined };
  let strange = 0;
  try {
    using file = context.folder.open(path);
    if (file === undefined) throw new Unreadable(where, "is gone");
    if (file.stats.size > MAX_METRIC_BYTES) throw new Unreadable(where, "is larger than 64 MiB");
    for await (const lines of readMetricLines(file, broken)) {
      for (const { timestamp, value, step, rest } of lines) {
        const match = /^(\S+)(?: (.*) (\S+))?$/.exec(rest);
        if (match === null) strange += 1;
        else {
          const [, run = "", name = null, digest = null] = match;
          metrics.push({
            key,
            value,
            timestamp,
            step,
            run_id: run,
            dataset_name: name,
            dataset_digest: digest,
          });
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    context.onProblem({
      where: error.path,
      what: error.reason,
      effect: `points of the metric '${key}' are left out`,
    });
  }
  const count = strange + (broken.lines?.count ?? 0);
  if (count > 0) {
    const what = `${count} of its lines are not '<timestamp> <value> <step> <run>'`;
    context.onProblem({ where, what, effect: "the lines are left out" });
  }
}

const PROMPT_TAG = "mlflow.prompt.is_prompt";

/** Prompts are registered models with a tag. They are of a later time, and are counted instead. */
export function isPrompt(context: StoreContext, name: string): boolean {
  const text = orProblem(context, "it is taken as a model", () =>
    context.folder.readText(`${MODELS}/${name}/tags/${PROMPT_TAG}`, 1024),
  );
  return text?.toLowerCase() === "true";
}

export function readRegisteredModel(context: StoreContext, name: string): SourceRegisteredModel | undefined {
  const path = `${MODELS}/${name}`;
  return orProblem(context, "the registered model is left out", () => {
    const meta = metaOf(context, path);
    checkName(meta, name, context.folder.pathOf(path));
    return {
      workspace: "default",
      name,
      description: meta.textOrNull("description"),
      creation_time: meta.numberOrNull("creation_timestamp"),
      last_updated_time: meta.numberOrNull("last_updated_timestamp"),
      last_version: numbersOf(context, name).at(-1) ?? 0,
      tags: readTexts(context, `${path}/tags`, "tag"),
      aliases: readTexts(context, `${path}/aliases`, "alias").flatMap(({ key, value }) => {
        if (/^\d{1,9}$/.test(value.trim())) return [{ alias: key, version: Number(value) }];
        const where = context.folder.pathOf(`${path}/aliases/${key}`);
        const what = `'${value.slice(0, 40)}' is no version`;
        context.onProblem({ where, what, effect: `the alias '${key}' is left out` });
        return [];
      }),
    };
  });
}

/** The numbers of all versions that a registered model ever had, in order. */
function numbersOf(context: StoreContext, name: string): number[] {
  return foldersIn(context, `${MODELS}/${name}`)
    .flatMap((folder) => {
      const number = /^version-([1-9]\d{0,8})$/.exec(folder)?.[1];
      return number === undefined ? [] : [Number(number)];
    })
    .sort((one, other) => one - other);
}

/** What MLflow's file store writes into a version instead of removing it. */
const DELETED = "Deleted_Internal";

/** The numbers of the versions that are still there, in order. */
export const versionsOf = (context: StoreContext, name: string): number[] =>
  numbersOf(context, name).filter((version) => {
    try {
      const meta = readMeta(context.folder, `${MODELS}/${name}/version-${version}/${META}`);
      return meta?.textOrNull("current_stage") !== DELETED;
    } catch (error) {
      // Reading it will tell.
      if (error instanceof Unreadable) return true;
      throw error;
    }
  });

export function readModelVersion(
  context: StoreContext,
  { name, version }: { name: string; version: number },
): SourceModelVersion | undefined {
  const path = `${MODELS}/${name}/version-${version}`;
  const where = context.folder.pathOf(path);
  return orProblem(context, "the model version is left out", () => {
    const meta = metaOf(context, path);
    checkName(meta, name, where);
    if (meta.number("version") !== version)
      throw new Unreadable(where, `its ${META} is that of another version`);
    return {
      workspace: "default",
      name,
      version,
      creation_time: meta.numberOrNull("creation_timestamp"),
      last_updated_time: meta.numberOrNull("last_updated_timestamp"),
      description: meta.textOrNull("description"),
      user_id: meta.textOrNull("user_id"),
      current_stage: meta.textOrNull("current_stage"),
      source: meta.textOrNull("source") ?? "",
      storage_location: meta.textOrNull("storage_location"),
      run_id: meta.textOrNull("run_id"),
      run_link: meta.textOrNull("run_link"),
      status: meta.textOrNull("status"),
      status_message: meta.textOrNull("status_message"),
      model_id: meta.textOrNull("model_id"),
      tags: readTexts(context, `${path}/tags`, "tag"),
    };
  });
}

function metaOf({ folder }: StoreContext, path: string): Meta {
  const meta = readMeta(folder, `${path}/${META}`);
  if (meta === undefined) throw new Unreadable(folder.pathOf(path), `has no ${META}`);
  return meta;
}

function checkName(meta: Meta, name: string, where: string): void {
  const own = meta.text("name");
  if (own !== name) throw new Unreadable(where, `its ${META} is that of the model '${own.slice(0, 80)}'`);
}
