import { invalidParameter } from "../../kernel/errors.ts";
import type { JsonObject } from "./step-configuration.ts";

/** What triggers wait for at webhooks: events by their types, each narrowed by filters on what came with it. */

const MAX_TARGETS = 10;
const MAX_EXPRESSIONS = 10;
const MAX_EXPRESSION_LENGTH = 512;
const MAX_CHOICES = 10;

const MAX_PATHS = 10;
const MAX_PATH_LENGTH = 512;
const MAX_SEGMENTS = 8;

/** How an event may be narrowed: `texts` by expressions, `flags` by true or false; those with a value have a default. */
type Narrowing = {
  readonly texts: readonly string[];
  readonly flags?: Readonly<Record<string, boolean | null>>;
};

const ofList = ["list_id", "space_id", "folder_id"];
const ofTask: Narrowing = { texts: [...ofList, "task_id"] };
const bySlack = ["team_id", "channel_id", "user_id"];
const ofReaction: Narrowing = { texts: [...bySlack, "reaction", "item_user_id", "item_type", "item_id"] };
const ofMetadata: Narrowing = { texts: [...bySlack, "app_id", "bot_id", "metadata_event_type"] };

/** The events of each type of webhook that are known by name. */
const events: Readonly<Record<string, Readonly<Record<string, Narrowing>>>> = {
  custom: {},
  github: {
    merged_pull_request: { texts: ["repo", "target_branch", "source_branch", "author"] },
    workflow_run_completed: { texts: ["workflow", "conclusion", "actor"] },
    push: { texts: ["repo", "branch", "actor"] },
    release_published: { texts: ["repo", "tag", "target_branch", "actor"] },
    issue_opened: { texts: ["repo", "author", "author_association", "labels", "assignees", "milestone"] },
  },
  clickup: {
    taskCreated: ofTask,
    taskUpdated: ofTask,
    taskDeleted: ofTask,
    taskStatusUpdated: { texts: [...ofTask.texts, "status"] },
    taskMoved: ofTask,
    taskAssigneeUpdated: ofTask,
    taskCommentPosted: ofTask,
    listCreated: { texts: ofList },
    listUpdated: { texts: ofList },
    listDeleted: { texts: ofList },
  },
  slack: {
    app_mention: { texts: [...bySlack, "text"], flags: { threaded: null } },
    message: {
      texts: [...bySlack, "channel_type", "text", "subtype"],
      flags: { include_subtypes: false, threaded: null },
    },
    reaction_added: ofReaction,
    reaction_removed: ofReaction,
    message_metadata_posted: ofMetadata,
    message_metadata_updated: ofMetadata,
    file_shared: { texts: [...bySlack, "file_id"] },
  },
};

/**
 * The configuration of a trigger at a webhook of this type, with all that may be said: one to ten `target_events`. One
 * of type `custom` may wait for everything. Throws `invalid_parameter`.
 */
export function readTargets(type: string, configuration: JsonObject): JsonObject {
  const { target_events: targets } = configuration;
  const isCustom = type === "custom";
  if (isCustom && (targets === undefined || targets === null)) return { target_events: null };
  if (!Array.isArray(targets)) throw wrong("a list is expected");
  if (targets.length > MAX_TARGETS || (!isCustom && targets.length === 0)) {
    throw wrong(`a list of 1 to ${MAX_TARGETS} is expected`);
  }
  return { target_events: targets.map((target: unknown) => readTarget(type, target)) };
}

function readTarget(webhookType: string, target: unknown): JsonObject {
  if (!isObject(target)) throw wrong("every one is an object");
  const { type = webhookType === "custom" ? "dynamic" : undefined, ...filters } = target;
  if (type === "dynamic") return readDynamic(filters);
  const known = events[webhookType] ?? {};
  const narrowing = typeof type === "string" && Object.hasOwn(known, type) ? known[type] : undefined;
  if (narrowing === undefined) {
    throw wrong(`the type is one of ${[...Object.keys(known), "dynamic"].join(", ")}`);
  }
  const { texts, flags = {} } = narrowing;
  requireKnown(filters, [...texts, ...Object.keys(flags)]);
  const read = Object.fromEntries([
    ["type", type],
    ...texts.map((name) => [name, readFilter(filters[name], name)]),
    ...Object.entries(flags).map(([name, fallback]) => [name, readSwitch(filters[name], { name, fallback })]),
  ]) as JsonObject;
  if (read["include_subtypes"] === true && read["subtype"] !== null) {
    throw wrong("include_subtypes and subtype cannot be said both");
  }
  return read;
}

/** Of the name of an event as it comes, and of what is anywhere in its body. */
function readDynamic(target: JsonObject): JsonObject {
  requireKnown(target, ["event_type", "filters"]);
  const type = readFilter(target["event_type"], "event_type");
  if (type === null) throw wrong("event_type is missing");
  const { filters = {} } = target;
  if (!isObject(filters) || Object.keys(filters).length > MAX_PATHS) {
    throw wrong(`filters are an object of ${MAX_PATHS} paths at most`);
  }
  for (const [path, expressions] of Object.entries(filters)) {
    if (readFilter(expressions, path) === null) throw wrong(`'${path}' is a text or a list of texts`);
    requirePath(path);
  }
  return { type: "dynamic", event_type: type, filters };
}

function readFilter(given: unknown, name: string): string | readonly string[] | null {
  if (given === undefined || given === null) return null;
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0 || list.length > MAX_EXPRESSIONS) {
    throw wrong(`'${name}' has 1 to ${MAX_EXPRESSIONS} expressions`);
  }
  for (const one of list) {
    if (typeof one !== "string") throw wrong(`'${name}' is a text or a list of texts`);
    if (one === "" || one.length > MAX_EXPRESSION_LENGTH) {
      throw wrong(`expressions of '${name}' have 1 to ${MAX_EXPRESSION_LENGTH} characters`);
    }
    requireOperand(one, name);
  }
  return given as string | readonly string[];
}

const operators: ReadonlySet<string> = new Set([
  "equals",
  "notequals",
  "contains",
  "notcontains",
  "startswith",
  "endswith",
]);

/** Behind an operator there is something to compare with; any other text is compared as a whole. */
function requireOperand(expression: string, name: string): void {
  const [, operator = "", operand = ""] = /^(\w+):(.*)$/s.exec(expression) ?? [];
  if (operator === "oneof" || operator === "notoneof") {
    if (!isChoice(operand)) {
      throw wrong(`'${operator}' of '${name}' takes a JSON list of 1 to ${MAX_CHOICES} texts`);
    }
  } else if (operators.has(operator) && operand === "") {
    throw wrong(`'${operator}' of '${name}' takes a value`);
  }
}

function isChoice(text: string): boolean {
  try {
    const list: unknown = JSON.parse(text);
    return (
      Array.isArray(list) &&
      list.length > 0 &&
      list.length <= MAX_CHOICES &&
      list.every((one) => typeof one === "string" && one !== "")
    );
  } catch {
    return false;
  }
}

function readSwitch(
  given: unknown,
  { name, fallback }: { name: string; fallback: boolean | null },
): boolean | null {
  if (given === undefined || (given === null && fallback === null)) return fallback;
  if (typeof given === "boolean") return given;
  throw wrong(`'${name}' is true or false`);
}

const KEY = "[A-Za-z_][A-Za-z0-9_-]*";
const QUOTED = String.raw`\["(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"\]`;
const FIRST = `(?:${KEY}|${QUOTED})`;
const NEXT = String.raw`(?:\.${KEY}|\[\d+\]|\[\*\]|${QUOTED})`;
const PATH = new RegExp(`^${FIRST}${NEXT}*$`);
const SEGMENT = new RegExp(`^${FIRST}|${NEXT}`, "g");

/** Where in a body: keys with dots between them or quoted in brackets, indexes in brackets, and once `[*]` for all. */
function requirePath(path: string): void {
  const segments = path.length <= MAX_PATH_LENGTH && PATH.test(path) ? (path.match(SEGMENT) ?? []) : [];
  const wildcards = segments.filter((one) => one === "[*]").length;
  if (segments.length > 0 && segments.length <= MAX_SEGMENTS && wildcards <= 1) return;
  throw wrong(
    `'${path}' is no path: keys and [indexes], ${MAX_SEGMENTS} at most, in ${MAX_PATH_LENGTH} characters, once [*]`,
  );
}

function requireKnown(given: JsonObject, names: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw wrong(`'${unknown}' is not one of ${names.join(", ")}`);
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const wrong = (why: string): Error => invalidParameter(`target_events: ${why}`);
