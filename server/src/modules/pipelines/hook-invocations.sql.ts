import type { Prepared, Queryable } from "../../kernel/database.ts";

const linkText: Prepared = {
  name: "pipelines_link_hook_logs",
  text: "update pipelines.logs set hook_invocation_id = $2 where id = $1 and workspace_id = $3",
};

/** Logs stay those of the run or step that the hook belongs to, too. */
export async function linkHookLogs(
  transaction: Queryable,
  { logsId, hookId, workspaceId }: { logsId: string; hookId: string; workspaceId: number },
): Promise<void> {
  await transaction.prepared(linkText, [logsId, hookId, workspaceId]);
}
