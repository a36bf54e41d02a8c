import { violates } from "../../kernel/database-errors.ts";
import {
  badRequest,
  invalidParameter,
  notFound,
  permissionDenied,
  type PlinthError,
} from "../../kernel/errors.ts";
import { randomHex32 } from "../../kernel/ids.ts";
import type { Scope } from "../identity/index.ts";
import type { TrackingDeps } from "./deps.ts";
import { experimentNotFound } from "./experiments.ts";
import { selectExperiment, type ExperimentRow, type KeyValue } from "./experiments.sql.ts";
import { decodePlace, encodePlace } from "./keyset.ts";
import { checkLength } from "./limits.ts";
import {
  loggedModelOrder,
  selectLoggedModels,
  type DatasetFilter,
  type LoggedModelQuery,
} from "./logged-model-search.sql.ts";
import {
  deleteLoggedModelTag,
  insertLoggedModel,
  insertLoggedModelParams,
  selectLoggedModel,
  selectLoggedModelArtifactRoot,
  selectRunModelRoot,
  updateLoggedModelDeleted,
  updateLoggedModelStatus,
  upsertLoggedModelTags,
  type LoggedModelRow,
} from "./logged-models.sql.ts";
import { appendModel, type ModelInfo } from "./model-history.ts";
import { appendToUriPath, experimentNotActive } from "./runs.ts";
import { randomRunName } from "./run-names.ts";
import {
  parseLoggedModelFilter,
  parseLoggedModelOrderBy,
  type LoggedModelOrderClause,
} from "./search-logged-model.ts";
import { pythonText } from "./search-text.ts";
import { readableIn } from "./visible-experiments.ts";

export type { LoggedModelRow } from "./logged-models.sql.ts";
export { statusNames as loggedModelStatusNames } from "./logged-model-search.sql.ts";

export type NewLoggedModel = {
  experimentId: string;
  name?: string;
  modelType: string;
  /** Need not name a run that exists. */
  sourceRunId: string;
  params: readonly KeyValue[];
  tags: readonly KeyValue[];
};

export type LoggedModelSearch = {
  experimentIds: readonly string[];
  filter: string;
  datasets: readonly DatasetFilter[];
  orderBy: readonly LoggedModelOrderClause[];
  maxResults: number;
  pageToken?: string;
};

export type LoggedModels = {
  createLoggedModel(scope: Scope, model: NewLoggedModel): Promise<LoggedModelRow>;
  getLoggedModel(scope: Scope, id: string, options?: { allowDeleted?: boolean }): Promise<LoggedModelRow>;
  /** The statuses are MLflow's numbers 0 to 3. */
  finalizeLoggedModel(scope: Scope, id: string, status: number): Promise<LoggedModelRow>;
  deleteLoggedModel(scope: Scope, id: string): Promise<void>;
  logLoggedModelParams(scope: Scope, id: string, params: readonly KeyValue[]): Promise<void>;
  setLoggedModelTags(scope: Scope, id: string, tags: readonly KeyValue[]): Promise<void>;
  deleteLoggedModelTag(scope: Scope, id: string, key: string): Promise<void>;
  searchLoggedModels(
    scope: Scope,
    search: LoggedModelSearch,
  ): Promise<{ models: LoggedModelRow[]; nextPageToken: string | undefined }>;
  /** Where the artifacts of an active model are; throws when there is none of that id. */
  getLoggedModelArtifactRoot(scope: Scope, id: string): Promise<string>;
  /** The same of the newest active model of that name which a run logged; undefined when it logged none. */
  getRunModelRoot(
    run: { run_uuid: string; experiment_id: number },
    name: string,
  ): Promise<string | undefined>;
  /** MLflow 2's way: adds to the run's tag `mlflow.log-model.history`. */
  recordModel(scope: Scope, runId: string, model: ModelInfo): Promise<void>;
};

const PENDING = 1;
/** Sizes of MLflow's columns. */
const sizes = { name: 500, key: 255, model_type: 500, source_run_id: 255 } as const;

export function createLoggedModels(deps: TrackingDeps): LoggedModels {
  const { database } = deps;

  const getLoggedModel: LoggedModels["getLoggedModel"] = async ({ workspaceId }, id, options) => {
    const row = await selectLoggedModel(database, { workspaceId, id }, options?.allowDeleted ?? false);
    if (row === undefined) throw modelNotFound(id);
    await deps.ids.load([row.experiment_id]);
    return row;
  };

  return {
    getLoggedModel,
    async createLoggedModel(scope, model) {
      checkModel(model);
      const experiment = await activeExperiment(deps, scope, model.experimentId);
      const row = newRow(model, experiment, deps.now());
      try {
        await insertLoggedModel(database, row);
      } catch (error) {
        // Purged since it was looked up.
        throw violates(error, "logged_models_experiment_id_fkey")
          ? experimentNotFound(model.experimentId)
          : error;
      }
      return row;
    },
    async finalizeLoggedModel(scope, id, status) {
      const { workspaceId } = scope;
      const change = { workspaceId, id, status, now: deps.now() };
      if (!(await updateLoggedModelStatus(database, change))) throw modelNotFound(id);
      return getLoggedModel(scope, id, { allowDeleted: true });
    },
    async deleteLoggedModel({ workspaceId }, id) {
      if (!(await updateLoggedModelDeleted(database, { workspaceId, id }, deps.now())))
        throw modelNotFound(id);
    },
    async logLoggedModelParams({ workspaceId }, id, params) {
      checkPairs(params, "Parameter");
      try {
        if (!(await insertLoggedModelParams(database, { workspaceId, id }, params))) throw modelNotFound(id);
      } catch (error) {
        if (!violates(error, "logged_model_params_pkey")) throw error;
        throw badRequest(
          `One of these parameters of logged model '${id}' was logged already; they cannot be changed.`,
        );
      }
    },
    async setLoggedModelTags({ workspaceId }, id, tags) {
      const last = [...new Map(tags.map((tag) => [tag.key, tag])).values()];
      for (const { key } of last) checkLength("key", sizes.key, key);
      if (!(await upsertLoggedModelTags(database, { workspaceId, id }, last))) throw modelNotFound(id);
    },
    async deleteLoggedModelTag({ workspaceId }, id, key) {
      const found = await deleteLoggedModelTag(database, { workspaceId, id }, key);
      if (!found.model) throw modelNotFound(id);
      if (!found.tag)
        throw notFound(`No tag with key ${pythonText(key)} found for model with ID ${pythonText(id)}.`);
    },
    async searchLoggedModels(scope, search) {
      const query = await readQuery(deps, scope, search);
      const order = loggedModelOrder(query);
      const { experimentIds, filter, datasets, orderBy, maxResults, pageToken } = search;
      const mark = ["logged-models", experimentIds, filter, datasets, orderBy];
      const after = pageToken === undefined ? undefined : decodePlace(mark, order.terms, pageToken);
      if (query.experimentIds.length === 0) return { models: [], nextPageToken: undefined };
      const rows = await selectLoggedModels(database, query, { order, after, limit: maxResults + 1 });
      const more = rows.length > maxResults;
      const models = more ? rows.slice(0, maxResults) : rows;
      return { models, nextPageToken: more ? encodePlace(mark, models.at(-1)?.place ?? []) : undefined };
    },
    getRunModelRoot: ({ run_uuid: runId, experiment_id: experimentId }, name) =>
      selectRunModelRoot(database, { runId, experimentId, name }),
    async getLoggedModelArtifactRoot({ workspaceId }, id) {
      const root = await selectLoggedModelArtifactRoot(database, { workspaceId, id });
      if (root === undefined) throw modelNotFound(id);
      return root;
    },
    recordModel: ({ workspaceId }, runId, model) => appendModel(deps, { workspaceId, runId }, model),
  };
}

async function activeExperiment(
  deps: TrackingDeps,
  { workspaceId }: Scope,
  id: string,
): Promise<ExperimentRow> {
  const number = await deps.ids.numberOf(id);
  const experiment =
    number === undefined ? undefined : await selectExperiment(deps.database, { workspaceId, id: number });
  if (experiment === undefined) throw experimentNotFound(id);
  if (experiment.deleted_at !== null) throw experimentNotActive(deps.ids.idOf(experiment.experiment_id));
  return experiment;
}

function newRow(model: NewLoggedModel, experiment: ExperimentRow, now: number): LoggedModelRow {
  const id = `m-${randomHex32()}`;
  return {
    model_id: id,
    experiment_id: experiment.experiment_id,
    name: model.name ?? randomRunName(),
    artifact_location: appendToUriPath(experiment.artifact_location, `models/${id}/artifacts`),
    creation_timestamp: now,
    last_updated_timestamp: now,
    status: PENDING,
    status_message: null,
    model_type: model.modelType,
    source_run_uuid: model.sourceRunId,
    tags: [...model.tags],
    params: [...model.params],
    metric_keys: null,
    metric_values: null,
    metric_timestamps: null,
    metric_steps: null,
    metric_run_ids: null,
    metric_dataset_names: null,
    metric_dataset_digests: null,
  };
}

async function readQuery(
  deps: TrackingDeps,
  scope: Scope,
  search: LoggedModelSearch,
): Promise<LoggedModelQuery> {
  const filter = parseLoggedModelFilter(search.filter);
  const orderBy = parseLoggedModelOrderBy(search.orderBy);
  const readable = readableIn(scope, "logged_model", search.experimentIds);
  // Whoever may not see the runs of models learns nothing of them by asking for models in their order.
  const asksForRuns = [...filter, ...orderBy].some(
    (one) => one.kind === "attribute" && one.key === "source_run_id",
  );
  if (asksForRuns && readableIn(scope, "run", readable).length < readable.length) {
    throw permissionDenied("Permission denied");
  }
  const { workspaceId } = scope;
  const numbers = (await deps.ids.numbersOf(readable)).filter((number) => number !== undefined);
  const keys = [...filter, ...orderBy].filter(({ kind }) => kind === "metric").map(({ key }) => key);
  const keyIds = await deps.keys.find([...new Set(keys)]);
  const experimentIds = [...new Set(numbers)];
  return { workspaceId, experimentIds, filter, orderBy, datasets: search.datasets, keyIds };
}

const modelNotFound = (id: string): PlinthError => notFound(`Logged model with ID '${id}' not found.`);

const BAD_NAME = /[/:.%"']/;

function checkModel(model: NewLoggedModel): void {
  if (model.name !== undefined) {
    if (model.name === "" || BAD_NAME.test(model.name)) {
      throw invalidParameter(
        `Invalid model name (${pythonText(model.name)}) provided. Model name must be a non-empty string and cannot contain ` +
          `the following characters: ('/', ':', '.', '%', '"', "'")`,
      );
    }
    checkLength("name", sizes.name, model.name);
  }
  checkLength("model_type", sizes.model_type, model.modelType);
  checkLength("source_run_id", sizes.source_run_id, model.sourceRunId);
  checkPairs(model.params, "Parameter");
  checkPairs(model.tags, "Tag");
}

function checkPairs(pairs: readonly KeyValue[], what: "Parameter" | "Tag"): void {
  const seen = new Set<string>();
  for (const { key } of pairs) {
    checkLength("key", sizes.key, key);
    if (seen.has(key)) throw badRequest(`${what} '${key}' is given more than once.`);
    seen.add(key);
  }
}
