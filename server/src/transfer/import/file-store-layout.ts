import { readMeta } from "./file-store-yaml.ts";
import { Unreadable, type FolderEntry, type LocalFolder } from "./local-folder.ts";
import type { OnProblem } from "./problem.ts";
import type { SourceExperiment, SourceKeyValue } from "./source.ts";

/**
 * Where MLflow's file store keeps what (`mlflow/store/tracking/file_store.py` of 2.9.2 and 3.17.2):
 *
 *     <experiment>/meta.yaml  tags/  datasets/<id>/meta.yaml  traces/  models/<model>/{meta.yaml,params/,tags/,metrics/}
 *     <experiment>/<run>/meta.yaml  params/  tags/  metrics/  inputs/<id>/meta.yaml  outputs/<model>/meta.yaml
 *     .trash/<experiment>/...
 *     models/<registered model>/meta.yaml  tags/  aliases/  version-<n>/{meta.yaml,tags/}
 *
 * A key with slashes is a file in folders.
 */
export const META = "meta.yaml";
export const TRASH = ".trash";
export const MODELS = "models";
const RESERVED_IN_EXPERIMENT = new Set(["tags", "datasets", "traces", MODELS, TRASH]);

/** MLflow cuts values at 8,000 characters, but did not always; a note may be long. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

export type StoreContext = { folder: LocalFolder; onProblem: OnProblem };

export type ExperimentFolder = { path: string; row: SourceExperiment };

/** Runs `read`; what cannot be read is told as a problem, and undefined. */
export function orProblem<T>({ onProblem }: StoreContext, effect: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    onProblem({ where: error.path, what: error.reason, effect });
    return undefined;
  }
}

/** The folders directly below `path`, by name. Whatever else is refused there is told. */
export function foldersIn(context: StoreContext, path: string): string[] {
  const entries = orProblem(context, "nothing of it is imported", () => context.folder.list(path)) ?? [];
  return entries.flatMap((entry) => {
    if (entry.kind === "refused") tellRefused(context, path, entry);
    return entry.kind === "folder" ? [entry.name] : [];
  });
}

function tellRefused(
  { folder, onProblem }: StoreContext,
  path: string,
  entry: Extract<FolderEntry, { kind: "refused" }>,
): void {
  onProblem({
    where: `${folder.pathOf(path)}/${entry.name}`,
    what: entry.reason,
    effect: "it is left out",
  });
}

/** Every file below `path` as key and place, keys in order of their folders. */
export function* filesBelow(
  context: StoreContext,
  path: string,
  prefix = "",
): Generator<{ key: string; path: string }> {
  const entries = orProblem(context, "nothing of it is imported", () => context.folder.list(path)) ?? [];
  for (const entry of entries) {
    const own = { key: prefix + entry.name, path: `${path}/${entry.name}` };
    if (entry.kind === "refused") tellRefused(context, path, entry);
    else if (entry.kind === "file") yield own;
    else yield* filesBelow(context, own.path, `${own.key}/`);
  }
}

/** Parameters or tags: a file for each, the whole of it its value. */
export function readTexts(context: StoreContext, path: string, what: string): SourceKeyValue[] {
  const texts: SourceKeyValue[] = [];
  for (const { key, path: place } of filesBelow(context, path)) {
    const effect = `the ${what} '${key}' is left out`;
    const value = orProblem(context, effect, () => context.folder.readText(place, MAX_TEXT_BYTES));
    if (value !== undefined) texts.push({ key, value });
  }
  return texts;
}

/** All experiments, by id as text, deleted ones among them. */
export function readExperiments(context: StoreContext): ExperimentFolder[] {
  const found = new Map<string, ExperimentFolder>();
  for (const parent of ["", TRASH]) {
    for (const name of foldersIn(context, parent)) {
      if (parent === "" && (name === TRASH || name === MODELS)) continue;
      const path = parent === "" ? name : `${parent}/${name}`;
      const row = orProblem(context, "the experiment and all it holds are left out", () =>
        readExperiment(context, path, name),
      );
      if (row === undefined) continue;
      const other = found.get(name);
      if (other === undefined) found.set(name, { path, row });
      else {
        context.onProblem({
          where: context.folder.pathOf(path),
          what: `the experiment ${name} is there twice, here and in ${other.path}`,
          effect: "this one is left out",
        });
      }
    }
  }
  return [...found.values()].sort((one, other) => (one.row.experiment_id < other.row.experiment_id ? -1 : 1));
}

function readExperiment(context: StoreContext, path: string, name: string): SourceExperiment | undefined {
  const { folder } = context;
  const where = folder.pathOf(path);
  const meta = readMeta(folder, `${path}/${META}`);
  if (meta === undefined) {
    // Other tools keep folders here too; only one named like an experiment was meant to be one.
    if (/^\d+$/.test(name)) throw new Unreadable(where, `has no ${META}`);
    return undefined;
  }
  const id = meta.text("experiment_id");
  if (id !== name) throw new Unreadable(where, `its ${META} is that of the experiment '${id}'`);
  if (!/^(?:0|[1-9]\d{0,17})$/.test(id))
    throw new Unreadable(where, "its id is no number of up to 18 digits");
  return {
    workspace: "default",
    experiment_id: id,
    name: meta.text("name"),
    artifact_location: meta.textOrNull("artifact_location") ?? "",
    lifecycle_stage: readStage(meta.textOrNull("lifecycle_stage"), where),
    creation_time: meta.numberOrNull("creation_time"),
    last_update_time: meta.numberOrNull("last_update_time"),
    tags: readTexts(context, `${path}/tags`, "tag"),
  };
}

export function readStage(stage: string | null, where: string): "active" | "deleted" {
  if (stage === null || stage === "active") return "active";
  if (stage === "deleted") return "deleted";
  throw new Unreadable(where, `its lifecycle stage '${stage.slice(0, 40)}' is not known`);
}

/** The names of folders of an experiment that hold runs; other tools' folders have no `meta.yaml`. */
export const runFolders = (context: StoreContext, experiment: Pick<ExperimentFolder, "path">): string[] =>
  foldersIn(context, experiment.path).filter((name) => !RESERVED_IN_EXPERIMENT.has(name));
