import { Kysely, PostgresDialect, type CompiledQuery } from "kysely";
import pg from "pg";
import { isConflict, isServerError } from "./database-errors.ts";

/** A statement sent often enough to be worth a name: PostgreSQL keeps its plan per connection. */
export type Prepared = { name: string; text: string };

export type Row = Record<string, unknown>;

export type Queryable = {
  /** Runs a statement built by Kysely or its `sql` tag. */
  run<R>(query: CompiledQuery<R>): Promise<R[]>;
  /** Runs a named statement; parameters that are a Buffer go out in PostgreSQL's binary format. */
  prepared<R extends Row>(statement: Prepared, values: readonly unknown[]): Promise<R[]>;
};

export type Database = Queryable & {
  /** Kysely without tables' types of a module: modules narrow it with `withTables`. */
  readonly kysely: Kysely<unknown>;
  /**
   * Runs `work` in one transaction, again from the start after a serialization failure or a
   * deadlock (at most 10 times), so `work` must have no effect outside of the database.
   */
  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T>;
  readonly pool: { total: number; idle: number; waiting: number };
  close(): Promise<void>;
};

const INT8 = 20;
const INT8_ARRAY = 1016;

/** int8 arrives as a number when that is exact, else as a bigint. */
export function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

const parsedTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (oid === INT8) return parseInt8;
    if (oid === INT8_ARRAY) return (text: string) => parseArrayOfInt8(text);
    return pg.types.getTypeParser(oid, format ?? "text") as unknown;
  }) as pg.CustomTypesConfig["getTypeParser"],
};

function parseArrayOfInt8(text: string): (number | bigint)[] {
  const inner = text.slice(1, -1);
  return inner === "" ? [] : inner.split(",").map(parseInt8);
}

export type DatabaseOptions = {
  connection: pg.PoolConfig;
  poolSize: number;
  /** Longest time one statement may take, in milliseconds; 0 is no limit. */
  statementTimeoutMs: number;
  /** Called with errors of idle connections, which nobody waits for. */
  onIdleError: (error: Error) => void;
};

const MAX_ATTEMPTS = 10;

export function openDatabase(options: DatabaseOptions): Database {
  const openPool = (max: number, settings: string, pipeline: boolean): pg.Pool => {
    const pool = new pg.Pool({
      ...options.connection,
      pipeline,
      max,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: 10_000,
      application_name: "plinth",
      statement_timeout: options.statementTimeoutMs,
      // The server ends slow statements itself; this is for one that hangs, or a network that swallows.
      ...(options.statementTimeoutMs > 0 ? { query_timeout: options.statementTimeoutMs + 10_000 } : {}),
      types: parsedTypes,
      options: `${options.connection.options ?? ""} -c jit=off -c timezone=UTC ${settings}`.trim(),
    });
    // While closing, connections end as they should.
    pool.on("error", (error) => {
      if (!pool.ending) options.onIdleError(error);
    });
    return pool;
  };
  // Searches, however slow, never hold up prepared statements and transactions: those have
  // connections of their own. And as their arrays vary in size from call to call, a plan made for
  // one call is as good for the next, while planning anew would cost more than running.
  const forPrepared = Math.ceil(options.poolSize * 0.6);
  const hot = openPool(forPrepared, "-c plan_cache_mode=force_generic_plan", true);
  const free = openPool(Math.max(1, options.poolSize - forPrepared), "", false);
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: free }) });

  const on = (client: pg.Pool | pg.PoolClient): Queryable => ({
    async run<R>(query: CompiledQuery<R>) {
      const result = await client.query(query.sql, query.parameters as unknown[]);
      return result.rows as R[];
    },
    async prepared<R extends Row>(statement: Prepared, values: readonly unknown[]) {
      const { name, text } = statement;
      const result = await client.query({ name, text, values: values as unknown[] });
      return result.rows as R[];
    },
  });

  const once = async <T>(work: (transaction: Queryable) => Promise<T>): Promise<T> => {
    const client = await hot.connect();
    let broken: Error | undefined;
    // A lost connection fails the statement under way, and is an event besides: one that ends the process
    // when nobody listens, which the pool does only for idle connections.
    const lost = (error: Error): void => {
      broken = error;
    };
    client.on("error", lost);
    try {
      // Sent together with the first statement of the work, on a connection that pipelines.
      const begun = client.query("begin");
      begun.catch(() => undefined);
      const result = await work(on(client));
      await begun;
      await client.query("commit");
      return result;
    } catch (error) {
      // Statements that were sent behind the one that failed may not have been prepared, though the client
      // takes them to be: such a connection is not used again.
      if (isServerError(error)) broken ??= error;
      else
        await client.query("rollback").catch((cause: unknown) => {
          broken = cause instanceof Error ? cause : new Error(String(cause));
        });
      throw error;
    } finally {
      client.off("error", lost);
      client.release(broken);
    }
  };

  const onHot = on(hot);
  const onFree = on(free);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
        await pause(attempt);
      }
    }
  };

  return {
    kysely,
    run: (query) => guarded(() => onFree.run(query)),
    prepared: (statement, values) => guarded(() => onHot.prepared(statement, values)),
    transaction: (work) => guarded(() => once(work)),
    get pool() {
      return {
        total: hot.totalCount + free.totalCount,
        idle: hot.idleCount + free.idleCount,
        waiting: hot.waitingCount + free.waitingCount,
      };
    },
    async close() {
      await Promise.all([hot.end(), kysely.destroy()]);
      // Kysely ends its pool only when it has run a statement itself; here it only writes them.
      if (!free.ending) await free.end();
    },
  };
}

/** 1 to 2 ms, doubling with each attempt, at random so that colliding writers part. */
async function pause(attempt: number): Promise<void> {
  const milliseconds = 2 ** Math.min(attempt, 7) * (0.5 + Math.random() / 2);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
