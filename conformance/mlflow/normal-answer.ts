// Makes two servers' answers comparable: what must differ (ids, clocks, tokens) becomes a placeholder.
import type { RawResponse } from "../src/http.ts";
import { echoingMessages } from "./differences.ts";
import type { Variables } from "./scenario.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export function parseBody(response: RawResponse): unknown {
  const text = response.body.toString("utf8");
  if (text === "") return undefined;
  try {
    return parseJson(text);
  } catch {
    // Upstream's get-history-bulk writes bare NaN, which is not JSON.
    try {
      return parseJson(text.replace(/:\s*(-?Infinity|NaN)\b/g, ': "$1"'));
    } catch {
      return response.body.includes(0) ? response.body.toString("base64") : text;
    }
  }
}

/** Integers beyond 2^53 keep their digits: they are what the int64 cases are about. */
function parseJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined)
      return value;
    return /^-?\d+$/.test(context.source) ? `int64 ${context.source}` : value;
  });
}

export function normalAnswer(
  response: RawResponse,
  variables: Variables,
  wanted: {
    readonly headers: readonly string[];
    readonly asSet: readonly string[];
    readonly ids: readonly string[];
  },
): Answer {
  const parsed = parseBody(response);
  const isPage = typeof parsed === "string" && response.status >= 300;
  return {
    status: response.status,
    // Upstream answers some errors with its framework's HTML page; only the status is compared then.
    body: isPage
      ? "<a page>"
      : normal(parsed, "", "", {
          variables,
          sets: new Set([...unordered, ...wanted.asSet]),
          ids: new Set(wanted.ids),
        }),
    // The headers matter for the bytes of an artifact, not for an error about it.
    headers: Object.fromEntries(
      (response.status < 400 ? wanted.headers : []).map((name) => [name, headerText(response.headers[name])]),
    ),
  };
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}

// Written by the server for its own log readers; clients ignore both.
const dropped = new Set(["error_class", "sqlstate"]);
// Rows of a set: no order is promised.
const unordered = new Set([
  "tags",
  "params",
  "dataset_inputs",
  "model_inputs",
  "model_outputs",
  "dataset_summaries",
]);
// Where an experiment id (a small number) may be told from a value that happens to look like one.
const holdsIds = new Set([
  "experiment_id",
  "experiment_ids",
  "message",
  "detail",
  "artifact_uri",
  "artifact_location",
  "root_uri",
  "source",
]);
const hex = /\b[0-9a-f]{32}\b/g;
const uuid = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
const randomName = /^[a-z]+-[a-z]+-\d+$/;
/** Stands where upstream's message goes on with SQL text, which Plinth never shows. */
export const sqlMark = "<SQL>";
const hour = 3_600_000;

interface Context {
  readonly variables: Variables;
  readonly sets: ReadonlySet<string>;
  readonly ids: ReadonlySet<string>;
}

function normal(value: unknown, key: string, parent: string, context: Context): unknown {
  if (typeof value === "number" && context.ids.has(key)) return `<${key}>`;
  // Adding 0 makes -0 plain: JSON writers differ on its sign, and no client tells the two apart.
  if (typeof value === "number") return Math.abs(value - Date.now()) < hour ? "<now>" : value + 0;
  if (typeof value === "string") return normalText(value, key, context.variables);
  if (Array.isArray(value)) {
    const items = value.map((one: unknown) => normal(one, key, parent, context));
    const isSet = context.sets.has(key) || (key === "metrics" && parent === "data");
    return isSet ? items.toSorted((a, b) => compareText(canonical(a), canonical(b))) : items;
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !dropped.has(name))
      .map(([name, one]) => [name, normal(one, name, key, context)]),
  );
}

function normalText(text: string, key: string, variables: Variables): string {
  if (key === "next_page_token") return text === "" ? "" : "<token>";
  if (randomName.test(text)) return "<random name>";
  if (key === "experiment_id" && !variableValues(variables).has(text))
    return text === "0" ? "0" : "<experiment id>";
  let result = text;
  for (const [name, value] of variables) {
    if (name === "unique" || value === "") continue;
    if (value.length >= 32) result = result.replaceAll(value, `<${name}>`);
    else if (holdsIds.has(key) && /^\d+$/.test(value)) {
      result = result.replace(new RegExp(`(?<![\\w-])${value}(?![\\w-])`, "g"), `<${name}>`);
    }
  }
  if (key === "message") result = normalMessage(result);
  return result
    .replace(hex, "<hex>")
    .replace(uuid, "<uuid>")
    .replace(/__user_\d+__/g, "__user_<id>__");
}

/** Upstream prints Python sets in any order, and the database's own words after what it has to say. */
function normalMessage(message: string): string {
  const sorted = message.replace(/\{('[^{}]*')\}/g, (_whole, inner: string) => {
    const items = inner.split(/, (?=')/).toSorted(compareText);
    return `{${items.join(", ")}}`;
  });
  const echoing = echoingMessages.find((beginning) => sorted.startsWith(beginning));
  if (echoing !== undefined) return `${echoing} ...`;
  const sql = /( Error: )?\((raised as a result of|sqlite3\.)/.exec(sorted);
  return sql === null ? sorted : `${sorted.slice(0, sql.index)}${sqlMark}`;
}

/** JSON with sorted keys: the two servers write one object's keys in their own order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    one !== null && typeof one === "object" && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => compareText(a, b)))
      : one,
  );
}

function variableValues(variables: Variables): ReadonlySet<string> {
  return new Set(variables.values());
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
