import { invalidParameter } from "../../kernel/errors.ts";
import { checkName } from "./names.ts";
import type { VersionKey } from "./model-versions.sql.ts";

export const modelStages = ["none", "staging", "production", "archived", "latest"] as const;

const isStage = (text: string): boolean => modelStages.some((stage) => stage === text);

const NUMBER = /^\d+$/;
const MAX_NUMBER = 2_147_483_647;

/**
 * What the text that a model is configured with says of its version: a number, a stage (`latest` is the newest), or a
 * name, which alone may be that of a version still to be made.
 */
export function versionKeyOf(text: string): VersionKey {
  if (NUMBER.test(text)) return { number: Math.min(Number(text), MAX_NUMBER) };
  if (text === "latest") return { latest: true };
  return isStage(text) ? { stage: text } : { name: text };
}

/** Names that nobody could tell from numbers or stages are refused: `invalid_parameter`. */
export function checkVersionName(name: string): void {
  checkName(name, "model version");
  if (NUMBER.test(name)) {
    throw invalidParameter("Can't create model version with custom numeric model version name.");
  }
  if (isStage(name.toLowerCase())) {
    throw invalidParameter(
      `Can't create model version with a name that is used as a model version stage (${modelStages.join(", ")}).`,
    );
  }
}
