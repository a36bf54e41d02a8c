import {
  selectStepDetails,
  selectStepLinks,
  spliceSubstitutions,
  type Database,
  type ShownStepParts,
  type StepDetails,
  type StepLinks,
  type StepRunRow,
} from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import type { ZenmlCall } from "./endpoint.ts";
import { entity, iso, json, jsonOrNull, projectBody, statusFor, type ViewContext } from "./envelope.ts";
import type { Related } from "./related.ts";
import { logsSummary } from "./summaries.ts";

export type StepViews = (
  call: ZenmlCall,
  rows: readonly StepRunRow[],
  options: {
    hydrate: boolean;
    /** What was read with the only row. */
    shown?: ShownStepParts;
  },
) => Promise<object[]>;

type Views = ReadonlyMap<string, object>;

/** Steps as clients of both versions read them: for a whole page a few statements, and one for each kind of rarer things. */
export function createStepViews(context: ZenmlContext, database: Database): StepViews {
  return async (call, rows, { hydrate, shown }) => {
    if (rows.length === 0) return [];
    const view = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map(({ id }) => id);
    const loadDetails = async (): Promise<ReadonlyMap<string, StepLinks>> =>
      shown !== undefined
        ? new Map([[shown.details.id, shown.details]])
        : hydrate
          ? selectStepDetails(database, ids)
          : selectStepLinks(database, ids);
    const linked = loadDetails().then(async (links) => ({
      links,
      ...(await loadLinked(related, [...links.values()], shown)),
    }));
    const [{ links, artifacts, logged }, users, versions] = await Promise.all([
      linked,
      related.users(rows.map((row) => row.user_id)),
      related.modelVersions(rows.map((row) => row.model_version_id)),
    ]);
    return rows.map((row) => {
      const { inputs, outputs, logs, ...details } = links.get(row.id) ?? noLinks(row.id);
      const collection = (logs ?? []).map((one) => logsSummary(one, view));
      return entity(row, {
        body: stepBody(row, view),
        // 0.84 reads its logs there.
        metadata: hydrate
          ? { ...stepMetadata(row, details, logged.get(row.id)), logs: collection[0] ?? null }
          : null,
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          log_collection: collection,
          model_version: versions.get(row.model_version_id ?? "") ?? null,
          inputs: byName(inputs ?? [], (input) => inputView(input, artifacts, view)),
          outputs: byName(outputs ?? [], ([, , id]) => artifacts.get(id)),
          resource_request: null,
        },
      });
    });
  };
}

/** Of most steps nothing is logged, and then nothing is asked for. */
async function loadLinked(
  related: Related,
  ...[links, shown]: [readonly (StepLinks & Partial<StepDetails>)[], ShownStepParts | undefined]
): Promise<{ artifacts: Views; logged: ReadonlyMap<string, string> }> {
  const loggedAbout = links.filter((one) => one.is_logged_about === true).map(({ id }) => id);
  const [artifacts, logged] = await Promise.all([
    shown === undefined
      ? related.artifactVersions(artifactIds(links))
      : related.artifactVersionViews(shown.versions),
    related.metadataOf(loggedAbout),
  ]);
  return { artifacts, logged };
}

const noLinks = (id: string): StepLinks => ({ id, inputs: null, outputs: null, logs: null });

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

const artifactIds = (links: Iterable<StepLinks>): string[] =>
  [...links].flatMap(({ inputs, outputs }) => [...(inputs ?? []), ...(outputs ?? [])].map(([, , id]) => id));

function byName<T extends readonly [name: string, ...rest: unknown[]]>(
  rows: readonly T[],
  view: (row: T) => object | undefined,
): Record<string, object[]> {
  const found: Record<string, object[]> = {};
  for (const row of rows) {
    const one = view(row);
    if (one !== undefined) (found[row[0]] ??= []).push(one);
  }
  return found;
}

type Input = NonNullable<StepLinks["inputs"]>[number];

function inputView(
  [, position, id, type, chunkIndex, chunkSize]: Input,
  artifacts: Views,
  { isOld }: ViewContext,
): object | undefined {
  const artifact = artifacts.get(id);
  if (artifact === undefined) return undefined;
  return {
    ...artifact,
    // 0.84 knows no inputs that take the place of others.
    input_type: isOld && type === "override" ? "external" : type,
    index: position,
    chunk_index: chunkIndex,
    chunk_size: chunkSize,
  };
}

const stepMetadata = (
  row: StepRunRow,
  ...[details, logged = "{}"]: [details: Partial<StepDetails>, logged: string | undefined]
): object => ({
  config: json(spliceSubstitutions(details.config_json ?? "{}", row.substitutions_json)),
  spec: json(details.spec_json ?? "{}"),
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
  parent_step_ids: details.parents ?? [],
  run_metadata: json(logged),
});
