import { isOfPlatform, type Access, type Action } from "../../kernel/access.ts";
import { createBatch } from "../../kernel/batch.ts";
import { isPlatformAdmin, type Caller, type CredentialLimit, type Principal } from "../../kernel/caller.ts";
import { isForeignKeyViolation } from "../../kernel/database-errors.ts";
import { internal, permissionDenied, PlinthError, unauthenticated } from "../../kernel/errors.ts";
import { insertCreatorGrants, type CreatorGrant, type MadeGrant } from "./access.sql.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { IdentityDeps } from "./deps.ts";
import { createHeldGrants, type Held } from "./held-grants.ts";
import { allows, permissionOnServer, type Grant, type Policy, type SingleType } from "./policy.ts";
import { defaultWorkspace, fullScope, type Enter, type Scope, type WorkspacePlace } from "./scope.ts";
import type { Workspaces } from "./workspaces.ts";

/** What callers may do, by what is known of their grants. */
export type AccessControl = {
  /** See `HttpOptions.admit`. Decides alone what concerns the platform: servers, principals, the audit log. */
  admit(caller: Caller, access: Access): boolean | Promise<boolean>;
  enter: Enter;
  /**
   * What is known of the same caller in the same workspace once this process has heard of all changes: another scope
   * where something about it changed. To be asked before a refusal, so that who was just granted something by
   * another process, such as by making it there, is not turned away here.
   */
  renew(scope: Scope): Scope | Promise<Scope>;
  /**
   * MANAGE for who made something, where their roles do not give it already. To be awaited before the answer. Never
   * fails because the maker or the workspace is gone.
   */
  grantCreator(
    caller: Caller,
    place: WorkspacePlace,
    made: { resource_type: SingleType; id: string },
  ): void | Promise<void>;
};

export type AccessDeps = Pick<IdentityDeps, "database" | "now" | "defaultPermission" | "onBatch"> & {
  workspaces: Pick<Workspaces, "placeOf">;
  feed: Pick<ChangeFeed, "fresh" | "readNow" | "onChange" | "generation">;
};

/** Of whom a scope is, and where. */
type Entry = { place: WorkspacePlace; principal: Principal; limit: CredentialLimit | undefined };

export function createAccessControl(deps: AccessDeps): AccessControl {
  const { feed, workspaces } = deps;
  const cache = createHeldGrants(deps);
  /** What was made last of a policy: hot paths get the same object again. */
  const scopes = new WeakMap<Policy, Scope>();
  const entries = new WeakMap<Scope, Entry>();

  const floor: readonly Grant[] =
    deps.defaultPermission === "NO_PERMISSIONS"
      ? []
      : [{ resource_type: "workspace", pattern: "*", permission: deps.defaultPermission }];

  /** Undefined where the caller has no part in the workspace. */
  const scopeBy = (held: Held, entry: Entry): Scope | undefined => {
    const policy = held.policy(entry.limit?.maxPermission);
    if (!policy.isMember) return undefined;
    let scope = scopes.get(policy);
    if (scope === undefined) {
      scope = { ...entry.place, policy };
      scopes.set(policy, scope);
      entries.set(scope, entry);
    }
    return scope;
  };

  const load = async (entry: Entry): Promise<Scope> => {
    await feed.fresh();
    const { principal, place } = entry;
    const { workspaceId } = place;
    const holder = { principalId: principal.principalId, workspaceId };
    const hasFloor = principal.kind === "user" && workspaceId === defaultWorkspace.workspaceId;
    const held = cache.peek(holder) ?? (await cache.load(holder, hasFloor ? floor : []));
    return scopeBy(held, entry) ?? refuse();
  };

  const loadAgain = async (entry: Entry): Promise<Scope> => {
    await feed.readNow();
    return load(entry);
  };

  const within = (caller: Caller, place: WorkspacePlace): Scope | Promise<Scope> => {
    const { principal } = caller;
    if (principal === undefined) throw unauthenticated();
    const { limit } = caller.credential;
    if (limit?.workspaceIds !== undefined && !limit.workspaceIds.has(place.workspaceId)) return refuse();
    if (principal.isAdmin) return fullScope(place, limit?.maxPermission);
    const { workspaceId } = place;
    const waiting = feed.fresh();
    if (waiting !== undefined) return waiting.then(() => load({ place, principal, limit }));
    const { version } = cache;
    const { entered } = caller;
    if (entered?.version === version && entered.workspaceId === workspaceId) {
      const scope = entered.scope.deref() as Scope | undefined;
      if (scope !== undefined) return scope;
    }
    const entry = { place, principal, limit };
    const held = cache.peek({ principalId: principal.principalId, workspaceId });
    if (held === undefined) return load(entry);
    const scope = scopeBy(held, entry);
    if (scope === undefined) return loadAgain(entry);
    caller.entered = { version, workspaceId, scope: new WeakRef(scope) };
    return scope;
  };

  const enter: Enter = (caller, workspace) => {
    const place = workspaces.placeOf(workspace);
    if (!(place instanceof Promise)) return within(caller, place);
    return place.then(
      (found) => within(caller, found),
      (error: unknown) => {
        // Whether there is such a workspace is for those to know who may be in it.
        const isUnknown = error instanceof PlinthError && error.code === "not_found";
        throw isUnknown && !isPlatformAdmin(caller) ? refused() : error;
      },
    );
  };

  const batch = createBatch<CreatorGrant, MadeGrant>({
    name: "creator_grants",
    run: (grants) => grantCreators(deps, grants),
    maxWeight: 500,
    concurrency: 2,
    ...(deps.onBatch === undefined ? {} : { onBatch: deps.onBatch }),
  });

  return {
    admit(caller, access) {
      if (access.kind === "public") return true;
      const { principal } = caller;
      if (principal === undefined) throw unauthenticated();
      if (access.kind === "login") return true;
      const { limit } = caller.credential;
      if (limit !== undefined && !allows(limit.maxPermission, access.action)) return refuse();
      if (!isOfPlatform(access.resource)) return false;
      if (isPlatformAdmin(caller)) return true;
      // What is limited to workspaces has no part in what is above them, and no limited key administers the platform.
      if (limit?.workspaceIds !== undefined) return refuse();
      if (principal.isAdmin) return access.action === "read" || refuse();
      if (access.resource !== "server") return refuse();
      return mayWithServer(principal, access.action);
    },
    enter,
    renew(scope) {
      const entry = entries.get(scope);
      return entry === undefined ? scope : loadAgain(entry);
    },
    grantCreator({ principal }, { workspaceId }, { resource_type, id }) {
      // A grant on `*` would be one on everything: what has that name can only be managed with all others.
      if (principal === undefined || principal.isAdmin || id === "*") return;
      const holder = { principalId: principal.principalId, workspaceId };
      const before = cache.peek(holder);
      if (before !== undefined && allows(before.policy(undefined).on(resource_type, id), "manage")) return;
      const grant = { resource_type, pattern: id, permission: "MANAGE" } as const;
      return batch.add({ ...holder, ...grant }).then(
        (made) => cache.add(holder, before, { ...made, grant }),
        (error: unknown) => {
          if (!(error instanceof PlinthError) || !isForeignKeyViolation(error.cause)) throw error;
        },
      );
    },
  };

  async function mayWithServer(principal: Principal, action: Action): Promise<true> {
    const holder = { principalId: principal.principalId, workspaceId: undefined };
    await feed.fresh();
    const held = cache.peek(holder) ?? (await cache.load(holder, []));
    return allows(permissionOnServer(held.folds), action) || refuse();
  }
}

const OFTEN_ENOUGH = 5;

async function grantCreators(
  { database, now }: Pick<IdentityDeps, "database" | "now">,
  grants: readonly CreatorGrant[],
): Promise<(MadeGrant | PlinthError)[]> {
  let made = await insertCreatorGrants(database, grants, now());
  for (let attempt = 1; made.includes(undefined) && attempt < OFTEN_ENOUGH; attempt += 1) {
    made = await insertCreatorGrants(database, grants, now());
  }
  return made.map((one) => one ?? internal("A personal role is neither there nor can it be made."));
}

const refused = (): PlinthError => permissionDenied("Permission denied");

function refuse(): never {
  throw refused();
}
