import pg from "pg";
import { CopyOut, type Batch, type Column } from "./copy-out.ts";
import type { Row } from "./database.ts";
import { isConnectionLoss, toPlinthError } from "./database-errors.ts";

/** The database as it was at one moment, whatever is written meanwhile. */
export type Snapshot = {
  rows<R extends Row>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** Streams what a select without parameters returns, with flat memory; one at a time, to its end. */
  copy(select: string, columns: readonly Column[]): AsyncGenerator<Batch>;
  /** The rows of a select without parameters, as many at a time as asked for; other statements may go between. */
  openCursor<R extends Row>(name: string, select: string): Promise<Cursor<R>>;
};

export type Cursor<R extends Row> = {
  /** No rows: there are no more. */
  fetch(count: number): Promise<R[]>;
  close(): Promise<void>;
};

/**
 * Does `work` in one transaction that sees one moment and cannot write, on a connection of its own without a
 * time limit. While it lasts PostgreSQL keeps the old versions of rows that are changed meanwhile. `signal` ends it
 * with its reason, also in the middle of a statement.
 */
export async function withSnapshot<T>(
  connection: pg.ClientConfig,
  work: (snapshot: Snapshot) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const client = new pg.Client({
    ...connection,
    application_name: "plinth snapshot",
    options: `${connection.options ?? ""} -c jit=off -c timezone=UTC`.trim(),
  });
  // A lost connection fails the statement under way, and is an event besides.
  client.on("error", () => undefined);
  // With a statement under way this ends the connection at once.
  const stop = (): void => void client.end().catch(() => undefined);
  try {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", stop);
    await client.connect();
    await client.query(
      "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; " +
        "begin isolation level repeatable read read only",
    );
    return await work(snapshotOn(client));
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : databaseError(error);
  } finally {
    signal?.removeEventListener("abort", stop);
    // Nothing was written: the transaction ends with its connection.
    await client.end().catch(() => undefined);
  }
}

const snapshotOn = (client: pg.Client): Snapshot => ({
  async rows<R extends Row>(text: string, values: readonly unknown[] = []) {
    return (await client.query<R>(text, values as unknown[])).rows;
  },
  copy(select, columns) {
    return client
      .query(
        new CopyOut(
          select,
          columns.map((column) => column.type),
        ),
      )
      .batches();
  },
  async openCursor<R extends Row>(name: string, select: string) {
    await client.query(`declare ${name} no scroll cursor for ${select}`);
    return {
      fetch: async (count) => (await client.query<R>(`fetch forward ${count} from ${name}`)).rows,
      close: async () => void (await client.query(`close ${name}`)),
    } satisfies Cursor<R>;
  },
});

/** Errors of PostgreSQL as the one error type; those of the work as they are. */
const databaseError = (error: unknown): unknown =>
  error instanceof pg.DatabaseError || isConnectionLoss(error) ? toPlinthError(error) : error;
