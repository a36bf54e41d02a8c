import type { Queryable } from "../../kernel/database.ts";
import {
  insertAliases,
  insertModels,
  insertModelTags,
  insertVersions,
  insertVersionTags,
  selectTakenModels,
} from "../../modules/registry/bulk/index.ts";
import {
  insertLoggedModelMetrics,
  insertLoggedModels,
  insertLoggedModelTexts,
  selectTakenLoggedModels,
} from "../../modules/tracking/bulk/index.ts";
import { count, runPhase, type ImportContext, type Tally } from "./context.ts";
import type { DeletedExperiments } from "./load-runs.ts";
import { clean, cleanOrNull, finite, uniquePairs } from "./rows.ts";
import type { SourceLoggedModel, SourceModelVersion, SourceRegisteredModel } from "./source.ts";
import { selectTarget } from "./state.sql.ts";

type Part<Row> = { rows: readonly Row[]; tally: Tally };

export async function loadLoggedModels(context: ImportContext, deleted: DeletedExperiments): Promise<void> {
  await runPhase(
    context,
    { name: "logged_models", shown: "logged_models", total: context.expected.logged_models },
    {
      read: (after) => context.source.loggedModels(after),
      write: (transaction, page, tally) =>
        writeLoggedModels(context, transaction, { rows: page.rows, tally, deleted }),
    },
  );
}

async function writeLoggedModels(
  context: ImportContext,
  transaction: Queryable,
  { rows, tally, deleted }: Part<SourceLoggedModel> & { deleted: DeletedExperiments },
): Promise<void> {
  const ids = rows.map((row) => row.model_id);
  const existing = new Set(context.skipExisting ? await selectTakenLoggedModels(transaction, ids) : []);
  const taken = rows.filter((row) => {
    if (existing.has(row.model_id)) count(tally, "skipped_logged_models");
    else if (!context.experiments.has(row.experiment_id)) count(tally, "late_logged_models");
    else return true;
    return false;
  });
  if (taken.length === 0) return;
  await insertLoggedModels(
    transaction,
    taken.map((row) => ({
      model_id: row.model_id,
      experiment_id: context.experiments.get(row.experiment_id)?.experiment_id as number,
      name: clean(row.name, tally),
      artifact_location: clean(row.artifact_location, tally),
      creation_timestamp: row.creation_timestamp,
      last_updated_timestamp: row.last_updated_timestamp,
      status: row.status,
      status_message: cleanOrNull(row.status_message, tally),
      model_type: cleanOrNull(row.model_type, tally),
      source_run_uuid: cleanOrNull(row.source_run_id, tally),
      deleted_at:
        row.lifecycle_stage === "deleted"
          ? (deleted.get(row.experiment_id) ?? row.last_updated_timestamp)
          : null,
    })),
  );
  count(tally, "logged_models", taken.length);
  for (const [table, field] of [
    ["logged_model_params", "params"],
    ["logged_model_tags", "tags"],
  ] as const) {
    const texts = taken.flatMap((row) =>
      [...uniquePairs(row[field], tally)].map(([key, value]) => ({ model_id: row.model_id, key, value })),
    );
    if (texts.length > 0) await insertLoggedModelTexts(transaction, table, texts);
    count(tally, table, texts.length);
  }
  const metrics = taken.flatMap((row) =>
    row.metrics.map((metric) => ({ ...metric, model_id: row.model_id })),
  );
  await context.keys.ensure(new Set(metrics.map(({ key }) => clean(key, tally))));
  if (metrics.length === 0) return;
  const stored = await insertLoggedModelMetrics(
    transaction,
    metrics.map((metric) => ({
      model_id: metric.model_id,
      key_id: context.keys.idOf(clean(metric.key, tally)),
      run_uuid: metric.run_id,
      step: metric.step,
      timestamp: metric.timestamp,
      // As MLflow's tables have it, and Plinth's: no NaN here.
      value: Number.isNaN(metric.value) ? 0 : finite(metric.value),
      dataset_name: cleanOrNull(metric.dataset_name, tally),
      dataset_digest: cleanOrNull(metric.dataset_digest, tally),
    })),
  );
  count(tally, "logged_model_metrics", stored);
  count(tally, "model_metrics_without_run", metrics.length - stored);
}

export async function loadRegistry(context: ImportContext): Promise<void> {
  const { expected, source } = context;
  await runPhase(
    context,
    { name: "registered_models", shown: "registered_models", total: expected.registered_models },
    {
      read: (after) => source.registeredModels(after),
      write: (transaction, page, tally) => writeModels(context, transaction, { rows: page.rows, tally }),
    },
  );
  await runPhase(
    context,
    { name: "model_versions", shown: "model_versions", total: expected.model_versions },
    {
      read: (after) => source.modelVersions(after),
      write: (transaction, page, tally) => writeVersions(context, transaction, { rows: page.rows, tally }),
    },
  );
  // They point at versions, so that models are read once more.
  await runPhase(
    context,
    { name: "aliases", shown: "aliases", total: undefined },
    {
      read: (after) => source.registeredModels(after),
      write: (transaction, page, tally) => writeAliases(context, transaction, { rows: page.rows, tally }),
    },
  );
}

/** Works on the rows of each workspace that the import takes. */
async function eachWorkspace<Row extends { workspace: string }>(
  context: ImportContext,
  part: Part<Row> & { late: string },
  work: (workspaceId: number, rows: Row[]) => Promise<void>,
): Promise<void> {
  for (const [workspace, rows] of Map.groupBy(part.rows, (row) => row.workspace)) {
    const place = context.workspaces.get(workspace);
    if (place === undefined) count(part.tally, part.late, rows.length);
    else await work(place.workspace_id, rows);
  }
}

async function writeModels(
  context: ImportContext,
  transaction: Queryable,
  part: Part<SourceRegisteredModel>,
): Promise<void> {
  const { tally } = part;
  await eachWorkspace(context, { ...part, late: "late_registered_models" }, async (workspaceId, rows) => {
    const existing = await selectExisting(context, transaction, rows);
    const taken = rows.filter((row) => !existing.has(row.name));
    count(tally, "skipped_registered_models", rows.length - taken.length);
    await insertModels(
      transaction,
      workspaceId,
      taken.map((row) => ({
        name: clean(row.name, tally),
        description: clean(row.description ?? "", tally),
        creation_timestamp: row.creation_time ?? 0,
        last_updated_timestamp: row.last_updated_time ?? row.creation_time ?? 0,
        last_version: row.last_version ?? 0,
      })),
    );
    count(tally, "registered_models", taken.length);
    const tags = taken.flatMap((row) =>
      [...uniquePairs(row.tags, tally)].map(([key, value]) => ({ name: clean(row.name, tally), key, value })),
    );
    if (tags.length > 0) await insertModelTags(transaction, workspaceId, tags);
    count(tally, "registered_model_tags", tags.length);
  });
}

/** Names that the target workspace has already, where those are to be left alone. */
async function selectExisting(
  context: ImportContext,
  transaction: Queryable,
  rows: readonly SourceRegisteredModel[],
): Promise<Set<string>> {
  const target = context.workspaces.get(rows[0]?.workspace ?? "")?.target_name;
  if (!context.skipExisting || target === undefined) return new Set();
  const id = await selectTarget(transaction, target);
  if (id === undefined) return new Set();
  return new Set(
    await selectTakenModels(
      transaction,
      id,
      rows.map((row) => row.name),
    ),
  );
}

async function writeVersions(
  context: ImportContext,
  transaction: Queryable,
  part: Part<SourceModelVersion>,
): Promise<void> {
  const { tally } = part;
  await eachWorkspace(context, { ...part, late: "late_model_versions" }, async (workspaceId, rows) => {
    const stored = await insertVersions(
      transaction,
      workspaceId,
      rows.map((row) => ({
        name: clean(row.name, tally),
        version: row.version,
        creation_timestamp: row.creation_time ?? 0,
        last_updated_timestamp: row.last_updated_time ?? row.creation_time ?? 0,
        stage: row.current_stage || "None",
        status: row.status || "READY",
        status_message: cleanOrNull(row.status_message, tally),
        description: cleanOrNull(row.description, tally),
        user_id: cleanOrNull(row.user_id, tally),
        source: clean(row.source, tally),
        storage_location: clean(row.storage_location || row.source, tally),
        run_uuid: clean(row.run_id ?? "", tally),
        run_link: clean(row.run_link ?? "", tally),
        model_id: row.model_id,
      })),
    );
    count(tally, "model_versions", stored);
    count(tally, "skipped_model_versions", rows.length - stored);
    const tags = rows.flatMap((row) =>
      [...uniquePairs(row.tags, tally)].map(([key, value]) => ({
        name: clean(row.name, tally),
        version: row.version,
        key,
        value,
      })),
    );
    if (tags.length > 0)
      count(tally, "model_version_tags", await insertVersionTags(transaction, workspaceId, tags));
  });
}

async function writeAliases(
  context: ImportContext,
  transaction: Queryable,
  part: Part<SourceRegisteredModel>,
): Promise<void> {
  const { tally } = part;
  await eachWorkspace(context, { ...part, late: "late_registered_models" }, async (workspaceId, rows) => {
    const aliases = rows.flatMap((row) =>
      row.aliases.map(({ alias, version }) => ({
        name: clean(row.name, tally),
        alias: clean(alias, tally),
        version,
      })),
    );
    if (aliases.length === 0) return;
    const stored = await insertAliases(transaction, workspaceId, aliases);
    count(tally, "aliases", stored);
    count(tally, "aliases_without_version", aliases.length - stored);
  });
}
