import type { Database } from "../../kernel/database.ts";
import { unavailable } from "../../kernel/errors.ts";
import { selectChanges, type Change } from "./changes.sql.ts";

/** Told what to forget; `all` where it is unknown what changed. */
export type ChangeListener = (changes: readonly Change[] | "all") => void;

/**
 * Tells this process which credentials and rights have changed, wherever that was done. What a process remembers may
 * be used only while the feed is fresh.
 */
export type ChangeFeed = {
  onChange(listener: ChangeListener): void;
  /** Grows with everything to forget: what was read before it grew must not be remembered. */
  readonly generation: number;
  /**
   * Nothing where all changes until `FRESH_MS` ago are known, else what has to be waited for. Throws `unavailable`
   * when they cannot be read.
   */
  fresh(now?: number): void | Promise<void>;
  /**
   * All changes committed so far are known to this process when it resolves, or it answers no request until they are.
   * To be called at the end of every function that changes something, before its caller hears that it is done.
   */
  readNow(): Promise<void>;
  close(): Promise<void>;
};

const READ_EVERY_MS = 500;
/** With the reading itself: refused everywhere within 2 s. */
const FRESH_MS = 1500;
/** A process that nobody asks anything does not ask the database twice a second. */
const IDLE_MS = 60_000;

const NEVER = -Infinity;

export function createChangeFeed({
  database,
  now,
}: {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
}): ChangeFeed {
  const listeners: ChangeListener[] = [];
  let generation = 0;
  let position = Number.MAX_SAFE_INTEGER;
  /** When the last read that succeeded began: everything committed before is known. */
  let knownAt = NEVER;
  let askedAt = NEVER;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let reading: Promise<void> | undefined;
  /** Begins when `reading` has ended; all that ask meanwhile share it. */
  let next: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    const began = now();
    try {
      const { lastChange, changes } = await selectChanges(database, position);
      if (lastChange - position !== changes.length) {
        // The first read, or a process that was away for so long that changes were deleted meanwhile.
        generation += 1;
        for (const listener of listeners) listener("all");
      } else if (changes.length > 0) {
        generation += 1;
        for (const listener of listeners) listener(changes);
      }
      position = lastChange;
      knownAt = began;
    } catch (error) {
      knownAt = NEVER;
      throw unavailable("Who may do what cannot be read from the database right now. Try again.", error);
    }
  };

  const begin = (): Promise<void> => {
    const run = read().finally(() => {
      reading = undefined;
    });
    reading = run;
    return run;
  };

  /** A read that begins from now on: one under way may have looked already. */
  const readAgain = (): Promise<void> => {
    if (reading === undefined) return begin();
    next ??= reading
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };

  const tick = (): void => {
    timer = undefined;
    if (closed || now() - askedAt > IDLE_MS) return;
    // Whoever asks next is told that it failed.
    (reading ?? begin()).catch(() => undefined).finally(schedule);
  };
  const schedule = (): void => {
    if (!closed) timer ??= setTimeout(tick, READ_EVERY_MS).unref();
  };

  return {
    onChange(listener) {
      listeners.push(listener);
    },
    get generation() {
      return generation;
    },
    fresh(at = now()) {
      askedAt = at;
      const age = at - knownAt;
      // A clock that was set back must not make old knowledge look new.
      if (age <= FRESH_MS && age >= 0) return undefined;
      schedule();
      return readAgain();
    },
    async readNow() {
      if (position === Number.MAX_SAFE_INTEGER) return;
      await readAgain().catch(() => undefined);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await Promise.allSettled([reading, next]);
    },
  };
}
