import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";

/** A workspace's metadata, without what was never given. */
export type WorkspaceRow = {
  workspace_id: number;
  name: string;
  description: string | null;
  default_artifact_root: string | null;
  trace_archival_location: string | null;
  trace_archival_retention: string | null;
  /** Reads of artifacts and all changes in it are in the audit log. */
  protected: boolean;
  /** What ZenML's clients know it by. */
  uuid: string;
  display_name: string | null;
  metadata_json: string | null;
};

const COLUMNS = `workspace_id, name, description, default_artifact_root, trace_archival_location,
  trace_archival_retention, protected, uuid, display_name, metadata_json`;

const selectWorkspaceText: Prepared = {
  name: "identity_select_workspace",
  text: `select ${COLUMNS} from identity.workspaces where name = $1 and not hidden`,
};

export async function selectWorkspace(database: Queryable, name: string): Promise<WorkspaceRow | undefined> {
  return (await database.prepared<WorkspaceRow>(selectWorkspaceText, [name]))[0];
}

const selectByUuidText: Prepared = {
  name: "identity_select_workspace_by_uuid",
  text: `select ${COLUMNS} from identity.workspaces where uuid = $1::uuid and not hidden`,
};

export async function selectWorkspaceByUuid(
  database: Queryable,
  uuid: string,
): Promise<WorkspaceRow | undefined> {
  return (await database.prepared<WorkspaceRow>(selectByUuidText, [uuid]))[0];
}

const selectWorkspacesText: Prepared = {
  name: "identity_select_workspaces",
  text: `select ${COLUMNS} from identity.workspaces where not hidden order by name`,
};

export async function selectWorkspaces(database: Queryable): Promise<WorkspaceRow[]> {
  return database.prepared<WorkspaceRow>(selectWorkspacesText, []);
}

// Grants of a principal are few beside those of all: its assignments come first.
const selectWorkspacesOfText: Prepared = {
  name: "identity_select_workspaces_of",
  text: `
    with mine as materialized (
      select r.workspace_id,
        bool_or(g.permission in ('READ', 'USE', 'EDIT', 'MANAGE')) as granted,
        bool_or(g.resource_type = 'workspace' and g.permission = 'DENY') as denied
      from identity.assignments as a join identity.roles as r using (role_id) join identity.grants as g using (role_id)
      where a.principal_id = $1 group by r.workspace_id
    )
    select ${COLUMNS} from identity.workspaces as w left join mine using (workspace_id)
    where not hidden and ($3::integer[] is null or workspace_id = any($3))
      and not coalesce(denied, false) and (coalesce(granted, false) or $2 and workspace_id = 1)
    order by name`,
};

/** Those that a principal has a part in: the default one too where everybody has, of a limited credential only these. */
export async function selectWorkspacesOf(
  database: Queryable,
  of: { principalId: number; isDefaultOpen: boolean; among: readonly number[] | undefined },
): Promise<WorkspaceRow[]> {
  const among = of.among === undefined ? null : int4Array(of.among);
  return database.prepared<WorkspaceRow>(selectWorkspacesOfText, [of.principalId, of.isDefaultOpen, among]);
}

const selectProtectedText: Prepared = {
  name: "identity_select_protected_workspaces",
  text: "select name from identity.workspaces where protected",
};

export async function selectProtected(database: Queryable): Promise<string[]> {
  const rows = await database.prepared<{ name: string }>(selectProtectedText, []);
  return rows.map(({ name }) => name);
}

const selectOthersText: Prepared = {
  name: "identity_select_other_workspaces",
  text: "select exists (select from identity.workspaces where workspace_id <> 1 and not hidden) as others",
};

/** Whether there is a workspace besides the default one. */
export async function selectHasOthers(database: Queryable): Promise<boolean> {
  return (await database.prepared<{ others: boolean }>(selectOthersText, []))[0]?.others ?? false;
}

const selectAloneText: Prepared = {
  name: "identity_select_is_alone",
  text: "select not exists (select from identity.workspaces where workspace_id <> 1) as alone",
};

/** Whether the default workspace is the only one, hidden ones included. */
export async function selectIsAlone(database: Queryable): Promise<boolean> {
  return (await database.prepared<{ alone: boolean }>(selectAloneText, []))[0]?.alone ?? false;
}

const insertWorkspaceText: Prepared = {
  name: "identity_insert_workspace",
  text: `
    insert into identity.workspaces (name, description, default_artifact_root, trace_archival_location,
      trace_archival_retention, creation_timestamp, last_updated_timestamp, protected, uuid, display_name, metadata_json)
    values ($1, $2, $3, $4, $5, $6, $6, $7, coalesce($8::uuid, gen_random_uuid()), $9, $10)
    on conflict do nothing returning ${COLUMNS}`,
};

export type NewWorkspace = Omit<WorkspaceRow, "workspace_id" | "uuid"> & {
  uuid: string | undefined;
  now: number;
};

/** Undefined when the name is taken, also by a workspace that is hidden, or the id. */
export async function insertWorkspace(
  database: Queryable,
  row: NewWorkspace,
): Promise<WorkspaceRow | undefined> {
  const [added] = await database.prepared<WorkspaceRow>(insertWorkspaceText, [
    row.name,
    row.description,
    row.default_artifact_root,
    row.trace_archival_location,
    row.trace_archival_retention,
    row.now,
    row.protected,
    row.uuid ?? null,
    row.display_name,
    row.metadata_json,
  ]);
  return added;
}

// What is undefined stays as it is, what is null is cleared.
const updateWorkspaceText: Prepared = {
  name: "identity_update_workspace",
  text: `
    update identity.workspaces set
      description = case when $2 then $3 else description end,
      default_artifact_root = case when $4 then $5 else default_artifact_root end,
      trace_archival_location = case when $6 then $7 else trace_archival_location end,
      trace_archival_retention = case when $8 then $9 else trace_archival_retention end,
      display_name = case when $10 then $11 else display_name end,
      metadata_json = case when $12 then $13 else metadata_json end,
      last_updated_timestamp = $14,
      protected = coalesce($15, protected),
      name = coalesce($16, name)
    where name = $1 and not hidden returning ${COLUMNS}`,
};

export type WorkspaceChange = Pick<WorkspaceRow, "name"> &
  Partial<Omit<WorkspaceRow, "name" | "workspace_id" | "uuid">> & {
    newName?: string | undefined;
    now: number;
  };

export async function updateWorkspace(
  database: Queryable,
  change: WorkspaceChange,
): Promise<WorkspaceRow | undefined> {
  const columns = [
    change.description,
    change.default_artifact_root,
    change.trace_archival_location,
    change.trace_archival_retention,
    change.display_name,
    change.metadata_json,
  ];
  const [row] = await database.prepared<WorkspaceRow>(updateWorkspaceText, [
    change.name,
    ...columns.flatMap((value) => [value !== undefined, value ?? null]),
    change.now,
    change.protected ?? null,
    change.newName ?? null,
  ]);
  return row;
}

const lockWorkspaceText: Prepared = {
  name: "identity_lock_workspace",
  text: "select workspace_id from identity.workspaces where name = $1 and not hidden for update",
};

/** Nothing can be put into the workspace until the transaction ends; undefined when there is none. */
export async function lockWorkspace(transaction: Queryable, name: string): Promise<number | undefined> {
  const [row] = await transaction.prepared<{ workspace_id: number }>(lockWorkspaceText, [name]);
  return row?.workspace_id;
}

const insertDeletedText: Prepared = {
  name: "identity_insert_deleted_workspace",
  text: `
    insert into identity.workspaces (name, creation_timestamp, last_updated_timestamp, hidden, deleted_at)
    values ($1 || '/' || $2::text, $3, $3, true, $3) returning workspace_id`,
};

/** A place for what was in a deleted workspace, until it is purged. */
export async function insertDeletedWorkspace(
  transaction: Queryable,
  of: { workspaceId: number; name: string; now: number },
): Promise<number> {
  const values = [of.name, of.workspaceId, of.now];
  const [row] = await transaction.prepared<{ workspace_id: number }>(insertDeletedText, values);
  return (row as { workspace_id: number }).workspace_id;
}

const deleteWorkspaceText: Prepared = {
  name: "identity_delete_workspace",
  text: "delete from identity.workspaces where workspace_id = $1",
};

/** What still refers to it violates that table's foreign key. */
export async function deleteWorkspace(database: Queryable, workspaceId: number): Promise<void> {
  await database.prepared(deleteWorkspaceText, [workspaceId]);
}

const selectDeletedText: Prepared = {
  name: "identity_select_deleted_workspaces",
  text: "select workspace_id from identity.workspaces where deleted_at <= $1 order by workspace_id",
};

export async function selectDeletedWorkspaces(database: Queryable, before: number): Promise<number[]> {
  const rows = await database.prepared<{ workspace_id: number }>(selectDeletedText, [before]);
  return rows.map((row) => row.workspace_id);
}
