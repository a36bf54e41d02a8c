import type { Prepared } from "../../kernel/database.ts";
import { noSuch, type CollectionDeps } from "./collection.ts";
import { selectLatestRuns, type LatestRun } from "./latest-runs.sql.ts";
import { idFields, userFields, type Fields } from "./list.ts";
import { pipelines } from "./pipeline-tables.ts";
import { deleteRow } from "./records.ts";
import { removeWithRuns } from "./removal.sql.ts";
import { detachAll } from "./tag-links.ts";
import { createTaggedCollection, type TaggedCollection } from "./tagged-collection.ts";

export type PipelineEntities = TaggedCollection<typeof pipelines> & {
  /** The newest run of each, by the id of the pipeline. */
  latestRunsOf(ids: readonly string[]): Promise<ReadonlyMap<string, LatestRun>>;
};

const latestRun = (column: string): string => `(
  select r.${column} from pipelines.runs as r where r.pipeline_id = t.id order by r.created desc, r.id desc limit 1)`;

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  // Pipelines without runs come by when they were made themselves.
  latest_run: { kind: "time", sql: `coalesce(${latestRun("created")}, t.created)` },
  latest_run_status: { kind: "text", sql: latestRun("status"), unordered: true },
  latest_run_user: {
    kind: "reference",
    sql: latestRun("user_id"),
    table: "identity.principals",
    key: "uuid",
    names: ["name", "full_name"],
  },
  tag: { kind: "tags" },
  tags: { kind: "tags" },
};

const ownText: Prepared = {
  name: "pipelines_select_snapshots_of_pipeline",
  text: "select id from pipelines.snapshots where pipeline_id = $1::uuid",
};

const lockText: Prepared = {
  name: "pipelines_lock_pipeline",
  text: "select id from pipelines.pipelines where id = $1::uuid for update",
};

/** Pipelines. Unique by name in a workspace. */
export function createPipelineEntities(deps: CollectionDeps): PipelineEntities {
  const { database } = deps;
  const label = "pipeline";
  return {
    ...createTaggedCollection(deps, {
      table: pipelines,
      label,
      fields,
      nameKeys: ["pipelines_name_key"],
      resourceType: "pipeline",
    }),
    latestRunsOf: (ids) => selectLatestRuns(database, "pipelines", ids),
    /** With its runs and snapshots; its builds and schedules stay, without a pipeline. */
    async remove(id) {
      await removeWithRuns(database, { column: "pipeline_id", id }, async (transaction) => {
        await transaction.prepared(lockText, [id]);
        const own = await transaction.prepared<{ id: string }>(ownText, [id]);
        await detachAll(transaction, [id, ...own.map((row) => row.id)]);
        if (!(await deleteRow(transaction, pipelines, id))) throw noSuch(label, id);
      });
    },
  };
}
