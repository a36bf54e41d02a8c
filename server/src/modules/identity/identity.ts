import type { FastifyRequest } from "fastify";
import type { Access } from "../../kernel/access.ts";
import type { Caller } from "../../kernel/caller.ts";
import { createAccessControl, type AccessControl } from "./access.ts";
import { createApiKeys, type ApiKeys } from "./api-keys.ts";
import { createAudit, type Audit } from "./audit.ts";
import { createAuthenticate } from "./authenticate.ts";
import { createChangeFeed } from "./change-feed.ts";
import { deleteOldChanges } from "./changes.sql.ts";
import type { IdentityDeps } from "./deps.ts";
import { createDevices, type Devices } from "./devices.ts";
import { createKeyUses } from "./key-uses.ts";
import { createLoginLimits } from "./login-limits.ts";
import type { Oidc } from "./oidc.ts";
import { createPasswords } from "./passwords.ts";
import { createPrincipals, type Principals } from "./principals.ts";
import { createRoles, type Roles } from "./roles.ts";
import { createS3Keys, type S3Keys } from "./s3-keys.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createTokens, type Tokens } from "./tokens.ts";
import type { WorkspaceRow, Workspaces } from "./workspaces.ts";

/**
 * The door of identity. Every request of every protocol passes `authenticate` and `admit`; endpoints about objects
 * `enter` a workspace and ask its policy.
 */
export type Identity = AccessControl & {
  /** Who is calling, by the credentials of the request. Throws `unauthenticated` for bad ones. */
  authenticate(request: CredentialSource, access?: Access): Caller | Promise<Caller>;
  /** The workspaces that a caller may enter, by name. */
  listWorkspaces(caller: Caller): Promise<WorkspaceRow[]>;
  readonly principals: Principals;
  readonly apiKeys: ApiKeys;
  readonly s3Keys: S3Keys;
  readonly audit: Audit;
  readonly sessions: Sessions;
  /** Undefined where no provider is configured. */
  readonly oidc: Oidc | undefined;
  readonly tokens: Tokens;
  readonly devices: Devices;
  readonly roles: Roles;
  /**
   * What ended on any process before this resolves is forgotten here. To be awaited, and `authenticate` asked again,
   * before credentials are made that outlast those they are made with.
   */
  readChanges(): Promise<void>;
  /** Writes down what was noted, forgets what nobody needs: failed logins, changes that all have read, ended devices. */
  purge(): Promise<void>;
  close(): Promise<void>;
};

/** What of a request tells who sends it; `ip` is what trusted proxies say. */
export type CredentialSource = Pick<FastifyRequest, "headers" | "method" | "ip" | "url" | "site"> & {
  /** The connection it came on. */
  readonly socket?: object;
};

export function createIdentity(given: IdentityDeps & { workspaces: Workspaces }): Identity {
  const feed = createChangeFeed(given);
  const limits = createLoginLimits(given);
  const deps = { ...given, feed, limits, passwords: createPasswords(given.passwordCost) };
  const principals = createPrincipals(deps);
  const roles = createRoles(deps);
  const [tokens, devices, sessions] = [createTokens(deps), createDevices(deps), createSessions(deps)];
  const uses = createKeyUses(deps);
  const audit = createAudit(deps);
  return {
    ...createAccessControl(deps),
    principals,
    apiKeys: createApiKeys({ ...deps, principals }),
    s3Keys: createS3Keys({ ...deps, principals, uses }),
    roles,
    audit,
    tokens,
    devices,
    sessions,
    oidc: given.oidc?.({ ...deps, principals, roles }),
    authenticate: createAuthenticate({ ...deps, principals, sessions, tokens, uses, audit }),
    async listWorkspaces(caller) {
      const { principal, credential } = caller;
      if (principal === undefined) return [];
      const { limit } = credential;
      const among = limit?.workspaceIds;
      if (principal.isAdmin) {
        const all = await deps.workspaces.listWorkspaces();
        return among === undefined ? all : all.filter((row) => among.has(row.workspace_id));
      }
      return deps.workspaces.listWorkspacesOf({
        principalId: principal.principalId,
        isDefaultOpen: principal.kind === "user" && deps.defaultPermission !== "NO_PERMISSIONS",
        among: among === undefined ? undefined : [...among],
      });
    },
    readChanges: () => feed.readNow(),
    async purge() {
      await uses.flush();
      await limits.sweep();
      await deleteOldChanges(deps.database);
      await tokens.purge();
      await devices.purge();
    },
    async close() {
      await uses.close();
      await feed.close();
    },
  };
}
