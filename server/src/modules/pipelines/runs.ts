import type { RawBuilder } from "kysely";
import { invalidState } from "../../kernel/errors.ts";
import type { CollectionDeps } from "./collection.ts";
import { noSuch } from "./collection.ts";
import { selectPage } from "./list.sql.ts";
import type { Fields, ListQuery, Page } from "./list.ts";
import { selectRow } from "./records.ts";
import { getOrCreateRun, type GetOrCreateRun } from "./run-creation.ts";
import { runFields } from "./run-fields.ts";
import { runs, type PipelineRunRow } from "./run-tables.ts";
import { disableHeartbeat, removeRun, updateRun, type UpdateRun } from "./run-updates.ts";
import { countRuns } from "./runs.sql.ts";

export type Runs = {
  readonly label: string;
  readonly fields: Fields;
  find(id: string): Promise<PipelineRunRow | undefined>;
  /** Throws `not_found`. */
  get(id: string): Promise<PipelineRunRow>;
  /** Of one workspace; `where` is about the alias `t`. */
  search(
    query: ListQuery,
    of: { workspaceId: number; where: readonly RawBuilder<unknown>[] },
  ): Promise<Page<PipelineRunRow>>;
  /** See `getOrCreateRun`. */
  getOrCreate(request: GetOrCreateRun): Promise<[run: PipelineRunRow, created: boolean]>;
  /** See `updateRun`. */
  update(id: string, change: UpdateRun): Promise<PipelineRunRow>;
  /** Says that it is to be stopped. Throws `invalid_state` where it is over, or is nowhere to be stopped. */
  stop(id: string): Promise<PipelineRunRow>;
  disableHeartbeat(id: string): Promise<void>;
  /** With its steps, their tags and what was logged about them. */
  remove(id: string): Promise<void>;
};

const LABEL = "pipeline run";

export function createRuns(deps: CollectionDeps): Runs {
  const { database } = deps;
  const get = async (id: string): Promise<PipelineRunRow> => {
    const row = await selectRow(database, runs, id);
    if (row === undefined) throw noSuch(LABEL, id);
    return row;
  };
  return {
    label: LABEL,
    fields: runFields,
    find: (id) => selectRow(database, runs, id),
    get,
    search: (query, { workspaceId, where }) =>
      selectPage(database, {
        table: runs,
        fields: runFields,
        query,
        where,
        ...(query.conditions.length === 0 && where.length === 1
          ? { total: () => countRuns(database, workspaceId) }
          : {}),
      }),
    getOrCreate: (request) => getOrCreateRun(deps, request),
    update: (id, change) => updateRun(deps, id, change),
    async stop(id) {
      const run = await get(id);
      refuseStop(run);
      return updateRun(deps, id, {
        status: "stopping",
        statusReason: "Manual stop requested.",
      });
    },
    disableHeartbeat: (id) => disableHeartbeat(deps, id),
    remove: (id) => removeRun(deps, id),
  };
}

function refuseStop({ status, orchestrator_run_id: place }: PipelineRunRow): void {
  if (status === "completed") throw invalidState("Cannot stop a run that is already completed.");
  if (status === "stopped") throw invalidState("Run is already stopped.");
  if (status === "stopping") throw invalidState("Run is already being stopped.");
  if (place === null) throw invalidState("Cannot stop a pipeline run that has no orchestrator run id yet.");
}
