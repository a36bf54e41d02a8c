import { violates } from "../../kernel/database-errors.ts";
import { artifactFields } from "./artifact-fields.ts";
import { artifacts, type ArtifactRow } from "./artifact-tables.ts";
import {
  deleteEmptyArtifacts,
  selectLatestVersions,
  selectVersionIds,
  type LatestVersion,
} from "./artifacts.sql.ts";
import { createCollection, noSuch, taken, type Collection, type CollectionDeps } from "./collection.ts";
import { checkName } from "./names.ts";
import { deleteRow, insertRow, lockRow, updateRow } from "./records.ts";
import { attachTags, detachAll, detachTags } from "./tag-links.ts";

type Maker = { userId: string | null; ids(): string };

export type NewArtifact = Pick<ArtifactRow, "id" | "workspace_id" | "name" | "has_custom_name"> & {
  tags: readonly string[] | null | undefined;
};

export type ArtifactChanges = {
  name?: string | null | undefined;
  has_custom_name?: boolean | null | undefined;
  add_tags?: readonly string[] | null | undefined;
  remove_tags?: readonly string[] | null | undefined;
};

export type Artifacts = Omit<Collection<typeof artifacts>, "create" | "update"> & {
  /** With its tags. Throws `already_exists`, and `invalid_parameter` for names that none may have. */
  create(artifact: NewArtifact, maker: Maker): Promise<ArtifactRow>;
  /** What gets a name has a custom one. Throws `not_found` and `already_exists`. */
  change(id: string, changes: ArtifactChanges, maker: Maker): Promise<ArtifactRow>;
  /** The newest version of each that has one, by its id. */
  latestVersions(ids: readonly string[]): Promise<ReadonlyMap<string, LatestVersion>>;
  /** Deletes those of a workspace that have no versions. */
  removeEmpty(workspaceId: number): Promise<void>;
};

/** What versions of artifacts are of. Unique by name in a workspace. */
export function createArtifacts(deps: CollectionDeps): Artifacts {
  const { database, clock } = deps;
  const collection = createCollection(deps, { table: artifacts, label: "artifact", fields: artifactFields });

  const refuseTaken = (error: unknown, operation: string, name: string): never => {
    if (violates(error, "artifacts_name_key")) throw taken(operation, "artifact", name);
    throw error;
  };

  return {
    ...collection,
    async create({ tags, ...artifact }, { userId, ids }) {
      checkName(artifact.name, "artifact");
      const now = clock();
      try {
        await database.transaction(async (transaction) => {
          const row = { ...artifact, user_id: userId, created: now, updated: now };
          if (!(await insertRow(transaction, artifacts, row))) return;
          await attachTags(transaction, {
            resourceType: "artifact",
            resourceId: artifact.id,
            tags,
            userId,
            ids,
            now,
          });
        });
      } catch (error) {
        refuseTaken(error, "create", artifact.name);
      }
      return collection.get(artifact.id);
    },
    async change(id, { name, has_custom_name: custom, add_tags: add, remove_tags: remove }, { userId, ids }) {
      const now = clock();
      const isCustom = custom ?? (name ? true : undefined);
      try {
        return await database.transaction(async (transaction) => {
          const row = await updateRow(transaction, artifacts, id, {
            ...(name ? { name } : {}),
            ...(isCustom === undefined ? {} : { has_custom_name: isCustom }),
            updated: now,
          });
          if (row === undefined) throw noSuch("artifact", id);
          await attachTags(transaction, {
            resourceType: "artifact",
            resourceId: id,
            tags: add,
            userId,
            ids,
            now,
          });
          await detachTags(transaction, { resourceId: id, tags: remove });
          return row;
        });
      } catch (error) {
        return refuseTaken(error, "update", name ?? "");
      }
    },
    remove: (id) =>
      database.transaction(async (transaction) => {
        if ((await lockRow(transaction, artifacts, id)) === undefined) throw noSuch("artifact", id);
        await detachAll(transaction, [id, ...(await selectVersionIds(transaction, id))]);
        await deleteRow(transaction, artifacts, id);
      }),
    latestVersions: (ids) => selectLatestVersions(database, ids),
    removeEmpty: (workspaceId) =>
      database.transaction(async (transaction) => {
        await detachAll(transaction, await deleteEmptyArtifacts(transaction, workspaceId));
      }),
  };
}
