import {
  selectLogsOf,
  selectStepConfigurations,
  selectStepLinks,
  selectStepParents,
  spliceSubstitutions,
  type Database,
  type StepLinks,
  type StepRunRow,
} from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import type { ZenmlCall } from "./endpoint.ts";
import { entity, iso, json, jsonOrNull, projectBody, statusFor, type ViewContext } from "./envelope.ts";
import type { Related } from "./related.ts";
import { logsSummary } from "./summaries.ts";

export type StepViews = (call: ZenmlCall, rows: readonly StepRunRow[], hydrate: boolean) => Promise<object[]>;

type Views = ReadonlyMap<string, object>;

/** Steps as clients of both versions read them, for a whole page with one statement for each kind of what they lead to. */
export function createStepViews(context: ZenmlContext, database: Database): StepViews {
  return async (call, rows, hydrate) => {
    if (rows.length === 0) return [];
    const view = context.viewContext(call);
    const related = context.relatedFor(call);
    const [resourcesOf, metadataOf] = await Promise.all([
      loadResources({ database, related, view }, rows),
      hydrate ? loadMetadata({ database, related }, rows) : undefined,
    ]);
    return rows.map((row) => {
      const resources = resourcesOf(row);
      return entity(row, {
        body: stepBody(row, view),
        // 0.84 reads its logs there.
        metadata:
          metadataOf === undefined ? null : { ...metadataOf(row), logs: resources.log_collection[0] ?? null },
        resources,
      });
    });
  };
}

const stepBody = (row: StepRunRow, view: ViewContext): object => ({
  ...projectBody(row, view),
  type: row.type,
  status: statusFor(row.status, view),
  version: row.version,
  is_retriable: row.is_retriable,
  start_time: iso(row.start_time),
  end_time: iso(row.end_time),
  latest_heartbeat: iso(row.latest_heartbeat),
  model_version_id: row.model_version_id,
  resource_request_id: null,
  substitutions: json(row.substitutions_json),
  heartbeat_threshold: row.heartbeat_threshold,
});

type Sources = { database: Database; related: Related; view: ViewContext };
type Resources = { log_collection: readonly object[] };

async function loadResources(
  { database, related, view }: Sources,
  rows: readonly StepRunRow[],
): Promise<(row: StepRunRow) => Resources> {
  const ids = rows.map(({ id }) => id);
  const linked = selectStepLinks(database, ids).then(async (links) => ({
    links,
    artifacts: await related.artifactVersions(artifactIds(links.values())),
  }));
  const [{ links, artifacts }, users, versions, logs] = await Promise.all([
    linked,
    related.users(rows.map((row) => row.user_id)),
    related.modelVersions(rows.map((row) => row.model_version_id)),
    selectLogsOf(database, "step_run_id", ids),
  ]);
  return (row) => {
    const { inputs = [], outputs = [] } = links.get(row.id) ?? {};
    return {
      user: users.get(row.user_id ?? "") ?? null,
      log_collection: (logs.get(row.id) ?? []).map((one) => logsSummary(one, view)),
      model_version: versions.get(row.model_version_id ?? "") ?? null,
      inputs: byName(inputs, (input) => inputView(input, artifacts, view)),
      outputs: byName(outputs, (output) => artifacts.get(output.artifact_version_id)),
      resource_request: null,
    };
  };
}

const artifactIds = (links: Iterable<StepLinks>): string[] =>
  [...links].flatMap(({ inputs, outputs }) => [...inputs, ...outputs].map((one) => one.artifact_version_id));

function byName<T extends { name: string }>(
  rows: readonly T[],
  view: (row: T) => object | undefined,
): Record<string, object[]> {
  const found: Record<string, object[]> = {};
  for (const row of rows) {
    const one = view(row);
    if (one !== undefined) (found[row.name] ??= []).push(one);
  }
  return found;
}

function inputView(
  row: StepLinks["inputs"][number],
  artifacts: Views,
  { isOld }: ViewContext,
): object | undefined {
  const artifact = artifacts.get(row.artifact_version_id);
  if (artifact === undefined) return undefined;
  return {
    ...artifact,
    // 0.84 knows no inputs that take the place of others.
    input_type: isOld && row.type === "override" ? "external" : row.type,
    index: row.position,
    chunk_index: row.chunk_index,
    chunk_size: row.chunk_size,
  };
}

async function loadMetadata(
  { database, related }: Omit<Sources, "view">,
  rows: readonly StepRunRow[],
): Promise<(row: StepRunRow) => object> {
  const ids = rows.map(({ id }) => id);
  const [configurations, parents, logged] = await Promise.all([
    selectStepConfigurations(database, ids),
    selectStepParents(database, ids),
    related.metadataOf(ids),
  ]);
  return (row) => {
    const { spec_json: spec = "{}", config_json: config = "{}" } = configurations.get(row.id) ?? {};
    return {
      config: json(spliceSubstitutions(config, row.substitutions_json)),
      spec: json(spec),
      cache_key: row.cache_key,
      cache_expires_at: iso(row.cache_expires_at),
      code_hash: row.code_hash,
      docstring: row.docstring,
      source_code: row.source_code,
      exception_info: jsonOrNull(row.exception_info_json),
      snapshot_id: row.snapshot_id,
      deployment_id: row.snapshot_id,
      pipeline_run_id: row.run_id,
      original_step_run_id: row.original_step_run_id,
      parent_step_ids: parents.get(row.id) ?? [],
      run_metadata: json(logged.get(row.id) ?? "{}"),
    };
  };
}
