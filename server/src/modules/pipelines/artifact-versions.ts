import type { RawBuilder } from "kysely";
import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists, invalidParameter, invalidState, notFound } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { artifactVersionFields } from "./artifact-fields.ts";
import {
  artifactVersions,
  type ArtifactRow,
  type ArtifactVersionRow,
  type ArtifactVisualizationRow,
} from "./artifact-tables.ts";
import { createNumbering } from "./artifact-numbers.ts";
import {
  deleteUnusedVersions,
  insertArtifacts,
  insertVersions,
  isVersionUsed,
  lockArtifacts,
  lockArtifactsById,
  selectPrunable,
  selectProducersOf,
  selectTaken,
  selectTops,
  selectTopsById,
  selectVisualizationsOf,
  updateCustomNames,
  type Producer,
  type Top,
} from "./artifact-versions.sql.ts";
import { createCollection, noSuch, type Collection, type CollectionDeps } from "./collection.ts";
import type { ListQuery, Page } from "./list.ts";
import { selectPage } from "./list.sql.ts";
import type { MetadataValue } from "./metadata-values.ts";
import { deleteRow, lockRow, selectRows, updateRow } from "./records.ts";
import { wholeCount } from "./row-counts.sql.ts";
import { attachAllTags, attachTags, detachAll, detachTags } from "./tag-links.ts";

export type NewArtifactVersion = Omit<
  ArtifactVersionRow,
  "artifact_id" | "version" | "version_number" | "created" | "updated"
> & {
  /** By its name, which is made where there is none, or by its id. */
  artifact: { name: string; newId: string; has_custom_name: boolean } | { id: string };
  /** Null for the next number. */
  version: string | null;
  tags: readonly string[];
  visualizations: readonly Pick<ArtifactVisualizationRow, "id" | "type" | "uri">[];
  metadata: readonly (MetadataValue & { id: string })[];
};

export type CreatedArtifactVersion = {
  row: ArtifactVersionRow;
  artifact: ArtifactRow;
  visualizations: readonly ArtifactVisualizationRow[];
};

export type ArtifactVersions = Omit<
  Collection<typeof artifactVersions>,
  "create" | "update" | "remove" | "search"
> & {
  /** `workspaceId` where `where` says no more than that they are of it. */
  search(
    query: ListQuery,
    where: readonly RawBuilder<unknown>[],
    workspaceId?: number,
  ): Promise<Page<ArtifactVersionRow>>;
  /**
   * All of them, or none, in one transaction; undefined where they were there before. `ids` are those of tags that are
   * made. Throws `not_found` for artifacts and artifact stores that are not there, `already_exists` for versions that
   * are, and as `attachTags` does.
   */
  createAll(
    versions: readonly NewArtifactVersion[],
    ids: () => string,
  ): Promise<CreatedArtifactVersion[] | undefined>;
  /** In the order of the ids. Throws `not_found` where one was deleted meanwhile. */
  getAll(ids: readonly string[]): Promise<ArtifactVersionRow[]>;
  changeTags(
    id: string,
    tags: { add: readonly string[] | null | undefined; remove: readonly string[] | null | undefined },
    maker: { userId: string | null; ids(): string },
  ): Promise<ArtifactVersionRow>;
  /** Throws `not_found`, and `invalid_parameter` for what a run uses. */
  remove(id: string): Promise<void>;
  /** Throws `invalid_parameter` for what a run uses. */
  requireUnused(id: string): Promise<void>;
  /** Deletes those of a workspace that nothing uses. */
  prune(workspaceId: number): Promise<void>;
  visualizationsOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly ArtifactVisualizationRow[]>>;
  /** The step that made each version, and its run. */
  producersOf(ids: readonly string[]): Promise<ReadonlyMap<string, Producer>>;
};

/** What steps and people made: versions of artifacts, by number or by name. */
export function createArtifactVersions(deps: CollectionDeps): ArtifactVersions {
  const { database, clock } = deps;
  const collection = createCollection(deps, {
    table: artifactVersions,
    label: "artifact version",
    fields: artifactVersionFields,
  });

  const requireUnused = async (queryable: Queryable, id: string): Promise<void> => {
    if (!(await isVersionUsed(queryable, id))) return;
    throw invalidParameter(
      "The metadata of artifact versions that are used in runs cannot be deleted. Please delete all runs that use " +
        "this artifact version first.",
    );
  };

  return {
    ...collection,
    search: (query, where, workspaceId) =>
      selectPage(database, {
        table: artifactVersions,
        fields: artifactVersionFields,
        query,
        where,
        ...wholeCount(database, query, { kind: "artifact_versions", workspaceId }),
      }),
    async createAll(versions, ids) {
      if (versions.length === 0) return [];
      let attempted: readonly ArtifactVersionRow[] = [];
      try {
        return await database.transaction(async (transaction) => {
          const { artifactOf, tops } = await enterArtifacts(transaction, versions, clock());
          const number = createNumbering(tops);
          const created = versions.map((given) => {
            const artifact = artifactOf(given);
            return withNumber(given, { artifact, now: clock(), ...number(artifact, given.version) });
          });
          attempted = created.map(({ row }) => row);
          const added = await insertVersions(transaction, {
            versions: attempted,
            visualizations: created.flatMap(({ visualizations }) => visualizations),
            metadata: versions.flatMap((given, at) => metadataOf(given, created[at]?.row.created ?? 0)),
          });
          if (added.size === 0) return undefined;
          await attachAllTags(
            transaction,
            versions.map(({ id, tags }) => ({ resourceType: "artifact_version", resourceId: id, tags })),
            { userId: versions[0]?.user_id ?? null, ids, now: clock() },
          );
          return created;
        });
      } catch (error) {
        if (violates(error, "artifact_versions_version_key")) {
          const { name, version } = (await selectTaken(database, attempted)) ?? { name: "", version: "" };
          throw versionTaken(name, version);
        }
        if (violates(error, "artifact_versions_artifact_store_id_fkey")) {
          const stores = versions.flatMap((one) => one.artifact_store_id ?? []);
          throw notFound(
            `The artifact store with ID ${stores.join(" or ")} referenced by the artifact version being created was not found`,
          );
        }
        throw error;
      }
    },
    async getAll(ids) {
      const rows = await selectRows(database, artifactVersions, ids);
      return ids.map((id) => {
        const row = rows.get(id);
        if (row === undefined) throw noSuch("artifact version", id);
        return row;
      });
    },
    async changeTags(id, { add, remove }, { userId, ids }) {
      const now = clock();
      return database.transaction(async (transaction) => {
        const row = await updateRow(transaction, artifactVersions, id, { updated: now });
        if (row === undefined) throw noSuch("artifact version", id);
        const attachment = { resourceType: "artifact_version", resourceId: id, tags: add } as const;
        await attachTags(transaction, { ...attachment, userId, ids, now });
        await detachTags(transaction, { resourceId: id, tags: remove });
        return row;
      });
    },
    remove: (id) =>
      database.transaction(async (transaction) => {
        if ((await lockRow(transaction, artifactVersions, id)) === undefined) {
          throw noSuch("artifact version", id);
        }
        await requireUnused(transaction, id);
        await detachAll(transaction, [id]);
        await deleteRow(transaction, artifactVersions, id);
      }),
    requireUnused: (id) => requireUnused(database, id),
    async prune(workspaceId) {
      let place = { id: "00000000-0000-0000-0000-000000000000", created: 0 };
      for (;;) {
        const page = await selectPrunable(database, workspaceId, place);
        const last = page.at(-1);
        if (last === undefined) return;
        place = last;
        const unused = page.filter((one) => one.unused).map((one) => one.id);
        if (unused.length === 0) continue;
        await database.transaction(async (transaction) =>
          detachAll(transaction, await deleteUnusedVersions(transaction, unused)),
        );
      }
    },
    async visualizationsOf(ids) {
      const rows = await selectVisualizationsOf(database, ids);
      return Map.groupBy(rows, (row) => row.artifact_version_id);
    },
    producersOf: (ids) => selectProducersOf(database, ids),
  };
}

const keyOf = (workspaceId: number, name: string): string => `${workspaceId} ${name}`;

type Entered = { artifactOf(given: NewArtifactVersion): ArtifactRow; tops: readonly Top[] };

/** The artifacts that get versions, held until the transaction ends, and their highest numbers. */
async function enterArtifacts(
  transaction: Queryable,
  versions: readonly NewArtifactVersion[],
  now: Micros,
): Promise<Entered> {
  const wanted = new Map<string, ArtifactRow>();
  const ids = new Set<string>();
  for (const { artifact, workspace_id: workspaceId, user_id: userId } of versions) {
    if ("id" in artifact) {
      ids.add(artifact.id);
      continue;
    }
    const key = keyOf(workspaceId, artifact.name);
    const before = wanted.get(key);
    wanted.set(key, {
      id: before?.id ?? artifact.newId,
      workspace_id: workspaceId,
      user_id: userId,
      name: artifact.name,
      has_custom_name: artifact.has_custom_name || before?.has_custom_name === true,
      created: now,
      updated: now,
    });
  }
  const named = await enterNamed(transaction, wanted);
  const [byId, topsById] =
    ids.size === 0
      ? [[], []]
      : await Promise.all([lockArtifactsById(transaction, [...ids]), selectTopsById(transaction, [...ids])]);
  const rowOf = new Map(byId.map((row) => [row.id, row]));
  const artifactOf = ({ artifact, workspace_id: workspaceId }: NewArtifactVersion): ArtifactRow => {
    if (!("id" in artifact)) {
      const row = named.rows.get(keyOf(workspaceId, artifact.name));
      if (row === undefined) throw new TypeError(`the artifact ${artifact.name} was not asked for`);
      return row;
    }
    const row = rowOf.get(artifact.id);
    if (row?.workspace_id === workspaceId) return row;
    throw notFound(
      `The artifact with ID ${artifact.id} referenced by the artifact version being created was not found`,
    );
  };
  return { artifactOf, tops: [...named.tops, ...topsById] };
}

/** How often an artifact may be made and deleted by others while it is asked for. */
const ATTEMPTS = 5;

async function enterNamed(
  transaction: Queryable,
  wanted: ReadonlyMap<string, ArtifactRow>,
): Promise<{ rows: ReadonlyMap<string, ArtifactRow>; tops: readonly Top[] }> {
  const rows = new Map<string, ArtifactRow>();
  if (wanted.size === 0) return { rows, tops: [] };
  const keys = [...wanted.values()];
  const remember = (found: readonly ArtifactRow[]): void => {
    for (const row of found) rows.set(keyOf(row.workspace_id, row.name), row);
  };
  let tops: readonly Top[] = [];
  for (let attempt = 1; rows.size < wanted.size; attempt += 1) {
    if (attempt > ATTEMPTS) throw invalidState("The artifact was deleted while a version was added to it.");
    // Sent together, answered one behind the other.
    const [found, numbers] = await Promise.all([
      lockArtifacts(transaction, keys),
      selectTops(transaction, keys),
    ]);
    remember(found);
    tops = numbers;
    const missing = [...wanted].filter(([key]) => !rows.has(key)).map(([, row]) => row);
    if (missing.length > 0) remember(await insertArtifacts(transaction, missing));
  }
  const renamed = [...wanted].flatMap(([key, { has_custom_name: isCustom }]) => {
    const row = rows.get(key);
    if (row === undefined || !isCustom || row.has_custom_name) return [];
    rows.set(key, { ...row, has_custom_name: true });
    return row.id;
  });
  if (renamed.length > 0) await updateCustomNames(transaction, renamed);
  return { rows, tops };
}

function withNumber(
  given: NewArtifactVersion,
  at: { artifact: ArtifactRow; version: string; number: number | null; now: Micros },
): CreatedArtifactVersion {
  const { artifact: _artifact, tags: _tags, metadata: _metadata, visualizations, ...rest } = given;
  const row: ArtifactVersionRow = {
    ...rest,
    artifact_id: at.artifact.id,
    version: at.version,
    version_number: at.number,
    created: at.now,
    updated: at.now,
  };
  return {
    row,
    artifact: at.artifact,
    visualizations: visualizations.map((one, position) => ({
      ...one,
      artifact_version_id: given.id,
      position,
      created: at.now,
      updated: at.now,
    })),
  };
}

const metadataOf = (
  { id, workspace_id, user_id, metadata }: NewArtifactVersion,
  created: Micros,
): Parameters<typeof insertVersions>[1]["metadata"] =>
  metadata.map((value) => ({
    ...value,
    resource_id: id,
    workspace_id,
    user_id,
    stack_component_id: null,
    publisher_step_id: null,
    created,
  }));

export const versionTaken = (name: string, version: string): Error =>
  alreadyExists(
    `Unable to create artifact version ${name} (version ${version}): An artifact with the same name and version already exists.`,
  );
