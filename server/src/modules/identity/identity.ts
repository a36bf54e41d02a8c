import type { FastifyRequest } from "fastify";
import type { Access } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { permissionDenied, unauthenticated } from "../../kernel/errors.ts";
import { createApiKeys, type ApiKeys } from "./api-keys.ts";
import { createAudit, type Audit } from "./audit.ts";
import { createChangeFeed } from "./change-feed.ts";
import { deleteOldChanges } from "./changes.sql.ts";
import type { IdentityDeps } from "./deps.ts";
import { createDevices, type Devices } from "./devices.ts";
import { localPrincipal } from "./local-principal.ts";
import { createRoles, type Roles } from "./roles.ts";
import { createLoginLimits } from "./login-limits.ts";
import { createPasswords } from "./passwords.ts";
import { createPrincipals, type Principals } from "./principals.ts";
import { fullScope, type Enter } from "./scope.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createTokens, type Tokens } from "./tokens.ts";
import type { Workspaces } from "./workspaces.ts";

/**
 * The door of identity. Every request of every protocol passes `authenticate` and `admit`; endpoints about objects
 * `enter` a workspace and ask its policy.
 */
export type Identity = {
  /** Who is calling, by the credentials of the request. Throws `unauthenticated` for bad ones. */
  authenticate(request: CredentialSource): Caller | Promise<Caller>;
  /** See `HttpOptions.admit`. Decides alone what concerns the platform: servers, principals, the audit log. */
  admit(caller: Caller, access: Access): boolean | Promise<boolean>;
  enter: Enter;
  readonly principals: Principals;
  readonly apiKeys: ApiKeys;
  readonly audit: Audit;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly devices: Devices;
  readonly roles: Roles;
  /** Forgets what nobody needs any more: counts of failed logins, changes that all processes have read, ended devices and keys. */
  purge(): Promise<void>;
  close(): Promise<void>;
};

/** What of a request tells who sends it; `ip` is what trusted proxies say. */
export type CredentialSource = Pick<FastifyRequest, "headers" | "method" | "ip" | "url" | "site">;

const PLATFORM: ReadonlySet<string> = new Set(["server", "principal", "audit"]);

export function createIdentity(given: IdentityDeps & { workspaces: Workspaces }): Identity {
  const feed = createChangeFeed(given);
  const limits = createLoginLimits(given);
  const deps = { ...given, feed, limits, passwords: createPasswords(given.passwordCost) };
  const principals = createPrincipals(deps);
  const [tokens, devices] = [createTokens(deps), createDevices(deps)];
  return {
    principals,
    apiKeys: createApiKeys({ ...deps, principals }),
    roles: createRoles(deps),
    audit: createAudit(deps),
    tokens,
    devices,
    sessions: createSessions(deps),
    authenticate: ({ ip }) => ({
      principal: deps.loginRequired ? undefined : localPrincipal,
      credential: { kind: deps.loginRequired ? "none" : "local" },
      address: ip,
    }),
    admit(caller, access) {
      if (access.kind === "public") return true;
      if (caller.principal === undefined) throw unauthenticated();
      if (access.kind === "login") return true;
      if (!PLATFORM.has(access.resource)) return false;
      if (isPlatformAdmin(caller)) return true;
      throw permissionDenied("Permission denied");
    },
    enter(_caller, workspace) {
      const place = deps.workspaces.placeOf(workspace);
      return place instanceof Promise ? place.then(fullScope) : fullScope(place);
    },
    async purge() {
      await limits.sweep();
      await deleteOldChanges(deps.database);
      await tokens.purge();
      await devices.purge();
    },
    close: () => feed.close(),
  };
}
