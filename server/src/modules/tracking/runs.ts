import { createBatch } from "../../kernel/batch.ts";
import { invalidParameter, notFound, type PlinthError } from "../../kernel/errors.ts";
import { randomHex32 } from "../../kernel/ids.ts";
import type { Scope } from "../identity/index.ts";
import type { TrackingDeps } from "./deps.ts";
import { readExperimentId } from "./experiment-ids.ts";
import { RUN_NAME_TAG, runNotActive, runNotFound, type Int, type KeyValue } from "./run-data-plan.ts";
import { selectRunStates, upsertTags, type RunState } from "./run-data.sql.ts";
import { randomRunName } from "./run-names.ts";
import {
  deleteTag,
  insertRuns,
  selectGrounds,
  selectRunRow,
  selectRunSet,
  selectRunSetByUuid,
  updateDeleted,
  updateRuns,
  type NewRuns,
  type RunChange,
  type RunPlace,
  type RunRow,
  type RunSet,
} from "./runs.sql.ts";

/** MLflow's numbers for the status of a run. */
export const runStatuses = { RUNNING: 1, SCHEDULED: 2, FINISHED: 3, FAILED: 4, KILLED: 5 } as const;

export type NewRun = {
  experimentId: string;
  userId: string;
  name: string;
  startTime: Int;
  tags: readonly KeyValue[];
};

/** The id is drawn before the first try, so that a try after a lost commit finds the run made already. */
type QueuedRun = NewRun & { workspaceId: number; uuid: string };

type QueuedUpdate = RunUpdate & RunPlace;

export type CreatedRun = { row: RunRow; tags: readonly KeyValue[] };

export type RunUpdate = { runId: string; status?: number; endTime?: Int; name?: string };

export type Runs = {
  createRun(scope: Scope, run: NewRun): Promise<CreatedRun>;
  /** The run with its newest metrics, parameters and tags; concurrent calls share a statement. */
  getRun(scope: Scope, runId: string): Promise<{ set: RunSet; row: RunRow }>;
  /** The same for many at once, by their internal ids, which a search in a workspace has found. */
  getRunSet(runIds: readonly number[]): Promise<RunSet>;
  /** Only the run's own row. */
  getRunRow(scope: Scope, runId: string): Promise<RunRow>;
  updateRun(scope: Scope, update: RunUpdate): Promise<RunRow>;
  deleteRun(scope: Scope, runId: string): Promise<void>;
  restoreRun(scope: Scope, runId: string): Promise<void>;
  deleteTag(scope: Scope, runId: string, key: string): Promise<void>;
};

export function createRuns(deps: TrackingDeps): Runs {
  const { database } = deps;

  const creations = createBatch<QueuedRun, CreatedRun>({
    name: "create_run",
    concurrency: 2,
    maxWeight: 500,
    onBatch: deps.onBatch,
    run: (items) => insertBatch(deps, items),
  });

  const reads = createBatch<RunPlace, { set: RunSet; row: RunRow }>({
    name: "get_run",
    concurrency: 2,
    maxWeight: 64,
    onBatch: deps.onBatch,
    async run(places) {
      const set = await selectRunSetByUuid(database, [...new Set(places.map(({ runId }) => runId))]);
      await deps.ids.load(set.runs.map((row) => row.experiment_id));
      const rows = new Map(set.runs.map((row) => [row.run_uuid, row]));
      return places.map(({ runId, workspaceId }) => {
        const row = rows.get(runId);
        return row?.workspace_id === workspaceId ? { set, row } : runNotFound(runId);
      });
    },
  });

  const updates = createBatch<QueuedUpdate, RunRow>({
    name: "update_run",
    concurrency: 2,
    maxWeight: 500,
    onBatch: deps.onBatch,
    run: (items) => updateBatch(deps, items),
  });

  const getRunRow = async ({ workspaceId }: Scope, runId: string): Promise<RunRow> => {
    const row = await selectRunRow(database, { workspaceId, runId });
    if (row === undefined) throw runNotFound(runId);
    return row;
  };

  return {
    async createRun({ workspaceId }, run) {
      // Here, so that a wrong one does not fail those that share its batch.
      readExperimentId(run.experimentId);
      return creations.add({ ...run, ...named(run), workspaceId, uuid: randomHex32() });
    },
    getRun: ({ workspaceId }, runId) => reads.add({ workspaceId, runId }),
    async getRunSet(runIds) {
      const set = await selectRunSet(database, runIds);
      await deps.ids.load(set.runs.map((row) => row.experiment_id));
      return set;
    },
    getRunRow,
    async updateRun({ workspaceId }, update) {
      const row = await updates.add({ ...update, workspaceId });
      await deps.ids.load([row.experiment_id]);
      return row;
    },
    async deleteRun({ workspaceId }, runId) {
      if (!(await updateDeleted(database, { workspaceId, runId }, deps.now()))) throw runNotFound(runId);
    },
    async restoreRun({ workspaceId }, runId) {
      if (!(await updateDeleted(database, { workspaceId, runId }, null))) throw runNotFound(runId);
    },
    async deleteTag(scope, runId, key) {
      const row = await getRunRow(scope, runId);
      if (row.deleted_at !== null) throw runNotActive(runId);
      if (!(await deleteTag(database, row.run_id, key))) {
        throw notFound(`No tag with name: ${key} in run with id ${runId}`);
      }
    },
  };
}

/** The name stands in the run and in its tag `mlflow.runName`; whichever was given makes the other. */
function named(run: NewRun): { name: string; tags: readonly KeyValue[] } {
  const tag = run.tags.find(({ key }) => key === RUN_NAME_TAG)?.value;
  if (run.name !== "" && tag !== undefined && tag !== "" && run.name !== tag) {
    throw invalidParameter(
      "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values " +
        `(run_name='${run.name}', mlflow.runName='${tag}').`,
    );
  }
  const name = run.name || tag || randomRunName();
  return { name, tags: tag ? run.tags : [...run.tags, { key: RUN_NAME_TAG, value: name }] };
}

async function insertBatch(
  deps: TrackingDeps,
  items: readonly QueuedRun[],
): Promise<(CreatedRun | PlinthError)[]> {
  const numbers = await deps.ids.numbersOf(items.map((item) => item.experimentId));
  const keys = items.flatMap((item) => item.tags.map((tag) => tag.key));
  const [grounds] = await Promise.all([
    selectGrounds(
      deps.database,
      numbers.map((number, index) => ({
        id: number ?? -1,
        workspaceId: items[index]?.workspaceId ?? 0,
      })),
    ),
    deps.keys.ensure(keys),
  ]);
  const added: NewRuns = { rows: [], tagRunIds: [], tagKeyIds: [], tagExperimentIds: [], tagValues: [] };
  const answers = items.map((item, index): CreatedRun | PlinthError => {
    const ground = grounds[index];
    if (ground === undefined || ground.experiment_id === null) {
      return notFound(`No Experiment with id=${item.experimentId} exists`);
    }
    if (ground.deleted) return experimentNotActive(deps.ids.idOf(ground.experiment_id));
    const row = newRow(item, { ...ground, experiment_id: ground.experiment_id });
    added.rows.push(row);
    const tags = new Map(item.tags.map(({ key, value }) => [key, value]));
    for (const [key, value] of tags) {
      added.tagRunIds.push(row.run_id);
      added.tagKeyIds.push(deps.keys.idOf(key));
      added.tagExperimentIds.push(row.experiment_id);
      added.tagValues.push(value);
    }
    return { row, tags: [...tags].map(([key, value]) => ({ key, value })) };
  });
  if (added.rows.length > 0) await insertRuns(deps.database, added);
  return answers;
}

export const experimentNotActive = (id: string): PlinthError =>
  invalidParameter(`The experiment ${id} must be in the 'active' state. Current state is deleted.`);

function newRow(
  run: QueuedRun,
  ground: { run_id: number; experiment_id: number; artifact_location: string },
): RunRow {
  return {
    run_id: ground.run_id,
    run_uuid: run.uuid,
    experiment_id: ground.experiment_id,
    name: run.name,
    user_id: run.userId,
    status: runStatuses.RUNNING,
    start_time: run.startTime,
    end_time: null,
    deleted_at: null,
    artifact_uri: appendToUriPath(ground.artifact_location, `${run.uuid}/artifacts`),
  };
}

/** Adds to the path of a URI, before its query: `s3://b/p?x=1` gets `s3://b/p/added?x=1`. */
export function appendToUriPath(uri: string, added: string): string {
  const end = uri.search(/[?#]/);
  const path = end === -1 ? uri : uri.slice(0, end);
  const rest = end === -1 ? "" : uri.slice(end);
  return `${path.replace(/\/+$/, "")}/${added}${rest}`;
}

async function updateBatch(
  deps: TrackingDeps,
  items: readonly QueuedUpdate[],
): Promise<(RunRow | PlinthError)[]> {
  // Two updates of one run in one batch become one: the later fields win.
  const merged = new Map<string, RunChange>();
  for (const { workspaceId, runId, status, endTime, name } of items) {
    const place = `${workspaceId} ${runId}`;
    const change = merged.get(place) ?? emptyChange({ workspaceId, runId });
    if (status !== undefined) change.status = status;
    if (endTime !== undefined) change.end_time = endTime;
    if (name !== undefined && name !== "") change.name = name;
    merged.set(place, change);
  }
  const changes = [...merged.values()].toSorted((a, b) => (a.run_uuid < b.run_uuid ? -1 : 1));
  const rows = await writeChanges(deps, changes);
  const known = new Map(rows.map((row) => [`${row.workspace_id} ${row.run_uuid}`, row]));
  return Promise.all(
    items.map(async ({ workspaceId, runId }) => {
      const row = known.get(`${workspaceId} ${runId}`);
      if (row !== undefined) return row;
      return (await selectRunRow(deps.database, { workspaceId, runId })) === undefined
        ? runNotFound(runId)
        : runNotActive(runId);
    }),
  );
}

const emptyChange = ({ workspaceId, runId }: RunPlace): RunChange => ({
  run_uuid: runId,
  workspace_id: workspaceId,
  status: null,
  end_time: null,
  name: null,
});

async function writeChanges(
  deps: TrackingDeps,
  changes: readonly RunChange[],
): Promise<(RunRow & { workspace_id: number })[]> {
  if (changes.every((change) => change.name === null)) return updateRuns(deps.database, changes);
  await deps.keys.ensure([RUN_NAME_TAG]);
  const key = deps.keys.idOf(RUN_NAME_TAG);
  return deps.database.transaction(async (transaction) => {
    const names = new Map(
      changes.map(({ workspace_id, run_uuid, name }) => [`${workspace_id} ${run_uuid}`, name]),
    );
    const nameOf = ({ workspace_id, run_uuid }: RunState): string | null =>
      names.get(`${workspace_id} ${run_uuid}`) ?? null;
    const states = await selectRunStates(transaction, [...new Set(changes.map((one) => one.run_uuid))]);
    const renamed = states
      .filter((state) => !state.deleted && nameOf(state) !== null)
      .toSorted((a, b) => a.run_id - b.run_id);
    // Tags before runs: the order in which all writers lock them.
    await upsertTags(transaction, {
      runIds: renamed.map((state) => state.run_id),
      keyIds: renamed.map(() => key),
      experimentIds: renamed.map((state) => state.experiment_id),
      values: renamed.map((state) => nameOf(state) ?? ""),
    });
    return updateRuns(transaction, changes);
  });
}
