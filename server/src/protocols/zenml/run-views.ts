import {
  readRunConfiguration,
  selectConfigured,
  selectFullMetadata,
  selectLogsOf,
  selectPendingConditions,
  selectSnapshotsOfRuns,
  spliceSubstitutions,
  withTimes,
  type Database,
  type PipelineRunRow,
  type SnapshotOfRun,
} from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import type { ZenmlCall } from "./endpoint.ts";
import { entity, iso, json, jsonOrNull, type ViewContext } from "./envelope.ts";
import type { Related } from "./related.ts";
import { loadRunLinks, oldRunLinks, runLinksOf } from "./run-links.ts";
import { logsSummary, runBody, snapshotSummary, waitConditionSummary } from "./summaries.ts";

export type RunViewOptions = {
  hydrate: boolean;
  /** With what was logged about the run's steps and its schedule. */
  fullMetadata?: boolean;
  /** With the packages of its environments, which are long. */
  pythonPackages?: boolean;
};

export type RunViews = (
  call: ZenmlCall,
  rows: readonly PipelineRunRow[],
  options: RunViewOptions,
) => Promise<object[]>;

type Views = ReadonlyMap<string, object>;
const at = (views: Views, id: string | null | undefined): object | null => views.get(id ?? "") ?? null;

/** Runs as clients of both versions read them, for a whole page with one statement for each kind of what they lead to. */
export function createRunViews(context: ZenmlContext, database: Database): RunViews {
  return async (call, rows, options) => {
    if (rows.length === 0) return [];
    const view = context.viewContext(call);
    const related = context.relatedFor(call);
    const snapshotIds = [...new Set(rows.flatMap((row) => row.snapshot_id ?? []))];
    const [snapshots, resources, metadata] = await Promise.all([
      selectSnapshotsOfRuns(database, snapshotIds),
      loadResources({ database, related, view }, rows),
      options.hydrate ? loadMetadata({ database, related, view }, rows, options) : undefined,
    ]);
    const links = await loadRunLinks(related, [...snapshots.values()]);
    return rows.map((row) => {
      const snapshot = snapshots.get(row.snapshot_id ?? "");
      const linked = runLinksOf(links, snapshot, view);
      return entity(row, {
        body: { ...runBody(row, view), ...oldRunLinks(linked) },
        metadata: metadata === undefined ? null : metadata(row, snapshot),
        resources: {
          ...resources(row),
          ...linked,
          snapshot:
            snapshot === undefined ? null : snapshotSummary({ ...snapshot, deployment_id: null }, view),
        },
      });
    });
  };
}

type Sources = { database: Database; related: Related; view: ViewContext };

async function loadResources(
  { database, related, view }: Sources,
  rows: readonly PipelineRunRow[],
): Promise<(row: PipelineRunRow) => Record<string, unknown>> {
  const ids = rows.map(({ id }) => id);
  const dynamic = rows.filter((row) => row.is_dynamic).map(({ id }) => id);
  const outputs = new Map(rows.map((row) => [row.id, outputsOf(row)]));
  const [users, versions, tags, shown, logs, runs, conditions, artifacts, triggers] = await Promise.all([
    related.users(rows.map((row) => row.user_id)),
    related.modelVersions(rows.map((row) => row.model_version_id)),
    related.tagsOf(ids),
    related.visualizationsOf(ids),
    selectLogsOf(database, "pipeline_run_id", ids),
    related.runs(rows.flatMap((row) => [row.original_run_id, row.parent_run_id])),
    selectPendingConditions(database, dynamic),
    related.artifactVersions([...outputs.values()].flatMap((of) => Object.values(of))),
    related.triggers(rows.map((row) => row.trigger_id)),
  ]);
  return (row) => {
    const collection = (logs.get(row.id) ?? []).map((one) => logsSummary(one, view));
    const condition = conditions.get(row.id);
    return {
      user: at(users, row.user_id),
      model_version: at(versions, row.model_version_id),
      tags: tags.get(row.id) ?? [],
      logs: collection[0] ?? null,
      log_collection: collection,
      visualizations: shown.get(row.id) ?? [],
      trigger: at(triggers, row.trigger_id),
      original_run: at(runs, row.original_run_id),
      parent_run: at(runs, row.parent_run_id),
      active_wait_condition: condition === undefined ? null : waitConditionSummary(condition, view),
      outputs: Object.fromEntries(
        Object.entries(outputs.get(row.id) ?? {}).flatMap(([name, id]) =>
          artifacts.has(id) ? [[name, at(artifacts, id)]] : [],
        ),
      ),
    };
  };
}

const outputsOf = ({ outputs_json: text }: PipelineRunRow): Record<string, string> =>
  text === null ? {} : (JSON.parse(text) as Record<string, string>);

type MetadataOf = (row: PipelineRunRow, snapshot: SnapshotOfRun | undefined) => object;

async function loadMetadata(
  { database, related, view }: Sources,
  rows: readonly PipelineRunRow[],
  { fullMetadata = false, pythonPackages = false }: RunViewOptions,
): Promise<MetadataOf> {
  const ids = rows.map(({ id }) => id);
  const [configured, logged] = await Promise.all([
    selectConfigured(
      database,
      rows.flatMap((row) => row.snapshot_id ?? []),
    ),
    fullMetadata ? selectFullMetadata(database, ids, !view.isOld) : related.metadataOf(ids),
  ]);
  const environment = (text: string): unknown => (pythonPackages ? json(text) : withoutPackages(text));
  return (row, snapshot) => {
    const found = configured.get(row.snapshot_id ?? "") ?? nothing;
    const { pipeline_configuration_json: config, client_environment_json: client } = found;
    return {
      run_metadata: json(logged.get(row.id) ?? "{}"),
      config: json(configurationOf(row, config)),
      start_time: iso(row.start_time),
      end_time: iso(row.end_time),
      client_environment: pythonPackages
        ? withPackages(client, found.python_packages_json)
        : withoutPackages(client),
      orchestrator_environment: environment(row.orchestrator_environment_json),
      orchestrator_run_id: row.orchestrator_run_id,
      code_path: snapshot?.code_path ?? null,
      template_id: snapshot?.template_id ?? null,
      is_templatable: snapshot?.runnable ?? false,
      trigger_info: triggerInfo(row),
      enable_heartbeat: row.enable_heartbeat,
      exception_info: jsonOrNull(row.exception_info_json),
      trigger_execution_info: null,
    };
  };
}

const nothing = {
  pipeline_configuration_json: "{}",
  client_environment_json: "{}",
  python_packages_json: null,
};

/** What the pipeline was configured with, with the times of this run among its substitutions. */
export function configurationOf(row: PipelineRunRow, config: string): string {
  const { substitutions } = readRunConfiguration(config);
  const times = withTimes(substitutions, row.start_time ?? row.created);
  return spliceSubstitutions(config, JSON.stringify(times));
}

function triggerInfo(row: PipelineRunRow): object | null {
  const { triggered_by_step_run_id: step, triggered_by_deployment_id: deployment } = row;
  return step === null && deployment === null ? null : { step_run_id: step, deployment_id: deployment };
}

const PACKAGES = '"python_packages"';

/** A client's packages are kept beside its environment. */
function withPackages(text: string, packages: string | null): unknown {
  if (packages === null) return json(text);
  const rest = text === "{}" ? "" : `${text.slice(1, -1)},`;
  return json(`{${rest}${PACKAGES}:${packages}}`);
}

function withoutPackages(text: string): unknown {
  if (!text.includes(PACKAGES)) return json(text);
  const { python_packages: _packages, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
}
