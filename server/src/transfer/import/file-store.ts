import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { invalidParameter } from "../../kernel/errors.ts";
import { localArtifacts, openNamedFolders, type LocalPlace } from "./artifacts-local.ts";
import { changesSince } from "./file-store-changes.ts";
import {
  foldersIn,
  META,
  MODELS,
  readExperiments,
  runFolders,
  TRASH,
  type ExperimentFolder,
  type StoreContext,
} from "./file-store-layout.ts";
import {
  isPrompt,
  readDataset,
  readLoggedModel,
  readModelVersion,
  readRegisteredModel,
  versionsOf,
} from "./file-store-models.ts";
import { readPoints, readRun, type DatasetNames, type ReadRun } from "./file-store-run.ts";
import { openLocalFolder, type LocalFolder } from "./local-folder.ts";
import type { OnProblem } from "./problem.ts";
import type { Cursor, ImportSource, Page, RunPage, SourceDataset } from "./source.ts";

export type FileStoreOptions = {
  onProblem: OnProblem;
  /** Folders outside of the store whose artifacts may be copied. */
  allowPaths?: readonly string[];
  /** The folder that `mlflow-artifacts:/` meant to the server of this store. */
  artifactsDestination?: string | undefined;
};

const PAGE_RUNS = 200;
const PAGE_BYTES = 8 * 1024 * 1024;
const PAGE_ROWS = 200;

/** MLflow's file store: the folder `mlruns` of 2.9 to 3.17. */
export function openFileStore(path: string, options: FileStoreOptions): ImportSource {
  const folder = openLocalFolder(path);
  if (folder === undefined) throw invalidParameter(`There is no folder ${path}.`);
  const context: StoreContext = { folder, onProblem: options.onProblem };
  const experiments = readExperiments(context);
  if (experiments.length === 0) throw notAStore(folder);
  const destination = openDestination(folder, options);

  return {
    description: {
      kind: "files",
      place: folder.root,
      version: "MLflow file store",
      fingerprint: createHash("sha256").update(`files\n${folder.root}`).digest("hex"),
      snapshot: false,
      notes: [
        "A folder is not read as of one moment: nothing should write to it meanwhile.",
        ...(destination === undefined
          ? []
          : [`Files of mlflow-artifacts:/ are read from ${destination.root}.`]),
      ],
    },
    count: async () => countAll(context, experiments),
    workspaces: async () => [],
    async *experiments(after) {
      yield* inPages(
        afterCursor(experiments, after, ({ row }) => row.experiment_id).map(({ row }) => ({
          row,
          cursor: row.experiment_id,
        })),
      );
    },
    async *datasets(after) {
      yield* inPages(datasetRows(context, experiments, after), ({ schema, profile, source }) =>
        [schema, profile, source].reduce((total, text) => total + (text?.length ?? 0), 0),
      );
    },
    runs: (after) => runPages(context, experiments, after),
    async *loggedModels(after) {
      yield* inPages(loggedModelRows(context, experiments, after), ({ metrics }) => metrics.length * 100);
    },
    async *registeredModels(after) {
      const names = afterCursor(modelNames(context), after, (name) => name);
      yield* inPages(rowsOf(names, (name) => ({ row: readRegisteredModel(context, name), cursor: name })));
    },
    async *modelVersions(after) {
      yield* inPages(versionRows(context, after));
    },
    async *runIds() {
      for (const experiment of experiments) {
        const ids = runFolders(context, experiment).filter((name) =>
          isFile(folder, `${experiment.path}/${name}/${META}`),
        );
        if (ids.length > 0) yield ids;
      }
    },
    async *changes(since) {
      yield* changesSince(context, since);
    },
    artifacts: localArtifacts({
      folders: [folder, ...openNamedFolders(options.allowPaths ?? [], "--allow-path")],
      destination,
      base: dirname(folder.root),
      find: (place) => findMoved(folder, place),
      onProblem: options.onProblem,
    }),
    close: async () => undefined,
  };
}

function notAStore(folder: LocalFolder): Error {
  const names = new Set((folder.list("") ?? []).map(({ name }) => name));
  const hint = names.has("mlruns")
    ? ` There is a folder 'mlruns' in it: is it ${join(folder.root, "mlruns")}?`
    : names.has("mlflow.db")
      ? ` There is a database in it: is it sqlite:///${join(folder.root, "mlflow.db")}?`
      : " When a tracking server wrote here, this may be its artifacts only: import from its database or address.";
  return invalidParameter(
    `${folder.root} is no MLflow file store: no folder in it is an experiment with a ${META}.${hint}`,
  );
}

/** `mlflow server` keeps proxied artifacts in `mlartifacts` beside `mlruns` unless told otherwise. */
function openDestination(folder: LocalFolder, options: FileStoreOptions): LocalFolder | undefined {
  if (options.artifactsDestination !== undefined) {
    return openNamedFolders([options.artifactsDestination], "--artifacts-destination")[0];
  }
  return openLocalFolder(join(dirname(folder.root), "mlartifacts"));
}

/**
 * A location names the place where the store was made. It may have been moved, or its experiment
 * deleted, which moves it into the trash: then the same run or model is looked for in this folder.
 */
function findMoved(folder: LocalFolder, path: string): LocalPlace | undefined {
  const match = /\/(\d{1,18})(?:\/((?:models\/)?[\w-]+\/artifacts)(\/.*)?)?$/.exec(path);
  if (match === null) return undefined;
  const [, experiment = "", owner = "", rest = ""] = match;
  if (rest.split("/").includes("..")) return undefined;
  for (const parent of ["", `${TRASH}/`]) {
    const place = `${parent}${experiment}${owner === "" ? "" : `/${owner}`}${rest}`;
    if (folder.list(place) !== undefined) return { folder, path: place };
  }
  return undefined;
}

const isFile = (folder: LocalFolder, path: string): boolean =>
  lstatSync(folder.pathOf(path), { throwIfNoEntry: false })?.isFile() === true;

type Counts = Awaited<ReturnType<ImportSource["count"]>>;

function countAll(context: StoreContext, experiments: readonly ExperimentFolder[]): Counts {
  const quiet: StoreContext = { ...context, onProblem: () => undefined };
  const sum = (count: (experiment: ExperimentFolder) => number): number =>
    experiments.reduce((total, experiment) => total + count(experiment), 0);
  const all = foldersIn(quiet, MODELS).filter((name) => isFile(quiet.folder, `${MODELS}/${name}/${META}`));
  const models = all.filter((name) => !isPrompt(quiet, name));
  const traces = sum(({ path }) => foldersIn(quiet, `${path}/traces`).length);
  const prompts = all.length - models.length;
  return {
    experiments: experiments.length,
    runs: sum((experiment) => runFolders(quiet, experiment).length),
    points: undefined,
    datasets: sum(({ path }) => foldersIn(quiet, `${path}/datasets`).length),
    logged_models: sum(({ path }) => foldersIn(quiet, `${path}/${MODELS}`).length),
    registered_models: models.length,
    model_versions: models.reduce((total, name) => total + versionsOf(quiet, name).length, 0),
    not_imported: {
      ...(traces === 0 ? {} : { traces }),
      ...(prompts === 0 ? {} : { prompts }),
    },
  };
}

const modelNames = (context: StoreContext): string[] =>
  foldersIn(context, MODELS).filter((name) => !isPrompt(context, name));

type Placed<Row> = { row: Row | undefined; cursor: string };

function* rowsOf<T, Row>(items: Iterable<T>, read: (item: T) => Placed<Row>): Generator<Placed<Row>> {
  for (const item of items) yield read(item);
}

/** Pages of up to 200 rows or some 8 MiB; what could not be read moves the cursor only. */
async function* inPages<Row>(
  rows: Iterable<Placed<Row>> | AsyncIterable<Placed<Row>>,
  weigh: (row: Row) => number = () => 0,
): AsyncGenerator<Page<Row>> {
  let page: Page<Row> = { rows: [], cursor: "" };
  let weight = 0;
  for await (const { row, cursor } of rows) {
    if (row !== undefined) {
      page.rows.push(row);
      weight += weigh(row);
    }
    page.cursor = cursor;
    if (page.rows.length === PAGE_ROWS || weight >= PAGE_BYTES) {
      yield page;
      page = { rows: [], cursor };
      weight = 0;
    }
  }
  if (page.rows.length > 0) yield page;
}

function afterCursor<T>(items: readonly T[], after: Cursor, keyOf: (item: T) => string): T[] {
  return after === undefined ? [...items] : items.filter((item) => keyOf(item) > after);
}

/** Cursors of what an experiment holds: `<experiment>/<name>`; both parts are names without slashes. */
function* behind(
  experiments: readonly ExperimentFolder[],
  after: Cursor,
  namesIn: (experiment: ExperimentFolder) => string[],
): Generator<{ experiment: ExperimentFolder; name: string; cursor: string }> {
  const slash = after?.indexOf("/") ?? 0;
  const [fromExperiment, fromName] = [after?.slice(0, slash) ?? "", after?.slice(slash + 1) ?? ""];
  for (const experiment of experiments) {
    const id = experiment.row.experiment_id;
    if (id < fromExperiment) continue;
    for (const name of namesIn(experiment)) {
      if (id === fromExperiment && name <= fromName) continue;
      yield { experiment, name, cursor: `${id}/${name}` };
    }
  }
}

function* datasetRows(
  context: StoreContext,
  experiments: readonly ExperimentFolder[],
  after: Cursor,
): Generator<Placed<SourceDataset>> {
  const names = ({ path }: ExperimentFolder): string[] => foldersIn(context, `${path}/datasets`);
  for (const { experiment, name, cursor } of behind(experiments, after, names)) {
    const place = { path: `${experiment.path}/datasets/${name}`, experimentId: experiment.row.experiment_id };
    yield { row: readDataset(context, place), cursor };
  }
}

async function* loggedModelRows(
  context: StoreContext,
  experiments: readonly ExperimentFolder[],
  after: Cursor,
): AsyncGenerator<Placed<NonNullable<Awaited<ReturnType<typeof readLoggedModel>>>>> {
  const names = ({ path }: ExperimentFolder): string[] => foldersIn(context, `${path}/${MODELS}`);
  for (const { experiment, name, cursor } of behind(experiments, after, names)) {
    const place = {
      path: `${experiment.path}/${MODELS}/${name}`,
      experimentId: experiment.row.experiment_id,
    };
    yield { row: await readLoggedModel(context, place), cursor };
  }
}

/** Cursors are `<version>/<name>`. */
function* versionRows(
  context: StoreContext,
  after: Cursor,
): Generator<Placed<NonNullable<ReturnType<typeof readModelVersion>>>> {
  const slash = after?.indexOf("/") ?? 0;
  const [fromVersion, fromName] = [Number(after?.slice(0, slash) ?? 0), after?.slice(slash + 1) ?? ""];
  for (const name of modelNames(context)) {
    if (name < fromName) continue;
    for (const version of versionsOf(context, name)) {
      if (name === fromName && version <= fromVersion) continue;
      yield { row: readModelVersion(context, { name, version }), cursor: `${version}/${name}` };
    }
  }
}

async function* runPages(
  context: StoreContext,
  experiments: readonly ExperimentFolder[],
  after: Cursor,
): AsyncGenerator<RunPage> {
  let runs: ReadRun[] = [];
  let bytes = 0;
  let last = "";
  let known: { id: string; names: DatasetNames } | undefined;
  for (const { experiment, name, cursor } of behind(experiments, after, (each) =>
    runFolders(context, each),
  )) {
    const experimentId = experiment.row.experiment_id;
    if (known?.id !== experimentId) known = { id: experimentId, names: datasetNamesOf(context, experiment) };
    const run = readRun(context, { path: `${experiment.path}/${name}`, experimentId, datasets: known.names });
    if (run === undefined) continue;
    const size = run.metricBytes + textBytes(run);
    // A long run comes by itself.
    if (runs.length > 0 && (runs.length === PAGE_RUNS || bytes + size > PAGE_BYTES)) {
      yield runPage(context, runs, last);
      runs = [];
      bytes = 0;
    }
    runs.push(run);
    bytes += size;
    last = cursor;
  }
  if (runs.length > 0) yield runPage(context, runs, last);
}

function runPage(context: StoreContext, runs: readonly ReadRun[], cursor: string): RunPage {
  return {
    rows: runs.map(({ row }) => row),
    cursor,
    async *points() {
      for (const run of runs) yield* readPoints(context, run);
    },
  };
}

const textBytes = ({ row }: ReadRun): number =>
  [...row.params, ...row.tags].reduce((total, { key, value }) => total + key.length + value.length, 0);

/** What the folders of an experiment's datasets are called by runs, read when first asked for. */
function datasetNamesOf(context: StoreContext, { path, row }: ExperimentFolder): DatasetNames {
  const names = new Map<string, { name: string; digest: string } | undefined>();
  const quiet: StoreContext = { ...context, onProblem: () => undefined };
  return (id) => {
    if (!names.has(id) && /^[\w-]+$/.test(id)) {
      const found = readDataset(quiet, { path: `${path}/datasets/${id}`, experimentId: row.experiment_id });
      names.set(id, found === undefined ? undefined : { name: found.name, digest: found.digest });
    }
    return names.get(id);
  };
}
