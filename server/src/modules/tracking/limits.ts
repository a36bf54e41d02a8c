import { invalidParameter } from "../../kernel/errors.ts";
import { normalize } from "node:path/posix";

/**
 * MLflow's limits and the messages its clients know them by (`mlflow/utils/validation.py` of 3.17.2).
 * Lengths count Unicode characters, not UTF-16 units.
 */
export const limits = {
  key: 250,
  paramValue: 6000,
  tagValue: 8000,
  experimentName: 500,
  experimentTagValue: 20_000,
  batchMetrics: 1000,
  batchParams: 100,
  batchTags: 100,
  batchEntities: 1000,
  batchBytes: 1_000_000,
} as const;

const NAME = /^[/\p{L}\p{N}_.\- :]*$/u;

/** Keys that passed lately: the same few hundred come again and again, and the two rules take 1 µs a key. */
const passed = new Set<string>();
const REMEMBERED = 20_000;

/** A metric, parameter or tag key: `path` names it in the message, for example `metrics[3].name`. */
export function checkKey(key: string, path: string | (() => string)): void {
  if (passed.has(key)) return;
  checkKeyRules(key, typeof path === "string" ? path : path());
  if (passed.size >= REMEMBERED) passed.clear();
  if (key.length <= limits.key) passed.add(key);
}

function checkKeyRules(key: string, path: string): void {
  if (!NAME.test(key)) {
    throw invalidParameter(
      `Invalid value ${JSON.stringify(key)} for parameter '${path}' supplied: Names may only contain ` +
        "alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
    );
  }
  checkPathLike(key, path);
}

/** Refuses what would be another name where names are paths. */
export function checkPathLike(name: string, path: string): void {
  const resolved = normalize(name === "" ? "." : name);
  const plain = resolved.length > 1 && resolved.endsWith("/") ? resolved.slice(0, -1) : resolved;
  if (plain !== name || plain === "." || plain.startsWith("..") || plain.startsWith("/")) {
    throw invalidParameter(
      `Invalid value ${JSON.stringify(name)} for parameter '${path}' supplied: Names may be treated as files in ` +
        "certain cases, and must not resolve to other names when treated as such. " +
        `This name would resolve to '${plain}'`,
    );
  }
}

export function checkLength(what: string | (() => string), limit: number, value: string): void {
  if (value.length > limit && characters(value) > limit) {
    const name = typeof what === "string" ? what : what();
    throw invalidParameter(`'${name}' exceeds the maximum length of ${limit} characters`);
  }
}

const NULL_BYTE = "A value holds a null byte or a character that is not valid UTF-8.";

/** The first `limit` characters: what MLflow does with long parameter and tag values. */
export function truncate(limit: number, value: string): string {
  // PostgreSQL cannot store it; refused here, it costs no transaction.
  if (value.includes("\0")) throw invalidParameter(NULL_BYTE);
  if (value.length <= limit) return value;
  let end = 0;
  for (let count = 0; count < limit && end < value.length; count += 1) {
    end += (value.codePointAt(end) as number) > 0xffff ? 2 : 1;
  }
  return value.slice(0, end);
}

function characters(value: string): number {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
}

export function checkCount(what: string, limit: number, count: number): void {
  if (count > limit) {
    throw invalidParameter(
      `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. ` +
        `Please split up ${what} across multiple requests and try again.`,
    );
  }
}
