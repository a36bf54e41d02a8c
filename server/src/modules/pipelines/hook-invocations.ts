import { alreadyExists, notFound } from "../../kernel/errors.ts";
import { createCollection, type Collection, type CollectionDeps } from "./collection.ts";
import { linkHookLogs } from "./hook-invocations.sql.ts";
import { idFields, userFields } from "./list.ts";
import type { Project } from "./projects.ts";
import { insertRow, selectRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import { hookInvocations, runs, steps, type HookInvocationRow } from "./run-tables.ts";
import { findMissingArtifactVersion } from "./runs.sql.ts";

export type NewHookInvocation = Omit<HookInvocationRow, "created" | "updated">;

/** What ran before or after runs and steps: functions that users hook in. */
export type HookInvocations = Omit<Collection<typeof hookInvocations>, "create" | "update"> & {
  /**
   * The client gives the id: the same request again is answered with what is there. `logsId` are logs that are its own;
   * those that are nowhere are ignored. Throws `not_found`, `already_exists` for an id of something else.
   */
  create(
    row: NewHookInvocation,
    options: { project: Pick<Project, "workspaceId" | "projectId">; logsId: string | null },
  ): Promise<HookInvocationRow>;
};

const LABEL = "hook invocation";

export function createHookInvocations(deps: CollectionDeps): HookInvocations {
  const { database, clock } = deps;
  const collection = createCollection(deps, {
    table: hookInvocations,
    label: LABEL,
    fields: {
      ...idFields,
      ...userFields,
      name: { kind: "text", sql: "t.name" },
      hook_type: { kind: "text", sql: "t.hook_type" },
      status: { kind: "text", sql: "t.status" },
      pipeline_run_id: { kind: "uuid", sql: "t.pipeline_run_id" },
      step_run_id: { kind: "uuid", sql: "t.step_run_id" },
      start_time: { kind: "time", sql: "t.start_time" },
      end_time: { kind: "time", sql: "t.end_time" },
    },
  });
  return {
    ...collection,
    create: (row, { project, logsId }) =>
      database.transaction(async (transaction) => {
        await requireReferences(
          transaction,
          [
            { table: runs, label: "pipeline run", id: row.pipeline_run_id },
            { table: steps, label: "step run", id: row.step_run_id },
          ],
          { label: LABEL, operation: "created", project },
        );
        const missing = await findMissingArtifactVersion(transaction, outputIds(row), project.workspaceId);
        if (missing !== undefined) {
          throw notFound(
            `The output artifact with ID ${missing} referenced by the ${LABEL} being created was not found in the '${project.projectId}' project`,
          );
        }
        const now = clock();
        const added = await insertRow(transaction, hookInvocations, { ...row, created: now, updated: now });
        if (added && logsId !== null)
          await linkHookLogs(transaction, { logsId, hookId: row.id, workspaceId: project.workspaceId });
        const there = await selectRow(transaction, hookInvocations, row.id);
        if (
          there === undefined ||
          there.workspace_id !== row.workspace_id ||
          there.pipeline_run_id !== row.pipeline_run_id
        ) {
          throw alreadyExists(
            `Unable to create the requested ${LABEL} with ID '${row.id}': it exists already.`,
          );
        }
        return there;
      }),
  };
}

/** Ids of artifact versions by the names of outputs. */
export const outputsOfHook = (row: Pick<HookInvocationRow, "outputs_json">): Record<string, string[]> =>
  JSON.parse(row.outputs_json) as Record<string, string[]>;

const outputIds = (row: NewHookInvocation): string[] => Object.values(outputsOfHook(row)).flat();
