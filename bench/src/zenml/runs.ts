// Runs written through the API as the client writes them, and cloned ones beside them, written by SQL.
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { query } from "../postgres.ts";
import type { ZenmlApi } from "./api.ts";
import * as bodies from "./bodies.ts";
import type { ZenmlServer } from "./servers.ts";

type Entity = { id: string; body: Record<string, unknown>; metadata: Record<string, never> };

export async function readPlace(api: ZenmlApi): Promise<bodies.Place> {
  const items = async (path: string): Promise<Entity[]> =>
    ((await api.call("GET", path)).json as { items: Entity[] }).items;
  const [project] = await items("/api/v1/projects?name=default");
  const [stack] = await items("/api/v1/stacks?name=default");
  const [store] = await items("/api/v1/components?name=default&type=artifact_store");
  if (project === undefined || stack === undefined || store === undefined) {
    throw new Error("the server has no default project, stack or artifact store");
  }
  return { project: project.id, stack: stack.id, artifactStore: store.id };
}

const idOf = ({ json }: Awaited<ReturnType<ZenmlApi["call"]>>): string => (json as { id: string }).id;

export type Run = { id: string; snapshot: string; pipeline: string };

/** A pipeline of so many steps, its snapshot, and a run of it that has begun. */
export async function beginRun(api: ZenmlApi, place: bodies.Place, steps: number): Promise<Run> {
  const name = `bench-${randomUUID()}`;
  const pipeline = idOf(await api.call("POST", "/api/v1/pipelines", { project: place.project, name }));
  const snapshot = idOf(
    await api.call("POST", "/api/v1/pipeline_snapshots", bodies.snapshotBody(place, pipeline, steps)),
  );
  const { json } = await api.call("POST", "/api/v1/runs", bodies.runBody(place, snapshot));
  const [run] = json as [{ id: string }, boolean];
  return { id: run.id, snapshot, pipeline };
}

/** All its steps, one after another: three requests each. Answers what they took, in seconds. */
export async function writeSteps(
  api: ZenmlApi,
  place: bodies.Place,
  { run, steps }: { run: string; steps: number },
): Promise<number> {
  const since = performance.now();
  const outputs: string[] = [];
  for (let at = 0; at < steps; at++) {
    const parent = bodies.parentOf(at);
    const input = parent === undefined ? undefined : outputs[parent];
    const step = idOf(await api.call("POST", "/api/v1/steps", bodies.stepBody(place, { run, at, input })));
    const artifact = bodies.artifactBody(place, step, bodies.stepName(at));
    const { json } = await api.call("POST", "/api/v1/artifact_versions/batch", [artifact]);
    const [version] = json as [{ id: string }];
    outputs.push(version.id);
    await api.call("PUT", `/api/v1/steps/${step}`, bodies.endBody(version.id));
  }
  return (performance.now() - since) / 1000;
}

/** Clones of a run that has ended, each with a snapshot of its own, a second apart. */
export async function cloneRuns(server: ZenmlServer, of: Run, count: number): Promise<void> {
  if (server.file !== undefined) cloneInSqlite(server.file, of, count);
  else if (server.database !== undefined) await cloneInPostgres(server.database, of, count);
}

function cloneInSqlite(file: string, of: Run, count: number): void {
  const database = new DatabaseSync(file);
  const columns = (table: string): string[] =>
    database
      .prepare(`select name from pragma_table_info('${table}')`)
      .all()
      .map((row) => String(row["name"]));
  const clone = (table: string, changes: Readonly<Record<string, string>>): string => {
    const names = columns(table);
    return `insert into ${table} (${names.map((name) => `"${name}"`).join(", ")})
      select ${names.map((name) => changes[name] ?? `"${name}"`).join(", ")} from ${table} where id = :id`;
  };
  const later = "datetime(created, '+' || :at || ' seconds')";
  const snapshots = database.prepare(
    clone("pipeline_snapshot", { id: ":new", created: later, updated: later }),
  );
  const runs = database.prepare(
    clone("pipeline_run", {
      id: ":new",
      name: "name || :new",
      snapshot_id: ":snapshot",
      orchestrator_run_id: ":new",
      '"index"': ":at",
      created: later,
      updated: later,
    }),
  );
  const plain = (id: string): string => id.replaceAll("-", "");
  database.exec("begin");
  for (let at = 1; at <= count; at++) {
    const snapshot = plain(randomUUID());
    snapshots.run({ id: plain(of.snapshot), new: snapshot, at });
    runs.run({ id: plain(of.id), new: plain(randomUUID()), snapshot, at });
  }
  database.exec("commit; analyze");
  database.close();
}

async function cloneInPostgres(
  database: NonNullable<ZenmlServer["database"]>,
  of: Run,
  count: number,
): Promise<void> {
  const columnsOf = async (table: string): Promise<string[]> => {
    const { rows } = await query<{ name: string }>(
      database,
      `select column_name as name from information_schema.columns
       where table_schema = 'pipelines' and table_name = '${table}' order by ordinal_position`,
    );
    return rows.map(({ name }) => name);
  };
  const clone = async (table: string, changes: Readonly<Record<string, string>>): Promise<string> => {
    const names = await columnsOf(table);
    return `insert into pipelines.${table} (${names.join(", ")})
      select ${names.map((name) => changes[name] ?? `t.${name}`).join(", ")}
      from pipelines.${table} as t, generate_series(1, $2::integer) as at where t.id = $1::uuid`;
  };
  const later = "t.created + at * 1000000::bigint";
  // The same id for a snapshot and its run: both statements work it out.
  const id = "md5($1::text || at || '/' || (select count(*) from pipelines.runs))::uuid";
  const snapshotId = "md5($3::text || at)::uuid";
  const salt = randomUUID();
  await query(
    database,
    (await clone("snapshots", { id: snapshotId, name: "null", created: later, updated: later })) +
      " and $3::text is not null",
    [of.snapshot, count, salt],
  );
  await query(
    database,
    (await clone("runs", {
      id,
      name: "t.name || '-' || at || $3::text",
      snapshot_id: snapshotId,
      orchestrator_run_id: "$3::text || at",
      index: "at",
      created: later,
      updated: later,
    })) + " and $3::text is not null",
    [of.id, count, salt],
  );
  // As the server's own autovacuum does soon: it is not to run while lists are measured.
  await query(database, "vacuum (analyze) pipelines.runs, pipelines.snapshots");
}
