import { z } from "zod";
import { plainNumber } from "../../kernel/json-text.ts";
import { isoToMicros } from "../../kernel/micros.ts";

/** Fields of requests, as ZenML's models check them. */

const MAX_NAME = 255;
const MAX_TEXT = 65_535;

export const uuid = z
  .string()
  .regex(
    /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
    "Input should be a valid UUID",
  )
  .transform(hyphenated);

/** Ids in one spelling: with hyphens, in small letters. */
export function hyphenated(id: string): string {
  const digits = id.replaceAll("-", "").toLowerCase();
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}

export const shortText = z.string().max(MAX_NAME, `String should have at most ${MAX_NAME} characters`);
export const longText = z.string().max(MAX_TEXT, `String should have at most ${MAX_TEXT} characters`);

/** The name of an entity: 1 to 255 characters. */
export const entityName = shortText.min(1, "String should have at least 1 character");

/** Microseconds since 1970, of a text in ISO 8601; without a zone it is UTC. */
export const time = z.string().transform((text, context) => {
  const micros = isoToMicros(text);
  if (micros !== undefined) return micros;
  context.addIssue({ code: "custom", message: "Input should be a valid datetime" });
  return z.NEVER;
});

export const integer = z.preprocess(plainNumber, z.number().int("Input should be a valid integer"));

const truths: ReadonlySet<unknown> = new Set([true, 1, "true", "1", "t", "yes", "y", "on"]);
const lies: ReadonlySet<unknown> = new Set([false, 0, "false", "0", "f", "no", "n", "off"]);

/** True or false, also in the other words that ZenML's models take for it. */
export const flag = z.unknown().transform((given, context): boolean => {
  const value = typeof given === "string" ? given.toLowerCase() : plainNumber(given);
  if (truths.has(value)) return true;
  if (lies.has(value)) return false;
  context.addIssue({ code: "custom", message: "Input should be a valid boolean" });
  return z.NEVER;
});

/** An object that is kept as it is. */
export const jsonObject = z.record(z.string(), z.unknown());

/** A Python class or function. */
export const source = z.looseObject({
  module: z.string(),
  attribute: z.string().nullable().default(null),
  type: z.enum([
    "user",
    "internal",
    "builtin",
    "distribution_package",
    "code_repository",
    "notebook",
    "unknown",
  ]),
});

/** The same, or where it is imported from, as one text. */
export const sourceOrPath = z.union([
  source,
  z
    .string()
    .min(1)
    .transform((given) => {
      const path = given.split("@", 1)[0] ?? "";
      const dot = path.lastIndexOf(".");
      return dot === -1
        ? { module: path, attribute: null, type: "unknown" }
        : { module: path.slice(0, dot), attribute: path.slice(dot + 1), type: "unknown" };
    }),
]);

/** Tags by their names or ids. */
export const tagNames = z.array(shortText);
