import {
  keysetPages,
  LIVE_VERSION,
  pairsOf,
  placeOf,
  readPrompts,
  workspaceOf,
  type MlflowDatabase,
} from "./database-pages.ts";
import type { Page, SourceLoggedModel, SourceModelVersion, SourceRegisteredModel } from "./source.ts";
import {
  readInt,
  readNumber,
  readNumberOrNull,
  readText,
  readTextOrNull,
  type SqlRow,
} from "./sql-reader.ts";

export async function* readLoggedModels(
  database: MlflowDatabase,
  after: string | undefined,
): AsyncGenerator<Page<SourceLoggedModel>> {
  const { reader, has } = database;
  if (!has("logged_models")) return;
  const select = `select model_id, ${reader.integer("experiment_id")}, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms,
    status, status_message, model_type, source_run_id, lifecycle_stage from logged_models`;
  for await (const { rows, cursor } of keysetPages(database, {
    select,
    key: ["model_id"],
    after,
    size: 200,
  })) {
    const among = reader.among(
      "model_id",
      rows.map(([id]) => readText(id)),
      1,
    );
    const of = async (columns: string, table: string): Promise<Map<string, SqlRow[]>> =>
      Map.groupBy(
        await reader.rows(`select model_id, ${columns} from ${table} where ${among.sql}`, among.parameters),
        ([id]) => readText(id),
      );
    const params = await of("param_key, param_value", "logged_model_params");
    const tags = await of("tag_key, tag_value", "logged_model_tags");
    const metrics = await of(
      `metric_name, metric_value, ${reader.integer("metric_timestamp_ms")}, ${reader.integer("metric_step")}, run_id,
        dataset_name, dataset_digest`,
      "logged_model_metrics",
    );
    yield {
      cursor,
      rows: rows.map((row) => {
        const id = readText(row[0]);
        return {
          ...readModel(row),
          params: pairsOf(params.get(id)),
          tags: pairsOf(tags.get(id)),
          metrics: (metrics.get(id) ?? []).map(readModelMetric),
        };
      }),
    };
  }
}

const readModel = ([
  id,
  experiment,
  name,
  location,
  created,
  updated,
  status,
  message,
  type,
  run,
  stage,
]: SqlRow): Omit<SourceLoggedModel, "params" | "tags" | "metrics"> => ({
  model_id: readText(id),
  experiment_id: readText(experiment),
  name: readText(name),
  artifact_location: readText(location),
  creation_timestamp: readNumber(created),
  last_updated_timestamp: readNumber(updated),
  status: readNumber(status),
  status_message: readTextOrNull(message),
  model_type: readTextOrNull(type),
  source_run_id: readTextOrNull(run),
  lifecycle_stage: stage === "deleted" ? "deleted" : "active",
});

const readModelMetric = ([
  ,
  key,
  value,
  timestamp,
  step,
  run,
  name,
  digest,
]: SqlRow): SourceLoggedModel["metrics"][number] => ({
  key: readText(key),
  value: value === null ? Number.NaN : Number(value),
  timestamp: readInt(timestamp),
  step: readInt(step),
  run_id: readText(run),
  dataset_name: readTextOrNull(name),
  dataset_digest: readTextOrNull(digest),
});

/** What is below some models of the registry: rows whose first columns are workspace and name. */
async function ofModels(
  database: MlflowDatabase,
  wanted: { table: string; columns: string; names: readonly string[]; group?: boolean },
): Promise<SqlRow[]> {
  const { reader } = database;
  const { table, columns, names } = wanted;
  const among = reader.among("name", [...new Set(names)], 1);
  const group = wanted.group === true ? "group by 1, 2" : "";
  const sql = `select ${workspaceOf(database, table)}, name, ${columns} from ${table} where ${among.sql} ${group}`;
  return reader.rows(sql, among.parameters);
}

/** The key of a registry table: with the workspace where there are some. */
const keyOf = (database: MlflowDatabase, table: string, key: readonly string[]): string[] =>
  database.has(table, "workspace") ? ["workspace", ...key] : [...key];

export async function* readRegisteredModels(
  database: MlflowDatabase,
  after: string | undefined,
): AsyncGenerator<Page<SourceRegisteredModel>> {
  const { reader } = database;
  const key = keyOf(database, "registered_models", ["name"]);
  const select = `select ${key.join(", ")}, creation_time, last_updated_time, description from registered_models`;
  const prompts = await readPrompts(database);
  for await (const { rows, cursor } of keysetPages(database, { select, key, after, size: 500 })) {
    const full = rows
      .map((row) => (key.length === 2 ? row : ["default", ...row]))
      .filter((row) => !prompts.has(placeOf(row)));
    if (full.length === 0) {
      yield { rows: [], cursor };
      continue;
    }
    const names = full.map(([, name]) => readText(name));
    const columns = `${reader.quote("key")}, value`;
    const tags = Map.groupBy(
      await ofModels(database, { table: "registered_model_tags", columns, names }),
      placeOf,
    );
    const aliases = Map.groupBy(
      await ofModels(database, { table: "registered_model_aliases", columns: "alias, version", names }),
      placeOf,
    );
    const newest = new Map(
      (
        await ofModels(database, { table: "model_versions", columns: "max(version)", names, group: true })
      ).map((row) => [placeOf(row), readNumber(row[2])]),
    );
    yield {
      cursor,
      rows: full.map((row) => {
        const [workspace, name, created, updated, description] = row;
        return {
          workspace: readText(workspace),
          name: readText(name),
          creation_time: readNumberOrNull(created),
          last_updated_time: readNumberOrNull(updated),
          description: readTextOrNull(description),
          last_version: newest.get(placeOf(row)) ?? 0,
          tags: pairsOf(tags.get(placeOf(row))),
          aliases: (aliases.get(placeOf(row)) ?? []).map(([, , alias, version]) => ({
            alias: readText(alias),
            version: readNumber(version),
          })),
        };
      }),
    };
  }
}

export async function* readVersions(
  database: MlflowDatabase,
  after: string | undefined,
): AsyncGenerator<Page<SourceModelVersion>> {
  const { reader } = database;
  const key = keyOf(database, "model_versions", ["name", "version"]);
  const select = `select ${key.join(", ")}, creation_time, last_updated_time, description, user_id, current_stage, source,
    run_id, run_link, status, status_message, storage_location from model_versions`;
  const prompts = await readPrompts(database);
  for await (const { rows, cursor } of keysetPages(database, {
    select,
    key,
    after,
    size: 500,
    where: LIVE_VERSION,
  })) {
    const full = rows
      .map((row) => (key.length === 3 ? row : ["default", ...row]))
      .filter((row) => !prompts.has(placeOf(row)));
    const [first, last] = [full[0], full.at(-1)];
    if (first === undefined || last === undefined) {
      yield { rows: [], cursor };
      continue;
    }
    const sameName = first[1] === last[1];
    const versions = sameName ? ` and version between ${Number(first[2])} and ${Number(last[2])}` : "";
    const among = reader.among("name", [...new Set(full.map(([, name]) => readText(name)))], 1);
    const tags = Map.groupBy(
      await reader.rows(
        `select ${workspaceOf(database, "model_version_tags")}, name, version, ${reader.quote("key")}, value
          from model_version_tags where ${among.sql}${versions}`,
        among.parameters,
      ),
      versionPlace,
    );
    yield {
      cursor,
      rows: full.map((row) => ({ ...readVersion(row), tags: pairsOf(tags.get(versionPlace(row))) })),
    };
  }
}

const versionPlace = ([workspace, name, version]: SqlRow): string =>
  JSON.stringify([workspace, name, Number(version)]);

const readVersion = ([
  workspace,
  name,
  version,
  created,
  updated,
  description,
  user,
  stage,
  source,
  run,
  link,
  status,
  message,
  storage,
]: SqlRow): Omit<SourceModelVersion, "tags"> => ({
  workspace: readText(workspace),
  name: readText(name),
  version: readNumber(version),
  creation_time: readNumberOrNull(created),
  last_updated_time: readNumberOrNull(updated),
  description: readTextOrNull(description),
  user_id: readTextOrNull(user),
  current_stage: readTextOrNull(stage),
  source: readText(source),
  run_id: readTextOrNull(run),
  run_link: readTextOrNull(link),
  status: readTextOrNull(status),
  status_message: readTextOrNull(message),
  storage_location: readTextOrNull(storage),
  model_id: loggedModelOf(readText(source), readText(storage)),
});

/** MLflow's tables do not name the logged model of a version; its source or place does. */
export const loggedModelOf = (source: string, storage: string): string | null =>
  /^models:\/(m-[0-9a-f]{32})$/.exec(source)?.[1] ??
  /\/models\/(m-[0-9a-f]{32})\/artifacts(?:\/|$)/.exec(storage)?.[1] ??
  null;
