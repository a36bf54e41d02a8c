import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { MIGRATIONS } from "../src/main.ts";
import { migrate, readMigrations } from "../src/kernel/migrate.ts";
import type { PostgresConnection } from "../src/kernel/postgres/connection.ts";
import { startEmbeddedPostgres } from "../src/kernel/postgres/embedded.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgres: PostgresConnection;
  }
}

export const TEMPLATE = "plinth_template";

/** One real PostgreSQL for the whole run, with a migrated database that every test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), "plinth-test-"));
  const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
  const admin = new pg.Client(server.connection);
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  await migrate({ ...server.connection, database: TEMPLATE }, await readMigrations(MIGRATIONS));
  project.provide("postgres", server.connection);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
