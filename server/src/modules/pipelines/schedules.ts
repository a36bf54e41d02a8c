import { violates } from "../../kernel/database-errors.ts";
import { invalidState } from "../../kernel/errors.ts";
import { createCollection, noSuch, taken, type Collection, type CollectionDeps } from "./collection.ts";
import { idFields, userFields, type Fields } from "./list.ts";
import { pipelines, schedules, type ScheduleRow } from "./pipeline-tables.ts";
import type { Project } from "./projects.ts";
import { deleteRow, lockRow, updateRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import { components } from "./stack-tables.ts";
import type { NewRow } from "./table.ts";
import { detachAll } from "./tag-links.ts";

export type Schedules = Omit<Collection<typeof schedules>, "create"> & {
  /** Throws `already_exists`, and `not_found` for the orchestrator and the pipeline. */
  create(
    row: Omit<NewRow<typeof schedules>, "workspace_id" | "created" | "updated">,
    project: Pick<Project, "workspaceId" | "projectId">,
  ): Promise<ScheduleRow>;
  /** It stays, with its runs, but no longer counts; `suffix` sets its name free. */
  archive(id: string, suffix: string): Promise<void>;
};

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  pipeline_id: { kind: "uuid", sql: "t.pipeline_id" },
  orchestrator_id: { kind: "uuid", sql: "t.orchestrator_id" },
  active: { kind: "boolean", sql: "t.active" },
  cron_expression: { kind: "text", sql: "t.cron_expression" },
  start_time: { kind: "time", sql: "t.start_time" },
  end_time: { kind: "time", sql: "t.end_time" },
  interval_second: { kind: "number", sql: "t.interval_second" },
  catchup: { kind: "boolean", sql: "t.catchup" },
  run_once_start_time: { kind: "time", sql: "t.run_once_start_time" },
  is_archived: { kind: "boolean", sql: "t.is_archived" },
};

/** When orchestrators run pipelines, as clients told them to. Unique by name in a workspace. */
export function createSchedules(deps: CollectionDeps): Schedules {
  const { database, clock } = deps;
  const label = "schedule";
  const collection = createCollection(deps, {
    table: schedules,
    label,
    fields,
    nameKeys: ["schedules_name_key"],
  });
  return {
    ...collection,
    async create(row, project) {
      const references = [
        { table: components, label: "orchestrator", id: row.orchestrator_id },
        { table: pipelines, label: "pipeline", id: row.pipeline_id },
      ];
      await requireReferences(database, references, { label, operation: "created", project });
      return collection.create({ ...row, workspace_id: project.workspaceId });
    },
    /** Throws `invalid_state` for an archived one. */
    async update(id, changes) {
      try {
        return await database.transaction(async (transaction) => {
          const before = await lockRow(transaction, schedules, id);
          if (before === undefined) throw noSuch(label, id);
          if (before.is_archived) throw invalidState("Archived schedules can not be updated.");
          const row = await updateRow(transaction, schedules, id, { ...changes, updated: clock() });
          if (row === undefined) throw noSuch(label, id);
          return row;
        });
      } catch (error) {
        if (violates(error, "schedules_name_key")) throw taken("update", label, changes.name ?? "");
        throw error;
      }
    },
    async archive(id, suffix) {
      await database.transaction(async (transaction) => {
        const before = await lockRow(transaction, schedules, id);
        if (before === undefined) throw noSuch(label, id);
        if (before.is_archived) return;
        await updateRow(transaction, schedules, id, {
          is_archived: true,
          active: false,
          name: `${before.name}_${suffix}`,
          updated: clock(),
        });
      });
    },
    async remove(id) {
      await database.transaction(async (transaction) => {
        await detachAll(transaction, [id]);
        if (!(await deleteRow(transaction, schedules, id))) throw noSuch(label, id);
      });
    },
  };
}
