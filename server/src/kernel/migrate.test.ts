import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { MIGRATIONS } from "../main.ts";
import { migrate, migrationStates, readMigrations, type Migration } from "./migrate.ts";
import type { PostgresConnection } from "./postgres/connection.ts";

let connection: PostgresConnection;
let count = 0;

/** An empty database: the template has been migrated already. */
beforeEach(async () => {
  count += 1;
  const name = `migrate_${process.pid}_${count}`;
  await ask(inject("postgres"), `create database ${name} template template0`);
  connection = { ...inject("postgres"), database: name };
});
afterEach(() => ask(inject("postgres"), `drop database ${connection.database} with (force)`));

async function ask(target: PostgresConnection, statement: string): Promise<unknown[]> {
  const client = new pg.Client(target);
  await client.connect();
  try {
    return (await client.query({ text: statement, rowMode: "array" })).rows.flat();
  } finally {
    await client.end();
  }
}

const migration = (name: string, sql: string): Migration => ({
  name,
  sql,
  checksum: createHash("sha256").update(sql).digest("hex"),
  breaking: sql.startsWith("-- breaking"),
});

const first = migration("0001_first.sql", "create table numbers (n integer); insert into numbers values (1)");
const second = migration("0002_second.sql", "insert into numbers select n + 1 from numbers");

describe("migrations", () => {
  test("run once, in the order of their names", async () => {
    expect(await migrate(connection, [first])).toEqual(["0001_first.sql"]);
    expect(await migrate(connection, [first, second])).toEqual(["0002_second.sql"]);
    expect(await migrate(connection, [first, second])).toEqual([]);
    expect(await ask(connection, "select n from numbers order by n")).toEqual([1, 2]);
  });

  test("concurrent starters agree: one applies each, all return after it", async () => {
    const slow = migration("0003_slow.sql", "select pg_sleep(0.2); insert into numbers values (10)");
    const done = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const applied = await migrate(connection, [first, second, slow]);
        // Whoever returns may serve: all of it must be there.
        expect(await ask(connection, "select max(n) from numbers")).toEqual([10]);
        return applied;
      }),
    );
    expect(done.flat()).toEqual(["0001_first.sql", "0002_second.sql", "0003_slow.sql"]);
    expect(await ask(connection, "select count(*)::integer from numbers")).toEqual([3]);
  });

  test("an applied file that was edited is refused, and nothing after it runs", async () => {
    await migrate(connection, [first]);
    const edited = migration(first.name, `${first.sql};`);
    await expect(migrate(connection, [edited, second])).rejects.toMatchObject({
      code: "invalid_state",
      message: expect.stringContaining("0001_first.sql differs from the one that was applied"),
    });
    expect(await ask(connection, "select n from numbers")).toEqual([1]);
  });

  test("a breaking migration of a newer version is refused, a compatible one is not", async () => {
    const compatible = migration("0002_added.sql", "alter table numbers add column name text");
    await migrate(connection, [first, compatible]);
    expect(await migrate(connection, [first])).toEqual([]);
    const breaking = migration("0003_renamed.sql", "-- breaking\nalter table numbers rename to digits");
    await migrate(connection, [first, compatible, breaking]);
    await expect(migrate(connection, [first, compatible])).rejects.toMatchObject({
      code: "invalid_state",
      message: expect.stringContaining("newer Plinth (0003_renamed.sql)"),
    });
  });

  test("one that fails leaves nothing of itself, and says which file it was", async () => {
    const failing = migration("0002_failing.sql", "insert into numbers values (7); select 1 / 0");
    await expect(migrate(connection, [first, failing, second])).rejects.toThrow(
      "Migration 0002_failing.sql failed: division by zero",
    );
    expect(await ask(connection, "select n from numbers")).toEqual([1]);
    expect(await ask(connection, "select name from kernel.migrations")).toEqual(["0001_first.sql"]);
    // Mended, it runs.
    expect(await migrate(connection, [first, migration(failing.name, second.sql)])).toEqual([failing.name]);
  });

  test("the state tells what is applied and what is not, without changing anything", async () => {
    const states = async (): Promise<unknown[]> =>
      (await migrationStates(connection, [first, second])).map(({ name, appliedAt }) => [
        name,
        appliedAt !== undefined,
      ]);
    expect(await states()).toEqual([
      [first.name, false],
      [second.name, false],
    ]);
    expect(await ask(connection, "select to_regclass('kernel.migrations')")).toEqual([null]);
    await migrate(connection, [first, migration("0009_theirs.sql", "select 1")]);
    expect(await states()).toEqual([
      [first.name, true],
      [second.name, false],
      ["0009_theirs.sql", true],
    ]);
  });

  test("files are read in order, others are left out", async () => {
    const folder = await mkdtemp(join(tmpdir(), "plinth-migrations-"));
    try {
      await writeFile(join(folder, "0002_b.sql"), "-- breaking\nselect 2");
      await writeFile(join(folder, "0001_a.sql"), "select 1");
      await writeFile(join(folder, "README.md"), "not one");
      await writeFile(join(folder, "0003_c.sql.bak"), "not one either");
      expect((await readMigrations(folder)).map(({ name, sql, breaking }) => [name, sql, breaking])).toEqual([
        ["0001_a.sql", "select 1", false],
        ["0002_b.sql", "-- breaking\nselect 2", true],
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("Plinth's own apply to an empty database", async () => {
    const ours = await readMigrations(MIGRATIONS);
    expect(await migrate(connection, ours)).toEqual(ours.map(({ name }) => name));
    expect(await ask(connection, "select name from tracking.experiments")).toEqual(["Default"]);
  });
});
