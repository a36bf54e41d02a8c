import pg from "pg";
import { expect, inject, test } from "vitest";
import { migrate, readMigrations } from "../../kernel/migrate.ts";
import { MIGRATIONS } from "../../main.ts";

/** Two workspaces; models 1 and 2 in the first, 3 in the other; run `r1` and logged model `m-1` that it made in the first. */
const BEFORE = `
  insert into identity.workspaces (workspace_id, name, creation_timestamp, last_updated_timestamp) values (7, 'other', 0, 0);
  insert into tracking.experiments (experiment_id, name, artifact_location, creation_time, last_update_time, workspace_id)
    values (10, 'own', '', 0, 0, 1), (20, 'theirs', '', 0, 0, 7);
  insert into tracking.runs (run_id, experiment_id, run_uuid, name, user_id, status, start_time, artifact_uri)
    values (11, 10, 'r1', '', '', 1, 0, ''), (21, 20, 'r2', '', '', 1, 0, '');
  insert into tracking.logged_models (
    model_id, experiment_id, name, artifact_location, creation_timestamp, last_updated_timestamp, status, source_run_uuid
  ) values ('m-1', 10, '', '', 0, 0, 2, 'r1'), ('m-2', 10, '', '', 0, 0, 2, 'r2'), ('m-3', 10, '', '', 0, 0, 2, null);
  insert into registry.registered_models (model_key, name, description, creation_timestamp, last_updated_timestamp, workspace_id)
    values (1, 'a', '', 0, 0, 1), (3, 'c', '', 0, 0, 7);`;

/** What a version names, and the run and experiment it then comes from. */
const CASES: [
  model: number,
  run: string,
  loggedModel: string | null,
  origin: [number | null, number | null],
][] = [
  [1, "r1", null, [11, 10]],
  [1, "r1", "m-2", [11, 10]],
  [1, "unknown", "m-1", [11, 10]],
  [1, "", "m-3", [null, 10]],
  // Of another workspace, by itself or by way of the logged model.
  [1, "r2", null, [null, null]],
  [1, "", "m-2", [null, 10]],
  [3, "r1", "m-1", [null, null]],
  [3, "r2", null, [21, 20]],
  [1, "unknown", "m-unknown", [null, null]],
  [1, "", null, [null, null]],
];

test("versions of before the migration and after it know where they come from", async () => {
  const server = inject("postgres");
  const name = `lineage_${process.pid}`;
  const admin = new pg.Client(server);
  await admin.connect();
  await admin.query(`create database ${name} template template0`);
  const connection = { ...server, database: name };
  const client = new pg.Client(connection);
  try {
    const migrations = await readMigrations(MIGRATIONS);
    await migrate(
      connection,
      migrations.filter((migration) => migration.name < "0007"),
    );
    await client.connect();
    await client.query(BEFORE);
    const insert = async (from: number): Promise<void> => {
      for (const [index, [model, run, loggedModel]] of CASES.entries()) {
        await client.query(
          `insert into registry.model_versions (
             model_key, version, creation_timestamp, last_updated_timestamp, source, storage_location, run_uuid, run_link, model_id
           ) values ($1, $2, 0, 0, '', '', $3, '', $4)`,
          [model, from + index, run, loggedModel],
        );
      }
    };
    await insert(100);
    await migrate(connection, migrations);
    await insert(200);
    const { rows } = await client.query<{ version: number; origin: number[] }>(`
      select version, array[origin_run_id, origin_experiment_id] as origin from registry.model_versions`);
    const origins = new Map(rows.map((row) => [row.version, row.origin]));
    for (const [index, [model, run, loggedModel, origin]] of CASES.entries()) {
      const named = [model, run, loggedModel];
      expect([named, origins.get(100 + index), origins.get(200 + index)]).toEqual([named, origin, origin]);
    }
  } finally {
    await client.end();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  }
});
