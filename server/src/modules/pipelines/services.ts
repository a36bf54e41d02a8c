import type { Database, Prepared, Row } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { modelVersions, services, type ServiceRow } from "./artifact-tables.ts";
import { createCollection, type Collection } from "./collection.ts";
import { idFields, userFields, type Fields } from "./list.ts";
import type { Project } from "./projects.ts";
import { requireReferences } from "./references.ts";
import { runs } from "./run-tables.ts";

export const serviceStates = [
  "inactive",
  "active",
  "pending_startup",
  "pending_shutdown",
  "error",
  "scaled_to_zero",
] as const;

type InProject = { project: Pick<Project, "workspaceId" | "projectId"> };

export type NewService = Omit<ServiceRow, "created" | "updated">;

export type ServicesOf = { modelVersionId: string; total: number; rows: ServiceRow[] };

/** What clients serve models with, as they say themselves; the server starts and stops none. */
export type Services = Omit<Collection<typeof services>, "create" | "update"> & {
  /** Throws `already_exists` where one of the same configuration is there, `not_found` for what it refers to. */
  create(row: NewService, options: InProject): Promise<ServiceRow>;
  update(id: string, changes: Partial<ServiceRow>, options: InProject): Promise<ServiceRow>;
  /** The first of each version, and how many it has; those without any are left out. */
  ofModelVersions(ids: readonly string[], most: number): Promise<ServicesOf[]>;
};

const LABEL = "service";

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  type: { kind: "text", sql: "t.type" },
  flavor: { kind: "text", sql: "t.flavor" },
  pipeline_name: { kind: "text", sql: "t.pipeline_name" },
  pipeline_step_name: { kind: "text", sql: "t.pipeline_step_name" },
  model_version_id: { kind: "uuid", sql: "t.model_version_id" },
  pipeline_run_id: { kind: "uuid", sql: "t.pipeline_run_id" },
};

const ofVersionsText: Prepared = {
  name: "pipelines_select_services_of_model_versions",
  text: `
    select s.${Object.keys(services.columns).join(", s.")},
      (select count(*) from pipelines.services as c where c.model_version_id = m.id) as total
    from unnest($1::uuid[]) as m (id) cross join lateral (
      select * from pipelines.services where model_version_id = m.id order by created, id limit $2::integer
    ) as s`,
};

type Deps = { database: Database; clock(): Micros };

export function createServices(deps: Deps): Services {
  const { database } = deps;
  const rows = createCollection(deps, { table: services, label: LABEL, fields });
  return {
    ...rows,
    async create(row, { project }) {
      await requireReferences(
        database,
        [
          { table: runs, label: "pipeline run", id: row.pipeline_run_id },
          { table: modelVersions, label: "model version", id: row.model_version_id },
        ],
        { label: LABEL, operation: "created", project },
      );
      return rows.create(row).catch((error: unknown) => {
        throw violates(error, "services_config_key") ? sameConfiguration(row.name) : error;
      });
    },
    async update(id, changes, { project }) {
      await requireReferences(
        database,
        [{ table: modelVersions, label: "model version", id: changes.model_version_id }],
        { label: LABEL, operation: "updated", project },
      );
      return rows.update(id, changes);
    },
    async ofModelVersions(ids, most) {
      if (ids.length === 0) return [];
      type Found = ServiceRow & { total: number };
      const found = await database.prepared<Found & Row>(ofVersionsText, [ids, most]);
      const groups = Map.groupBy(found, (row) => row.model_version_id ?? "");
      return [...groups].map(([modelVersionId, of]) => ({
        modelVersionId,
        total: of[0]?.total ?? 0,
        rows: of,
      }));
    },
  };
}

const sameConfiguration = (name: string): Error =>
  alreadyExists(
    `Unable to create service '${name}' with the given configuration: A service with the same configuration already exists.`,
  );
