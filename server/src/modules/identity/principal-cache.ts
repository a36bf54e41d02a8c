import type { Change } from "./changes.sql.ts";

/** What this process knows by the credentials of principals, until their time is over or something changed. */
export type PrincipalCache<Value> = {
  get(key: string, now: number): Value | undefined;
  set(key: string, value: Value, of: { principalId: number; until: number }): void;
  forget(changes: readonly Change[] | "all"): void;
};

/** Shared by all entries of a principal: one assignment forgets them all. */
type Standing = { principalId: number; good: boolean };
type Entry<Value> = { value: Value; until: number; standing: Standing };

/**
 * Holds between half of `max` and `max` entries. Those asked for since half of it was filled survive: two
 * generations, where a list in the order of use would write at each reading.
 */
export function createPrincipalCache<Value>(max: number): PrincipalCache<Value> {
  let young = new Map<string, Entry<Value>>();
  let old = new Map<string, Entry<Value>>();
  let standings = new Map<number, Standing>();

  const standingOf = (principalId: number): Standing => {
    let standing = standings.get(principalId);
    if (standing === undefined) standings.set(principalId, (standing = { principalId, good: true }));
    return standing;
  };

  /** Keeps that every good standing of an entry is in `standings`: it is what `forget` finds. */
  const put = (key: string, entry: Entry<Value>): void => {
    if (young.size >= max / 2) {
      old = young;
      young = new Map();
      standings = new Map();
      for (const { standing } of old.values()) {
        if (standing.good) standings.set(standing.principalId, standing);
      }
    }
    young.set(key, entry);
    standings.set(entry.standing.principalId, entry.standing);
  };

  const isGood = (entry: Entry<Value>, now: number): boolean => entry.standing.good && now < entry.until;

  return {
    get(key, now) {
      const entry = young.get(key);
      if (entry !== undefined) {
        if (isGood(entry, now)) return entry.value;
        young.delete(key);
        return undefined;
      }
      const older = old.get(key);
      if (older === undefined) return undefined;
      old.delete(key);
      if (!isGood(older, now)) return undefined;
      put(key, older);
      return older.value;
    },
    set(key, value, { principalId, until }) {
      old.delete(key);
      put(key, { value, until, standing: standingOf(principalId) });
    },
    forget(changes) {
      if (changes === "all") {
        young = new Map();
        old = new Map();
        standings = new Map();
        return;
      }
      for (const { principal_id: id } of changes) {
        const standing = id === null ? undefined : standings.get(id);
        if (standing === undefined) continue;
        standing.good = false;
        standings.delete(standing.principalId);
      }
    },
  };
}
