import { createBatch } from "../../kernel/batch.ts";
import { invalidParameter, notFound, type PlinthError } from "../../kernel/errors.ts";
import {
  checkLength,
  decodePlace,
  encodePlace,
  parseModelVersionFilter,
  parseModelVersionOrderBy,
} from "../tracking/index.ts";
import type { Scope } from "../identity/index.ts";
import type { ChangeDeps, KeyValue } from "./deps.ts";
import { readListed } from "./listed-versions.sql.ts";
import {
  deleteAlias,
  deleteVersion,
  deleteVersionTag,
  lockModelOfVersion,
  selectLatestVersions,
  selectVersion,
  selectVersionsByAlias,
  selectVersions,
  updateVersionDescription,
  updateVersionStage,
  upsertAlias,
  upsertVersionTag,
  type AliasPlace,
  type ListedVersion,
  type VersionRow,
} from "./model-versions.sql.ts";
import {
  checkAlias,
  checkAliasIsFree,
  checkModelName,
  checkTag,
  checkTagKey,
  modelNotFound,
  readStage,
  readTags,
  readVersion,
  refusePrompt,
  sizes,
  stages,
  versionNotFound,
} from "./names.ts";
import { selectModelKey, type ModelPlace } from "./registered-models.sql.ts";
import { versionOrder } from "./registry-search.sql.ts";
import { visibleModels } from "./visible-models.ts";
import { resolveSource, type ResolvedSource, type VersionLookup } from "./source.ts";
import { createVersionCreation, type CheckedVersion } from "./version-creation.ts";

export type { ListedVersion, VersionRow } from "./model-versions.sql.ts";

export type NewVersion = {
  name: string;
  source: string;
  /** Undefined where the request leaves it out. */
  runId: string | undefined;
  modelId: string | undefined;
  runLink: string;
  description: string;
  tags: readonly KeyValue[];
};

export type RegistrySearch = {
  filter: string;
  orderBy: readonly string[];
  maxResults: number;
  pageToken?: string;
};

/** The version is a text, as clients send it. */
export type NamedVersion = { name: string; version: string };

/** Versions are texts, as clients send them. */
export type ModelVersions = {
  createModelVersion(scope: Scope, version: NewVersion): Promise<VersionRow>;
  getModelVersion(scope: Scope, version: NamedVersion): Promise<VersionRow>;
  /** Of each of these stages, or of every stage; in the order of their numbers. */
  getLatestVersions(scope: Scope, name: string, stages: readonly string[]): Promise<VersionRow[]>;
  updateModelVersion(scope: Scope, version: NamedVersion, description: string | null): Promise<VersionRow>;
  transitionStage(
    scope: Scope,
    change: NamedVersion & { stage: string; archiveExisting: boolean },
  ): Promise<VersionRow>;
  deleteModelVersion(scope: Scope, version: NamedVersion): Promise<void>;
  searchModelVersions(
    scope: Scope,
    search: RegistrySearch,
  ): Promise<{ versions: ListedVersion[]; nextPageToken: string | undefined }>;
  setModelVersionTag(scope: Scope, version: NamedVersion, tag: KeyValue): Promise<void>;
  deleteModelVersionTag(scope: Scope, version: NamedVersion, key: string): Promise<void>;
  /** The artifact location of a version, `runs:/...` resolved. */
  /** The places that may hold a version's files, the one that wins first. */
  getModelVersionArtifactRoots(scope: Scope, version: NamedVersion): Promise<string[]>;
  setAlias(scope: Scope, alias: string, version: NamedVersion): Promise<void>;
  getModelVersionByAlias(scope: Scope, name: string, alias: string): Promise<VersionRow>;
  deleteAlias(scope: Scope, name: string, alias: string): Promise<void>;
};

export function createModelVersions(deps: ChangeDeps): ModelVersions {
  const { database } = deps;
  const changes = createChanges(deps);
  const create = createVersionCreation(deps);

  // Concurrent look-ups share a statement: 32 clients that ask for an alias each are answered by two or three.
  const shared = { concurrency: 2, maxWeight: 64, onBatch: deps.onBatch };
  const latestReads = createBatch<ModelPlace, VersionRow[]>({
    ...shared,
    name: "get_latest_versions",
    run: (places) => selectLatestVersions(database, places),
  });
  const aliasReads = createBatch<AliasPlace, VersionRow | undefined>({
    ...shared,
    name: "get_version_by_alias",
    run: (places) => selectVersionsByAlias(database, places),
  });

  const ensureModel = async ({ workspaceId }: Scope, name: string): Promise<void> => {
    if ((await selectModelKey(database, { workspaceId, name })) === undefined) throw modelNotFound(name);
  };

  const getModelVersion: ModelVersions["getModelVersion"] = async ({ workspaceId }, { name, version }) => {
    checkModelName(name);
    const { number, shown } = readVersion(version);
    const row = await selectVersion(database, { workspaceId, name, version: number });
    if (row === undefined) throw versionNotFound(name, shown);
    return row;
  };

  const getLatestVersions: ModelVersions["getLatestVersions"] = async (scope, name, wanted) => {
    checkModelName(name);
    const latest = await latestReads.add({ workspaceId: scope.workspaceId, name });
    if (latest.length === 0) await ensureModel(scope, name);
    const among = new Set(wanted.length === 0 ? stages : wanted.map(readStage));
    return latest.filter(({ stage }) => among.has(stage));
  };

  const getModelVersionByAlias: ModelVersions["getModelVersionByAlias"] = async (scope, name, alias) => {
    checkModelName(name);
    checkAlias(alias);
    if (alias.toLowerCase() === "latest") {
      const newest = (await getLatestVersions(scope, name, [])).at(-1);
      if (newest === undefined) throw notFound(`Latest version not found for model ${name}.`);
      return newest;
    }
    const row = await aliasReads.add({ workspaceId: scope.workspaceId, name, alias });
    if (row !== undefined) return row;
    await ensureModel(scope, name);
    throw invalidParameter(`Registered model alias ${alias} not found.`);
  };

  const lookup: VersionLookup = {
    getModelVersion,
    getByAlias: getModelVersionByAlias,
    getLatest: getLatestVersions,
    async ensureModel(scope, name) {
      checkModelName(name);
      await ensureModel(scope, name);
    },
  };

  return {
    ...changes,
    getModelVersion,
    getLatestVersions,
    getModelVersionByAlias,
    async createModelVersion(scope, version) {
      const tags = readTags(version.tags);
      const source = await resolveSource({ deps, lookup, scope }, version);
      checkModelName(version.name);
      return create(checked(scope, { ...version, tags }, source));
    },
    async updateModelVersion(scope, { name, version }, description) {
      checkModelName(name);
      const { number, shown } = readVersion(version);
      if (description !== null) checkLength("description", sizes.description, description);
      const { workspaceId } = scope;
      const change = { workspaceId, name, version: number, description, now: deps.now() };
      if (!(await updateVersionDescription(database, change))) throw versionNotFound(name, shown);
      return getModelVersion(scope, { name, version });
    },
    async searchModelVersions(scope, { filter, orderBy, maxResults, pageToken }) {
      const terms = versionOrder(parseModelVersionOrderBy(orderBy));
      const query = {
        workspaceId: scope.workspaceId,
        filter: parseModelVersionFilter(filter),
        visible: visibleModels(scope, "version"),
      };
      const search = ["model-versions", filter, orderBy];
      const after = pageToken === undefined ? undefined : decodePlace(search, terms, pageToken);
      const page = await selectVersions(database, query, { terms, after, limit: maxResults });
      const versions = await readListed(database, deps.memory, page.found);
      return {
        versions: versions.filter((version) => version !== undefined),
        nextPageToken: page.next === undefined ? undefined : encodePlace(search, page.next),
      };
    },
    async getModelVersionArtifactRoots(scope, version) {
      const { storage_location: location } = await getModelVersion(scope, version);
      const [, runId, path = ""] = /^runs:\/([^/]+)(\/.*)?$/i.exec(location) ?? [];
      if (runId === undefined) return [location];
      const run = await deps.tracking.getRunRow(scope, runId);
      // Since MLflow 3 a run's model is not among its artifacts, but goes by the same name.
      const [, name = "", rest = ""] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? [];
      const model = await deps.tracking.getRunModelRoot(run, name);
      return [...(model === undefined ? [] : [model + rest]), run.artifact_uri + path];
    },
  };
}

/** All that a rule may refuse is refused here: a batch is for what the database alone can say. */
function checked(
  { workspaceId }: Scope,
  { name, runLink, description, tags }: NewVersion,
  source: ResolvedSource,
): CheckedVersion {
  checkLength("run_id", sizes.runId, source.runId);
  checkLength("run_link", sizes.runLink, runLink);
  checkLength("description", sizes.description, description);
  return {
    workspaceId,
    name,
    source: source.source,
    storage_location: source.storageLocation,
    run_uuid: source.runId,
    run_link: runLink,
    model_id: source.modelId,
    namesModel: source.namesModel,
    tags: [...tags],
    description,
  };
}

type Changes = Pick<
  ModelVersions,
  | "transitionStage"
  | "deleteModelVersion"
  | "setModelVersionTag"
  | "deleteModelVersionTag"
  | "setAlias"
  | "deleteAlias"
>;

function createChanges(deps: ChangeDeps): Changes {
  const { database, announce } = deps;
  return {
    async transitionStage({ workspaceId }, { name, version, stage: written, archiveExisting }) {
      const stage = readStage(written);
      if (archiveExisting && stage !== "Staging" && stage !== "Production") throw notActive(written);
      checkModelName(name);
      const { number, shown } = readVersion(version);
      return database.transaction(async (transaction) => {
        const now = deps.now();
        const place = { workspaceId, name, version: number };
        const modelKey = await lockModelOfVersion(transaction, { ...place, now });
        if (modelKey === undefined) throw versionNotFound(name, shown);
        const change = { modelKey, version: number, stage, archive: archiveExisting, now };
        await updateVersionStage(transaction, change);
        const row = await selectVersion(transaction, place);
        if (row === undefined) throw versionNotFound(name, shown);
        return row;
      });
    },
    async deleteModelVersion({ workspaceId }, { name, version }) {
      const { number, shown } = readVersion(version);
      checkModelName(name);
      await database.transaction(async (transaction) => {
        const place = { workspaceId, name, version: number, now: deps.now() };
        const modelKey = await lockModelOfVersion(transaction, place);
        if (modelKey === undefined || !(await deleteVersion(transaction, modelKey, number))) {
          throw versionNotFound(name, shown);
        }
      });
    },
    async setModelVersionTag({ workspaceId }, { name, version }, tag) {
      checkModelName(name);
      const { number, shown } = readVersion(version);
      checkTag(tag);
      refusePrompt(tag);
      const recorded = await upsertVersionTag(database, { workspaceId, name, version: number }, tag);
      if (recorded === undefined) throw versionNotFound(name, shown);
      announce(recorded);
    },
    async deleteModelVersionTag({ workspaceId }, { name, version }, key) {
      checkModelName(name);
      const { number, shown } = readVersion(version);
      checkTagKey(key);
      const recorded = await deleteVersionTag(database, { workspaceId, name, version: number }, key);
      if (recorded === undefined) throw versionNotFound(name, shown);
      announce(recorded);
    },
    async setAlias({ workspaceId }, alias, { name, version }) {
      checkModelName(name);
      checkAlias(alias);
      checkAliasIsFree(alias);
      const { number, shown } = readVersion(version);
      const recorded = await upsertAlias(database, { workspaceId, name, version: number }, alias);
      if (recorded === undefined) throw versionNotFound(name, shown);
      announce(recorded);
    },
    async deleteAlias({ workspaceId }, name, alias) {
      checkModelName(name);
      checkAlias(alias);
      const recorded = await deleteAlias(database, { workspaceId, name }, alias);
      if (recorded === undefined) throw modelNotFound(name);
      announce(recorded);
    },
  };
}

const notActive = (stage: string): PlinthError =>
  invalidParameter(
    `Model version transition cannot archive existing model versions because '${stage}' is not an Active stage. ` +
      "Valid stages are ['Staging', 'Production']",
  );
