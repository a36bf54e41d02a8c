import { violates } from "../../kernel/database-errors.ts";
import type { Queryable } from "../../kernel/database.ts";
import { alreadyExists, type PlinthError } from "../../kernel/errors.ts";
import {
  checkLength,
  decodePlace,
  encodePlace,
  parseRegisteredModelFilter,
  parseRegisteredModelOrderBy,
} from "../tracking/index.ts";
import { workspaceNotFound, type Scope } from "../identity/index.ts";
import type { ChangeDeps, KeyValue } from "./deps.ts";
import { selectContents } from "./found-models.sql.ts";
import { selectLatestVersions, type ListedVersion } from "./model-versions.sql.ts";
import type { RegistrySearch } from "./model-versions.ts";
import {
  checkModelName,
  checkTag,
  checkTagKey,
  modelNotFound,
  readTags,
  refusePrompt,
  shown,
  sizes,
} from "./names.ts";
import {
  deleteModel,
  deleteModelTag,
  insertModel,
  selectModel,
  selectModels,
  updateModelDescription,
  updateModelName,
  upsertModelTag,
  type ModelRow,
} from "./registered-models.sql.ts";
import { modelOrder } from "./registry-search.sql.ts";
import { showsVersions, visibleModels } from "./visible-models.ts";

/** With the newest version of each stage. */
export type RegisteredModel = ModelRow & { latest_versions: ListedVersion[] };

export type NewModel = { name: string; description: string; tags: readonly KeyValue[] };

export type RegisteredModels = {
  createRegisteredModel(scope: Scope, model: NewModel): Promise<RegisteredModel>;
  getRegisteredModel(scope: Scope, name: string): Promise<RegisteredModel>;
  renameRegisteredModel(scope: Scope, name: string, newName: string): Promise<RegisteredModel>;
  updateRegisteredModel(scope: Scope, name: string, description: string): Promise<RegisteredModel>;
  /** With all its versions. */
  deleteRegisteredModel(scope: Scope, name: string): Promise<void>;
  searchRegisteredModels(
    scope: Scope,
    search: RegistrySearch,
  ): Promise<{ models: RegisteredModel[]; nextPageToken: string | undefined }>;
  setRegisteredModelTag(scope: Scope, name: string, tag: KeyValue): Promise<void>;
  deleteRegisteredModelTag(scope: Scope, name: string, key: string): Promise<void>;
};

export function createRegisteredModels(deps: ChangeDeps): RegisteredModels {
  const { database } = deps;

  const getRegisteredModel = async (scope: Scope, name: string): Promise<RegisteredModel> => {
    const { workspaceId } = scope;
    checkModelName(name);
    const row = await selectModel(database, { workspaceId, name });
    if (row === undefined) throw modelNotFound(name);
    const [latest = []] = await selectLatestVersions(database, [{ workspaceId, name }]);
    return withVisibleVersions(scope, { ...row, latest_versions: latest });
  };

  /** `work` says whether grants are others now: this process then knows it before the caller is answered. */
  const withGrants = async (work: (transaction: Queryable) => Promise<boolean>): Promise<void> => {
    if (await database.transaction(work)) await deps.grants.readChanges();
  };

  return {
    getRegisteredModel,
    async createRegisteredModel({ workspaceId, workspace }, { name, description, tags: given }) {
      checkModelName(name);
      checkLength("name", sizes.name, name);
      checkLength("description", sizes.description, description);
      const tags = readTags(given);
      const now = deps.now();
      const model = { workspaceId, name, description, tags, now };
      const added = await insertModel(database, model).catch((error: unknown) => {
        throw violates(error, "registered_models_workspace_id_fkey") ? workspaceNotFound(workspace) : error;
      });
      if (added === undefined) throw nameTaken(name);
      deps.announce(added.recorded);
      return {
        model_key: added.model_key,
        name,
        description,
        creation_timestamp: now,
        last_updated_timestamp: now,
        tags,
        aliases: [],
        latest_versions: [],
      };
    },
    async renameRegisteredModel(scope, name, newName) {
      const { workspaceId } = scope;
      checkModelName(newName, "new_name");
      checkLength("new_name", sizes.name, newName);
      checkModelName(name);
      try {
        const change = { workspaceId, name, newName, now: deps.now() };
        await withGrants(async (transaction) => {
          if (!(await updateModelName(transaction, change))) throw modelNotFound(name);
          return deps.grants.renameGrantsOn(transaction, workspaceId, {
            types: NAMED,
            from: name,
            to: newName,
          });
        });
      } catch (error) {
        throw violates(error, "registered_models_name_key") ? nameTaken(newName) : error;
      }
      return getRegisteredModel(scope, newName);
    },
    async updateRegisteredModel(scope, name, description) {
      const { workspaceId } = scope;
      checkModelName(name);
      checkLength("description", sizes.description, description);
      const change = { workspaceId, name, description, now: deps.now() };
      if (!(await updateModelDescription(database, change))) throw modelNotFound(name);
      return getRegisteredModel(scope, name);
    },
    async deleteRegisteredModel({ workspaceId }, name) {
      checkModelName(name);
      await withGrants(async (transaction) => {
        if (!(await deleteModel(transaction, { workspaceId, name }))) throw modelNotFound(name);
        return deps.grants.deleteGrantsOn(transaction, workspaceId, { types: NAMED, ids: [name] });
      });
    },
    async searchRegisteredModels(scope, { filter, orderBy, maxResults, pageToken }) {
      const query = {
        workspaceId: scope.workspaceId,
        filter: parseRegisteredModelFilter(filter),
        visible: visibleModels(scope, "model"),
      };
      const terms = modelOrder(parseRegisteredModelOrderBy(orderBy));
      const search = ["registered-models", filter, orderBy];
      const after = pageToken === undefined ? undefined : decodePlace(search, terms, pageToken);
      const rows = await selectModels(database, query, { terms, after, limit: maxResults + 1 });
      const more = rows.length > maxResults;
      const page = more ? rows.slice(0, maxResults) : rows;
      const models = await selectContents(database, deps.memory, page);
      return {
        models: models.map((model) => withVisibleVersions(scope, model)),
        nextPageToken: more ? encodePlace(search, page.at(-1)?.place ?? []) : undefined,
      };
    },
    async setRegisteredModelTag({ workspaceId }, name, tag) {
      checkModelName(name);
      checkTag(tag);
      refusePrompt(tag);
      if (!(await upsertModelTag(database, { workspaceId, name }, tag))) throw modelNotFound(name);
    },
    async deleteRegisteredModelTag({ workspaceId }, name, key) {
      checkModelName(name);
      checkTagKey(key);
      if (!(await deleteModelTag(database, { workspaceId, name }, key))) throw modelNotFound(name);
    },
  };
}

const withVisibleVersions = ({ policy }: Scope, model: RegisteredModel): RegisteredModel =>
  model.latest_versions.length === 0 || showsVersions(policy, model)
    ? model
    : { ...model, latest_versions: [] };

/** Prompts stand among models, and have no name in common with one. */
const NAMED = ["registered_model", "prompt"] as const;

const nameTaken = (name: string): PlinthError =>
  alreadyExists(`Registered Model (name=${shown(name)}) already exists.`);
