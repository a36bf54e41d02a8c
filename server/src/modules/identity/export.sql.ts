import type { Snapshot } from "../../kernel/snapshot.ts";

/** The workspaces that may be shown, or only the one of that name; none when there is no such. */
export async function selectExportWorkspaces(
  snapshot: Snapshot,
  name: string | undefined,
): Promise<{ workspace_id: number; name: string }[]> {
  return snapshot.rows(
    "select workspace_id, name from identity.workspaces where not hidden and ($1::text is null or name = $1)",
    [name ?? null],
  );
}
