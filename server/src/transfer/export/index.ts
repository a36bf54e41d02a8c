import { join } from "node:path";
import type pg from "pg";
import type { Column } from "../../kernel/copy-out.ts";
import { invalidParameter, notFound } from "../../kernel/errors.ts";
import { withSnapshot, type Snapshot } from "../../kernel/snapshot.ts";
import type { Table } from "../../kernel/table.ts";
import { selectExportWorkspaces } from "../../modules/identity/index.ts";
import { registryTables } from "../../modules/registry/index.ts";
import {
  countExportRuns,
  experimentTables,
  metricsTable,
  runTables,
  selectExportExperiments,
  selectMostUsedKeys,
  type ExportExperiment,
  type ExportSelection,
} from "../../modules/tracking/index.ts";
import { createExportFolder, EXPORT_KIND, writeManifest } from "./export-folder.ts";
import { jsonLinesFile } from "./json-lines-file.ts";
import { openOutputFile } from "./output-file.ts";
import { parquetFile } from "./parquet-file.ts";
import { exportRuns, type RunProgress } from "./run-export.ts";
import type { ExportFormat, TableFile } from "./table-file.ts";
import { wideColumns, WideRuns, type WideColumns } from "./wide-runs.ts";

export { exportFormats, type ExportFormat } from "./table-file.ts";

export type ExportOptions = {
  /** Of Plinth, for the manifest. */
  version: string;
  connection: pg.ClientConfig;
  /** The folder that is made. */
  output: string;
  overwrite: boolean;
  format: ExportFormat;
  /** Ids or names of experiments; undefined for all of them. */
  experiments: readonly string[] | undefined;
  /** Whether the registry leaves too. */
  models: boolean;
  /** Undefined for all. */
  workspace: string | undefined;
  includeDeleted: boolean;
  /** The most `metrics.*`, `params.*` and `tags.*` columns of `runs_wide`; 0 leaves that file out. */
  maxWideColumns: number;
  onProgress: (progress: RunProgress & { totalRuns: number }) => void;
  signal: AbortSignal;
};

export type ExportedFile = {
  name: string;
  table: string;
  rows: number;
  bytes: number;
  sha256: string;
  columns: readonly Column[];
};

export type ExportManifest = {
  kind: typeof EXPORT_KIND;
  format: ExportFormat;
  plinth_version: string;
  created_at: string;
  selection: {
    workspaces: string[];
    /** Null: all of the workspaces. */
    experiments: string[] | null;
    models: boolean;
    include_deleted: boolean;
  };
  files: ExportedFile[];
  /** How many keys of each kind have no column in `runs_wide`, and stand in the long tables only. */
  keys_without_wide_column: { metrics: number; params: number; tags: number };
  /** How many times were not of the years 1 to 9999, and are missing in Parquet; JSON lines have them. */
  timestamps_out_of_range: number;
};

/** Writes experiments and models, as they are at one moment, to files in a folder that appears when it is whole. */
export async function runExport(options: ExportOptions): Promise<ExportManifest> {
  await using folder = await createExportFolder(options.output, options);
  const files = new ExportFiles(folder.path, options.format);
  try {
    const manifest = await withSnapshot(
      options.connection,
      (snapshot) => fill(snapshot, files, options),
      options.signal,
    );
    options.signal.throwIfAborted();
    await writeManifest(folder.path, manifest);
    await folder.publish();
    return manifest;
  } finally {
    await files.abort();
  }
}

async function fill(snapshot: Snapshot, files: ExportFiles, options: ExportOptions): Promise<ExportManifest> {
  const workspaces = await selectExportWorkspaces(snapshot, options.workspace);
  if (workspaces.length === 0) throw notFound(`There is no workspace '${options.workspace}'.`);
  const workspaceIds = workspaces.map((one) => one.workspace_id);
  const experiments = await findExperiments(snapshot, workspaceIds, options);
  const experimentIds = experiments.map((one) => one.experiment_id);
  const selection = { experimentIds, includeDeleted: options.includeDeleted };

  const tables = [...experimentTables(selection), ...(options.models ? registryTables(workspaceIds) : [])];
  for (const table of tables) await copyTable(snapshot, table, { files, signal: options.signal });
  const left = await fillRuns(snapshot, selection, { files, options });

  return {
    kind: EXPORT_KIND,
    format: options.format,
    plinth_version: options.version,
    created_at: new Date().toISOString(),
    selection: {
      workspaces: workspaces.map((one) => one.name),
      experiments: options.experiments === undefined ? null : experiments.map((one) => one.id),
      models: options.models,
      include_deleted: options.includeDeleted,
    },
    files: files.written.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    keys_without_wide_column: left,
    timestamps_out_of_range: files.outOfRange,
  };
}

async function findExperiments(
  snapshot: Snapshot,
  workspaceIds: number[],
  { experiments, includeDeleted }: ExportOptions,
): Promise<ExportExperiment[]> {
  const found = await selectExportExperiments(snapshot, {
    workspaceIds,
    idsOrNames: experiments,
    includeDeleted,
  });
  for (const wanted of experiments ?? []) {
    const named = found.filter((one) => one.name === wanted || one.id === wanted);
    if (named.length === 0) {
      const deleted = includeDeleted ? "" : " (a deleted one is found with --include-deleted)";
      throw notFound(`There is no experiment with the id or name '${wanted}'${deleted}.`);
    }
    if (named.length > 1) {
      const which = named.map((one) => `${one.id} '${one.name}' in workspace '${one.workspace}'`);
      throw invalidParameter(
        `'${wanted}' is more than one experiment: ${which.join(", ")}. Name it by its id.`,
      );
    }
  }
  return found;
}

async function copyTable(
  snapshot: Snapshot,
  table: Table,
  { files, signal }: { files: ExportFiles; signal: AbortSignal },
): Promise<void> {
  const file = await files.open(table.name, table.columns);
  for await (const batch of snapshot.copy(table.select, table.columns)) {
    signal.throwIfAborted();
    await file.append(batch);
  }
  await file.finish();
}

async function fillRuns(
  snapshot: Snapshot,
  selection: ExportSelection,
  { files, options }: { files: ExportFiles; options: ExportOptions },
): Promise<WideColumns["left"]> {
  const totalRuns = await countExportRuns(snapshot, selection);
  const { maxWideColumns: limit } = options;
  const used = limit === 0 ? [] : await selectMostUsedKeys(snapshot, selection, limit);
  const { columns, left } = wideColumns(runTables.runs.columns, used, limit);
  const open = (table: { name: string; columns: readonly Column[] }): Promise<TableFile> =>
    files.open(table.name, table.columns);
  const runFiles = {
    runs: await open(runTables.runs),
    latest_metrics: await open(runTables.latest_metrics),
    params: await open(runTables.params),
    tags: await open(runTables.tags),
    inputs: await open(runTables.inputs),
    run_models: await open(runTables.run_models),
    metrics: await open(metricsTable),
  };
  const wide =
    limit === 0 ? undefined : new WideRuns(await files.open("runs_wide", columns), runTables.runs.columns);
  await exportRuns(snapshot, selection, {
    files: runFiles,
    wide,
    onProgress: (progress) => options.onProgress({ ...progress, totalRuns }),
    signal: options.signal,
  });
  for (const file of Object.values(runFiles)) await file.finish();
  await wide?.finish();
  return left;
}

/** The files of one export: what is open, and what has been written. */
class ExportFiles {
  readonly written: ExportedFile[] = [];
  outOfRange = 0;
  readonly #folder: string;
  readonly #format: ExportFormat;
  readonly #open = new Set<TableFile>();

  constructor(folder: string, format: ExportFormat) {
    this.#folder = folder;
    this.#format = format;
  }

  async open(table: string, columns: readonly Column[]): Promise<TableFile> {
    const name = `${table}.${this.#format}`;
    const output = await openOutputFile(join(this.#folder, name));
    const file =
      this.#format === "parquet"
        ? parquetFile(output, columns)
        : jsonLinesFile(output, columns, { sparse: table === "runs_wide" });
    this.#open.add(file);
    return {
      columns,
      append: (batch) => file.append(batch),
      abort: () => file.abort(),
      finish: async () => {
        const { outOfRange, ...rest } = await file.finish();
        this.#open.delete(file);
        this.outOfRange += outOfRange;
        this.written.push({ name, table, ...rest, columns });
        return { outOfRange, ...rest };
      },
    };
  }

  async abort(): Promise<void> {
    for (const file of this.#open) await file.abort();
  }
}
