import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists } from "../../kernel/errors.ts";
import type { Queryable } from "../../kernel/database.ts";
import { moveModels } from "../../modules/registry/bulk/index.ts";
import {
  adoptExperiment,
  mergeExperiment,
  moveExperiments,
  selectTakenExperiments,
} from "../../modules/tracking/bulk/index.ts";
import type { ImportContext } from "./context.ts";
import { deleteProblems } from "./problems.sql.ts";
import type { ImportReport } from "./report.ts";
import {
  deleteHidden,
  deleteReadSums,
  insertTarget,
  selectTarget,
  updatePublished,
  type WorkspaceRow,
} from "./state.sql.ts";

/** Shows everything that was loaded, at once: one transaction moves it out of the hidden workspaces. */
export async function publish(context: ImportContext, report: ImportReport): Promise<void> {
  const { database, importId } = context;
  const workspaces = [...context.workspaces.values()];
  const known = new Map((await context.source.workspaces()).map((row) => [row.name, row]));
  try {
    await database.transaction(async (transaction) => {
      for (const place of context.experiments.values()) {
        if (place.target_id === null) continue;
        await intoAnother(transaction, place.experiment_id, place.target_id);
      }
      for (const place of workspaces) {
        const target = await ensureTarget(transaction, place, { known, now: context.now() });
        await moveExperiments(transaction, place.workspace_id, target);
        await moveModels(transaction, place.workspace_id, target);
      }
      await deleteHidden(
        transaction,
        workspaces.map((place) => place.workspace_id),
      );
      await deleteReadSums(transaction, importId);
      await deleteProblems(transaction, importId);
      await updatePublished(transaction, importId, report);
    });
  } catch (error) {
    for (const [constraint, what] of [
      ["experiments_name_key", "experiment"],
      ["registered_models_name_key", "registered model"],
    ] as const) {
      if (violates(error, constraint)) throw takenMeanwhile(what);
    }
    throw error;
  }
}

const takenMeanwhile = (what: string): Error =>
  alreadyExists(
    `Since the import began, somebody has made a ${what} with the name of one that is imported. All is loaded and ` +
      "checked, and nothing of it visible yet: rename theirs, and run the same command again.",
  );

async function intoAnother(transaction: Queryable, from: number, into: number): Promise<void> {
  const [target] = await selectTakenExperiments(transaction, { ids: [into], workspaceId: 0, names: [] });
  if (target?.experiment_id === 0 && target.empty) await adoptExperiment(transaction, from, into);
  await mergeExperiment(transaction, from, into);
}

type Known = ReadonlyMap<string, Awaited<ReturnType<ImportContext["source"]["workspaces"]>>[number]>;

async function ensureTarget(
  transaction: Queryable,
  place: WorkspaceRow,
  { known, now }: { known: Known; now: number },
): Promise<number> {
  const found = await selectTarget(transaction, place.target_name);
  if (found !== undefined) return found;
  const row = known.get(place.source_name);
  return insertTarget(transaction, {
    name: place.target_name,
    description: row?.description ?? null,
    default_artifact_root: row?.default_artifact_root ?? null,
    trace_archival_location: row?.trace_archival_location ?? null,
    trace_archival_retention: row?.trace_archival_retention ?? null,
    now,
  });
}
