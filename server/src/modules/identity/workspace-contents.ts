import type { Queryable } from "../../kernel/database.ts";

/**
 * What a module keeps in workspaces, for the deletion of one. Modules below identity hand theirs to
 * `deleteWorkspace`, which runs all of them in its one transaction, with the workspace locked.
 */
export type WorkspaceContents = {
  /** What it keeps has the workspace's name in addresses that others hold. */
  readonly bindsName: boolean;
  /** The constraints and indexes by which names differ within a workspace. */
  readonly nameKeys: readonly string[];
  /** How many of each kind there are, by the name of their table; those without any are left out. */
  countContents(transaction: Queryable, workspaceId: number): Promise<{ table: string; count: number }[]>;
  /** Names that both workspaces hold, as far as they must differ within one. */
  findConflicts(transaction: Queryable, move: Move): Promise<{ table: string; name: string }[]>;
  /** Moves everything; with `deletedAt` what can be is marked deleted, so that a purge removes it. */
  moveContents(transaction: Queryable, move: Move & { deletedAt?: number }): Promise<void>;
  /** Removes for good what only a purge would: called when nothing else is in the workspace any more. */
  purgeContents(workspaceId: number): Promise<void>;
};

export type Move = { from: number; to: number };
