import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDatabaseSource } from "./database-source.ts";
import { addRuns, makeMlflowDatabase } from "./mlflow-database-fixture.ts";
import type { ImportSource, RunPage } from "./source.ts";
import { openSqlite } from "./sqlite-reader.ts";

const open = async (file: string): Promise<ImportSource> => openDatabaseSource(openSqlite(file), file);

async function readAll(source: ImportSource): Promise<number> {
  let points = 0;
  const readPage = async (page: RunPage): Promise<void> => {
    for await (const columns of page.points()) points += columns.values.length;
  };
  for await (const page of source.runs(undefined)) await readPage(page);
  return points;
}

test("a file that is no SQLite database, or none at all, is refused", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plinth-sqlite-"));
  try {
    const file = join(folder, "x.db");
    await expect(open(file)).rejects.toThrow("There is no file");
    writeFileSync(file, "hello, this is a text and by no means a database of anything".repeat(100));
    await expect(open(file)).rejects.toThrow("it is not a SQLite database");
    writeFileSync(file, "");
    await expect(open(file)).rejects.toThrow("is not a database of MLflow");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a database that was cut off is refused, at the latest when its end is read", async () => {
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 600);
  fixture.database.close();
  truncateSync(fixture.file, Math.floor(readFileSync(fixture.file).length * 0.6));
  const read = async (): Promise<number> => {
    const source = await open(fixture.file);
    try {
      return await readAll(source);
    } finally {
      await source.close();
    }
  };
  await expect(read()).rejects.toThrow(/damaged or not complete/);
  appendFileSync(fixture.file, Buffer.alloc(100_000, 7));
  await expect(read()).rejects.toThrow(/damaged or not complete/);
});

test("databases that are not MLflow's, too old, too new, or half-migrated are told apart", async () => {
  using fixture = makeMlflowDatabase("3.17");
  const { database, file } = fixture;
  const set = (revision: string): void =>
    database.exec(`update alembic_version set version_num = '${revision}'`);
  set("cc1f77228345");
  await expect(open(file)).rejects.toThrow(/before 2\.9.*mlflow db upgrade/);
  set("ffffffffffff");
  await expect(open(file)).rejects.toThrow(/newer than 3\.17/);
  set("dc11669786a5");
  database.exec("insert into alembic_version values ('acf3f17fdcc7')");
  await expect(open(file)).rejects.toThrow(/half-way/);
  database.exec("delete from alembic_version");
  await expect(open(file)).rejects.toThrow(/half-way/);
  database.exec("insert into alembic_version values ('dc11669786a5'); drop table latest_metrics");
  await expect(open(file)).rejects.toThrow(/latest_metrics are missing/);
  database.exec("drop table alembic_version");
  await expect(open(file)).rejects.toThrow(/not a database of MLflow/);
});

test("what is written while it is read is not seen", async () => {
  using fixture = makeMlflowDatabase("3.17");
  fixture.database.exec("pragma journal_mode = wal");
  addRuns(fixture, 1, 10);
  const source = await open(fixture.file);
  addRuns(fixture, 11, 20);
  expect((await source.count()).runs).toBe(10);
  expect(await readAll(source)).toBe(200);
  await source.close();
});
