import type { RawBuilder } from "kysely";
import type { Database, Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import {
  alreadyExists,
  invalidParameter,
  invalidState,
  notFound,
  type PlinthError,
} from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { models, modelVersionRuns, modelVersions, type PipelineModelVersionRow } from "./artifact-tables.ts";
import { createCollection, noSuch, type Collection } from "./collection.ts";
import { idFields, userFields, type Fields, type ListQuery, type Page } from "./list.ts";
import { conditionOf, selectPage } from "./list.sql.ts";
import { checkVersionName, modelStages, versionKeyOf } from "./model-version-names.ts";
import {
  ensureModel,
  findModelVersion,
  insertModelVersion,
  lockModel,
  type NewModel,
  type NewVersion,
  type VersionKey,
} from "./model-versions.sql.ts";
import { checkName } from "./names.ts";
import type { Project } from "./projects.ts";
import { requireReferences } from "./references.ts";
import { deleteRow, insertRows, lockRow, selectRow, updateRow } from "./records.ts";
import { attachTags, detachAll, detachTags, type GivenTag } from "./tag-links.ts";

/** What a pipeline or step says of its model, with the placeholders of its names filled in. */
export type ConfiguredModel = {
  readonly name: string;
  /** A number, a stage, or a name; the next number where nothing is said. */
  readonly version?: string | number | null | undefined;
  readonly license?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly audience?: string | null | undefined;
  readonly use_cases?: string | null | undefined;
  readonly limitations?: string | null | undefined;
  readonly trade_offs?: string | null | undefined;
  readonly ethics?: string | null | undefined;
  readonly tags?: readonly GivenTag[] | null | undefined;
  readonly save_models_to_registry?: boolean | null | undefined;
};

export type EnsureOptions = {
  workspaceId: number;
  userId: string | null;
  /** The run that works on it: it gets one version, however often and by however many of its steps this is asked. */
  producerRunId: string;
  /** Ids of what is made: `call.newId`. */
  ids(): string;
  now: Micros;
};

/**
 * The id of the version that a run works on, in the transaction that makes the run or step. Makes the model and the
 * version where they are not there. Throws `not_found` for a number or stage that no version has, and
 * `invalid_parameter` for names that none can have.
 */
export async function ensureModelVersion(
  transaction: Queryable,
  model: ConfiguredModel,
  { workspaceId, userId, producerRunId, ids, now }: EnsureOptions,
): Promise<string> {
  checkName(model.name, "model");
  const given: NewModel = {
    id: ids(),
    workspace_id: workspaceId,
    user_id: userId,
    name: model.name,
    license: model.license ?? null,
    description: model.description ?? null,
    audience: model.audience ?? null,
    use_cases: model.use_cases ?? null,
    limitations: model.limitations ?? null,
    trade_offs: model.trade_offs ?? null,
    ethics: model.ethics ?? null,
    save_models_to_registry: model.save_models_to_registry ?? true,
  };
  const id = ids();
  const modelId = await ensureModel(transaction, given, now);
  if (modelId === undefined) throw noSuch("model", given.id);
  const version = model.version ?? null;
  const key: VersionKey = version === null ? { producerRunId } : versionKeyOf(String(version));
  const found = await findModelVersion(transaction, modelId, key);
  if (found !== undefined) return found.id;
  if (version !== null && !("name" in key)) {
    throw notFound(`No version '${version}' found for model '${model.name}'.`);
  }
  const name = version === null ? null : String(version);
  if (name !== null) checkVersionName(name);
  const made: NewVersion = {
    id,
    workspace_id: workspaceId,
    user_id: userId,
    model_id: modelId,
    name,
    description: model.description ?? null,
    stage: null,
    producer_run_id: producerRunId,
  };
  await insertModelVersion(transaction, made, now);
  const { tags } = model;
  await attachTags(transaction, { resourceType: "model_version", resourceId: id, tags, userId, ids, now });
  return id;
}

/** Says that a run has to do with a version; once, however often it is said. */
export async function linkRun(
  transaction: Queryable,
  link: { id: string; modelVersionId: string; runId: string },
  now: Micros,
): Promise<void> {
  const row = {
    id: link.id,
    model_version_id: link.modelVersionId,
    pipeline_run_id: link.runId,
    created: now,
    updated: now,
  };
  await insertRows(transaction, modelVersionRuns, [row], { linked: true });
}

export type VersionChanges = {
  name?: string | undefined;
  description?: string | undefined;
  stage?: string | undefined;
  /** Whether the version that is in the stage makes room. */
  force: boolean;
  addTags?: readonly GivenTag[] | null | undefined;
  removeTags?: readonly string[] | null | undefined;
};

type ChangeOptions = { userId: string | null; ids(): string };

export type ModelVersions = Pick<
  Collection<typeof modelVersions>,
  "label" | "fields" | "get" | "find" | "remove"
> & {
  /** Throws `not_found` where there is no such model, `already_exists` for a name that is taken. */
  create(
    version: Omit<NewVersion, "producer_run_id"> & { tags?: readonly GivenTag[] | null | undefined },
    options: { ids(): string; project: Pick<Project, "workspaceId" | "projectId"> },
  ): Promise<PipelineModelVersionRow>;
  /** Conditions on the model hold whatever else is asked for. */
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<PipelineModelVersionRow>>;
  /** Throws `invalid_state` where another version is in the stage, unless it is forced to leave. */
  update(id: string, changes: VersionChanges, options: ChangeOptions): Promise<PipelineModelVersionRow>;
};

const LABEL = "model version";
const LABEL_OF_MODEL = "model";

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  number: { kind: "integer", sql: "t.number" },
  stage: { kind: "text", sql: "t.stage" },
  model: { kind: "reference", sql: "t.model_id", table: "pipelines.models", unordered: true },
  model_id: { kind: "uuid", sql: "t.model_id" },
  tag: { kind: "tags" },
  tags: { kind: "tags" },
  run_metadata: { kind: "metadata" },
};

type Deps = { database: Database; clock(): Micros };

export function createModelVersions(deps: Deps): ModelVersions {
  const { database, clock } = deps;
  const rows = createCollection(deps, { table: modelVersions, label: LABEL, fields });

  return {
    label: LABEL,
    fields,
    get: rows.get,
    find: rows.find,
    async create({ tags, ...version }, { ids, project }) {
      if (version.name !== null) checkVersionName(version.name);
      const now = clock();
      await database
        .transaction(async (transaction) => {
          await lockModel(transaction, version.model_id);
          await requireReferences(
            transaction,
            [{ table: models, label: LABEL_OF_MODEL, id: version.model_id }],
            {
              label: LABEL,
              operation: "created",
              project,
            },
          );
          const added = await insertModelVersion(transaction, { ...version, producer_run_id: null }, now);
          if (!added) return;
          const link = { resourceType: "model_version", resourceId: version.id } as const;
          await attachTags(transaction, { ...link, tags, userId: version.user_id, ids, now });
        })
        .catch((error: unknown) => refuse(error, version));
      return rows.get(version.id);
    },
    search(query, where) {
      const ofModel = query.conditions.filter(({ field }) => field === "model");
      const others = query.conditions.filter(({ field }) => field !== "model");
      const model = conditionOf({ fields, query: { ...query, conditions: ofModel, any: false }, where: [] });
      return selectPage(database, {
        table: modelVersions,
        fields,
        query: { ...query, conditions: others },
        where: ofModel.length === 0 ? where : [...where, model],
      });
    },
    update(id, changes, { userId, ids }) {
      const { name, description, stage, force, addTags, removeTags } = changes;
      return database
        .transaction(async (transaction) => {
          const before = await selectRow(transaction, modelVersions, id);
          if (before === undefined) throw noSuch(LABEL, id);
          await lockModel(transaction, before.model_id);
          const now = clock();
          if (name !== undefined && name !== before.name) checkVersionName(name);
          if (stage !== undefined) await clearStage(transaction, before, { stage, force, now });
          const row = await updateRow(transaction, modelVersions, id, {
            ...(name === undefined ? {} : { name }),
            ...(description === undefined ? {} : { description }),
            ...(stage === undefined ? {} : { stage }),
            updated: now,
          });
          if (row === undefined) throw noSuch(LABEL, id);
          const link = { resourceType: "model_version", resourceId: id } as const;
          await attachTags(transaction, { ...link, tags: addTags, userId, ids, now });
          await detachTags(transaction, { resourceId: id, tags: removeTags });
          return row;
        })
        .catch((error: unknown) => refuse(error, changes));
    },
    async remove(id) {
      await database.transaction(async (transaction) => {
        await lockRow(transaction, modelVersions, id);
        if (!(await deleteRow(transaction, modelVersions, id))) throw noSuch(LABEL, id);
        await detachAll(transaction, [id]);
      });
    },
  };
}

/** One version of a model is in a stage at a time. */
async function clearStage(
  transaction: Queryable,
  version: PipelineModelVersionRow,
  { stage, force, now }: { stage: string; force: boolean; now: Micros },
): Promise<void> {
  if (!modelStages.some((one) => one === stage)) {
    throw invalidParameter(`\`${stage}\` is not a valid model stage.`);
  }
  const there = await findModelVersion(transaction, version.model_id, { stage });
  if (there === undefined || there.id === version.id) return;
  if (!force) throw stageTaken(there.name, stage);
  await updateRow(transaction, modelVersions, there.id, { stage: "archived", updated: now });
}

const stageTaken = (name: string, stage: string): PlinthError =>
  invalidState(`Model version ${name} is in ${stage}, but \`force\` flag is False.`);

function refuse(
  error: unknown,
  { name, stage }: { name?: string | null | undefined; stage?: string | null | undefined },
): never {
  if (violates(error, "model_versions_name_key")) {
    throw alreadyExists(
      `Unable to create model version (version ${name ?? ""}): A model with the same name and version already exists.`,
    );
  }
  if (violates(error, "model_versions_stage_key")) throw stageTaken("of another number", stage ?? "");
  throw error;
}
