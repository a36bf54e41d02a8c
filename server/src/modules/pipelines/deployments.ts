import type { Secrets } from "../../kernel/secrets.ts";
import type { CollectionDeps } from "./collection.ts";
import { idFields, userFields, type Fields } from "./list.ts";
import { deployments, snapshots, type DeploymentRow } from "./pipeline-tables.ts";
import type { Project } from "./projects.ts";
import { requireReferences } from "./references.ts";
import { deploymentKeyPlace } from "./sealed-columns.ts";
import { components } from "./stack-tables.ts";
import type { NewRow } from "./table.ts";
import type { GivenTag } from "./tag-links.ts";
import {
  createTaggedCollection,
  type TagChanges,
  type TaggedCollection,
  type Tagger,
} from "./tagged-collection.ts";

type Plain = { auth_key?: string | null | undefined };

export type Deployments = Omit<TaggedCollection<typeof deployments>, "create" | "change"> & {
  /** `auth_key` is kept sealed. Throws `already_exists`, and `not_found` for the snapshot and the deployer. */
  create(
    row: Omit<NewRow<typeof deployments>, "workspace_id" | "created" | "updated" | "sealed_auth_key"> & Plain,
    options: Tagger & {
      tags: readonly GivenTag[] | null | undefined;
      project: Pick<Project, "workspaceId" | "projectId">;
    },
  ): Promise<DeploymentRow>;
  /** What is undefined stays as it is. Throws as `create` does. */
  change(
    id: string,
    changes: Partial<Omit<DeploymentRow, "sealed_auth_key">> & Plain,
    options: Tagger & TagChanges & { project: Pick<Project, "workspaceId" | "projectId"> },
  ): Promise<DeploymentRow>;
  authKeyOf(row: Pick<DeploymentRow, "id" | "sealed_auth_key">): string | null;
};

const pipelineOf = "(select s.pipeline_id from pipelines.snapshots as s where s.id = t.snapshot_id)";

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  url: { kind: "text", sql: "t.url" },
  status: { kind: "text", sql: "t.status" },
  pipeline: { kind: "reference", sql: pipelineOf, table: "pipelines.pipelines" },
  snapshot: {
    kind: "text",
    sql: "(select s.name from pipelines.snapshots as s where s.id = t.snapshot_id)",
  },
  snapshot_id: { kind: "uuid", sql: "t.snapshot_id" },
  deployer_id: { kind: "uuid", sql: "t.deployer_id" },
  tag: { kind: "tags" },
  tags: { kind: "tags" },
};

/** Snapshots that are served over HTTP, as their deployers tell. Unique by name in a workspace. */
export function createDeployments(deps: CollectionDeps & { secrets: Secrets }): Deployments {
  const { database, secrets } = deps;
  const label = "deployment";
  const collection = createTaggedCollection(deps, {
    table: deployments,
    label,
    fields,
    nameKeys: ["deployments_name_key"],
    resourceType: "deployment",
  });
  const sealed = (id: string, key: string | null | undefined): string | null =>
    key === null || key === undefined ? null : secrets.seal(key, deploymentKeyPlace(id));

  return {
    ...collection,
    async create({ auth_key: key, ...row }, { tags, project, ...tagger }) {
      const references = [
        { table: snapshots, label: "pipeline snapshot", id: row.snapshot_id },
        { table: components, label: "deployer", id: row.deployer_id },
      ];
      await requireReferences(database, references, { label, operation: "created", project });
      const whole = { ...row, workspace_id: project.workspaceId, sealed_auth_key: sealed(row.id, key) };
      return collection.create(whole, tags, tagger);
    },
    async change(id, { auth_key: key, ...changes }, { project, ...options }) {
      const references = [{ table: snapshots, label: "pipeline snapshot", id: changes.snapshot_id }];
      await requireReferences(database, references, { label, operation: "updated", project });
      const sealing = typeof key === "string" ? { sealed_auth_key: sealed(id, key) } : {};
      return collection.change(id, { ...changes, ...sealing }, options);
    },
    authKeyOf: ({ id, sealed_auth_key: key }) =>
      key === null ? null : secrets.open(key, deploymentKeyPlace(id)),
  };
}
