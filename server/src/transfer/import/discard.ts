import type { Database } from "../../kernel/database.ts";
import { removeModels } from "../../modules/registry/bulk/index.ts";
import { removeExperiments, removeRuns } from "../../modules/tracking/bulk/index.ts";
import { deleteHidden, deleteImport, selectWorkspaces } from "./state.sql.ts";

/** Runs a transaction removes at once. */
const BATCH = 200;

/** Removes what an import has loaded, and the import. Stopped half-way, the next call finishes it. */
export async function discardImport(
  database: Database,
  importId: number,
  signal: AbortSignal,
): Promise<void> {
  const workspaces = (await selectWorkspaces(database, importId)).map((row) => row.workspace_id);
  for (const id of workspaces) {
    let removed: number;
    do {
      signal.throwIfAborted();
      removed = await database.transaction((transaction) => removeRuns(transaction, id, BATCH));
    } while (removed > 0);
  }
  await database.transaction(async (transaction) => {
    for (const id of workspaces) {
      await removeModels(transaction, id);
      await removeExperiments(transaction, id);
    }
    await deleteHidden(transaction, workspaces);
    await deleteImport(transaction, importId);
  });
}
