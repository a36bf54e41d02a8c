import { invalidParameter, notFound, notImplemented, type PlinthError } from "../../kernel/errors.ts";
import { checkKey, checkLength, checkPathLike } from "../tracking/index.ts";
import type { KeyValue } from "./deps.ts";

/**
 * What names, versions, stages, aliases and tags may be, with the messages MLflow's clients know
 * (`mlflow/utils/validation.py` of 3.17.2). Lengths are those of its columns, which SQLite does not enforce.
 */
export const sizes = {
  name: 256,
  description: 100_000,
  runId: 256,
  runLink: 2048,
  source: 2048,
  alias: 255,
  tagKey: 250,
  tagValue: 100_000,
} as const;

export function checkModelName(name: string, field: "name" | "new_name" = "name"): void {
  if (name.trim() === "") throw invalidParameter(`Missing value for required parameter '${field}'.`);
  if (/[/:]/.test(name)) {
    throw invalidParameter(`Invalid model name '${shown(name)}'. Names cannot contain '/' or ':'.`);
  }
  checkPathLike(name, "name");
}

/** `number` is 0, which no version has, where the text names more than a version can be. */
export type Version = { number: number; shown: string };

/** What Python's `int` takes. */
const INTEGER = /^\s*[+-]?\d+(?:_\d+)*\s*$/;
const MAX_VERSION = 2 ** 31 - 1;

export function readVersion(text: string): Version {
  if (text.length > 100 || !INTEGER.test(text)) {
    throw invalidParameter(`Parameter 'version' must be an integer, got '${shown(text)}'.`);
  }
  const value = BigInt(text.trim().replaceAll("_", "").replace("+", ""));
  const number = value > 0n && value <= MAX_VERSION ? Number(value) : 0;
  return { number, shown: String(value) };
}

const ALIAS = /^[\p{L}\p{N}_-]*$/u;

export function checkAlias(alias: string): void {
  if (alias === "") throw invalidParameter("Registered model alias name cannot be empty.");
  if (!ALIAS.test(alias)) {
    throw invalidParameter(
      `Invalid alias name: '${shown(alias)}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`,
    );
  }
  checkLength("Registered model alias name", sizes.alias, alias);
}

/** `latest` and `v<number>` mean something already. */
export function checkAliasIsFree(alias: string): void {
  if (alias.toLowerCase() === "latest") {
    throw invalidParameter("'latest' alias name (case insensitive) is reserved.");
  }
  if (/^v\p{Nd}+$/iu.test(alias)) throw invalidParameter(`Version alias name '${alias}' is reserved.`);
}

export const stages = ["None", "Staging", "Production", "Archived"] as const;
export type Stage = (typeof stages)[number];

/** Stages are accepted in any case. */
export function readStage(text: string): Stage {
  const stage = stages.find((one) => one.toLowerCase() === text.toLowerCase());
  if (stage !== undefined) return stage;
  throw invalidParameter(
    `Invalid Model Version stage: ${shown(text)}. Value must be one of ${stages.join(", ")}.`,
  );
}

export const PROMPT_TAG = "mlflow.prompt.is_prompt";

/** The last of a key counts. A tag that would make this a prompt is refused: nothing could show it yet. */
export function readTags(tags: readonly KeyValue[]): KeyValue[] {
  for (const tag of tags) checkTag(tag);
  const last = [...new Map(tags.map((tag) => [tag.key, tag])).values()];
  for (const tag of last) refusePrompt(tag);
  return last;
}

export function refusePrompt({ key, value }: KeyValue): void {
  if (key === PROMPT_TAG && value.toLowerCase() === "true") {
    throw notImplemented(
      "Prompts are not served yet: this registry holds models alone. " +
        `Leave out the tag '${PROMPT_TAG}' to register a model.`,
    );
  }
}

export function checkTag({ key, value }: KeyValue): void {
  checkTagKey(key);
  checkLength("key", sizes.tagKey, key);
  checkLength("value", sizes.tagValue, value);
}

export const checkTagKey = (key: string): void => checkKey(key, "key");

export const modelNotFound = (name: string): PlinthError =>
  notFound(`Registered Model with name=${shown(name)} not found`);

export const versionNotFound = (name: string, version: string): PlinthError =>
  notFound(`Model Version (name=${shown(name)}, version=${version}) not found`);

/** Texts that clients send are repeated in messages, but not all ten megabytes of them. */
export const shown = (text: string): string => (text.length > 2000 ? `${text.slice(0, 2000)}...` : text);
