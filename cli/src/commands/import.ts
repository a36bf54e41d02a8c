import { openBlobStore } from "../../../server/src/blob-store.ts";
import { openDatabase, type Database } from "../../../server/src/kernel/database.ts";
import { migrate, migrationStates, readMigrations } from "../../../server/src/kernel/migrate.ts";
import type { PostgresConnection } from "../../../server/src/kernel/postgres/connection.ts";
import { createStorage, type Storage } from "../../../server/src/modules/storage/index.ts";
import { ARTIFACT_BUCKET, storedArtifactPath } from "../../../server/src/protocols/mlflow/artifacts-paths.ts";
import {
  createProblemLog,
  importSource,
  lockImports,
  openSource,
  phases,
  remarkTexts,
  type ImportOptions,
  type ImportReport,
} from "../../../server/src/transfer/import/index.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";
import { readConfig, type Config } from "../server-door.ts";
import { openConfiguredDatabase } from "./database.ts";
import { migrationsFolder } from "./db.ts";
import { readServerCredentials } from "./import-credentials.ts";
import { createProgressDisplay } from "./import-progress.ts";

/** Brings a store of MLflow over. Killed at any moment, the same command goes on where it was. */
export async function importMlflow({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const wanted = readOptions(options);
  const stop = new AbortController();
  const onSignal = (): void =>
    stop.abort(
      new CommandFailure(
        "Stopped. Nothing is visible yet; the same command goes on from here.",
        exitCodes.failed,
      ),
    );
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  const problems = createProblemLog();
  try {
    const source = await openSource(String(options["source"]), {
      onProblem: problems.onProblem,
      allowPaths: (options["allowPath"] as string[] | undefined) ?? [],
      artifactsDestination: options["artifactsDestination"] as string | undefined,
      copyRemote: options["copyRemote"] === true,
      s3Endpoint: process.env["MLFLOW_S3_ENDPOINT_URL"],
      server: readServerCredentials(process.env),
    });
    await using opened = new AsyncDisposableStack();
    opened.defer(() => source.close());
    const ground = opened.use(await openConfiguredDatabase(config, output));
    if (wanted.dryRun && config.databaseUrl !== undefined) await refuseOldSchema(ground.connection);
    else await migrate(ground.connection, await readMigrations(migrationsFolder));
    opened.use(await lockImports(ground.connection));
    const database = openDatabase({
      connection: ground.connection,
      poolSize: 6,
      // Publishing moves everything at once.
      statementTimeoutMs: 0,
      onIdleError: () => undefined,
    });
    opened.defer(() => database.close());
    const withArtifacts = options["withoutArtifacts"] !== true && !wanted.dryRun;
    const storage = withArtifacts ? opened.use(await openStorage(config, database)) : undefined;
    const display = createProgressDisplay(output, wanted.dryRun ? [] : phases);
    let failure: unknown;
    let report: ImportReport;
    try {
      report = await importSource(
        {
          database,
          source,
          artifacts:
            storage === undefined
              ? undefined
              : { storage: storage.storage, bucket: ARTIFACT_BUCKET, storedPath: storedArtifactPath },
          problems,
          onProgress: (progress) => display.progress(progress),
          onNote: (line) => display.note(line),
          signal: stop.signal,
          now: () => Date.now(),
        },
        wanted,
      );
    } catch (error) {
      failure = stop.signal.aborted ? stop.signal.reason : error;
      throw failure;
    } finally {
      await display.end(failure);
    }
    output.answer(report, lines(report));
    return report.conflicts.length > 0 ? exitCodes.no : exitCodes.ok;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

/** A dry run writes nothing, the schema of a database that others use included. */
async function refuseOldSchema(connection: PostgresConnection): Promise<void> {
  const states = await migrationStates(connection, await readMigrations(migrationsFolder));
  const pending = states.filter((state) => state.appliedAt === undefined).length;
  if (pending === 0) return;
  throw new CommandFailure(
    `The database has to be brought up to this version first (${pending} migrations): run \`plinth db migrate\`.`,
    exitCodes.no,
  );
}

type OpenedStorage = AsyncDisposable & { storage: Storage };

/** Where the server of these settings keeps files. */
async function openStorage(config: Config, database: Database): Promise<OpenedStorage> {
  const blobs = await openBlobStore(config);
  const storage = createStorage({
    database,
    blobs,
    inlineBytes: config.inlineObjectKib * 1024,
    onBatch: () => undefined,
  });
  await storage.ensureBucket(ARTIFACT_BUCKET);
  return {
    storage,
    async [Symbol.asyncDispose]() {
      await storage.drain();
      await blobs.close();
    },
  };
}

function readOptions(options: Call["options"]): ImportOptions {
  const workspace = String(options["workspace"] ?? "default");
  if (!/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|[a-z0-9_-]{1,50})$/.test(workspace)) {
    throw new CommandFailure(
      `--workspace: '${workspace}' is not a name of a workspace: 1 to 63 lower-case letters, digits and inner hyphens, ` +
        "or up to 50 of these and underscores.",
      exitCodes.wrongCall,
    );
  }
  return {
    workspace,
    skipExisting: options["skipExisting"] === true,
    renumber: options["renumber"] === true,
    dryRun: options["dryRun"] === true,
    restart: options["restart"] === true,
    skipBroken: options["skipBroken"] === true,
  };
}

function lines(report: ImportReport): string[] {
  const { source, entities, state } = report;
  const imported = state === "imported";
  const shown = (value: number | null): string => (value === null ? "-" : value.toLocaleString("en-US"));
  const found = entities.filter((one) => (one.source ?? 0) + one.read + one.plinth > 0);
  const into = report.workspaces.map((one) =>
    one.source === one.target ? one.target : `${one.source} as ${one.target}`,
  );
  return [
    `${imported ? "Imported from" : "Would import from"} ${source.place}, ${source.version}, into ${into.join(", ")}.`,
    "",
    ...(imported
      ? table(
          ["ENTITY", "SOURCE", "READ", "PLINTH"],
          found.map((one) => [one.entity, shown(one.source), shown(one.read), shown(one.plinth)]),
        )
      : table(
          ["ENTITY", "SOURCE"],
          found.map((one) => [one.entity, shown(one.source)]),
        )),
    "",
    ...(imported
      ? [`${shown(report.runs_compared)} runs have the same points, parameters and tags on both sides.`]
      : []),
    ...(report.artifacts.files > 0
      ? [`${shown(report.artifacts.files)} files with ${shown(report.artifacts.bytes)} bytes were copied.`]
      : []),
    ...Object.entries(report.remarks).map(([name, times]) => `${shown(times)} ${remarkTexts[name] ?? name}.`),
    ...Object.entries(report.not_imported).map(([name, times]) => `Not imported: ${shown(times)} ${name}.`),
    ...report.notes,
    ...report.problems.map((one) => `${one.where}: ${one.what}; ${one.effect}.`),
    ...report.conflicts.map((line) => `Conflict: ${line}.`),
  ];
}
