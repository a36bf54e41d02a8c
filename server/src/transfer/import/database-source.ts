import { createHash } from "node:crypto";
import { invalidParameter } from "../../kernel/errors.ts";
import {
  keysetPages,
  LIVE_VERSION,
  pairsOf,
  placeOf,
  readPrompts,
  workspaceOf,
  type MlflowDatabase,
} from "./database-pages.ts";
import { readLoggedModels, readRegisteredModels, readVersions } from "./database-models.ts";
import { readRuns } from "./database-runs.ts";
import { readRevision } from "./mlflow-revisions.ts";
import type { ImportSource, Page, SourceCounts, SourceDataset, SourceExperiment } from "./source.ts";
import { readNumberOrNull, readText, readTextOrNull, type SqlReader } from "./sql-reader.ts";

/** What every version from 2.9 on has. */
const needed = [
  "experiments",
  "experiment_tags",
  "runs",
  "params",
  "tags",
  "metrics",
  "latest_metrics",
  "datasets",
  "inputs",
  "input_tags",
  "registered_models",
  "registered_model_tags",
  "registered_model_aliases",
  "model_versions",
  "model_version_tags",
];

/** Tables of what Plinth does not take, by what the report calls it. */
const notImported: Readonly<Record<string, string>> = {
  traces: "trace_info",
  trace_spans: "spans",
  assessments: "assessments",
  evaluation_datasets: "evaluation_datasets",
  scorers: "scorers",
  webhooks: "webhooks",
  gateway_endpoints: "endpoints",
  gateway_secrets: "secrets",
  gateway_budget_policies: "budget_policies",
  guardrails: "guardrails",
  jobs: "jobs",
  issues: "issues",
  label_schemas: "label_schemas",
  review_queues: "review_queues",
  mcp_servers: "mcp_servers",
};

export async function openDatabaseSource(reader: SqlReader, place: string): Promise<ImportSource> {
  try {
    return await describeDatabase(reader, place);
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function describeDatabase(reader: SqlReader, place: string): Promise<ImportSource> {
  const tables = await reader.tables();
  if (!tables.has("alembic_version") || !tables.has("experiments")) {
    throw invalidParameter(
      `${place} is not a database of MLflow: it has no table ${tables.has("experiments") ? "alembic_version" : "experiments"}.`,
    );
  }
  const revisions = await reader.rows("select version_num from alembic_version");
  const version = readRevision(
    revisions.map(([revision]) => readText(revision)),
    place,
  );
  const missing = needed.filter((table) => !tables.has(table));
  if (missing.length > 0) {
    throw invalidParameter(
      `${place} is not complete: MLflow's tables ${missing.join(", ")} are missing. Run \`mlflow db upgrade URL\`, then import.`,
    );
  }
  const database: MlflowDatabase = {
    reader,
    has: (table, column) =>
      column === undefined ? tables.has(table) : tables.get(table)?.has(column) === true,
  };
  const fingerprint = await fingerprintOf(database, place);
  return {
    description: { kind: reader.kind, place, version, fingerprint, snapshot: true, notes: [] },
    count: () => countDatabase(database),
    workspaces: () => readWorkspaces(database),
    experiments: (after) => readExperiments(database, after),
    datasets: (after) => readDatasets(database, after),
    runs: (after) => readRuns(database, after),
    runIds: () => readRunIds(database),
    loggedModels: (after) => readLoggedModels(database, after),
    registeredModels: (after) => readRegisteredModels(database, after),
    modelVersions: (after) => readVersions(database, after),
    close: () => reader.close(),
  };
}

/** Where it is, and when its first experiment was made: nothing of that changes while it is in use. */
async function fingerprintOf({ reader }: MlflowDatabase, place: string): Promise<string> {
  const [first] = await reader.rows(
    `select ${reader.integer("experiment_id")}, creation_time from experiments order by experiment_id limit 1`,
  );
  return createHash("sha256")
    .update(JSON.stringify([reader.kind, place, (first ?? []).map(String)]))
    .digest("hex");
}

async function countDatabase(database: MlflowDatabase): Promise<SourceCounts> {
  const { reader, has } = database;
  const countOf = async (table: string, where = ""): Promise<number> =>
    has(table) ? Number((await reader.rows(`select count(*) from ${table} ${where}`))[0]?.[0] ?? 0) : 0;
  const counts: SourceCounts = {
    experiments: await countOf("experiments"),
    runs: await countOf("runs"),
    points: await countOf("metrics"),
    datasets: await countOf("datasets"),
    logged_models: await countOf("logged_models"),
    registered_models: await countOf("registered_models"),
    model_versions: await countOf("model_versions", `where ${LIVE_VERSION}`),
    not_imported: {},
  };
  await leaveOutPrompts(database, counts);
  for (const [name, table] of Object.entries(notImported)) {
    const found = await countOf(table);
    if (found > 0) counts.not_imported[name] = found;
  }
  return counts;
}

/** They stand in the registry's tables, and are of another kind. */
async function leaveOutPrompts(database: MlflowDatabase, counts: SourceCounts): Promise<void> {
  const prompts = await readPrompts(database);
  if (prompts.size === 0) return;
  const names = [...prompts].map((place) => (JSON.parse(place) as string[])[1] as string);
  const { reader } = database;
  const among = reader.among("name", [...new Set(names)], 1);
  const rows = await reader.rows(
    `select ${workspaceOf(database, "model_versions")}, name, count(*) from model_versions
      where ${LIVE_VERSION} and ${among.sql} group by 1, 2`,
    among.parameters,
  );
  const versions = rows.filter((row) => prompts.has(placeOf(row))).map(([, , found]) => Number(found));
  const total = versions.reduce((sum, found) => sum + found, 0);
  counts.not_imported["prompts"] = prompts.size;
  if (total > 0) counts.not_imported["prompt_versions"] = total;
  counts.registered_models = (counts.registered_models ?? 0) - prompts.size;
  counts.model_versions = (counts.model_versions ?? 0) - total;
}

async function readWorkspaces(database: MlflowDatabase): ReturnType<ImportSource["workspaces"]> {
  const { reader, has } = database;
  if (!has("workspaces")) return [];
  const optional = ["trace_archival_location", "trace_archival_retention"].map((column) =>
    has("workspaces", column) ? column : "null",
  );
  const rows = await reader.rows(
    `select name, description, default_artifact_root, ${optional.join(", ")} from workspaces order by name`,
  );
  return rows.map(([name, description, root, location, retention]) => ({
    name: readText(name),
    description: readTextOrNull(description),
    default_artifact_root: readTextOrNull(root),
    trace_archival_location: readTextOrNull(location),
    trace_archival_retention: readTextOrNull(retention),
  }));
}

async function* readExperiments(
  database: MlflowDatabase,
  after: string | undefined,
): AsyncGenerator<Page<SourceExperiment>> {
  const { reader } = database;
  const select = `select ${reader.integer("experiment_id")}, ${workspaceOf(database, "experiments")}, name, artifact_location, lifecycle_stage,
    creation_time, last_update_time from experiments`;
  for await (const page of keysetPages(database, { select, key: ["experiment_id"], after })) {
    const [first, last] = [page.rows[0], page.rows.at(-1)].map((row) => BigInt(readText(row?.[0])));
    const tags = await reader.rows(
      `select ${reader.integer("experiment_id")}, ${reader.quote("key")}, value from experiment_tags
        where experiment_id between ${first} and ${last}`,
    );
    const tagsOf = Map.groupBy(tags, ([id]) => readText(id));
    yield {
      cursor: page.cursor,
      rows: page.rows.map(([id, workspace, name, location, stage, created, updated]) => ({
        workspace: readText(workspace),
        experiment_id: readText(id),
        name: readText(name),
        artifact_location: readText(location),
        lifecycle_stage: stage === "deleted" ? ("deleted" as const) : ("active" as const),
        creation_time: readNumberOrNull(created),
        last_update_time: readNumberOrNull(updated),
        tags: pairsOf(tagsOf.get(readText(id))),
      })),
    };
  }
}

async function* readDatasets(
  database: MlflowDatabase,
  after: string | undefined,
): AsyncGenerator<Page<SourceDataset>> {
  const select = `select ${database.reader.integer("experiment_id")}, name, digest, dataset_source_type, dataset_source, dataset_schema, dataset_profile
    from datasets`;
  // A profile can have 16 MB.
  const pages = keysetPages(database, { select, key: ["experiment_id", "name", "digest"], after, size: 20 });
  for await (const { rows, cursor } of pages) {
    yield {
      cursor,
      rows: rows.map(([experiment, name, digest, type, source, schema, profile]) => ({
        experiment_id: readText(experiment),
        name: readText(name),
        digest: readText(digest),
        source_type: readText(type),
        source: readText(source),
        schema: readTextOrNull(schema),
        profile: readTextOrNull(profile),
      })),
    };
  }
}

async function* readRunIds(database: MlflowDatabase): AsyncGenerator<string[]> {
  const select = "select run_uuid from runs";
  const pages = keysetPages(database, { select, key: ["run_uuid"], after: undefined, size: 10_000 });
  for await (const { rows } of pages) yield rows.map(([uuid]) => readText(uuid));
}
