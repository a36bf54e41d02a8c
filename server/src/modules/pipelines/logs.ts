import { alreadyExists, invalidState } from "../../kernel/errors.ts";
import { createCollection, noSuch, type Collection, type CollectionDeps } from "./collection.ts";
import { idFields, userFields } from "./list.ts";
import { insertRow, lockRow, selectRow, updateRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import { hookInvocations, logs, runs, steps, type LogsRow } from "./run-tables.ts";
import { components } from "./stack-tables.ts";

export type NewLogs = Omit<LogsRow, "created" | "updated">;
export type LogsOwnerIds = { pipeline_run_id?: string | undefined; step_run_id?: string | undefined };
type Owner = { id: string; workspace_id: number; user_id: string | null };
type InProject = { workspaceId: number; projectId: string };

/** Where the output of a run, a step or a hook is: in a file or a folder of an artifact store, or in a log store. */
export type Logs = Pick<Collection<typeof logs>, "label" | "find" | "get"> & {
  /** Undefined where nothing is named, or it is not there. */
  findOwner(ids: {
    pipeline_run_id?: string | null | undefined;
    step_run_id?: string | null | undefined;
  }): Promise<{ label: string; row: Owner } | undefined>;
  /** The client gives the id: the same request again is answered with what is there. Throws `already_exists`, `not_found`. */
  create(row: NewLogs, project: InProject): Promise<LogsRow>;
  /** Throws `invalid_state` for logs of something else. */
  attach(row: LogsRow, owner: LogsOwnerIds, project: InProject): Promise<LogsRow>;
};

const LABEL = "log";

export function createLogs(deps: CollectionDeps): Logs {
  const { database, clock } = deps;
  const { find, get } = createCollection(deps, {
    table: logs,
    label: LABEL,
    fields: { ...idFields, ...userFields },
  });

  return {
    label: LABEL,
    find,
    get,
    async findOwner({ pipeline_run_id: run, step_run_id: step }) {
      const [table, label, id] = run ? ([runs, "pipeline run", run] as const) : [steps, "step run", step];
      const row = id ? await selectRow<typeof runs | typeof steps>(database, table, id) : undefined;
      return row && { label, row };
    },
    async create(row, project) {
      await Promise.all([
        ...[row.artifact_store_id, row.log_store_id].map(async (id) => {
          if (id !== null && (await selectRow(database, components, id)) === undefined)
            throw noSuch("stack component", id);
        }),
        requireReferences(
          database,
          [
            { table: runs, label: "pipeline run", id: row.pipeline_run_id },
            { table: steps, label: "step run", id: row.step_run_id },
            { table: hookInvocations, label: "hook invocation", id: row.hook_invocation_id },
          ],
          { label: "logs", operation: "created", project },
        ),
      ]);
      const now = clock();
      // One row, so one statement is the transaction: clients ask for this twice for every step.
      if (await insertRow(database, logs, { ...row, created: now, updated: now })) {
        return { ...row, created: now, updated: now };
      }
      const there = await selectRow(database, logs, row.id);
      if (there === undefined || there.workspace_id !== row.workspace_id || there.user_id !== row.user_id) {
        throw alreadyExists(`Unable to create the requested logs with ID '${row.id}': they exist already.`);
      }
      return there;
    },
    async attach({ id }, owner, project) {
      return database.transaction(async (transaction) => {
        const row = await lockRow(transaction, logs, id);
        if (row === undefined) throw noSuch(LABEL, id);
        const { pipeline_run_id: run = null, step_run_id: step = null } = owner;
        await requireReferences(
          transaction,
          [
            { table: runs, label: "pipeline run", id: run },
            { table: steps, label: "step run", id: step },
          ],
          { label: "logs", operation: "updated", project },
        );
        const isFree = row.pipeline_run_id === null && row.step_run_id === null;
        if (!isFree && (row.pipeline_run_id !== run || row.step_run_id !== step)) {
          throw invalidState("The logs entry is already associated with a different entity.");
        }
        if (!isFree || (run === null && step === null)) return row;
        const changed = { pipeline_run_id: run, step_run_id: step, updated: clock() };
        return (await updateRow(transaction, logs, id, changed)) ?? row;
      });
    },
  };
}
