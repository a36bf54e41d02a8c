import { RestError, type RestCall, type RestClient } from "./rest-client.ts";
import { readAnswer, searchPages, type RestWorkspace } from "./rest-pages.ts";
import { experimentIds, inExperiments, orUndefined, scoped, type Reading } from "./rest-reading.ts";
import { downloadUri, loggedModelPage, modelVersionPage, registeredModelPage } from "./rest-shapes.ts";
import type { Cursor, Page, SourceLoggedModel, SourceModelVersion, SourceRegisteredModel } from "./source.ts";

const PAGE_ROWS = 200;
const EXPERIMENTS_AT_ONCE = 100;
const PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'";

const LOGGED_MODELS = "/api/2.0/mlflow/logged-models/search";

/** Before 3.0 a server has none, and does not know the question. */
export async function hasLoggedModels(reading: Reading): Promise<boolean> {
  for (const workspace of reading.scopes) {
    const ids = await experimentIds(reading, workspace);
    for (let from = 0; from < ids.length; from += EXPERIMENTS_AT_ONCE) {
      const body = { experiment_ids: ids.slice(from, from + EXPERIMENTS_AT_ONCE), max_results: 1 };
      const call: RestCall = { method: "POST", path: LOGGED_MODELS, body, workspace };
      const answer = await orUndefined(reading.client.json(call));
      if (answer === undefined) return false;
      const page = readAnswer(reading.client, call, [loggedModelPage, answer]);
      if (page.models.length > 0 || page.next_page_token !== undefined) return true;
    }
  }
  return false;
}

export async function* loggedModelPages(
  reading: Reading,
  after: Cursor,
): AsyncGenerator<Page<SourceLoggedModel>> {
  const { client } = reading;
  if (!(await hasLoggedModels(reading))) return;
  const pages = inExperiments(reading, after, (workspace, experiment, from) =>
    searchPages(client, {
      method: "POST",
      path: LOGGED_MODELS,
      body: {
        experiment_ids: [experiment],
        order_by: [{ field_name: "creation_timestamp", ascending: true }],
      },
      workspace,
      shape: loggedModelPage,
      max: 100,
      from,
    }),
  );
  for await (const { page, cursor } of pages) {
    const rows = page.models.map(({ info, data }): SourceLoggedModel => {
      const { creation_timestamp_ms, last_updated_timestamp_ms, artifact_uri, ...rest } = info;
      return {
        ...rest,
        artifact_location: artifact_uri,
        creation_timestamp: creation_timestamp_ms,
        last_updated_timestamp: last_updated_timestamp_ms,
        lifecycle_stage: "active",
        ...data,
      };
    });
    yield { rows, cursor };
  }
}

const isPrompt = (tags: readonly { key: string; value: string }[]): boolean =>
  tags.some(({ key, value }) => key === "mlflow.prompt.is_prompt" && value.toLowerCase() === "true");

const modelPages =
  (filter: string | undefined) => (client: RestClient, workspace: RestWorkspace, from: string | undefined) =>
    searchPages(client, {
      method: "GET",
      path: "/api/2.0/mlflow/registered-models/search",
      query: filter === undefined ? [] : [["filter", filter]],
      workspace,
      shape: registeredModelPage,
      max: PAGE_ROWS,
      from,
    });

export async function* registeredModelPages(
  reading: Reading,
  after: Cursor,
): AsyncGenerator<Page<SourceRegisteredModel>> {
  for await (const { workspace, page, cursor } of scoped(reading, after, modelPages(undefined))) {
    const models = page.registered_models.filter(({ tags }) => !isPrompt(tags));
    const rows = models.map(({ creation_timestamp, last_updated_timestamp, ...row }) => ({
      ...row,
      workspace: workspace ?? "default",
      creation_time: creation_timestamp,
      last_updated_time: last_updated_timestamp,
    }));
    yield { rows, cursor };
  }
}

/** Names of the prompts of a workspace: MLflow keeps them among the registered models, and their versions, too. */
export async function promptNames({ client }: Reading, workspace: RestWorkspace): Promise<Set<string>> {
  const names = new Set<string>();
  try {
    for await (const { page } of modelPages(PROMPTS)(client, workspace, undefined)) {
      for (const { name } of page.registered_models) names.add(name);
    }
  } catch (error) {
    // A server before prompts may not know the filter.
    if (!(error instanceof RestError) || error.status !== 400) throw error;
  }
  return names;
}

export async function* modelVersionPages(
  reading: Reading,
  after: Cursor,
): AsyncGenerator<Page<SourceModelVersion>> {
  const prompts = new Map<RestWorkspace, Set<string>>();
  const search = (client: RestClient, workspace: RestWorkspace, from: string | undefined) =>
    searchPages(client, {
      method: "GET",
      path: "/api/2.0/mlflow/model-versions/search",
      query: [
        ["order_by", "name ASC"],
        ["order_by", "version_number ASC"],
      ],
      workspace,
      shape: modelVersionPage,
      max: PAGE_ROWS,
      from,
    });
  for await (const { workspace, page, cursor } of scoped(reading, after, search)) {
    const hidden = prompts.get(workspace) ?? (await promptNames(reading, workspace));
    prompts.set(workspace, hidden);
    const rows: SourceModelVersion[] = [];
    for (const { creation_timestamp, last_updated_timestamp, ...row } of page.model_versions) {
      if (hidden.has(row.name)) continue;
      rows.push({
        ...row,
        workspace: workspace ?? "default",
        creation_time: creation_timestamp,
        last_updated_time: last_updated_timestamp,
        storage_location: row.source.startsWith("models:") ? await locationOf(reading, row, workspace) : null,
        // No answer has it, but its source.
        model_id: row.model_id ?? /^models:\/(m-[^/@]+)$/.exec(row.source)?.[1] ?? null,
      });
    }
    yield { rows, cursor };
  }
}

/** Where the files of a version are that was made from another or from a logged model. */
async function locationOf(
  { client }: Reading,
  { name, version }: { name: string; version: number },
  workspace: RestWorkspace,
): Promise<string | null> {
  const call: RestCall = {
    method: "GET",
    path: "/api/2.0/mlflow/model-versions/get-download-uri",
    query: [
      ["name", name],
      ["version", String(version)],
    ],
    workspace,
  };
  const answer = await orUndefined(client.json(call));
  return answer === undefined ? null : readAnswer(client, call, [downloadUri, answer]).artifact_uri || null;
}
