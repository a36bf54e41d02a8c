import type { FoundVersion } from "./listed-versions.sql.ts";
import type { ListedVersion } from "./model-versions.sql.ts";

/**
 * Versions as lists show them, remembered in the state they were read in. What is remembered is the same object each
 * time, and nobody changes it, so that what a protocol makes of it can be kept beside it.
 */
export type VersionMemory = {
  recall(version: FoundVersion): ListedVersion | undefined;
  remember(found: FoundVersion, version: ListedVersion): void;
};

type Entry = { state: string; version: ListedVersion };

/** Two halves take turns: what was not asked for while one of them filled is forgotten. */
export function createVersionMemory(maxCharacters: number): VersionMemory {
  let young = new Map<number, Entry>();
  let old = new Map<number, Entry>();
  let characters = 0;
  const add = (key: number, entry: Entry): void => {
    characters += lengthOf(entry.version);
    if (characters > maxCharacters / 2) {
      old = young;
      young = new Map();
      characters = lengthOf(entry.version);
    }
    young.set(key, entry);
  };
  return {
    recall({ key, state, name }) {
      const isYoung = young.has(key);
      const entry = isYoung ? young.get(key) : old.get(key);
      if (entry === undefined || entry.state !== state || entry.version.name !== name) return undefined;
      if (!isYoung) add(key, entry);
      return entry.version;
    },
    remember({ key, state }, version) {
      add(key, { state, version });
    },
  };
}

/** What the rest of a version takes, in characters. */
const OVERHEAD = 600;

const lengthOf = ({ name, description, source, tags }: ListedVersion): number =>
  tags.reduce(
    (sum, { key, value }) => sum + key.length + value.length + 50,
    OVERHEAD + name.length + (description?.length ?? 0) + source.length,
  );
