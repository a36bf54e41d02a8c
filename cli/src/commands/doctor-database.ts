import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { migrationStates, readMigrations } from "../../../server/src/kernel/migrate.ts";
import { findBinaries } from "../../../server/src/kernel/postgres/binaries.ts";
import { parseDatabaseUrl, type PostgresConnection } from "../../../server/src/kernel/postgres/connection.ts";
import { findRunningPostgres } from "../../../server/src/kernel/postgres/embedded.ts";
import { checkServer, clockSkewSeconds } from "../../../server/src/kernel/postgres/server-check.ts";
import type { Config } from "../server-door.ts";
import { migrationsFolder } from "./db.ts";
import type { Finding } from "./doctor.ts";

/** A second of skew turns the order of runs around; clients' times are shown next to the server's. */
const LARGEST_SKEW_SECONDS = 1;

export async function checkDatabase(config: Config): Promise<Finding[]> {
  const check = "database";
  if (config.databaseUrl === undefined) return checkEmbedded(config.dataDir);
  try {
    const { connection, version, warnings } = await checkServer(parseDatabaseUrl(config.databaseUrl));
    return [
      { check, level: "ok", saw: `PostgreSQL ${version} at ${connection.host}:${connection.port}` },
      ...warnings.map((warning): Finding => {
        const [saw, ...rest] = warning.split(": ");
        return { check, level: "warning", saw: saw ?? warning, remedy: rest.join(": ") };
      }),
      await checkClock(connection),
      await checkMigrations(connection),
    ];
  } catch (error) {
    return [{ check, level: "problem", saw: error instanceof Error ? error.message : String(error) }];
  }
}

async function checkEmbedded(dataDir: string): Promise<Finding[]> {
  const check = "database";
  const folder = join(dataDir, "postgres");
  if (!existsSync(join(folder, "PG_VERSION")))
    return [{ check, level: "ok", saw: "none yet: the first start makes it" }];
  try {
    const major = Number.parseInt(readFileSync(join(folder, "PG_VERSION"), "utf8"), 10);
    const { version, major: own } = findBinaries(undefined);
    if (major !== own) {
      const saw = `the data belongs to PostgreSQL ${major}, this Plinth brings ${version}`;
      return [
        {
          check,
          level: "problem",
          saw,
          remedy: "Start the Plinth that made it, or dump it there and restore it here.",
        },
      ];
    }
    const connection = findRunningPostgres(dataDir);
    if (connection === undefined) return [{ check, level: "ok", saw: `PostgreSQL ${version}, not running` }];
    return [{ check, level: "ok", saw: `PostgreSQL ${version}, running` }, await checkMigrations(connection)];
  } catch (error) {
    return [{ check, level: "problem", saw: error instanceof Error ? error.message : String(error) }];
  }
}

async function checkMigrations(connection: PostgresConnection): Promise<Finding> {
  const check = "schema";
  const states = await migrationStates(connection, await readMigrations(migrationsFolder));
  const pending = states.filter((state) => state.appliedAt === undefined).length;
  if (pending === 0) return { check, level: "ok", saw: `${states.length} migrations applied` };
  return {
    check,
    level: "ok",
    saw: `${pending} of ${states.length} migrations to apply: the next start does it`,
  };
}

async function checkClock(connection: PostgresConnection): Promise<Finding> {
  const check = "clock";
  const seconds = await clockSkewSeconds(connection);
  const saw = `${seconds.toFixed(3)} s apart from the database's`;
  if (seconds <= LARGEST_SKEW_SECONDS) return { check, level: "ok", saw };
  return {
    check,
    level: "warning",
    saw,
    remedy: "Run a time service (chrony, systemd-timesyncd) on both machines.",
  };
}
