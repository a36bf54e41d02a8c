import { openDatabase } from "../../../server/src/kernel/database.ts";
import { migrate, readMigrations } from "../../../server/src/kernel/migrate.ts";
import { openSecrets } from "../../../server/src/secret-keys.ts";
import { lockImports } from "../../../server/src/transfer/import/index.ts";
import {
  importZenml,
  openZenmlSource,
  type ZenmlImportReport,
} from "../../../server/src/transfer/zenml/index.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";
import { readConfig } from "../server-door.ts";
import { openConfiguredDatabase } from "./database.ts";
import { migrationsFolder } from "./db.ts";

/** Brings a ZenML server over, by its address; in one transaction. */
export async function importFromZenml({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const projects = (options["project"] as string[] | undefined) ?? [];
  const into = options["into"] as string | undefined;
  if (into !== undefined && projects.length !== 1) {
    throw new CommandFailure("--into names one project: say which with --project.", exitCodes.wrongCall);
  }
  const stop = new AbortController();
  const onSignal = (): void =>
    stop.abort(new CommandFailure("Stopped. Nothing was brought over.", exitCodes.failed));
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    const source = await openZenmlSource(String(options["source"]), {
      username: process.env["ZENML_STORE_USERNAME"],
      password: process.env["ZENML_STORE_PASSWORD"],
      apiKey: process.env["ZENML_STORE_API_KEY"],
    });
    await using opened = new AsyncDisposableStack();
    opened.defer(() => source.close());
    const ground = opened.use(await openConfiguredDatabase(config, output));
    await migrate(ground.connection, await readMigrations(migrationsFolder));
    opened.use(await lockImports(ground.connection));
    const secrets = await openSecrets(config, config.databaseUrl === undefined ? "embedded" : "external");
    const database = openDatabase({
      connection: ground.connection,
      poolSize: 4,
      // One transaction for all of it.
      statementTimeoutMs: 0,
      onIdleError: () => undefined,
    });
    opened.defer(() => database.close());
    const report = await importZenml(
      {
        database,
        secrets,
        source,
        signal: stop.signal,
        onProgress: ({ project, kind, done, total }) =>
          output.progress(
            `${project === undefined ? "" : `${project}: `}${kind.replaceAll("_", " ")} ${done} of ${total}`,
          ),
      },
      { projects, into },
    );
    output.answer(report, lines(report));
    return exitCodes.ok;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

function lines(report: ZenmlImportReport): string[] {
  const rows = [
    ...Object.entries(report.shared).map(([kind, count]) => ["", kind, String(count)]),
    ...report.projects.flatMap(({ into, counts }) =>
      Object.entries(counts).map(([kind, count]) => [into, kind, String(count)]),
    ),
  ];
  return [
    `Read from ${report.source} (ZenML ${report.version}) in ${report.seconds.toFixed(1)} s:`,
    "",
    ...table(["project", "kind", "read"], rows),
  ];
}
