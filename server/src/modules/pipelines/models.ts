import { sql } from "kysely";
import type { Database } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import { models } from "./artifact-tables.ts";
import { noSuch } from "./collection.ts";
import { idFields, userFields } from "./list.ts";
import {
  lockModel,
  selectLatestVersions,
  selectVersionIds,
  type LatestVersion,
} from "./model-versions.sql.ts";
import { checkName } from "./names.ts";
import { deleteRow } from "./records.ts";
import { detachAll } from "./tag-links.ts";
import { createTaggedCollection, type TaggedCollection } from "./tagged-collection.ts";

export type Models = TaggedCollection<typeof models> & {
  /** The newest version of each, by the model's id. */
  latestVersions(ids: readonly string[]): Promise<Map<string, LatestVersion>>;
};

const LABEL = "model";

type Deps = { database: Database; clock(): Micros };

/** Models in the sense of ZenML: names for versions, which hold artifacts and runs. */
export function createModels(deps: Deps): Models {
  const { database } = deps;
  const rows = createTaggedCollection(deps, {
    table: models,
    label: LABEL,
    resourceType: "model",
    nameKeys: ["models_name_key"],
    fields: {
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
    },
  });
  return {
    ...rows,
    create(row, ...rest) {
      checkName(row.name ?? "", LABEL);
      return rows.create(row, ...rest);
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
