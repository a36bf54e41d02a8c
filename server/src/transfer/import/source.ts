import type { SourceProblem } from "./problem.ts";

/**
 * What an import reads from. A source is one consistent view of an MLflow store as far as its kind
 * allows, and is read once, in order, page by page. Rows keep the store's own meaning (and, where it has them,
 * its own words: `FINISHED`, `deleted`); the loader turns them into Plinth's.
 *
 * Every page says how to go on behind it: the cursor of the last page that was committed is given back
 * as `after` by the next process when this one was killed. Pages come in an order that does not
 * depend on when they are asked for (by id or name), and hold so little that memory stays flat.
 */
export type ImportSource = {
  description: SourceDescription;
  /** What there is to do, for the estimate and the report. May take seconds, and may be wrong where the store cannot count. */
  count(): Promise<SourceCounts>;
  /** Those named in the store; none where it knows no workspaces. */
  workspaces(): Promise<SourceWorkspace[]>;
  experiments(after: Cursor): AsyncIterable<Page<SourceExperiment>>;
  /** Datasets by themselves; a source that knows them only through their runs yields none here (see `SourceRunDataset`). */
  datasets(after: Cursor): AsyncIterable<Page<SourceDataset>>;
  /** Complete runs: page sizes follow from how many points they have. */
  runs(after: Cursor): AsyncIterable<RunPage>;
  /** Comes after the runs, which their metrics point to. */
  loggedModels(after: Cursor): AsyncIterable<Page<SourceLoggedModel>>;
  registeredModels(after: Cursor): AsyncIterable<Page<SourceRegisteredModel>>;
  /** In order of (workspace, name, version). */
  modelVersions(after: Cursor): AsyncIterable<Page<SourceModelVersion>>;
  /**
   * Ids of runs alone, where they are quick to list: taken ones are then known before anything is copied, and
   * whether runs came or went meanwhile is known at the end.
   */
  runIds?(): AsyncIterable<string[]>;
  /**
   * What was written in the source since a time (milliseconds since 1970), for one that is no snapshot and can tell:
   * that was perhaps read before, or halfway.
   */
  changes?(since: number): AsyncIterable<SourceProblem>;
  /** Why bytes under an artifact location cannot be read, or how they can: see `artifacts.ts`. */
  artifacts?: SourceArtifacts;
  close(): Promise<void>;
};

/** Opaque text of the source; undefined is the beginning. */
export type Cursor = string | undefined;

export type Page<Row> = { rows: Row[]; cursor: string };

export type RunPage = Page<SourceRun> & {
  /** All points of the runs of this page, in any order, a few ten thousand at a time. Read once. */
  points(): AsyncIterable<SourcePoints>;
};

export type SourceKind = "sqlite" | "postgresql" | "mysql" | "files" | "rest";

export type SourceDescription = {
  kind: SourceKind;
  /** How the source is named to people: without password and query. */
  place: string;
  /** Such as `MLflow 3.17 (database revision 1a2b3c)`. */
  version: string;
  /** The same for the same store on every reading, whatever came to it since; another for any other store. */
  fingerprint: string;
  /** Whether all is read as of one moment. */
  snapshot: boolean;
  /** What the reader of the report should know. */
  notes: string[];
};

/** Undefined is unknown. */
export type SourceCounts = {
  experiments: number | undefined;
  runs: number | undefined;
  points: number | undefined;
  datasets: number | undefined;
  logged_models: number | undefined;
  registered_models: number | undefined;
  model_versions: number | undefined;
  /** What is there and Plinth does not take, by what it is called: `traces`, `webhooks`, ... Zeroes are left out. */
  not_imported: Record<string, number>;
};

export type Int = number | bigint;

export type SourceKeyValue = { key: string; value: string };

export type SourceWorkspace = {
  name: string;
  description: string | null;
  default_artifact_root: string | null;
  trace_archival_location: string | null;
  trace_archival_retention: string | null;
};

export type SourceExperiment = {
  /** The store's workspace; `default` where it knows none. */
  workspace: string;
  /** As the store has it: MLflow's file store uses numbers of 18 digits. */
  experiment_id: string;
  name: string;
  /** Empty for none. */
  artifact_location: string;
  lifecycle_stage: "active" | "deleted";
  /** Milliseconds since 1970, as all times here. */
  creation_time: number | null;
  last_update_time: number | null;
  tags: SourceKeyValue[];
};

export type SourceDataset = {
  experiment_id: string;
  name: string;
  digest: string;
  source_type: string;
  source: string;
  schema: string | null;
  profile: string | null;
};

/** A dataset that a run used. `dataset` where it does not come by itself. */
export type SourceRunDataset = {
  name: string;
  digest: string;
  /** `mlflow.data.context` and others. */
  tags: SourceKeyValue[];
  dataset?: Omit<SourceDataset, "experiment_id" | "name" | "digest">;
};

export type SourceRun = {
  run_uuid: string;
  experiment_id: string;
  name: string | null;
  user_id: string | null;
  /** RUNNING, SCHEDULED, FINISHED, FAILED or KILLED. */
  status: string;
  start_time: number | null;
  end_time: number | null;
  lifecycle_stage: "active" | "deleted";
  deleted_time: number | null;
  artifact_uri: string;
  params: SourceKeyValue[];
  tags: SourceKeyValue[];
  /** In order of logging where that is known. */
  datasets: SourceRunDataset[];
  /** Logged models the run used, and made. */
  model_inputs: { model_id: string }[];
  model_outputs: { model_id: string; step: Int }[];
  /** The newest value of each metric as the store has it; left out where it only has history. */
  latest_metrics?: SourceMetric[];
};

/** NaN is NaN; infinities come as the store has them, infinite or already as the largest double. */
export type SourceMetric = { key: string; value: number; timestamp: Int; step: Int };

/** Points as columns: the same index is the same point. */
export type SourcePoints = {
  run_uuids: string[];
  keys: string[];
  values: number[];
  timestamps: Int[];
  steps: Int[];
};

export type SourceLoggedModel = {
  model_id: string;
  experiment_id: string;
  name: string;
  artifact_location: string;
  creation_timestamp: number;
  last_updated_timestamp: number;
  /** 0 unspecified, 1 pending, 2 ready, 3 upload failed: MLflow's numbers. */
  status: number;
  status_message: string | null;
  model_type: string | null;
  source_run_id: string | null;
  lifecycle_stage: "active" | "deleted";
  params: SourceKeyValue[];
  tags: SourceKeyValue[];
  metrics: (SourceMetric & {
    run_id: string;
    dataset_name: string | null;
    dataset_digest: string | null;
  })[];
};

export type SourceRegisteredModel = {
  workspace: string;
  name: string;
  description: string | null;
  creation_time: number | null;
  last_updated_time: number | null;
  /** The highest number ever given to a version, where the store remembers more than its versions say. */
  last_version?: number;
  tags: SourceKeyValue[];
  /** Their versions come later. */
  aliases: { alias: string; version: number }[];
};

export type SourceModelVersion = {
  workspace: string;
  name: string;
  version: number;
  creation_time: number | null;
  last_updated_time: number | null;
  description: string | null;
  user_id: string | null;
  /** None, Staging, Production, Archived. */
  current_stage: string | null;
  source: string;
  storage_location: string | null;
  run_id: string | null;
  run_link: string | null;
  status: string | null;
  status_message: string | null;
  /** The logged model it was made from. */
  model_id: string | null;
  tags: SourceKeyValue[];
};

/** One file below an artifact location. */
export type ArtifactFile = {
  path: string;
  size: number | undefined;
  /** When it was written last, where that is known: a copy that is newer is not made again. */
  modifiedAt?: number;
};

/** The bytes behind artifact locations, for those places that this machine or the source's server can read. */
export type SourceArtifacts = {
  /**
   * Why nothing under this location can be read (`s3://...` stays where it is, a folder of another machine), or
   * undefined when it can be.
   */
  unreadable(location: string): string | undefined;
  /** Every file below the location, in order of path, from the one behind `after` on. */
  list(location: string, after: string | undefined): AsyncIterable<ArtifactFile>;
  open(location: string, path: string): Promise<AsyncIterable<Uint8Array>>;
};
