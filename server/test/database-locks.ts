import pg from "pg";
import { expect, vi } from "vitest";
import type { TestServer } from "./harness.ts";

export type HeldTable = {
  /** Waits until so many statements wait for the table. */
  waiters(count: number): Promise<void>;
  release(): Promise<void>;
};

/** Holds a table so that every statement on it waits, until released. */
export async function holdTable(server: TestServer, table: string): Promise<HeldTable> {
  const client = new pg.Client(server.connection);
  await client.connect();
  await client.query("begin");
  await client.query(`lock table ${table} in access exclusive mode`);
  return {
    waiters: (count) =>
      vi.waitFor(async () => {
        const { rows } = await client.query(
          `select count(*)::integer as count from pg_locks where relation = '${table}'::regclass and not granted`,
        );
        expect(rows).toEqual([{ count }]);
      }, 10_000),
    release: () => client.end(),
  };
}
