import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { PlinthError } from "./errors.ts";

/**
 * Plain SQL, forward only. Each file of `server/migrations` runs once, in the order of its name, in
 * a transaction of its own. A file whose first line is `-- breaking` cannot be worked on by
 * processes that do not know it: they refuse to start. All others must leave older processes
 * working (expand first, contract in a later release).
 */
export type Migration = { name: string; sql: string; checksum: string; breaking: boolean };

export type MigrationState = { name: string; appliedAt: Date | undefined; breaking: boolean };

/** Any constant will do as long as every process of Plinth uses the same one. */
const LOCK = 7_146_801_355;

const NAME = /^\d{4}_[a-z0-9_]+\.sql$/;

export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), "utf8");
      return {
        name,
        sql,
        checksum: createHash("sha256").update(sql).digest("hex"),
        breaking: sql.startsWith("-- breaking"),
      };
    }),
  );
}

/**
 * Brings the database up to `migrations` and returns the names that were applied now. Concurrent
 * starters wait for one another. Throws when an applied file has changed since, or when the
 * database holds a breaking migration this version does not know.
 */
export async function migrate(
  connection: pg.ClientConfig,
  migrations: readonly Migration[],
): Promise<string[]> {
  return withClient(connection, async (client) => {
    await client.query("select pg_advisory_lock($1)", [LOCK]);
    await client.query(`
      create schema if not exists kernel;
      create table if not exists kernel.migrations (
        name text constraint migrations_pkey primary key,
        checksum text not null,
        breaking boolean not null,
        applied_at timestamptz not null default now()
      )`);
    const applied = await selectApplied(client);
    refuseUnknown(applied, migrations);
    const done: string[] = [];
    for (const migration of migrations) {
      const known = applied.get(migration.name);
      if (known !== undefined) {
        refuseChanged(migration, known.checksum);
        continue;
      }
      await apply(client, migration);
      done.push(migration.name);
    }
    return done;
  });
}

/** What is applied and what is not, without changing anything. */
export async function migrationStates(
  connection: pg.ClientConfig,
  migrations: readonly Migration[],
): Promise<MigrationState[]> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query("select to_regclass('kernel.migrations') as found");
    const applied = rows[0]?.found === null ? new Map<string, Applied>() : await selectApplied(client);
    const names = new Set([...migrations.map((migration) => migration.name), ...applied.keys()]);
    return [...names].toSorted().map((name) => ({
      name,
      appliedAt: applied.get(name)?.applied_at,
      breaking:
        migrations.find((migration) => migration.name === name)?.breaking ??
        applied.get(name)?.breaking ??
        false,
    }));
  });
}

type Applied = { name: string; checksum: string; breaking: boolean; applied_at: Date };

async function selectApplied(client: pg.Client): Promise<Map<string, Applied>> {
  const { rows } = await client.query<Applied>(
    "select name, checksum, breaking, applied_at from kernel.migrations",
  );
  return new Map(rows.map((row) => [row.name, row]));
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query("begin");
    await client.query(migration.sql);
    await client.query("insert into kernel.migrations (name, checksum, breaking) values ($1, $2, $3)", [
      migration.name,
      migration.checksum,
      migration.breaking,
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw new PlinthError("internal", `Migration ${migration.name} failed: ${reason(error)}`, {
      cause: error,
    });
  }
}

function refuseUnknown(applied: Map<string, Applied>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map((migration) => migration.name));
  const newer = [...applied.values()].filter((row) => row.breaking && !known.has(row.name));
  if (newer.length > 0) {
    throw new PlinthError(
      "invalid_state",
      `The database was migrated by a newer Plinth (${newer.map((row) => row.name).join(", ")}), ` +
        "which this version cannot work with. Start the newer version.",
    );
  }
}

function refuseChanged(migration: Migration, checksum: string): void {
  if (checksum === migration.checksum) return;
  throw new PlinthError(
    "invalid_state",
    `Migration ${migration.name} differs from the one that was applied to this database. ` +
      "Applied migrations are never edited: restore the file, add a new one.",
  );
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function withClient<T>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ ...connection, application_name: "plinth migrate" });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
