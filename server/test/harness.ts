import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { inject } from "vitest";
import { createApp, type App } from "../src/app.ts";
import { readConfig, type Flags } from "../src/config.ts";
import { openDatabase, type Database } from "../src/kernel/database.ts";
import type { RouteEntry } from "../src/kernel/http.ts";
import { listen, type Listener } from "../src/kernel/listener.ts";
import { createLog } from "../src/kernel/log.ts";
import { createMetrics } from "../src/kernel/metrics.ts";
import type { PostgresConnection } from "../src/kernel/postgres/connection.ts";
import { TEMPLATE } from "./postgres-setup.ts";

let count = 0;

type Ground = AsyncDisposable & { connection: PostgresConnection; database: Database };

const open = (connection: PostgresConnection, statementTimeoutMs: number): Database =>
  openDatabase({ connection, poolSize: 6, statementTimeoutMs, onIdleError: () => undefined });

/** A migrated database of its own, cloned in some 30 ms; gone when disposed. */
export async function testDatabase(statementTimeoutMs = 30_000): Promise<Ground> {
  const server = inject("postgres");
  count += 1;
  const name = `test_${process.pid}_${count}`;
  await administer(server, `create database ${name} template ${TEMPLATE}`);
  const connection = { ...server, database: name };
  const database = open(connection, statementTimeoutMs);
  return {
    connection,
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

/** What a second process has of its own: its connections. */
function poolBeside({ connection }: TestServer, statementTimeoutMs: number): Ground {
  const database = open(connection, statementTimeoutMs);
  return { connection, database, [Symbol.asyncDispose]: () => database.close() };
}

async function administer(server: PostgresConnection, statement: string): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export type TestServer = AsyncDisposable & {
  url: string;
  connection: PostgresConnection;
  database: Database;
  listener: Listener;
  app: App;
  routes: readonly RouteEntry[];
  /** Sends a request; `body` goes out as JSON unless it is text or bytes. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
};

export type Answer = { status: number; headers: Headers; text: string; json: Json };

/** Loosely typed on purpose: tests look into answers whose shape is what they prove. */
export type Json = ReturnType<typeof JSON.parse>;

/** A millisecond a password. */
const CHEAP = { N: 2 ** 8, r: 8, p: 1 };

/** The whole application on a free port, over a database of its own, or over that of another server. */
export async function startTestServer(flags: Flags = {}, beside?: TestServer): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "plinth-server-"));
  const { config } = readConfig(
    { "data-dir": dataDir, port: "0", "s3-port": "0", "grpc-port": "0", ...flags },
    {},
  );
  const statementTimeoutMs = config.statementTimeoutSeconds * 1000;
  const ground =
    beside === undefined ? await testDatabase(statementTimeoutMs) : poolBeside(beside, statementTimeoutMs);
  const listener = await listen(config.host, config.port);
  const app = await createApp({
    config,
    listener,
    database: ground.database,
    // As the configuration says, though the database is one of the tests' own.
    databaseKind: config.databaseUrl === undefined ? "embedded" : "external",
    databaseVersion: "test",
    log: createLog({ level: "fatal" }),
    metrics: createMetrics(),
    passwordCost: CHEAP,
  });
  const url = `http://127.0.0.1:${listener.address.port}`;
  const call: TestServer["call"] = async (method, path, ...[body, headers = {}]) => {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(url + path, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson && text !== "" ? JSON.parse(text) : undefined,
    };
  };
  return {
    url,
    connection: ground.connection,
    database: ground.database,
    listener,
    app,
    routes: app.routes,
    call,
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
    async [Symbol.asyncDispose]() {
      await listener.drain(0);
      await app.close();
      await ground[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
