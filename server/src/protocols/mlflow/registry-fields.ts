import { invalidParameter } from "../../kernel/errors.ts";
import type { ListedVersion, VersionRow } from "../../modules/registry/model-versions.ts";
import { pythonJson, type Check, type Values } from "./wire.ts";

/** What the endpoints of registered models and of model versions share. */

export const required: readonly Check[] = ["string", "required"];

/** What is missing is empty. */
export const text = (value: unknown): string => (value ?? "") as string;

export function readSearch(
  values: Values,
  defaultResults: number,
): { filter: string; orderBy: string[]; maxResults: number; pageToken?: string } {
  const pageToken = text(values["page_token"]);
  const maxResults = Number(values["max_results"] ?? defaultResults);
  if (maxResults < 1) {
    throw invalidParameter(
      `Invalid value for max_results. It must be a positive integer, but got ${maxResults}`,
    );
  }
  return {
    filter: text(values["filter"]),
    orderBy: (values["order_by"] ?? []) as string[],
    maxResults,
    ...(pageToken === "" ? {} : { pageToken }),
  };
}

export const atMost =
  (field: string, limit: number): Check =>
  (value) => {
    if (!(Number(value) > limit)) return;
    throw invalidParameter(
      `Invalid value ${pythonJson(value)} for parameter '${field}' supplied: It must be at most ${limit}.`,
    );
  };

/** As it stands in lists, which have no aliases. What is undefined is left out of JSON. */
export function listedVersionJson(row: ListedVersion): Values {
  return {
    name: row.name,
    version: String(row.version),
    creation_timestamp: row.creation_timestamp,
    last_updated_timestamp: row.last_updated_timestamp,
    user_id: row.user_id ?? undefined,
    current_stage: row.stage,
    description: row.description ?? undefined,
    source: row.source,
    run_id: row.run_uuid,
    status: row.status,
    status_message: row.status_message ?? undefined,
    tags: row.tags.length === 0 ? undefined : row.tags,
    run_link: row.run_link,
  };
}

export const modelVersionJson = (row: VersionRow): Values => ({
  ...listedVersionJson(row),
  aliases: row.aliases.length === 0 ? undefined : row.aliases,
});
