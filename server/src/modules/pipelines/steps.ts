import type { RawBuilder } from "kysely";
import { noSuch, type CollectionDeps } from "./collection.ts";
import { selectPage } from "./list.sql.ts";
import type { Fields, ListQuery, Page } from "./list.ts";
import { selectRow } from "./records.ts";
import { wholeCount } from "./row-counts.sql.ts";
import { steps, type StepRunRow } from "./run-tables.ts";
import { createRunConfigurations, createStep, type CreateStep } from "./step-creation.ts";
import { stepFields } from "./step-fields.ts";
import { beat, updateStep, type UpdateStep } from "./step-updates.ts";
import type { WrittenStep } from "./step-details.sql.ts";
import type { Heartbeat } from "./steps.sql.ts";
import { createRunPlaces, type RunPlaces } from "./run-places.ts";

export type Steps = {
  readonly label: string;
  readonly fields: Fields;
  /** Throws `not_found`. */
  get(id: string): Promise<StepRunRow>;
  /** Where steps and their runs are, and whose. */
  readonly places: RunPlaces;
  /** `workspaceId` where `where` says no more than that they are of it. */
  search(
    query: ListQuery,
    where: readonly RawBuilder<unknown>[],
    workspaceId?: number,
  ): Promise<Page<StepRunRow>>;
  /** See `createStep`. */
  create(request: CreateStep): Promise<WrittenStep>;
  /** See `updateStep`. */
  update(id: string, change: UpdateStep): Promise<WrittenStep>;
  /** A sign of life. Throws `not_found`, and `invalid_state` for a step that is finished. */
  beat(id: string): Promise<Heartbeat>;
};

const LABEL = "step run";

export function createSteps(given: CollectionDeps): Steps {
  const { database, clock } = given;
  const deps = { ...given, configurations: createRunConfigurations() };
  const fields = stepFields(clock);
  const places = createRunPlaces(given);
  return {
    label: LABEL,
    fields,
    async get(id) {
      const row = await selectRow(database, steps, id);
      if (row === undefined) throw noSuch(LABEL, id);
      return row;
    },
    places,
    search: (query, where, workspaceId) =>
      selectPage(database, {
        table: steps,
        fields,
        query,
        where,
        ...wholeCount(database, query, { kind: "steps", workspaceId }),
      }),
    async create(request) {
      const written = await createStep(deps, request);
      places.remember(written.row.id, written.row.run_id);
      return written;
    },
    update: (id, change) => updateStep(deps, id, change),
    beat: (id) => beat(deps, id),
  };
}
