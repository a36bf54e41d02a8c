import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists, type PlinthError } from "../../kernel/errors.ts";
import {
  checkLength,
  decodePlace,
  encodePlace,
  parseRegisteredModelFilter,
  parseRegisteredModelOrderBy,
} from "../tracking/index.ts";
import type { KeyValue, RegistryDeps } from "./deps.ts";
import { selectLatestVersions, type VersionRow } from "./model-versions.sql.ts";
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

/** With the newest version of each stage. */
export type RegisteredModel = ModelRow & { latest_versions: VersionRow[] };

export type NewModel = { name: string; description: string; tags: readonly KeyValue[] };

export type RegisteredModels = {
  createRegisteredModel(model: NewModel): Promise<RegisteredModel>;
  getRegisteredModel(name: string): Promise<RegisteredModel>;
  renameRegisteredModel(name: string, newName: string): Promise<RegisteredModel>;
  updateRegisteredModel(name: string, description: string): Promise<RegisteredModel>;
  /** With all its versions. */
  deleteRegisteredModel(name: string): Promise<void>;
  searchRegisteredModels(
    search: RegistrySearch,
  ): Promise<{ models: RegisteredModel[]; nextPageToken: string | undefined }>;
  setRegisteredModelTag(name: string, tag: KeyValue): Promise<void>;
  deleteRegisteredModelTag(name: string, key: string): Promise<void>;
};

export function createRegisteredModels(deps: RegistryDeps): RegisteredModels {
  const { database } = deps;

  const withLatest = async (rows: readonly ModelRow[]): Promise<RegisteredModel[]> => {
    if (rows.length === 0) return [];
    const latest = await selectLatestVersions(
      database,
      rows.map((row) => row.model_key),
    );
    const byModel = Map.groupBy(latest, (version) => version.model_key);
    return rows.map((row) => ({ ...row, latest_versions: byModel.get(row.model_key) ?? [] }));
  };

  const getRegisteredModel = async (name: string): Promise<RegisteredModel> => {
    checkModelName(name);
    const row = await selectModel(database, name);
    const [model] = row === undefined ? [] : await withLatest([row]);
    if (model === undefined) throw modelNotFound(name);
    return model;
  };

  return {
    getRegisteredModel,
    async createRegisteredModel({ name, description, tags: given }) {
      checkModelName(name);
      checkLength("name", sizes.name, name);
      checkLength("description", sizes.description, description);
      const tags = readTags(given);
      const now = deps.now();
      const key = await insertModel(database, { name, description, tags, now });
      if (key === undefined) throw nameTaken(name);
      return {
        model_key: key,
        name,
        description,
        creation_timestamp: now,
        last_updated_timestamp: now,
        tags,
        aliases: [],
        latest_versions: [],
      };
    },
    async renameRegisteredModel(name, newName) {
      checkModelName(newName, "new_name");
      checkLength("new_name", sizes.name, newName);
      checkModelName(name);
      try {
        if (!(await updateModelName(database, { name, newName, now: deps.now() }))) throw modelNotFound(name);
      } catch (error) {
        throw violates(error, "registered_models_name_key") ? nameTaken(newName) : error;
      }
      return getRegisteredModel(newName);
    },
    async updateRegisteredModel(name, description) {
      checkModelName(name);
      checkLength("description", sizes.description, description);
      const done = await updateModelDescription(database, { name, description, now: deps.now() });
      if (!done) throw modelNotFound(name);
      return getRegisteredModel(name);
    },
    async deleteRegisteredModel(name) {
      checkModelName(name);
      if (!(await deleteModel(database, name))) throw modelNotFound(name);
    },
    async searchRegisteredModels({ filter, orderBy, maxResults, pageToken }) {
      const comparisons = parseRegisteredModelFilter(filter);
      const terms = modelOrder(parseRegisteredModelOrderBy(orderBy));
      const search = ["registered-models", filter, orderBy];
      const after = pageToken === undefined ? undefined : decodePlace(search, terms, pageToken);
      const rows = await selectModels(database, comparisons, { terms, after, limit: maxResults + 1 });
      const more = rows.length > maxResults;
      const page = more ? rows.slice(0, maxResults) : rows;
      return {
        models: await withLatest(page),
        nextPageToken: more ? encodePlace(search, page.at(-1)?.place ?? []) : undefined,
      };
    },
    async setRegisteredModelTag(name, tag) {
      checkModelName(name);
      checkTag(tag);
      refusePrompt(tag);
      if (!(await upsertModelTag(database, name, tag))) throw modelNotFound(name);
    },
    async deleteRegisteredModelTag(name, key) {
      checkModelName(name);
      checkTagKey(key);
      if (!(await deleteModelTag(database, name, key))) throw modelNotFound(name);
    },
  };
}

const nameTaken = (name: string): PlinthError =>
  alreadyExists(`Registered Model (name=${shown(name)}) already exists.`);
