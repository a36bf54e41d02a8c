import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The tables of MLflow that an import reads, as SQLite has them after 2.9 and after 3.17. */
const shared = (workspace: string): string => `
  create table alembic_version (version_num varchar(32) not null primary key);
  create table experiments (experiment_id integer not null primary key, name varchar(256) not null,
    artifact_location varchar(256), lifecycle_stage varchar(32), creation_time bigint, last_update_time bigint${workspace});
  create table experiment_tags (key varchar(250) not null, value text, experiment_id integer not null,
    primary key (key, experiment_id));
  create table runs (run_uuid varchar(32) not null primary key, name varchar(250), source_type varchar(20),
    user_id varchar(256), status varchar(9), start_time bigint, end_time bigint, lifecycle_stage varchar(20),
    artifact_uri varchar(200), experiment_id integer, deleted_time bigint);
  create table params (key varchar(250) not null, value varchar(8000) not null, run_uuid varchar(32) not null,
    primary key (key, run_uuid));
  create table tags (key varchar(250) not null, value varchar(8000), run_uuid varchar(32) not null,
    primary key (key, run_uuid));
  create table metrics (key varchar(250) not null, value float not null, timestamp bigint not null,
    run_uuid varchar(32) not null, step bigint not null, is_nan boolean not null,
    primary key (key, timestamp, step, run_uuid, value, is_nan));
  create index index_metrics_run_uuid on metrics (run_uuid);
  create table latest_metrics (key varchar(250) not null, value float not null, timestamp bigint, step bigint not null,
    is_nan boolean not null, run_uuid varchar(32) not null, primary key (key, run_uuid));
  create table datasets (dataset_uuid varchar(36) not null, experiment_id integer not null, name varchar(500) not null,
    digest varchar(36) not null, dataset_source_type varchar(36) not null, dataset_source text not null,
    dataset_schema text, dataset_profile text, primary key (experiment_id, name, digest));
  create table input_tags (input_uuid varchar(36) not null, name varchar(255) not null, value varchar(500) not null);
  create table registered_models (name varchar(256) not null, creation_time bigint, last_updated_time bigint,
    description varchar(5000)${workspace});
  create table registered_model_tags (key varchar(250) not null, value varchar(5000), name varchar(256) not null${workspace});
  create table registered_model_aliases (alias varchar(256) not null, version integer not null,
    name varchar(256) not null${workspace});
  create table model_versions (name varchar(256) not null, version integer not null, creation_time bigint,
    last_updated_time bigint, description varchar(5000), user_id varchar(256), current_stage varchar(20),
    source varchar(500), run_id varchar(32), status varchar(20), status_message varchar(500), run_link varchar(500),
    storage_location varchar(500)${workspace});
  create table model_version_tags (key varchar(250) not null, value text, name varchar(256) not null,
    version integer not null${workspace});`;

const oldInputs = `
  create table inputs (input_uuid varchar(36) not null, source_type varchar(36) not null, source_id varchar(36) not null,
    destination_type varchar(36) not null, destination_id varchar(36) not null);`;

const newTables = `
  create table inputs (input_uuid varchar(36) not null, source_type varchar(36) not null, source_id varchar(36) not null,
    destination_type varchar(36) not null, destination_id varchar(36) not null, step bigint default 0 not null);
  create table logged_models (model_id varchar(36) not null primary key, experiment_id integer not null,
    name varchar(500) not null, artifact_location varchar(1000) not null, creation_timestamp_ms bigint not null,
    last_updated_timestamp_ms bigint not null, status integer not null, lifecycle_stage varchar(32),
    model_type varchar(500), source_run_id varchar(32), status_message varchar(1000));
  create table logged_model_params (model_id varchar(36) not null, param_key varchar(255) not null, param_value text not null);
  create table logged_model_tags (model_id varchar(36) not null, tag_key varchar(255) not null, tag_value text not null);
  create table logged_model_metrics (model_id varchar(36) not null, metric_name varchar(500) not null,
    metric_timestamp_ms bigint not null, metric_step bigint not null, metric_value float, run_id varchar(32) not null,
    dataset_name varchar(500), dataset_digest varchar(36));
  create table workspaces (name varchar(63) not null primary key, description text, default_artifact_root text);
  create table trace_info (request_id varchar(50) not null primary key);`;

export const uuidOf = (index: number): string =>
  ((index * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, "0") +
  index.toString(16).padStart(24, "0");

export type MlflowFixture = Disposable & { file: string; database: DatabaseSync };

/** An empty database of MLflow with its experiment 0. */
export function makeMlflowDatabase(version: "2.9" | "3.17"): MlflowFixture {
  const folder = mkdtempSync(join(tmpdir(), "plinth-mlflow-"));
  const file = join(folder, "mlflow.db");
  const database = new DatabaseSync(file);
  const isNew = version === "3.17";
  database.exec(shared(isNew ? ", workspace varchar(63) default 'default' not null" : ""));
  database.exec(isNew ? newTables : oldInputs);
  database.exec(`
    insert into alembic_version values ('${isNew ? "dc11669786a5" : "acf3f17fdcc7"}');
    insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
      values (0, 'Default', 's3://store/0', 'active', 1600000000000, 1600000000000)`);
  return {
    file,
    database,
    [Symbol.dispose]() {
      if (database.isOpen) database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs in experiments 0 to 2, each with points, parameters and tags. */
export function addRuns({ database }: MlflowFixture, first: number, last: number): void {
  database.exec(`
    insert or ignore into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
      values (1, 'one', 's3://store/1', 'active', 1600000000001, 1600000000002),
        (2, 'two', 's3://store/2', 'deleted', 1600000000003, 1600000009000)`);
  const add = {
    run: database.prepare(`insert into runs (run_uuid, name, source_type, user_id, status, start_time, end_time,
      lifecycle_stage, artifact_uri, experiment_id, deleted_time) values (?, ?, 'UNKNOWN', 'ann', ?, ?, ?, ?, ?, ?, ?)`),
    param: database.prepare("insert into params (key, value, run_uuid) values (?, ?, ?)"),
    tag: database.prepare("insert into tags (key, value, run_uuid) values (?, ?, ?)"),
    point: database.prepare(
      "insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values (?, ?, ?, ?, ?, 0)",
    ),
    latest: database.prepare(
      "insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan) values (?, ?, ?, ?, ?, 0)",
    ),
  };
  database.exec("begin");
  for (let index = first; index <= last; index += 1) {
    const uuid = uuidOf(index);
    const start = 1_600_000_000_000 + index;
    const deleted = index % 3 === 2 || index % 7 === 0;
    add.run.run(
      uuid,
      `run ${index}`,
      index % 2 === 0 ? "FINISHED" : "RUNNING",
      start,
      index % 2 === 0 ? start + 5 : null,
      deleted ? "deleted" : "active",
      `s3://store/${index % 3}/${uuid}/artifacts`,
      index % 3,
      deleted ? (index % 3 === 2 ? 1_600_000_009_001 : 1_600_000_000_777) : null,
    );
    add.param.run("alpha", String(index), uuid);
    add.tag.run("mlflow.runName", `run ${index}`, uuid);
    for (let step = 0; step < 20; step += 1)
      add.point.run("loss", 1 / (step + index), start + step, uuid, step);
    add.latest.run("loss", 1 / (19 + index), start + 19, uuid, 19);
  }
  database.exec("commit");
}
