import pg from "pg";
import { expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import type { PostgresConnection } from "../../kernel/postgres/connection.ts";
import { openSource } from "./open-source.ts";
import type { ImportSource } from "./source.ts";

const open = (source: string): Promise<ImportSource> =>
  openSource(source, {
    onProblem: () => undefined,
    allowPaths: [],
    artifactsDestination: undefined,
    copyRemote: false,
    s3Endpoint: undefined,
    server: {},
  });

const urlOf = ({ host, port, user, database }: PostgresConnection, password: string): string =>
  `postgresql+psycopg2://${user}:${password}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;

async function messageOf(work: Promise<ImportSource>): Promise<string> {
  try {
    await (await work).close();
    return "it was opened";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("what is no source is refused, and a password is never repeated", async () => {
  expect(await messageOf(open("oracle://u:hunter2@db/x"))).toMatch(/'oracle:\/\/' is not a source/);
  expect(await messageOf(open("/nowhere/at/all.db"))).toMatch(/no file or folder \/nowhere/);
  expect(await messageOf(open("sqlite://"))).toMatch(/must name its file/);
  for (const address of [
    "postgresql://u:hunter2@127.0.0.1:1/x",
    "mysql+pymysql://u:hunter2@127.0.0.1:1/x",
    "http://u:hunter2@127.0.0.1:1",
  ]) {
    const message = await messageOf(open(address));
    expect(message).toMatch(/127\.0\.0\.1:1/);
    expect(message).not.toContain("hunter2");
  }
});

test("a password that was not encoded is not shown either", async () => {
  for (const address of [
    "postgresql://u:hun@ter2/x?y@127.0.0.1:1/x",
    "mysql://u:hun@ter2/x?y@127.0.0.1:1/x",
  ]) {
    expect(await messageOf(open(address))).not.toMatch(/hun|ter2/);
  }
});

test("a PostgreSQL that is not MLflow's, or does not let in, is told apart", async () => {
  await using ground = await testDatabase();
  const { connection } = ground;
  const right = urlOf(connection, encodeURIComponent(connection.password));
  expect(await messageOf(open(right))).toMatch(/is not a database of MLflow/);
  expect(await messageOf(open(right.replace(connection.database, "nothing_here")))).toMatch(
    /no such database|not a database/,
  );
});

test("a PostgreSQL is read as of one moment, wherever its tables are", async () => {
  await using ground = await testDatabase();
  const { connection } = ground;
  const client = new pg.Client(connection);
  client.on("error", () => undefined);
  await client.connect();
  await client.query(`
    create table alembic_version (version_num text); insert into alembic_version values ('acf3f17fdcc7');
    create table experiments (experiment_id integer primary key, name text, artifact_location text, lifecycle_stage text,
      creation_time bigint, last_update_time bigint);
    insert into experiments values (0, 'Default', 'x', 'active', 1, 1);
    create table experiment_tags (key text, value text, experiment_id integer)`);
  const others = [
    "runs",
    "params",
    "tags",
    "metrics",
    "latest_metrics",
    "datasets",
    "inputs",
    "input_tags",
    "registered_models",
    "registered_model_aliases",
    "model_versions",
    "model_version_tags",
  ];
  for (const table of others) await client.query(`create table ${table} (id integer)`);
  const right = urlOf(connection, encodeURIComponent(connection.password));
  expect(await messageOf(open(right))).toMatch(/tables registered_model_tags are missing/);
  await client.query("create table registered_model_tags (id integer)");
  const source = await open(right);
  await client.query("insert into experiments values (1, 'late', 'x', 'active', 1, 1)");
  const names: string[] = [];
  for await (const page of source.experiments(undefined)) names.push(...page.rows.map((row) => row.name));
  expect(names).toEqual(["Default"]);
  expect(source.description).toMatchObject({
    kind: "postgresql",
    snapshot: true,
    version: expect.stringContaining("2.9"),
  });
  expect(JSON.stringify(source.description)).not.toContain(connection.password);
  await source.close();
  await client.end();
});
