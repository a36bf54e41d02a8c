import { sql } from "kysely";
import type { Database, Prepared } from "../../kernel/database.ts";
import { idFields, type Fields, type ListQuery, type Page } from "./list.ts";
import { selectPage } from "./list.sql.ts";
import { table, type RowOf } from "./table.ts";

/** Workspaces as ZenML's clients know them. What has no name to show is shown by its name. */
const projects = table(
  `(select workspace_id, uuid as id, name, coalesce(nullif(display_name, ''), name) as display_name,
    description, metadata_json, creation_timestamp * 1000 as created, last_updated_timestamp * 1000 as updated
    from identity.workspaces where not hidden)`,
  {
    id: "uuid",
    workspace_id: "integer",
    name: "text",
    display_name: "text",
    description: "text?",
    metadata_json: "json?",
    created: "time",
    updated: "time",
  },
);
export type ProjectRow = RowOf<typeof projects>;

const fields = {
  ...idFields,
  name: { kind: "text", sql: "t.name" },
  display_name: { kind: "text", sql: "t.display_name" },
} as const satisfies Fields;

export type ProjectStatistics = { pipelines: number; runs: number };

export type ProjectList = {
  readonly fields: Fields;
  /** Of these workspaces; of all where nothing is said. */
  search(query: ListQuery, among: readonly number[] | undefined): Promise<Page<ProjectRow>>;
  find(workspaceId: number): Promise<ProjectRow | undefined>;
  statistics(workspaceId: number): Promise<ProjectStatistics>;
};

const findText: Prepared = {
  name: "pipelines_select_project_row",
  text: `select ${Object.keys(projects.columns).join(", ")} from ${projects.name} as t where workspace_id = $1`,
};

const statisticsText: Prepared = {
  name: "pipelines_select_project_statistics",
  text: `
    select
      (select count(*) from pipelines.pipelines where workspace_id = $1) as pipelines,
      (select coalesce(sum(runs), 0)::bigint from pipelines.run_counts where workspace_id = $1) as runs`,
};

export const createProjectList = ({ database }: { database: Database }): ProjectList => ({
  fields,
  search: (query, among) =>
    selectPage(database, {
      table: projects,
      fields,
      query,
      where: among === undefined ? [] : [sql`t.workspace_id = any (${among}::integer[])`],
    }),
  async find(workspaceId) {
    return (await database.prepared<ProjectRow>(findText, [workspaceId]))[0];
  },
  async statistics(workspaceId) {
    const [row] = await database.prepared<ProjectStatistics>(statisticsText, [workspaceId]);
    return row ?? { pipelines: 0, runs: 0 };
  },
});
