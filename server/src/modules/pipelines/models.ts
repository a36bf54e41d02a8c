import { sql, type RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { models, type PipelineModelRow } from "./artifact-tables.ts";
import { createCollection, noSuch, taken, type Collection } from "./collection.ts";
import { idFields, userFields, type Fields, type ListQuery, type Page } from "./list.ts";
import {
  lockModel,
  selectLatestVersions,
  selectVersionIds,
  type LatestVersion,
} from "./model-versions.sql.ts";
import { checkName } from "./names.ts";
import { deleteRow, insertRow, updateRow } from "./records.ts";
import { attachTags, detachAll, detachTags, type GivenTag } from "./tag-links.ts";

export type ModelFields = Partial<
  Omit<PipelineModelRow, "id" | "workspace_id" | "user_id" | "created" | "updated">
>;

type TagChanges = {
  addTags?: readonly GivenTag[] | null | undefined;
  removeTags?: readonly string[] | null | undefined;
};

export type Models = Pick<Collection<typeof models>, "label" | "fields" | "get" | "find" | "remove"> & {
  /** Throws `already_exists`. */
  create(
    model: Omit<PipelineModelRow, "created" | "updated"> & TagChanges,
    ids: () => string,
  ): Promise<PipelineModelRow>;
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<PipelineModelRow>>;
  update(
    id: string,
    changes: ModelFields & TagChanges,
    options: { userId: string | null; ids(): string },
  ): Promise<PipelineModelRow>;
  /** The newest version of each, by the model's id. */
  latestVersions(ids: readonly string[]): Promise<Map<string, LatestVersion>>;
};

const LABEL = "model";

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  tag: { kind: "tags" },
  tags: { kind: "tags" },
  // An order alone.
  latest_version: {
    kind: "text",
    sql: "coalesce((select max(v.created) from pipelines.model_versions as v where v.model_id = t.id), t.created)",
    condition: () => sql`true`,
  },
};

type Deps = { database: Database; clock(): Micros };

/** Models in the sense of ZenML: a name for versions, which hold artifacts and runs. */
export function createModels(deps: Deps): Models {
  const { database, clock } = deps;
  const rows = createCollection(deps, { table: models, label: LABEL, fields });

  const refuseTaken = (error: unknown, operation: string, name: string | undefined): never => {
    throw violates(error, "models_name_key") ? taken(operation, LABEL, name ?? "") : error;
  };

  return {
    label: LABEL,
    fields,
    get: rows.get,
    find: rows.find,
    search: rows.search,
    async create({ addTags, ...model }, ids) {
      checkName(model.name, LABEL);
      const now = clock();
      await database
        .transaction(async (transaction) => {
          if (!(await insertRow(transaction, models, { ...model, created: now, updated: now }))) return;
          const link = { resourceType: "model", resourceId: model.id } as const;
          await attachTags(transaction, { ...link, tags: addTags, userId: model.user_id, ids, now });
        })
        .catch((error: unknown) => refuseTaken(error, "create", model.name));
      return rows.get(model.id);
    },
    update(id, { addTags, removeTags, ...changes }, { userId, ids }) {
      return database
        .transaction(async (transaction) => {
          const now = clock();
          const row = await updateRow(transaction, models, id, { ...changes, updated: now });
          if (row === undefined) throw noSuch(LABEL, id);
          const link = { resourceType: "model", resourceId: id } as const;
          await attachTags(transaction, { ...link, tags: addTags, userId, ids, now });
          await detachTags(transaction, { resourceId: id, tags: removeTags });
          return row;
        })
        .catch((error: unknown) => refuseTaken(error, "update", changes.name));
    },
    async remove(id) {
      await database.transaction(async (transaction) => {
        await lockModel(transaction, id);
        const versions = await selectVersionIds(transaction, id);
        if (!(await deleteRow(transaction, models, id))) throw noSuch(LABEL, id);
        await detachAll(transaction, [id, ...versions]);
      });
    },
    latestVersions: (ids) => selectLatestVersions(database, ids),
  };
}
