import { invalidParameter } from "../../kernel/errors.ts";
import type { ListedVersion, VersionRow } from "../../modules/registry/model-versions.ts";
import { reads, type Action } from "../../kernel/access.ts";
import type { Scope } from "../../modules/identity/index.ts";
import type { Endpoint } from "./endpoint.ts";
import { filtered, needs, type Need, type Needs } from "./guard.ts";
import { int64, message, pythonJson, repeated, string, type Check, type Values } from "./wire.ts";

/** What the endpoints of registered models and of model versions share. */

export const required: readonly Check[] = ["string", "required"];

/** What is missing is empty. */
export const text = (value: unknown): string => (value ?? "") as string;

/** Asks for the model that a request names. */
export const onModel =
  (action: Action) =>
  (values: Values): readonly Need[] => [
    needs(action, { type: "registered_model", name: text(values["name"]) }),
  ];

/** Asks for the versions of the model that a request names: all of them have one permission. */
export const onVersions =
  (action: Action) =>
  (values: Values): readonly Need[] => [
    needs(action, { type: "registered_model_version", name: text(values["name"]) }),
  ];

function readSearch(
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

const atMost =
  (field: string, limit: number): Check =>
  (value) => {
    if (!(Number(value) > limit)) return;
    throw invalidParameter(
      `Invalid value ${pythonJson(value)} for parameter '${field}' supplied: It must be at most ${limit}.`,
    );
  };

/** As it stands in lists, which have no aliases. What is undefined is left out of JSON. */
export function listedVersionJson(row: ListedVersion, scope: Scope): Values {
  const seesRun = !scope.policy.isDenied("run");
  return {
    name: row.name,
    version: String(row.version),
    creation_timestamp: row.creation_timestamp,
    last_updated_timestamp: row.last_updated_timestamp,
    user_id: row.user_id ?? undefined,
    current_stage: row.stage,
    description: row.description ?? undefined,
    source: row.source,
    run_id: seesRun ? row.run_uuid : undefined,
    status: row.status,
    status_message: row.status_message ?? undefined,
    tags: row.tags.length === 0 ? undefined : row.tags,
    run_link: seesRun ? row.run_link : undefined,
  };
}

const texts = new WeakMap<ListedVersion, string>();

/** The JSON of `listedVersionJson`, made once for each version: the registry gives the same object while nothing changes. */
export function listedVersionText(row: ListedVersion, scope: Scope): string {
  // Only what may be shown to everybody who sees the version is kept beside it.
  if (scope.policy.isDenied("run")) return JSON.stringify(listedVersionJson(row, scope));
  let text = texts.get(row);
  if (text === undefined) {
    text = JSON.stringify(listedVersionJson(row, scope));
    texts.set(row, text);
  }
  return text;
}

/** A page of a search as JSON, in which an empty list and no further page are left out. */
function pageText(field: string, items: readonly string[], nextPageToken: string | undefined): string {
  const parts = [
    ...(items.length === 0 ? [] : [`"${field}":[${items.join(",")}]`]),
    ...(nextPageToken === undefined ? [] : [`"next_page_token":${JSON.stringify(nextPageToken)}`]),
  ];
  return `{${parts.join(",")}}`;
}

type Page = { items: string[]; nextPageToken: string | undefined };

/** `search` of models and of versions, which differ in little. */
export const searchEndpoint = (search: {
  path: string;
  defaultResults: number;
  maxResults: number;
  field: string;
  /** Where the answer tells more than what it shows. */
  needs?(values: Values): Needs;
  find(scope: Scope, search: ReturnType<typeof readSearch>): Promise<Page>;
}): Endpoint => ({
  method: "GET",
  path: `${search.path}/search`,
  access: reads("registered_model"),
  needs: search.needs ?? (() => filtered),
  request: message({ filter: string, max_results: int64, order_by: repeated(string), page_token: string }),
  checks: {
    filter: ["string"],
    max_results: ["int", atMost("max_results", search.maxResults)],
    order_by: ["array"],
    page_token: ["string"],
  },
  async handle(values, { scope }) {
    const { items, nextPageToken } = await search.find(scope, readSearch(values, search.defaultResults));
    return pageText(search.field, items, nextPageToken);
  },
});

export const modelVersionJson = (row: VersionRow, scope: Scope): Values => ({
  ...listedVersionJson(row, scope),
  aliases: row.aliases.length === 0 ? undefined : row.aliases,
});
