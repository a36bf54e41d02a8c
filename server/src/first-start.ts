import { readFile } from "node:fs/promises";
import { asksForLogin, type Config } from "./config.ts";
import type { Caller } from "./kernel/caller.ts";
import { PlinthError } from "./kernel/errors.ts";
import type { Log } from "./kernel/log.ts";
import { localPrincipal, type Identity } from "./modules/identity/index.ts";
import { readGroupRole } from "./site-settings.ts";

/**
 * Nobody is served before somebody can administer: makes the administrator that the environment names when there is
 * none, and throws where logins are asked for and nobody could log in as administrator. Processes that start at once
 * make one.
 */
export async function ensureAdministrator(
  config: Config,
  identity: Pick<Identity, "audit" | "principals">,
  log: Log,
): Promise<void> {
  const { principals } = identity;
  const password = await readAdminPassword(config);
  if (await principals.hasAdmin()) {
    if (password !== undefined) {
      log.info(
        "There is an administrator: the password of the first one is not needed any more, and ignored",
      );
    }
    return;
  }
  if (password !== undefined) {
    await createAdministrator(config.adminName, password, { ...identity, log });
    return;
  }
  if (asksForLogin(config) && !administersByGroup(config)) throw nobodyCouldLogIn(config);
}

async function createAdministrator(
  name: string,
  password: string,
  { audit, principals, log }: Pick<Identity, "audit" | "principals"> & { log: Log },
): Promise<void> {
  try {
    await principals.createPrincipal({ kind: "user", name, password, isAdmin: true });
    log.info({ name }, "Created the first administrator");
    await audit.record(starter, {
      action: "users.create",
      resource_type: "user",
      resource_id: name,
      outcome: "allowed",
      details: { is_admin: true, by: "PLINTH_ADMIN_PASSWORD" },
    });
  } catch (error) {
    if (!(error instanceof PlinthError && error.code === "already_exists")) throw error;
    // Another process was a moment faster.
    if (await principals.hasAdmin()) return;
    throw new PlinthError(
      "invalid_state",
      `Refusing to start: there is a user '${name}' who cannot log in as administrator, so PLINTH_ADMIN_PASSWORD ` +
        `makes none. Type \`plinth user admin ${name}\` and \`plinth user password ${name}\`, or choose another name ` +
        "with PLINTH_ADMIN_NAME.",
      { cause: error },
    );
  }
}

/** Whoever started the process. */
const starter: Caller = { principal: localPrincipal, credential: { kind: "local" }, address: "" };

/** As it was written into the file, but for the end of its line. */
async function readAdminPassword({ adminPassword, adminPasswordFile }: Config): Promise<string | undefined> {
  if (adminPasswordFile === undefined) return adminPassword;
  try {
    return (await readFile(adminPasswordFile, "utf8")).replace(/\r?\n$/, "");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PlinthError("invalid_parameter", `--admin-password-file cannot be read: ${reason}.`);
  }
}

/** Whether the provider of logins makes somebody administrator. */
const administersByGroup = ({ oidcIssuer, oidcGroupRoles }: Config): boolean =>
  oidcIssuer !== undefined && oidcGroupRoles.some((entry) => "admin" in readGroupRole(entry));

function nobodyCouldLogIn({ host, login, databaseUrl }: Config): PlinthError {
  const why =
    login === "required" ? "logins are required" : `others can reach ${host}, so logins are required`;
  const where = databaseUrl === undefined ? "" : " with the same PLINTH_DATABASE_URL";
  return new PlinthError(
    "invalid_state",
    `Refusing to start: ${why}, and nobody could log in as administrator. Type \`plinth user create NAME --admin\`` +
      `${where}, or set PLINTH_ADMIN_PASSWORD for this start; or listen on 127.0.0.1, or add --insecure if the ` +
      "network itself is trusted.",
  );
}
