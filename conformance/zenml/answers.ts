// Makes two servers' answers comparable: what must differ (ids, clocks, words) becomes a placeholder.
import type { Variables } from "../mlflow/scenario.ts";
import type { RawAnswer } from "./requests.ts";

const uuid = /(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])/g;
/** As ZenML writes times: UTC without a zone. Users were kept in milliseconds before there were others. */
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?$/;
/** Tokens, keys and the codes of devices. */
const credential = /^(eyJ|ZENKEY_)[\w.=-]+$|^[0-9a-f]{64}$/;
const hour = 3_600_000;

/** The status and body with ids by the names that they were saved under. */
export function normalAnswer({ status, body }: RawAnswer, variables: Variables): RawAnswer {
  return { status, body: status < 400 ? normal(body, variables) : normalError(body) };
}

/** What clients and the framework of upstream's server say, word by word. */
const known: ReadonlySet<unknown> = new Set(["Not Found", "Method Not Allowed", "Not authenticated"]);

/** The form of an error and the class of its exception count; its words are each server's own. */
function normalError(body: unknown): unknown {
  if (Array.isArray(body)) return [body[0], typeof body[1]];
  const { detail } = body as { detail?: unknown };
  if (Array.isArray(detail)) return { detail: [detail[0], typeof detail[1]] };
  return { detail: typeof detail === "string" && !known.has(detail) ? "<words>" : detail };
}

function normal(value: unknown, variables: Variables): unknown {
  if (typeof value === "string") return normalText(value, variables);
  if (Array.isArray(value)) return value.map((one: unknown) => normal(one, variables));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, normal(one, variables)]));
}

function normalText(text: string, variables: Variables): string {
  if (time.test(text) && Math.abs(Date.parse(`${text}Z`) - Date.now()) < hour) return "<now>";
  if (credential.test(text)) return "<credential>";
  let result = text;
  for (const [name, value] of variables) {
    if (value.length === 36) result = result.replaceAll(value, `<${name}>`);
  }
  return result.replace(uuid, "<uuid>");
}

/** Upstream draws lots for the colors of tags that it makes by itself. */
const drawn = /tags\[\]\.body\.color$/;

/** Where `mine` is not what `theirs` is. `isAdded` says which further keys of objects mine may have. */
export function differencesOf(
  mine: unknown,
  theirs: unknown,
  isAdded: (path: string) => boolean,
  path = "",
): string[] {
  if (isObject(mine) && isObject(theirs)) {
    const keys = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])].toSorted();
    return keys.flatMap((key) => {
      const at = path === "" ? key : `${path}.${key}`;
      if (!(key in theirs) && isAdded(at)) return [];
      if (!(key in mine)) return [`${at}: missing, not ${show(theirs[key])}`];
      if (!(key in theirs)) return [`${at}: ${show(mine[key])}, which upstream has not`];
      return differencesOf(mine[key], theirs[key], isAdded, at);
    });
  }
  if (Array.isArray(mine) && Array.isArray(theirs) && mine.length === theirs.length) {
    return theirs.flatMap((one: unknown, index) => differencesOf(mine[index], one, isAdded, `${path}[]`));
  }
  return drawn.test(path) || JSON.stringify(mine) === JSON.stringify(theirs)
    ? []
    : [`${path}: ${show(mine)}, not ${show(theirs)}`];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

const show = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 300);
