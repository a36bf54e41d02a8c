import { invalidParameter } from "../../kernel/errors.ts";
import type { ArtifactRow } from "./artifact-tables.ts";
import type { Top } from "./artifact-versions.sql.ts";

const MAX_NUMBER = 2_147_483_647;

/** The number that a version is, as Python reads it; null for other texts, and beyond 32 bits. */
export function versionNumberOf(version: string): number | null {
  const text = version.trim();
  if (!/^[-+]?\d+(_\d+)*$/.test(text)) return null;
  const number = Number(text.replaceAll("_", ""));
  return Math.abs(number) <= MAX_NUMBER ? number : null;
}

export type Numbered = { version: string; number: number | null };

/** Gives versions their numbers in the order in which they are asked for: null is the highest one and one more. */
export function createNumbering(
  tops: readonly Top[],
): (artifact: Pick<ArtifactRow, "id">, version: string | null) => Numbered {
  const highest = new Map(tops.map((top) => [top.artifact_id, top.version_number]));
  return ({ id }, version) => {
    const top = highest.get(id);
    const number = version === null ? (top ?? 0) + 1 : versionNumberOf(version);
    if (number !== null && number > MAX_NUMBER) {
      throw invalidParameter(`There is no number after ${MAX_NUMBER} for the next version: name it.`);
    }
    if (number !== null && (top === undefined || number > top)) highest.set(id, number);
    return { version: version ?? String(number), number };
  };
}
