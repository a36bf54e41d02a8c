import type { Prepared, Queryable } from "../../kernel/database.ts";

/** A workspace's metadata; `null` and empty texts are those that were never given. */
export type WorkspaceRow = {
  workspace_id: number;
  name: string;
  description: string | null;
  default_artifact_root: string | null;
  trace_archival_location: string | null;
  trace_archival_retention: string | null;
};

const COLUMNS = `workspace_id, name, description, default_artifact_root, trace_archival_location,
  trace_archival_retention`;

const selectWorkspaceText: Prepared = {
  name: "identity_select_workspace",
  text: `select ${COLUMNS} from identity.workspaces where name = $1 and not hidden`,
};

export async function selectWorkspace(database: Queryable, name: string): Promise<WorkspaceRow | undefined> {
  return (await database.prepared<WorkspaceRow>(selectWorkspaceText, [name]))[0];
}
