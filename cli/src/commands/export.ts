import { existsSync } from "node:fs";
import { join } from "node:path";
import { migrationStates, readMigrations } from "../../../server/src/kernel/migrate.ts";
import type { PostgresConnection } from "../../../server/src/kernel/postgres/connection.ts";
import { exportFormats, runExport, type ExportManifest } from "../../../server/src/transfer/export/index.ts";
import { PLINTH_VERSION } from "../../../server/src/version.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table, type Output } from "../output.ts";
import type { Call } from "../program.ts";
import { readConfig, type Config } from "../server-door.ts";
import { openConfiguredDatabase } from "./database.ts";
import { migrationsFolder } from "./db.ts";

const MAX_WIDE_COLUMNS = 10_000;
const DEFAULT_WIDE_COLUMNS = 2000;

/** Writes experiments and models to Parquet or JSON lines, from a Plinth that runs or one that does not. */
export async function exportData({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const wanted = readOptions(options);
  const stop = new AbortController();
  const onSignal = (): void =>
    stop.abort(new CommandFailure("Stopped; nothing was left behind.", exitCodes.failed));
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    refuseWithoutDatabase(config);
    await using database = await openConfiguredDatabase(config, output);
    await refuseOldSchema(database.connection);
    const manifest = await runExport({
      ...wanted,
      version: PLINTH_VERSION,
      connection: database.connection,
      onProgress: progressOn(output),
      signal: stop.signal,
    });
    output.answer(manifest, summary(manifest, wanted.output));
    return exitCodes.ok;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

function readOptions(options: Call["options"]) {
  const experiments = options["experiment"] as string[] | undefined;
  const format = exportFormats.find((one) => one === options["format"]);
  if (format === undefined) {
    throw new CommandFailure(
      `--format: '${String(options["format"])}' is not one of ${exportFormats.join(", ")}.`,
      exitCodes.wrongCall,
    );
  }
  return {
    format,
    output: String(options["output"]),
    overwrite: options["overwrite"] === true,
    experiments,
    // Who asks for some experiments asks for nothing else; who asks for nothing gets everything.
    models: options["models"] === true || experiments === undefined,
    workspace: options["workspace"] as string | undefined,
    includeDeleted: options["includeDeleted"] === true,
    maxWideColumns: readWideColumns(options["wideColumns"]),
  };
}

function readWideColumns(text: unknown): number {
  if (text === undefined) return DEFAULT_WIDE_COLUMNS;
  const count = Number(text);
  if (typeof text === "string" && /^\d{1,6}$/.test(text) && count <= MAX_WIDE_COLUMNS) return count;
  throw new CommandFailure(
    `--wide-columns: '${String(text)}' is not a number from 0 to ${MAX_WIDE_COLUMNS}.`,
    exitCodes.wrongCall,
  );
}

/** To make an empty database only to export it helps nobody. */
function refuseWithoutDatabase(config: Config): void {
  if (config.databaseUrl !== undefined || existsSync(join(config.dataDir, "postgres"))) return;
  throw new CommandFailure(
    `There is no database in ${config.dataDir}. Name the folder of a Plinth with --data-dir, or its database with --database-url.`,
    exitCodes.no,
  );
}

async function refuseOldSchema(connection: PostgresConnection): Promise<void> {
  const states = await migrationStates(connection, await readMigrations(migrationsFolder));
  const pending = states.filter((state) => state.appliedAt === undefined);
  if (pending.length === 0) return;
  throw new CommandFailure(
    `The database is older than this version of Plinth (${pending.length} migrations are missing). ` +
      "Run `plinth db migrate`, or export with the version that runs on it.",
    exitCodes.no,
  );
}

/** A line every few seconds, so that it reads well in a terminal and in a log. */
function progressOn(output: Output): (progress: { runs: number; points: number; totalRuns: number }) => void {
  const startedAt = Date.now();
  let next = startedAt + 2000;
  return ({ runs, points, totalRuns }) => {
    const now = Date.now();
    if (now < next) return;
    next = now + 2000;
    const left = runs === 0 ? undefined : ((now - startedAt) / runs) * (totalRuns - runs);
    output.progress(
      `${runs.toLocaleString("en")} of ${totalRuns.toLocaleString("en")} runs, ${points.toLocaleString("en")} points` +
        (left === undefined ? "" : `, some ${Math.ceil(left / 1000)} s left`),
    );
  };
}

function summary(manifest: ExportManifest, folder: string): string[] {
  const { keys_without_wide_column: keys, timestamps_out_of_range: times } = manifest;
  const left = keys.metrics + keys.params + keys.tags;
  return [
    ...table(
      ["FILE", "ROWS", "BYTES"],
      manifest.files.map((file) => [file.name, String(file.rows), String(file.bytes)]),
    ),
    `Written to ${folder}.`,
    ...(left === 0
      ? []
      : [
          `runs_wide has no column for ${left} keys that few runs have; they are in metrics, params and tags (--wide-columns).`,
        ]),
    ...(times === 0
      ? []
      : [`${times} times outside of the years 1 to 9999 are empty; --format jsonl has them.`]),
  ];
}
