import { existsSync } from "node:fs";
import { join } from "node:path";
import { migrationStates, readMigrations } from "../../../server/src/kernel/migrate.ts";
import type { PostgresConnection } from "../../../server/src/kernel/postgres/connection.ts";
import { findRunningPostgres } from "../../../server/src/kernel/postgres/embedded.ts";
import { openOperator } from "../../../server/src/operator.ts";
import { asksForLogin, isLoopback, type Config } from "../server-door.ts";
import { openConfiguredDatabase } from "./database.ts";
import { migrationsFolder } from "./db.ts";
import type { Finding } from "./doctor.ts";

/** Who gets in with these settings, and what secrets are kept with. */
export async function checkIdentity(config: Config): Promise<Finding[]> {
  return [checkReach(config), ...checkSecretsKey(config), ...(await checkAdministrator(config))];
}

function checkReach(config: Config): Finding {
  const check = "logins";
  const { host } = config;
  if (asksForLogin(config)) return { check, level: "ok", saw: "everybody must log in" };
  if (isLoopback(host))
    return { check, level: "ok", saw: "nobody must log in, and only this machine reaches it" };
  return {
    check,
    level: "warning",
    saw: `with --insecure, whoever reaches ${host} may do everything, without a login`,
    remedy: "Leave --insecure away, and make an administrator: plinth user create NAME --admin",
  };
}

function checkSecretsKey({ databaseUrl, secretsKey, secretsKeyFile, secretsKeyCommand }: Config): Finding[] {
  const check = "secrets key";
  const isGiven = [secretsKey, secretsKeyFile, secretsKeyCommand].some((one) => one !== undefined);
  // The embedded database has one of its own, which the first start makes.
  if (databaseUrl === undefined) return [];
  if (isGiven) return [{ check, level: "ok", saw: "given" }];
  return [
    {
      check,
      level: "warning",
      saw: "none: logins by device, tokens, S3 keys and webhooks with a secret are refused",
      remedy:
        "Make one with `openssl rand -base64 32`, and give it to every process with --secrets-key-file or PLINTH_SECRETS_KEY.",
    },
  ];
}

/** Nothing is started for it: where no database runs, the start itself tells. */
async function checkAdministrator(config: Config): Promise<Finding[]> {
  if (!asksForLogin(config)) return [];
  if (config.databaseUrl === undefined) {
    const runs = existsSync(join(config.dataDir, "postgres")) && findRunningPostgres(config.dataDir);
    if (!runs) return [];
  }
  const check = "administrator";
  try {
    await using ground = await openConfiguredDatabase(config, {
      json: false,
      answer: () => undefined,
      progress: () => undefined,
    });
    if (!(await isMigrated(ground.connection))) return [];
    await using operator = await openOperator(config, ground.connection);
    if (await operator.hasAdmin()) return [{ check, level: "ok", saw: "there is one who can log in" }];
  } catch {
    // Told by the check of the database.
    return [];
  }
  if (config.adminPassword !== undefined || config.adminPasswordFile !== undefined) {
    return [{ check, level: "ok", saw: `the next start makes '${config.adminName}'` }];
  }
  return [
    {
      check,
      level: "problem",
      saw: "nobody could log in as administrator, so a start is refused",
      remedy: "Make one: plinth user create NAME --admin",
    },
  ];
}

async function isMigrated(connection: PostgresConnection): Promise<boolean> {
  const states = await migrationStates(connection, await readMigrations(migrationsFolder));
  return states.every((state) => state.appliedAt !== undefined);
}
