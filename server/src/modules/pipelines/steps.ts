import type { RawBuilder } from "kysely";
import { noSuch, type CollectionDeps } from "./collection.ts";
import { selectPage } from "./list.sql.ts";
import type { Fields, ListQuery, Page } from "./list.ts";
import { selectRow } from "./records.ts";
import { steps, type StepRunRow } from "./run-tables.ts";
import { createRunConfigurations, createStep, type CreateStep } from "./step-creation.ts";
import { stepFields } from "./step-fields.ts";
import { beat, updateStep, type UpdateStep } from "./step-updates.ts";
import { selectPlaceOfStep, type Heartbeat, type PlaceOfRun } from "./steps.sql.ts";

export type Steps = {
  readonly label: string;
  readonly fields: Fields;
  /** Throws `not_found`. */
  get(id: string): Promise<StepRunRow>;
  /** The run that a step is of, and where it is. Throws `not_found`. */
  placeOf(id: string): Promise<PlaceOfRun>;
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<StepRunRow>>;
  /** See `createStep`. */
  create(request: CreateStep): Promise<StepRunRow>;
  /** See `updateStep`. */
  update(id: string, change: UpdateStep): Promise<StepRunRow>;
  /** A sign of life. Throws `not_found`, and `invalid_state` for a step that is finished. */
  beat(id: string): Promise<Heartbeat>;
};

const LABEL = "step run";

export function createSteps(given: CollectionDeps): Steps {
  const { database, clock } = given;
  const deps = { ...given, configurations: createRunConfigurations() };
  const fields = stepFields(clock);
  return {
    label: LABEL,
    fields,
    async get(id) {
      const row = await selectRow(database, steps, id);
      if (row === undefined) throw noSuch(LABEL, id);
      return row;
    },
    async placeOf(id) {
      const place = await selectPlaceOfStep(database, id);
      if (place === undefined) throw noSuch(LABEL, id);
      return place;
    },
    search: (query, where) => selectPage(database, { table: steps, fields, query, where }),
    create: (request) => createStep(deps, request),
    update: (id, change) => updateStep(deps, id, change),
    beat: (id) => beat(deps, id),
  };
}
