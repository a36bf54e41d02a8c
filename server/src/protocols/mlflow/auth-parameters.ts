import { invalidParameter, PlinthError, type ErrorCode } from "../../kernel/errors.ts";
import type { Call } from "./endpoint.ts";
import { isObject, json, message, missingParameter, pythonJson, type Message } from "./wire.ts";

/** The endpoints about users, roles and permissions are no protocol buffers: a parameter is there or not. */
export const parameters = (...names: string[]): Message =>
  message(Object.fromEntries(names.map((name) => [name, json])));

/** The JSON body, or the query: also of a DELETE without a body. */
function sourceOf({ request, source }: Call): Record<string, unknown> {
  const inQuery = request.method === "DELETE" && request.headers["content-type"] === undefined;
  return inQuery && isObject(request.query) ? request.query : source;
}

/** Null where it is not there. */
export const optional = (call: Call, name: string): unknown => sourceOf(call)[name] ?? null;

export function required(call: Call, name: string): unknown {
  const source = sourceOf(call);
  if (!Object.hasOwn(source, name)) throw missingParameter(name);
  return source[name];
}

export function requiredText(call: Call, name: string): string {
  const value = required(call, name);
  if (typeof value === "string") return value;
  throw invalidParameter(`Parameter '${name}' must be a string. Got: ${pythonText(value)}`);
}

const INTEGER = /^\s*[+-]?\d{1,30}\s*$/;
const MAX_ID = 2 ** 31 - 1;

/** Whether a row could have this id: the database is asked for no other. */
export const isRowId = (id: number): boolean => id >= 1 && id <= MAX_ID;

export function requiredId(call: Call, name: string): number {
  const value = required(call, name);
  const isNumber = typeof value === "number" || (typeof value === "string" && INTEGER.test(value));
  if (!isNumber) {
    throw invalidParameter(`Parameter '${name}' must be an integer. Got: ${pythonText(value)}`);
  }
  return Math.trunc(Number(value));
}

/** As Python's `repr` writes it, shortened. */
function pythonText(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "string") return pythonJson(value).slice(0, LONGEST_SHOWN);
  const shown = value.slice(0, LONGEST_SHOWN).replaceAll("\\", "\\\\");
  return shown.includes("'") && !shown.includes('"') ? `"${shown}"` : `'${shown.replaceAll("'", "\\'")}'`;
}

const LONGEST_SHOWN = 200;

/** As Python writes a tuple of texts. */
export const pythonTuple = (texts: readonly string[]): string =>
  `(${texts.map((text) => `'${text}'`).join(", ")}${texts.length === 1 ? "," : ""})`;

/** The same refusal in the words that MLflow's clients know. */
export async function inWords<T>(work: Promise<T>, words: Partial<Record<ErrorCode, string>>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const known = error instanceof PlinthError ? words[error.code] : undefined;
    if (known === undefined) throw error;
    throw new PlinthError((error as PlinthError).code, known, { cause: error });
  }
}
