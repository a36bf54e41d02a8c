import { existsSync } from "node:fs";
import { join } from "node:path";
import { openOperator } from "../../server/src/operator.ts";
import { migrate, migrationStates, readMigrations } from "../../server/src/kernel/migrate.ts";
import type { PostgresConnection } from "../../server/src/kernel/postgres/connection.ts";
import { failureOf, parseBody, pathWith, type Api } from "./api.ts";
import { openConfiguredDatabase } from "./commands/database.ts";
import { migrationsFolder } from "./commands/db.ts";
import { CommandFailure, exitCodes } from "./failure.ts";
import type { Output } from "./output.ts";
import type { Config } from "./server-door.ts";

/**
 * Plinth's own API right on the database: before the first start, when no server runs, and for those who have the
 * database of one. What is allowed, refused and recorded is the same as over a socket.
 */
export async function openDatabaseApi(
  config: Config,
  { creates, output }: { creates: boolean; output: Output },
): Promise<Api> {
  if (!creates && config.databaseUrl === undefined && !existsSync(join(config.dataDir, "postgres"))) {
    throw new CommandFailure(
      `There is no database in ${config.dataDir} yet, and no server was named (--server URL).`,
      exitCodes.no,
    );
  }
  await using opened = new AsyncDisposableStack();
  const ground = opened.use(await openConfiguredDatabase(config, output));
  await bringUp(ground.connection);
  const operator = opened.use(await openOperator(config, ground.connection));
  const place = config.databaseUrl === undefined ? `the database in ${config.dataDir}` : "the database";
  const kept = opened.move();
  const request: Api["request"] = async (method, path, { query, body } = {}) => {
    const answer = await operator.request({
      method,
      path: pathWith(path, query),
      ...(body === undefined ? {} : { body }),
    });
    if (answer.status >= 400) throw failureOf(answer.status, answer.body, place);
    return parseBody(answer.body);
  };
  return {
    place,
    request,
    async *stream(path, query) {
      const { status, body } = await operator.stream(pathWith(path, query));
      body.setEncoding("utf8");
      if (status >= 400) throw failureOf(status, (await body.toArray()).join(""), place);
      for await (const chunk of body) yield String(chunk);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** An empty database gets the schema; one that others may be working on is left to those who look after it. */
async function bringUp(connection: PostgresConnection): Promise<void> {
  const migrations = await readMigrations(migrationsFolder);
  const states = await migrationStates(connection, migrations);
  const pending = states.filter((state) => state.appliedAt === undefined).length;
  if (pending === states.length) await migrate(connection, migrations);
  else if (pending > 0) {
    throw new CommandFailure(
      `The database has to be brought up to this version first (${pending} migrations): run \`plinth db migrate\`.`,
      exitCodes.no,
    );
  }
}
