import { violates } from "../../kernel/database-errors.ts";
import {
  alreadyExists,
  invalidParameter,
  invalidState,
  notFound,
  type PlinthError,
} from "../../kernel/errors.ts";
import { defaultWorkspace, workspaceNotFound, type Scope } from "../identity/index.ts";
import { checkArtifactLocation, checkOutsideOfWorkspaces } from "./artifact-location.ts";
import type { TrackingDeps } from "./deps.ts";
import { experimentOrder } from "./experiment-search.sql.ts";
import {
  deleteExperimentTag,
  insertExperiment,
  lockExperiment,
  selectExperiment,
  selectExperimentByName,
  selectExperiments,
  updateExperimentDeleted,
  updateExperimentName,
  updateExperimentRestored,
  upsertExperimentTag,
  type ExperimentPlace,
  type ExperimentRow,
  type KeyValue,
} from "./experiments.sql.ts";
import { decodePlace, encodePlace } from "./keyset.ts";
import { checkKey, checkLength, limits } from "./limits.ts";
import type { View } from "./run-search.sql.ts";
import { experimentNotActive } from "./runs.ts";
import { parseExperimentFilter, parseExperimentOrderBy } from "./search-experiment.ts";
import { visibleExperiments } from "./visible-experiments.ts";

export type { ExperimentRow, KeyValue } from "./experiments.sql.ts";

export type NewExperiment = { name: string; artifactLocation?: string; tags: readonly KeyValue[] };

export type ExperimentSearch = {
  view: View;
  maxResults: number;
  filter: string;
  orderBy: readonly string[];
  pageToken?: string;
};

/** Ids are texts, as clients send them. */
export type Experiments = {
  createExperiment(scope: Scope, experiment: NewExperiment): Promise<number>;
  /** In any stage of its life. */
  getExperiment(scope: Scope, id: string): Promise<ExperimentRow>;
  getExperimentByName(scope: Scope, name: string): Promise<ExperimentRow>;
  renameExperiment(scope: Scope, id: string, name: string): Promise<void>;
  /** Its active runs go with it. */
  deleteExperiment(scope: Scope, id: string): Promise<void>;
  /** Its runs come back, but for those that were deleted by themselves. */
  restoreExperiment(scope: Scope, id: string): Promise<void>;
  setExperimentTag(scope: Scope, id: string, tag: KeyValue): Promise<void>;
  deleteExperimentTag(scope: Scope, id: string, key: string): Promise<void>;
  searchExperiments(
    scope: Scope,
    search: ExperimentSearch,
  ): Promise<{ experiments: ExperimentRow[]; nextPageToken: string | undefined }>;
};

/** Tags of this name hold saved views of MLflow's UI; an experiment has at most 50 of them. */
const CUSTOM_VIEW = "mlflow.customView.view";
const MAX_CUSTOM_VIEWS = 50;

export function createExperiments(deps: TrackingDeps): Experiments {
  const { database } = deps;

  const getExperiment = async ({ workspaceId }: Scope, id: string): Promise<ExperimentRow> => {
    const number = await deps.ids.numberOf(id);
    const row =
      number === undefined ? undefined : await selectExperiment(database, { workspaceId, id: number });
    if (row === undefined) throw experimentNotFound(id);
    return row;
  };

  const getActive = async (scope: Scope, id: string): Promise<ExperimentRow> => {
    const row = await getExperiment(scope, id);
    if (row.deleted_at !== null) throw experimentNotActive(deps.ids.idOf(row.experiment_id));
    return row;
  };

  /** Runs `change` on the id's number; when it changed nothing there is no such experiment. */
  const change = async (
    { workspaceId }: Scope,
    id: string,
    work: (wanted: ExperimentPlace & { now: number }) => Promise<boolean>,
  ): Promise<void> => {
    const number = await deps.ids.numberOf(id);
    const done = number !== undefined && (await work({ workspaceId, id: number, now: deps.now() }));
    if (!done) throw experimentNotFound(id);
  };

  /** The lock keeps two writers from both taking the last place. */
  const setCustomView = (place: ExperimentPlace, tag: KeyValue): Promise<boolean> =>
    database.transaction(async (transaction) => {
      await lockExperiment(transaction, place);
      const tags = (await selectExperiment(transaction, place))?.tags ?? [];
      const views = tags.filter(({ key }) => key.startsWith(CUSTOM_VIEW));
      if (views.length >= MAX_CUSTOM_VIEWS && views.every(({ key }) => key !== tag.key))
        throw tooManyViews(place.id);
      return upsertExperimentTag(transaction, place, tag);
    });

  return {
    getExperiment,
    async createExperiment({ workspaceId, workspace }, { name, artifactLocation, tags }) {
      checkTags(tags);
      if (artifactLocation !== undefined) {
        if (workspaceId !== defaultWorkspace.workspaceId) throw locationRefused();
        checkArtifactLocation(artifactLocation);
        checkOutsideOfWorkspaces(artifactLocation);
      }
      checkName(name);
      const row = { workspaceId, name, artifactLocation, tags, now: deps.now() };
      const id = await insertExperiment(database, row).catch((error: unknown) => {
        throw violates(error, "experiments_workspace_id_fkey") ? workspaceNotFound(workspace) : error;
      });
      if (id === undefined) throw workspaceNotFound(workspace);
      if (id === null) throw nameTaken(name);
      return id;
    },
    async getExperimentByName({ workspaceId }, name) {
      const row = await selectExperimentByName(database, workspaceId, name);
      if (row === undefined) throw notFound(`Could not find experiment with name '${name}'`);
      await deps.ids.load([row.experiment_id]);
      return row;
    },
    async renameExperiment(scope, id, name) {
      checkName(name);
      try {
        const { workspaceId } = scope;
        const number = await deps.ids.numberOf(id);
        if (
          number !== undefined &&
          (await updateExperimentName(database, { workspaceId, id: number, name, now: deps.now() }))
        )
          return;
      } catch (error) {
        throw violates(error, "experiments_name_key") ? nameTaken(name) : error;
      }
      await getExperiment(scope, id);
      throw invalidState("Cannot rename a non-active experiment.");
    },
    deleteExperiment: (scope, id) => change(scope, id, (wanted) => updateExperimentDeleted(database, wanted)),
    restoreExperiment: (scope, id) =>
      change(scope, id, (wanted) => updateExperimentRestored(database, wanted)),
    async setExperimentTag(scope, id, tag) {
      checkTag(tag);
      const number = await deps.ids.numberOf(id);
      if (number !== undefined) {
        const place = { workspaceId: scope.workspaceId, id: number };
        const isView = tag.key.startsWith(CUSTOM_VIEW);
        const done = isView
          ? await setCustomView(place, tag)
          : await upsertExperimentTag(database, place, tag);
        if (done) return;
      }
      await getActive(scope, id);
      throw experimentNotFound(id);
    },
    async deleteExperimentTag(scope, id, key) {
      const { experiment_id: number } = await getActive(scope, id);
      if (!(await deleteExperimentTag(database, number, key))) {
        throw notFound(`No tag with name: ${key} in experiment with id ${id}`);
      }
    },
    async searchExperiments(scope, { view, maxResults, filter, orderBy, pageToken }) {
      const terms = experimentOrder(parseExperimentOrderBy(orderBy));
      const visible = await visibleExperiments(scope, deps.ids);
      const { workspaceId } = scope;
      const query = { workspaceId, view, filter: parseExperimentFilter(filter), visible };
      const search = ["experiments", view, filter, orderBy];
      const after = pageToken === undefined ? undefined : decodePlace(search, terms, pageToken);
      const rows = await selectExperiments(database, query, { terms, after, limit: maxResults + 1 });
      const more = rows.length > maxResults;
      const experiments = more ? rows.slice(0, maxResults) : rows;
      await deps.ids.load(experiments.map((row) => row.experiment_id));
      return {
        experiments,
        nextPageToken: more ? encodePlace(search, experiments.at(-1)?.place ?? []) : undefined,
      };
    },
  };
}

export function experimentNotFound(id: string): PlinthError {
  return notFound(`No Experiment with id=${BigInt(id.trim())} exists`);
}

const nameTaken = (name: string): PlinthError =>
  alreadyExists(
    `Experiment(name=${name}) already exists. Deleted experiments keep their name until they are purged.`,
  );

const locationRefused = (): PlinthError =>
  invalidParameter(
    "artifact_location cannot be specified in a workspace: experiments are put below the workspace's artifact root",
  );

const tooManyViews = (id?: number): PlinthError =>
  invalidParameter(
    `Unable to create another custom view${id === undefined ? "" : ` for experiment ${id}`}; the maximum number of ` +
      `custom views per experiment is ${MAX_CUSTOM_VIEWS}. Delete an existing custom view before creating a new one.`,
  );

function checkName(name: string): void {
  if (name === "") throw invalidParameter("Invalid experiment name: ''");
  checkLength("name", limits.experimentName, name);
}

function checkTag({ key, value }: KeyValue): void {
  checkKey(key, "key");
  checkLength("key", limits.key, key);
  checkLength("value", limits.experimentTagValue, value);
}

function checkTags(tags: readonly KeyValue[]): void {
  if (tags.filter(({ key }) => key.startsWith(CUSTOM_VIEW)).length > MAX_CUSTOM_VIEWS) throw tooManyViews();
  const seen = new Set<string>();
  for (const tag of tags) {
    checkTag(tag);
    if (seen.has(tag.key)) throw invalidParameter(`Tag '${tag.key}' is given more than once.`);
    seen.add(tag.key);
  }
}
