import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrate, migrationStates, readMigrations } from "../../../server/src/kernel/migrate.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";
import { readConfig } from "../server-door.ts";
import { openConfiguredDatabase } from "./database.ts";

export const migrationsFolder = fileURLToPath(new URL("../../../server/migrations", import.meta.url));

/** Applies the migrations that are missing. */
export async function migrateDatabase({ flags, output }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  await using database = await openConfiguredDatabase(config, output);
  const applied = await migrate(database.connection, await readMigrations(migrationsFolder));
  output.answer(
    { applied },
    applied.length === 0 ? ["The schema is up to date."] : applied.map((name) => `applied ${name}`),
  );
  return exitCodes.ok;
}

/** Lists the migrations; exit code 3 when some are not applied. */
export async function databaseStatus({ flags, output }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  if (config.databaseUrl === undefined && !existsSync(join(config.dataDir, "postgres"))) {
    throw new CommandFailure(
      `There is no database in ${config.dataDir} yet: the first start makes it.`,
      exitCodes.no,
    );
  }
  await using database = await openConfiguredDatabase(config, output);
  const states = await migrationStates(database.connection, await readMigrations(migrationsFolder));
  const pending = states.filter((state) => state.appliedAt === undefined);
  output.answer(
    {
      pending: pending.length,
      migrations: states.map(({ name, appliedAt, breaking }) => ({
        name,
        applied_at: appliedAt ?? null,
        breaking,
      })),
    },
    [
      ...table(
        ["MIGRATION", "APPLIED", ""],
        states.map(({ name, appliedAt, breaking }) => [
          name,
          appliedAt?.toISOString() ?? "no",
          breaking ? "breaking" : "",
        ]),
      ),
      pending.length === 0
        ? "The schema is up to date."
        : `${pending.length} to apply: run \`plinth db migrate\`.`,
    ],
  );
  return pending.length === 0 ? exitCodes.ok : exitCodes.no;
}
