import type { Database, Queryable } from "../../kernel/database.ts";
import { PlinthError } from "../../kernel/errors.ts";
import type { Keys } from "../../modules/tracking/bulk/index.ts";
import type { ProblemLog } from "./problem.ts";
import { insertProblems } from "./problems.sql.ts";
import type { OnProgress, Phase } from "./progress.ts";
import type { ImportSource, SourceCounts } from "./source.ts";
import { upsertCheckpoint, type Checkpoint, type ExperimentPlace, type WorkspaceRow } from "./state.sql.ts";

/** Numbers of what was read, by name. */
export type Tally = Record<string, number>;

/** What the phases of one import work with. */
export type ImportContext = {
  database: Database;
  keys: Keys;
  source: ImportSource;
  importId: number;
  expected: SourceCounts;
  /** What exists in Plinth already is left alone. */
  skipExisting: boolean;
  /** By the source's name. */
  workspaces: ReadonlyMap<string, WorkspaceRow>;
  /** By the source's id. */
  experiments: ReadonlyMap<string, ExperimentPlace>;
  checkpoints: Map<string, Checkpoint>;
  /** What the source had to say since the last commit. */
  problems: ProblemLog;
  onProgress: OnProgress;
  signal: AbortSignal;
  now(): number;
};

export function count(tally: Tally, name: string, more = 1): void {
  if (more !== 0) tally[name] = (tally[name] ?? 0) + more;
}

/** What a page brings: rows through the transaction, and what it counted. */
type PageWork<Page> = (transaction: Queryable, page: Page, tally: Tally) => Promise<void>;

/**
 * Works through the pages of a phase, from where the last process came to. Each page is one transaction that
 * also says how far it came: killed at any moment, the next one repeats nothing and misses nothing.
 */
export async function runPhase<Page extends { cursor: string }>(
  context: ImportContext,
  phase: { name: Phase; shown: string; total: number | undefined },
  work: { read(after: string | undefined): AsyncIterable<Page>; write: PageWork<Page> },
): Promise<void> {
  const { database, importId, checkpoints, onProgress } = context;
  const { name } = phase;
  const known = checkpoints.get(name);
  const tally: Tally = { ...known?.counts };
  const tell = (): void => onProgress({ phase: name, done: tally[phase.shown] ?? 0, total: phase.total });
  tell();
  if (known?.finished === true) return;
  const save = async (queryable: Queryable, row: Omit<Checkpoint, "phase">): Promise<void> => {
    await insertProblems(queryable, importId, context.problems.take());
    await upsertCheckpoint(queryable, importId, { phase: name, ...row });
    checkpoints.set(name, { phase: name, ...row });
  };
  let cursor = known?.cursor ?? null;
  for await (const page of work.read(cursor ?? undefined)) {
    context.signal.throwIfAborted();
    const pageTally: Tally = {};
    let attempts = 0;
    await database.transaction(async (transaction) => {
      attempts += 1;
      // A page is read while it is written, once.
      if (attempts > 1) throw collided();
      await work.write(transaction, page, pageTally);
      const counts = { ...tally };
      for (const [key, more] of Object.entries(pageTally)) count(counts, key, more);
      await save(transaction, { cursor: page.cursor, finished: false, counts });
    });
    for (const [key, more] of Object.entries(pageTally)) count(tally, key, more);
    cursor = page.cursor;
    tell();
  }
  await save(database, { cursor, finished: true, counts: tally });
}

const collided = (): PlinthError =>
  new PlinthError(
    "unavailable",
    "The database was too busy to take a part of the import. Run the same command again: it goes on where it stopped.",
  );

/** The counts of all phases together. */
export function totals(context: ImportContext): Tally {
  const tally: Tally = {};
  for (const { counts } of context.checkpoints.values()) {
    for (const [key, more] of Object.entries(counts)) count(tally, key, more);
  }
  return tally;
}
