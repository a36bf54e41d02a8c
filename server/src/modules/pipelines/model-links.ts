import { sql, type RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { notFound } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import {
  artifactVersions,
  modelVersionArtifacts,
  modelVersionRuns,
  type ModelVersionArtifactRow,
  type ModelVersionRunRow,
} from "./artifact-tables.ts";
import { idFields, type Comparison, type Fields, type ListQuery, type Page } from "./list.ts";
import { compareColumn, isUuid, selectPage } from "./list.sql.ts";
import { deleteArtifactLinks, deleteArtifactVersions, deleteLink, insertLink } from "./model-links.sql.ts";
import type { Project } from "./projects.ts";
import { selectRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import { runs } from "./run-tables.ts";
import { detachAll } from "./tag-links.ts";

type InProject = { project: Pick<Project, "workspaceId" | "projectId"> };
type Link = { id: string; modelVersionId: string; toId: string };

type Links<R> = {
  readonly fields: Fields;
  /** The link that is there afterwards; both ends must be there. */
  create(link: Link, options: InProject): Promise<R>;
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<R>>;
  /** By the id of the link or the name of what it leads to. Throws `not_found`. */
  remove(modelVersionId: string, nameOrId: string): Promise<void>;
};

/** What versions of models have to do with: versions of artifacts, and runs. */
export type ModelLinks = {
  readonly artifacts: Links<ModelVersionArtifactRow> & {
    /** All of a version, and what they lead to where that is wanted. */
    removeAll(modelVersionId: string, options: { onlyLinks: boolean }): Promise<void>;
  };
  readonly runs: Links<ModelVersionRunRow>;
};

const owner = (of: string) => (comparison: Comparison) => {
  const { operation, value } = comparison;
  const names = ["name", "full_name"].map((column) =>
    compareColumn(sql.raw(`coalesce(p.${column}, '')`), "text", { operation, value }),
  );
  const alternatives = [compareColumn(sql`p.uuid`, "uuid", comparison), ...names];
  return sql`exists (select from ${sql.raw(of)} join identity.principals as p on p.uuid = o.user_id
    and (${sql.join(alternatives, sql` or `)}))`;
};

const onlyType = (condition: string) => ({
  kind: "boolean" as const,
  sql: "t.id",
  unordered: true as const,
  condition: ({ value }: Comparison) =>
    value === true
      ? sql.raw(
          `exists (select from pipelines.artifact_versions as v where v.id = t.artifact_version_id and ${condition})`,
        )
      : sql`true`,
});

const ARTIFACT = "pipelines.artifact_versions as v join pipelines.artifacts as a on a.id = v.artifact_id";

const artifactFields: Fields = {
  ...idFields,
  model_version_id: { kind: "uuid", sql: "t.model_version_id" },
  artifact_version_id: { kind: "uuid", sql: "t.artifact_version_id" },
  artifact_name: {
    kind: "text",
    sql: "t.id",
    unordered: true,
    condition: (comparison) => sql`exists (select from ${sql.raw(ARTIFACT)}
      where v.id = t.artifact_version_id and ${compareColumn(sql`a.name`, "text", comparison)})`,
  },
  only_data_artifacts: onlyType("v.type not in ('ServiceArtifact', 'ModelArtifact')"),
  only_model_artifacts: onlyType("v.type = 'ModelArtifact'"),
  only_deployment_artifacts: onlyType("v.type = 'ServiceArtifact'"),
  has_custom_name: {
    kind: "boolean",
    sql: "t.id",
    unordered: true,
    condition: (comparison) => sql`exists (select from ${sql.raw(ARTIFACT)}
      where v.id = t.artifact_version_id and ${compareColumn(sql`a.has_custom_name`, "boolean", comparison)})`,
  },
  user: {
    kind: "text",
    sql: "t.id",
    unordered: true,
    condition: owner(
      "(select v.user_id from pipelines.artifact_versions as v where v.id = t.artifact_version_id) as o",
    ),
  },
};

const runFields: Fields = {
  ...idFields,
  model_version_id: { kind: "uuid", sql: "t.model_version_id" },
  pipeline_run_id: { kind: "uuid", sql: "t.pipeline_run_id" },
  pipeline_run_name: {
    kind: "text",
    sql: "t.id",
    unordered: true,
    condition: (comparison) => sql`exists (select from pipelines.runs as r
      where r.id = t.pipeline_run_id and ${compareColumn(sql`r.name`, "text", comparison)})`,
  },
  user: {
    kind: "text",
    sql: "t.id",
    unordered: true,
    condition: owner("(select r.user_id from pipelines.runs as r where r.id = t.pipeline_run_id) as o"),
  },
};

const LABEL = "model version link";

export function createModelLinks({ database, clock }: { database: Database; clock(): Micros }): ModelLinks {
  /** Who makes the same link at once waits, and finds it. */
  const link = async (kind: "artifact" | "run", given: Link): Promise<string> => {
    const wanted = { ...given, now: clock() };
    const id = (await insertLink(database, kind, wanted)) ?? (await insertLink(database, kind, wanted));
    if (id === undefined) throw noLink(given.id);
    return id;
  };
  const remove =
    (kind: "artifact" | "run") =>
    async (modelVersionId: string, nameOrId: string): Promise<void> => {
      const linkId = isUuid(nameOrId) ? nameOrId : null;
      if (!(await deleteLink(database, kind, { modelVersionId, linkId, name: nameOrId }))) {
        throw noLink(nameOrId);
      }
    };
  return {
    artifacts: {
      fields: artifactFields,
      async create(given, { project }) {
        const to = { table: artifactVersions, label: "artifact version", id: given.toId };
        await requireReferences(database, [to], { label: LABEL, operation: "created", project });
        const row = await selectRow(database, modelVersionArtifacts, await link("artifact", given));
        if (row === undefined) throw noLink(given.id);
        return row;
      },
      search: (query, where) =>
        selectPage(database, { table: modelVersionArtifacts, fields: artifactFields, query, where }),
      remove: remove("artifact"),
      async removeAll(modelVersionId, { onlyLinks }) {
        await database.transaction(async (transaction) => {
          const ids = await deleteArtifactLinks(transaction, modelVersionId);
          if (onlyLinks) return;
          await detachAll(transaction, ids);
          await deleteArtifactVersions(transaction, ids);
        });
      },
    },
    runs: {
      fields: runFields,
      async create(given, { project }) {
        const to = { table: runs, label: "pipeline run", id: given.toId };
        await requireReferences(database, [to], { label: LABEL, operation: "created", project });
        const row = await selectRow(database, modelVersionRuns, await link("run", given));
        if (row === undefined) throw noLink(given.id);
        return row;
      },
      search: (query, where) =>
        selectPage(database, { table: modelVersionRuns, fields: runFields, query, where }),
      remove: remove("run"),
    },
  };
}

const noLink = (nameOrId: string): Error =>
  notFound(
    `Unable to delete model version link with name or ID \`${nameOrId}\`: No model version link with this name found.`,
  );
