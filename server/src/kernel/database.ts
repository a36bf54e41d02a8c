import { Kysely, PostgresDialect, type CompiledQuery } from "kysely";
import pg from "pg";
import { isConflict, toPlinthError } from "./database-errors.ts";

/** A statement sent often enough to be worth a name: PostgreSQL keeps its plan per connection. */
export type Prepared = { name: string; text: string };

export type Row = Record<string, unknown>;

/** How columns arrive: as text through node-postgres' parsers, or as PostgreSQL's binary format. */
export type ResultFormat = "parsed" | "binary";

export type Queryable = {
  /** Runs a statement built by Kysely or its `sql` tag. */
  run<R>(query: CompiledQuery<R>): Promise<R[]>;
  /** The same with every column as PostgreSQL's binary format, for statements that return arrays. */
  runBinary(query: CompiledQuery<Row>): Promise<Record<string, Buffer | null>[]>;
  /** Runs a named statement; parameters that are a Buffer go out in PostgreSQL's binary format. */
  prepared<R extends Row>(
    statement: Prepared,
    values: readonly unknown[],
    format?: ResultFormat,
  ): Promise<R[]>;
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

const identity = (value: Buffer): Buffer => value;

const parsedTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (oid === INT8) return parseInt8;
    if (oid === INT8_ARRAY) return (text: string) => parseArrayOfInt8(text);
    return pg.types.getTypeParser(oid, format ?? "text") as unknown;
  }) as pg.CustomTypesConfig["getTypeParser"],
};

const binaryTypes: pg.CustomTypesConfig = {
  getTypeParser: (() => identity) as pg.CustomTypesConfig["getTypeParser"],
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
  const pool = new pg.Pool({
    ...options.connection,
    max: options.poolSize,
    idleTimeoutMillis: 60_000,
    connectionTimeoutMillis: 10_000,
    application_name: "plinth",
    statement_timeout: options.statementTimeoutMs,
    types: parsedTypes,
    // Hot statements take arrays whose sizes vary from call to call: a plan made for one call is
    // as good for the next, and planning them anew costs more than running them.
    options: "-c plan_cache_mode=force_generic_plan -c jit=off -c timezone=UTC",
  });
  pool.on("error", options.onIdleError);
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });

  const on = (client: pg.Pool | pg.PoolClient): Queryable => ({
    async run<R>(query: CompiledQuery<R>) {
      const result = await client.query(query.sql, query.parameters as unknown[]);
      return result.rows as R[];
    },
    async runBinary(query: CompiledQuery<Row>) {
      const result = await client.query({
        text: query.sql,
        values: query.parameters as unknown[],
        binary: true,
        types: binaryTypes,
      } as pg.QueryConfig);
      return result.rows as Record<string, Buffer | null>[];
    },
    async prepared<R extends Row>(
      statement: Prepared,
      values: readonly unknown[],
      format: ResultFormat = "parsed",
    ) {
      const binary = format === "binary";
      const result = await client.query({
        name: statement.name,
        text: statement.text,
        values: values as unknown[],
        ...(binary ? { binary: true, types: binaryTypes } : {}),
      } as pg.QueryConfig);
      return result.rows as R[];
    },
  });

  const once = async <T>(work: (transaction: Queryable) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query("begin");
      const result = await work(on(client));
      await client.query("commit");
      return result;
    } catch (error) {
      await client.query("rollback").catch((cause: unknown) => {
        broken = cause instanceof Error ? cause : new Error(String(cause));
      });
      throw error;
    } finally {
      client.release(broken);
    }
  };

  const onPool = on(pool);
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
    run: (query) => guarded(() => onPool.run(query)),
    runBinary: (query) => guarded(() => onPool.runBinary(query)),
    prepared: (statement, values, format) => guarded(() => onPool.prepared(statement, values, format)),
    transaction: (work) => guarded(() => once(work)),
    get pool() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
    },
    async close() {
      await kysely.destroy();
    },
  };
}

/** 1 to 2 ms, doubling with each attempt, at random so that colliding writers part. */
async function pause(attempt: number): Promise<void> {
  const milliseconds = 2 ** Math.min(attempt, 7) * (0.5 + Math.random() / 2);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export { toPlinthError };
