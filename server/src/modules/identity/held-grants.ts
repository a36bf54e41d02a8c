import type { Database } from "../../kernel/database.ts";
import { selectHeldGrants, type HeldGrants, type MadeGrant } from "./access.sql.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { Change } from "./changes.sql.ts";
import {
  addToFolds,
  foldGrants,
  policyOf,
  type Ceiling,
  type Grant,
  type GrantFolds,
  type Policy,
} from "./policy.ts";

/** Who holds grants where; the platform's own roles where the workspace is undefined. */
export type Holder = { principalId: number; workspaceId: number | undefined };

/** What a principal holds in a workspace, and the policies made of it. */
export type Held = {
  readonly folds: GrantFolds;
  /** The same object for as long as only `add` has changed it. */
  readonly since: object;
  policy(ceiling: Ceiling | undefined): Policy;
};

/**
 * What principals hold, as far as this process has asked and nothing about it has changed since. Bounded by the
 * number of grants, since a principal may have 100,000 of them.
 */
export type HeldGrantsCache = {
  /** Grows with everything that is forgotten or added because something changed. */
  readonly version: number;
  /** Undefined where it is not known. */
  peek(holder: Holder): Held | undefined;
  /** Those that ask for the same at once share a statement. */
  load(holder: Holder, extra: readonly Grant[]): Promise<Held>;
  /** Adds what the holder was just granted, in a role of theirs, where `before` is still what is known. */
  add(holder: Holder, before: Held | undefined, added: MadeGrant & { grant: Grant }): void;
};

type Known = Held & { readonly roleIds: readonly number[]; readonly weight: number };
type Asking = { generation: number; held: Promise<Known> };
type KnownOf = { known: Map<number, Known>; weight: number; isUsed: boolean };

/** Some 130 MB: measured are 2 KB for a principal with 10 grants, so that 60,000 of them are known at a time. */
const MAX_WEIGHT = 2_000_000;
const WEIGHT_OF_ONE = 20;
/** No workspace has this id. */
const PLATFORM = 0;

export function createHeldGrants({
  database,
  feed,
  maxWeight = MAX_WEIGHT,
}: {
  database: Database;
  feed: Pick<ChangeFeed, "onChange" | "generation">;
  maxWeight?: number;
}): HeldGrantsCache {
  const principals = new Map<number, KnownOf>();
  /** By holder: what is being asked for, since which generation of the feed. */
  const asked = new Map<string, Asking>();
  let total = 0;
  /** Changes that `add` has taken in already, which the feed is still to tell of. */
  const added = new Set<number>();
  let lastChange = 0;
  let version = 0;

  const forget = (principalId: number): void => {
    total -= principals.get(principalId)?.weight ?? 0;
    principals.delete(principalId);
  };

  feed.onChange((changes) => {
    version += 1;
    if (changes === "all") {
      principals.clear();
      added.clear();
      total = 0;
      return;
    }
    for (const { principal_id: id, change_id: changeId } of changes) {
      lastChange = Math.max(lastChange, changeId);
      if (id !== null && !added.delete(changeId)) forget(id);
    }
    const isConcerned = concerned(changes);
    if (isConcerned === undefined) return;
    for (const [principalId, { known }] of principals) {
      for (const [workspaceId, { roleIds }] of known) {
        if (!isConcerned(workspaceId, roleIds)) continue;
        forget(principalId);
        break;
      }
    }
  });

  /** The first that nobody asked for since it was last passed over goes. */
  const makeRoom = (but: number): void => {
    // What is put at the end is come to again.
    for (const [principalId, one] of principals) {
      if (total <= maxWeight || principals.size === 1) return;
      if (principalId !== but && !one.isUsed) forget(principalId);
      else {
        one.isUsed = false;
        principals.delete(principalId);
        principals.set(principalId, one);
      }
    }
  };

  const remember = ({ principalId, workspaceId = PLATFORM }: Holder, held: Known): void => {
    let one = principals.get(principalId);
    // Alone more than there is room for: what is known of this principal elsewhere goes.
    if (one !== undefined && one.weight + held.weight > maxWeight) {
      forget(principalId);
      one = undefined;
    }
    if (one === undefined)
      principals.set(principalId, (one = { known: new Map(), weight: 0, isUsed: false }));
    const change = held.weight - (one.known.get(workspaceId)?.weight ?? 0);
    one.known.set(workspaceId, held);
    one.weight += change;
    total += change;
    makeRoom(principalId);
  };

  const ask = async ({ principalId, workspaceId }: Holder, extra: readonly Grant[]): Promise<Known> => {
    const rows = await selectHeldGrants(database, principalId, workspaceId ?? null);
    const roleIds = [...new Set(rows.map((row) => row.role_id))];
    return makeHeld({ folds: foldGrants([...grantsOf(rows), ...extra]), roleIds, since: {} });
  };

  return {
    get version() {
      return version;
    },
    peek({ principalId, workspaceId = PLATFORM }) {
      const one = principals.get(principalId);
      if (one === undefined) return undefined;
      one.isUsed = true;
      return one.known.get(workspaceId);
    },
    load(holder, extra) {
      const key = keyOf(holder);
      const { generation } = feed;
      const under = asked.get(key);
      // One that was begun before a change may not have seen it.
      if (under?.generation === generation) return under.held;
      const asking: Asking = { generation, held: ask(holder, extra) };
      asked.set(key, asking);
      const settle = (held?: Known): void => {
        if (asked.get(key) !== asking) return;
        asked.delete(key);
        if (held !== undefined && feed.generation === generation) remember(holder, held);
      };
      asking.held.then(settle, () => settle());
      return asking.held;
    },
    add(holder, before, { roleId, changeId = 0, grant }) {
      const now = principals.get(holder.principalId)?.known.get(holder.workspaceId ?? PLATFORM);
      version += 1;
      // Where something else was changed or read meanwhile, whether that knows of the grant cannot be told.
      asked.delete(keyOf(holder));
      if (now === undefined) return;
      const { folds, roleIds, since } = now;
      if (since !== before?.since) forget(holder.principalId);
      else {
        if (changeId > lastChange) added.add(changeId);
        const more = roleIds.includes(roleId) ? roleIds : [...roleIds, roleId];
        remember(holder, makeHeld({ folds: addToFolds(folds, grant), roleIds: more, since }));
      }
    },
  };
}

const keyOf = ({ principalId, workspaceId = PLATFORM }: Holder): string => `${principalId}/${workspaceId}`;

function makeHeld({ folds, roleIds, since }: Pick<Known, "folds" | "roleIds" | "since">): Known {
  const policies = new Map<Ceiling | undefined, Policy>();
  let grants = 0;
  for (const ofType of folds.values()) grants += ofType.size;
  return {
    folds,
    roleIds,
    since,
    weight: WEIGHT_OF_ONE + grants,
    policy(ceiling) {
      let policy = policies.get(ceiling);
      if (policy === undefined) {
        policy = policyOf(folds, { isPlatformAdmin: false, ceiling });
        policies.set(ceiling, policy);
      }
      return policy;
    },
  };
}

function* grantsOf(rows: readonly HeldGrants[]): Generator<Grant> {
  for (const { resource_type, permission, patterns } of rows) {
    if (resource_type === null || permission === null) continue;
    for (const pattern of patterns) yield { resource_type, pattern, permission };
  }
}

/** Whether something that is known has to do with changes of roles and workspaces; undefined where there are none. */
function concerned(
  changes: readonly Change[],
): ((workspaceId: number, roleIds: readonly number[]) => boolean) | undefined {
  const roles = new Set(changes.map((change) => change.role_id).filter((id) => id !== null));
  const workspaces = new Set(changes.map((change) => change.workspace_id).filter((id) => id !== null));
  if (roles.size + workspaces.size === 0) return undefined;
  return (workspaceId, roleIds) => workspaces.has(workspaceId) || roleIds.some((id) => roles.has(id));
}
