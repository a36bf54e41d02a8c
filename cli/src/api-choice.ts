import { readFileSync } from "node:fs";
import { ApiFailure, type Api } from "./api.ts";
import { httpApi } from "./api-http.ts";
import { findAddress, readRunningFile } from "./commands/running.ts";
import { readCredential, serverAddress } from "./credentials.ts";
import { CommandFailure, exitCodes } from "./failure.ts";
import type { Call } from "./program.ts";
import { readConfig, type Config } from "./server-door.ts";

/**
 * The API that a command is about: of the server that is named, else right on the database that is named, else of
 * the Plinth that runs on the data folder. Whoever can read the database's password in that folder owns it, so
 * where the server asks for a login and there is none, or no server runs, the database itself is asked.
 */
export async function openApi(call: Call, { creates = false } = {}): Promise<Api> {
  const { config, sources } = readConfig(call.flags, process.env);
  const named = namedServer(call.options);
  if (named !== undefined && (call.options["server"] !== undefined || sources.databaseUrl !== "flag")) {
    return httpApi(named, secretFor(named, call.options));
  }
  if (config.databaseUrl === undefined) {
    const api = await openRunning(config, call.options);
    if (api !== undefined) return api;
  }
  if (call.options["apiKeyFile"] !== undefined) {
    throw new CommandFailure(
      "--api-key-file: there is no server to log in to; name one with --server.",
      exitCodes.wrongCall,
    );
  }
  const { openDatabaseApi } = await import("./api-database.ts");
  return openDatabaseApi(config, { creates, output: call.output });
}

async function openRunning(config: Config, options: Call["options"]): Promise<Api | undefined> {
  if (readRunningFile(config.dataDir) === undefined) return undefined;
  const address = findAddress(config.dataDir);
  const secret = secretFor(address, options);
  const api = httpApi(address, secret);
  if (secret !== undefined) return api;
  try {
    await api.request("GET", "/console/api/me");
    return api;
  } catch (error) {
    const asksForLogin = error instanceof ApiFailure && error.status === 401;
    const isGone = error instanceof CommandFailure && error.exitCode === exitCodes.no;
    if (!asksForLogin && !isGone) throw error;
    const { findRunningPostgres } = await import("../../server/src/kernel/postgres/embedded.ts");
    if (asksForLogin && findRunningPostgres(config.dataDir) === undefined) throw error;
    return undefined;
  }
}

/** The server of `--server` or PLINTH_SERVER. */
export function namedServer(options: Call["options"]): string | undefined {
  const flag = options["server"] ?? options["url"];
  if (typeof flag === "string")
    return serverAddress(flag, options["server"] === undefined ? "--url" : "--server");
  const variable = process.env["PLINTH_SERVER"];
  return variable === undefined || variable === "" ? undefined : serverAddress(variable, "PLINTH_SERVER");
}

/** The address of the server that is named, or runs on the data folder, and what to log in with. */
export function findServer(
  config: Config,
  options: Call["options"],
): { address: string; secret: string | undefined } {
  const address = namedServer(options) ?? findAddress(config.dataDir);
  return { address, secret: secretFor(address, options) };
}

/** What to log in with: a key that is given, else what `plinth login` stored for this very address. */
function secretFor(address: string, options: Call["options"]): string | undefined {
  const given = givenKey(options["apiKeyFile"]);
  if (given !== undefined) return given;
  const stored = readCredential(address);
  if (stored?.expires_at !== undefined && stored.expires_at <= Date.now()) {
    throw new CommandFailure(`The login at ${address} has ended: run \`plinth login ${address}\`.`);
  }
  return stored?.secret;
}

/** The key of --api-key-file, PLINTH_API_KEY or PLINTH_API_KEY_FILE. */
export function givenKey(flag: unknown): string | undefined {
  const { PLINTH_API_KEY: key = "", PLINTH_API_KEY_FILE: file = "" } = process.env;
  if (typeof flag === "string") return readKeyFile(flag, "--api-key-file");
  if (key !== "" && file !== "") {
    throw new CommandFailure(
      "PLINTH_API_KEY and PLINTH_API_KEY_FILE must not be given together.",
      exitCodes.wrongCall,
    );
  }
  if (key !== "") return checkKey(key.trim(), "PLINTH_API_KEY");
  return file === "" ? undefined : readKeyFile(file, "PLINTH_API_KEY_FILE");
}

function readKeyFile(file: string, where: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandFailure(`${where}: ${file} cannot be read (${String(error)}).`, exitCodes.wrongCall);
  }
  return checkKey(text.trim(), where);
}

/** As a header can carry it; what it is instead is not shown. */
export function checkKey(key: string, where: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new CommandFailure(`${where} holds no key.`, exitCodes.wrongCall);
}
