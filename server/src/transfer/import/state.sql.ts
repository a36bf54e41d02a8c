import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array, int8Array } from "../../kernel/pg-arrays.ts";
import type { RunSums } from "../../modules/tracking/bulk/index.ts";

/** What is kept of imports: schema `transfer`, and the hidden workspaces they fill. */

export type ImportRow = {
  import_id: number;
  place: string;
  options: Record<string, unknown>;
  started_at: Date;
  published_at: Date | null;
};

const selectImportsText: Prepared = {
  name: "transfer_select_imports",
  text: `
    select import_id, place, options, started_at, published_at from transfer.imports
    where fingerprint = $1 order by published_at desc nulls first`,
};

/** The imports of one source, one that is under way first. */
export async function selectImports(database: Queryable, fingerprint: string): Promise<ImportRow[]> {
  return database.prepared<ImportRow>(selectImportsText, [fingerprint]);
}

const insertImportText: Prepared = {
  name: "transfer_insert_import",
  text: `
    insert into transfer.imports (fingerprint, place, version, options) values ($1, $2, $3, $4)
    returning import_id`,
};

export async function insertImport(
  database: Queryable,
  row: { fingerprint: string; place: string; version: string; options: Record<string, unknown> },
): Promise<number> {
  const values = [row.fingerprint, row.place, row.version, JSON.stringify(row.options)];
  const [added] = await database.prepared<{ import_id: number }>(insertImportText, values);
  return added?.import_id as number;
}

const updatePublishedText: Prepared = {
  name: "transfer_update_published",
  text: "update transfer.imports set published_at = now(), report = $2 where import_id = $1",
};

export async function updatePublished(database: Queryable, importId: number, report: unknown): Promise<void> {
  await database.prepared(updatePublishedText, [importId, JSON.stringify(report)]);
}

const deleteImportText: Prepared = {
  name: "transfer_delete_import",
  text: "delete from transfer.imports where import_id = $1",
};

export async function deleteImport(database: Queryable, importId: number): Promise<void> {
  await database.prepared(deleteImportText, [importId]);
}

export type WorkspaceRow = { source_name: string; target_name: string; workspace_id: number };

const insertWorkspaceText: Prepared = {
  name: "transfer_insert_workspace",
  text: `
    with hidden as (
      insert into identity.workspaces (name, description, creation_timestamp, last_updated_timestamp, hidden)
      values ('import:' || $1 || ':' || $2, 'An import under way', $4, $4, true)
      returning workspace_id
    )
    insert into transfer.workspaces (import_id, source_name, target_name, workspace_id)
    select $1::integer, $2, $3, workspace_id from hidden
    returning source_name, target_name, workspace_id`,
};

/** Makes the hidden workspace that a workspace of the source is loaded into. */
export async function insertWorkspace(
  database: Queryable,
  row: { importId: number; source: string; target: string; now: number },
): Promise<WorkspaceRow> {
  const values = [String(row.importId), row.source, row.target, row.now];
  const [added] = await database.prepared<WorkspaceRow>(insertWorkspaceText, values);
  return added as WorkspaceRow;
}

const selectWorkspacesText: Prepared = {
  name: "transfer_select_workspaces",
  text: `
    select source_name, target_name, workspace_id from transfer.workspaces where import_id = $1
    order by source_name`,
};

export async function selectWorkspaces(database: Queryable, importId: number): Promise<WorkspaceRow[]> {
  return database.prepared<WorkspaceRow>(selectWorkspacesText, [importId]);
}

const selectTargetText: Prepared = {
  name: "transfer_select_target_workspace",
  text: "select workspace_id from identity.workspaces where name = $1 and not hidden",
};

export async function selectTarget(database: Queryable, name: string): Promise<number | undefined> {
  const [row] = await database.prepared<{ workspace_id: number }>(selectTargetText, [name]);
  return row?.workspace_id;
}

export type NewWorkspace = {
  name: string;
  description: string | null;
  default_artifact_root: string | null;
  trace_archival_location: string | null;
  trace_archival_retention: string | null;
  now: number;
};

const insertTargetText: Prepared = {
  name: "transfer_insert_target_workspace",
  text: `
    insert into identity.workspaces (name, description, default_artifact_root, trace_archival_location,
      trace_archival_retention, creation_timestamp, last_updated_timestamp)
    values ($1, $2, $3, $4, $5, $6, $6)
    returning workspace_id`,
};

export async function insertTarget(database: Queryable, row: NewWorkspace): Promise<number> {
  const [added] = await database.prepared<{ workspace_id: number }>(insertTargetText, [
    row.name,
    row.description,
    row.default_artifact_root,
    row.trace_archival_location,
    row.trace_archival_retention,
    row.now,
  ]);
  return added?.workspace_id as number;
}

const deleteHiddenText: Prepared = {
  name: "transfer_delete_hidden_workspaces",
  text: "delete from identity.workspaces where hidden and workspace_id = any($1::integer[])",
};

export async function deleteHidden(database: Queryable, ids: readonly number[]): Promise<void> {
  await database.prepared(deleteHiddenText, [int4Array(ids)]);
}

/** Under which id an experiment is loaded, and into which other one it goes in the end. */
export type ExperimentPlace = { source_id: string; experiment_id: number; target_id: number | null };

const insertPlacesText: Prepared = {
  name: "transfer_insert_experiments",
  text: `
    insert into transfer.experiments (import_id, source_id, experiment_id, target_id)
    select $1, * from unnest($2::text[], $3::integer[], $4::integer[])`,
};

export async function insertPlaces(
  database: Queryable,
  importId: number,
  places: readonly ExperimentPlace[],
): Promise<void> {
  await database.prepared(insertPlacesText, [
    importId,
    places.map((place) => place.source_id),
    int4Array(places.map((place) => place.experiment_id)),
    places.map((place) => place.target_id),
  ]);
}

const selectPlacesText: Prepared = {
  name: "transfer_select_experiments",
  text: "select source_id, experiment_id, target_id from transfer.experiments where import_id = $1",
};

export async function selectPlaces(database: Queryable, importId: number): Promise<ExperimentPlace[]> {
  return database.prepared<ExperimentPlace>(selectPlacesText, [importId]);
}

export type Checkpoint = {
  phase: string;
  cursor: string | null;
  finished: boolean;
  counts: Record<string, number>;
};

const upsertCheckpointText: Prepared = {
  name: "transfer_upsert_checkpoint",
  text: `
    insert into transfer.checkpoints (import_id, phase, cursor, finished, counts) values ($1, $2, $3, $4, $5)
    on conflict on constraint checkpoints_pkey do update
      set cursor = excluded.cursor, finished = excluded.finished, counts = excluded.counts`,
};

export async function upsertCheckpoint(
  database: Queryable,
  importId: number,
  { phase, cursor, finished, counts }: Checkpoint,
): Promise<void> {
  await database.prepared(upsertCheckpointText, [importId, phase, cursor, finished, JSON.stringify(counts)]);
}

const selectCheckpointsText: Prepared = {
  name: "transfer_select_checkpoints",
  text: "select phase, cursor, finished, counts from transfer.checkpoints where import_id = $1",
};

export async function selectCheckpoints(database: Queryable, importId: number): Promise<Checkpoint[]> {
  return database.prepared<Checkpoint>(selectCheckpointsText, [importId]);
}

const insertSumsText: Prepared = {
  name: "transfer_insert_runs",
  text: `
    insert into transfer.runs (import_id, run_id, points, metrics, params, tags, points_hash, texts_hash)
    select $1, * from unnest($2::integer[], $3::bigint[], $4::integer[], $5::integer[], $6::integer[], $7::bigint[],
      $8::bigint[])`,
};

export type ReadSums = Omit<RunSums, "points_hash" | "texts_hash"> & {
  points_hash: bigint;
  texts_hash: bigint;
};

export async function insertReadSums(
  database: Queryable,
  importId: number,
  rows: readonly ReadSums[],
): Promise<void> {
  await database.prepared(insertSumsText, [
    importId,
    int4Array(rows.map((row) => row.run_id)),
    int8Array(rows.map((row) => row.points)),
    int4Array(rows.map((row) => row.metrics)),
    int4Array(rows.map((row) => row.params)),
    int4Array(rows.map((row) => row.tags)),
    int8Array(rows.map((row) => row.points_hash)),
    int8Array(rows.map((row) => row.texts_hash)),
  ]);
}

const selectSumsText: Prepared = {
  name: "transfer_select_runs",
  text: `
    select run_id, points, metrics, params, tags, points_hash, texts_hash
    from transfer.runs where import_id = $1 and run_id > $2 order by run_id limit $3`,
};

export async function selectReadSums(
  database: Queryable,
  importId: number,
  page: { after: number; limit: number },
): Promise<ReadSums[]> {
  const rows = await database.prepared<RunSums>(selectSumsText, [importId, page.after, page.limit]);
  return rows.map((row) => ({
    ...row,
    points_hash: BigInt(row.points_hash),
    texts_hash: BigInt(row.texts_hash),
  }));
}

const deleteSumsText: Prepared = {
  name: "transfer_delete_runs",
  text: "delete from transfer.runs where import_id = $1",
};

export async function deleteReadSums(database: Queryable, importId: number): Promise<void> {
  await database.prepared(deleteSumsText, [importId]);
}
