import type { Action } from "../../kernel/access.ts";

/**
 * What one caller may do in one workspace, worked out from all grants of the caller's roles there. Pure: the rules
 * of this file are the whole policy.
 *
 * - The grant on `workspace` gives a floor for everything in it: READ, EDIT (may create, too) or MANAGE; USE is
 *   MLflow's member, who reads everything, creates, and manages what was created.
 * - A grant on one resource or on all of a type (`*`) counts when it is more than the floor. NO_PERMISSIONS takes
 *   the floor away where no other grant speaks of the resource; DENY wins over every grant.
 * - Runs, logged models, traces and versions are in an experiment or a model and have its permission; a grant on all
 *   of such a type stands in its place, and the container must be readable besides.
 * - Who manages a workspace cannot be restricted in it by grants on its resources, as in MLflow: such a person could
 *   take them away. DENY on the workspace itself shuts out everybody but platform administrators.
 */
export const permissions = ["DENY", "NO_PERMISSIONS", "READ", "USE", "EDIT", "MANAGE"] as const;
export type Permission = (typeof permissions)[number];

const rank: Readonly<Record<Permission, number>> = {
  DENY: -1,
  NO_PERMISSIONS: 0,
  READ: 1,
  USE: 2,
  EDIT: 3,
  MANAGE: 4,
};

const neededRank: Readonly<Record<Action, number>> = { read: 1, use: 2, edit: 3, manage: 4 };

/** Types whose single resources can be granted, by id; of `bucket` also a prefix of keys, as `bucket/prefix`. */
export const singleTypes = [
  "experiment",
  "registered_model",
  "prompt",
  "scorer",
  "gateway_secret",
  "gateway_endpoint",
  "gateway_model_definition",
  "mcp_server",
  "bucket",
  "endpoint",
] as const;

/** Types that can only be granted as a whole, since their resources are parts of others. */
export const partTypes = [
  "run",
  "trace",
  "assessment",
  "logged_model",
  "review_queue",
  "registered_model_version",
  "prompt_version",
  "scorer_version",
  "mcp_server_version",
] as const;

export type SingleType = (typeof singleTypes)[number];
export type PartType = (typeof partTypes)[number];
/** `server` is granted in roles of the whole platform only. */
export type GrantType = SingleType | PartType | "workspace" | "server";

export type Grant = { resource_type: GrantType; pattern: string; permission: Permission };

/** Which resources of a type may be read: what searches put into their statements. */
export type Visible =
  | { readonly kind: "all" }
  | { readonly kind: "only"; readonly ids: readonly string[] }
  | { readonly kind: "except"; readonly ids: readonly string[] };

export type Policy = {
  /** Whether there is anything in the workspace for this caller; others get the same answer for every name. */
  readonly isMember: boolean;
  /** Whether new experiments, models and buckets may be made. */
  readonly mayCreate: boolean;
  /** Whether roles, webhooks and the workspace itself may be changed. */
  readonly isAdmin: boolean;
  /** The permission on whatever resource, where no grant speaks of a single one or of a type: nothing to look up. */
  readonly uniform: Permission | undefined;
  on(type: SingleType, id: string): Permission;
  /** On a part of `container`, such as a run of an experiment. */
  onPart(type: PartType, container: { type: SingleType; id: string }): Permission;
  /** On a key of a bucket, or on all keys below one that ends with `/`. */
  onKey(bucket: string, key: string): Permission;
  /** The lowest permission on a key and whatever is below it, as far as grants speak of that. */
  onTree(bucket: string, key: string): Permission;
  /** False where parts of a type may not even be made. */
  isDenied(type: PartType | SingleType): boolean;
  visible(type: SingleType): Visible;
  /** The containers whose parts of this type may be read. */
  visibleParts(type: PartType, container: SingleType): Visible;
};

export const allows = (permission: Permission, action: Action): boolean =>
  rank[permission] >= neededRank[action];

type Folded = { denied: boolean; best: number | undefined };

export type PolicyOptions = {
  /** A platform administrator: everything, but for the ceiling. */
  isPlatformAdmin: boolean;
  /** What the credential may at most. */
  ceiling: Permission | undefined;
};

const byRank = new Map(permissions.map((permission) => [rank[permission], permission]));

export function compilePolicy(grants: readonly Grant[], options: PolicyOptions): Policy {
  const folds = foldGrants(grants);
  const onWorkspace = folds.get("workspace")?.get("*");
  const shutOut = !options.isPlatformAdmin && onWorkspace?.denied === true;
  const level = options.isPlatformAdmin ? rank.MANAGE : shutOut ? 0 : (onWorkspace?.best ?? 0);
  const ceiling = options.ceiling === undefined ? rank.MANAGE : rank[options.ceiling];
  const manages = level >= rank.MANAGE;
  // USE is membership: it reads everything, and creates.
  const floor = level === rank.USE ? rank.READ : level;
  const capped = (value: number): Permission => byRank.get(Math.min(value, ceiling)) ?? "NO_PERMISSIONS";
  const settled = manages ? rank.MANAGE : shutOut ? 0 : undefined;

  const decide = (found: Folded): number => {
    if (found.denied) return rank.DENY;
    if (found.best === undefined) return floor;
    return found.best === 0 ? 0 : Math.max(found.best, floor);
  };
  const onSingle = (type: SingleType, id: string): number => {
    if (settled !== undefined) return settled;
    const ofType = folds.get(type);
    return ofType === undefined
      ? floor
      : decide(join(ofType.get("*"), id === "*" ? undefined : ofType.get(id)));
  };
  const onPart = (type: PartType, containerRank: number): number => {
    if (settled !== undefined) return settled;
    const whole = folds.get(type)?.get("*");
    if (whole === undefined) return containerRank;
    return containerRank < rank.READ ? 0 : decide(whole);
  };
  const visible = (type: SingleType): Visible => {
    if (settled !== undefined) return settled >= rank.READ ? everything : nothing;
    const general = onSingle(type, "*") >= rank.READ;
    const ids = [...(folds.get(type)?.keys() ?? [])].filter(
      (id) => id !== "*" && onSingle(type, id) >= rank.READ !== general,
    );
    if (!general) return { kind: "only", ids };
    return ids.length === 0 ? everything : { kind: "except", ids };
  };
  const isSpecific = [...folds.keys()].some((type) => type !== "workspace" && type !== "server");

  return {
    isMember:
      !shutOut &&
      ceiling >= rank.READ &&
      (floor >= rank.READ || grants.some(({ permission }) => rank[permission] >= rank.READ)),
    mayCreate: level >= rank.USE && ceiling >= rank.EDIT,
    isAdmin: manages && ceiling >= rank.MANAGE,
    uniform: settled === undefined && isSpecific ? undefined : capped(settled ?? floor),
    on: (type, id) => capped(onSingle(type, id)),
    onPart: (type, container) => capped(onPart(type, onSingle(container.type, container.id))),
    onKey: (bucket, key) => capped(settled ?? decide(foldKey(folds.get("bucket"), bucket, key))),
    onTree(bucket, key) {
      const ofBuckets = folds.get("bucket");
      const inside = [...(ofBuckets?.keys() ?? [])].filter((one) => one.startsWith(`${bucket}/${key}/`));
      const keys = [key, ...inside.map((one) => one.slice(bucket.length + 1))];
      return capped(settled ?? Math.min(...keys.map((one) => decide(foldKey(ofBuckets, bucket, one)))));
    },
    isDenied: (type) => settled !== rank.MANAGE && (shutOut || folds.get(type)?.get("*")?.denied === true),
    visible,
    visibleParts(type, container) {
      const whole = settled === undefined ? folds.get(type)?.get("*") : undefined;
      return whole !== undefined && decide(whole) < rank.READ ? nothing : visible(container);
    },
  };
}

const everything: Visible = { kind: "all" };
const nothing: Visible = { kind: "only", ids: [] };

/** Several roles may speak of one resource: denied when one of them denies, else the highest. */
function foldGrants(grants: readonly Grant[]): Map<GrantType, Map<string, Folded>> {
  const folds = new Map<GrantType, Map<string, Folded>>();
  for (const { resource_type: type, pattern, permission } of grants) {
    let ofType = folds.get(type);
    if (ofType === undefined) folds.set(type, (ofType = new Map()));
    const value = rank[permission];
    const one: Folded = value < 0 ? { denied: true, best: undefined } : { denied: false, best: value };
    ofType.set(pattern, join(ofType.get(pattern), one));
  }
  return folds;
}

const silent: Folded = { denied: false, best: undefined };

function join(left: Folded | undefined, right: Folded | undefined): Folded {
  if (left === undefined || right === undefined) return left ?? right ?? silent;
  const best = left.best === undefined ? right.best : Math.max(left.best, right.best ?? left.best);
  return { denied: left.denied || right.denied, best };
}

/** All that speaks of a key: its bucket, and every prefix that ends where a part of the key does. */
function foldKey(ofBuckets: ReadonlyMap<string, Folded> | undefined, bucket: string, key: string): Folded {
  if (ofBuckets === undefined) return silent;
  let found = join(ofBuckets.get("*"), ofBuckets.get(bucket));
  for (let end = key.indexOf("/"); end !== -1; end = key.indexOf("/", end + 1)) {
    found = join(found, ofBuckets.get(`${bucket}/${key.slice(0, end)}`));
  }
  return key === "" || key.endsWith("/") ? found : join(found, ofBuckets.get(`${bucket}/${key}`));
}

/** The policy of whoever runs the process: imports, jobs, an open server. */
export const fullPolicy: Policy = compilePolicy([], { isPlatformAdmin: true, ceiling: undefined });
