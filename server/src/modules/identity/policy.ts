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
  /** No permission on anything is lower: what it allows need not be looked up. */
  readonly least: Permission;
  /** On what is of no type that grants speak of, such as pipelines and their runs. */
  readonly general: Permission;
  on(type: SingleType, id: string): Permission;
  /** On a part of `container`, such as a run of an experiment. */
  onPart(type: PartType, container: { type: SingleType; id: string }): Permission;
  /** On a key of a bucket; of one that ends with `/`, on what no grant below it speaks of. */
  onKey(bucket: string, key: string): Permission;
  /** The lowest permission on a key and whatever is below it, as far as grants speak of that. */
  onTree(bucket: string, key: string): Permission;
  /** True where not even making one is allowed, whatever the permission on its container. */
  isDenied(type: PartType | SingleType): boolean;
  /** True where none of a type may be read, wherever it is: then other things do not name them either. */
  withholds(type: PartType): boolean;
  visible(type: SingleType): Visible;
  /** The containers whose parts of this type may be read. */
  visibleParts(type: PartType, container: SingleType): Visible;
};

export const allows = (permission: Permission, action: Action): boolean =>
  rank[permission] >= neededRank[action];

/** What the credential may at most. */
export type Ceiling = Extract<Permission, "READ" | "USE" | "EDIT" | "MANAGE">;

export type PolicyOptions = {
  /** A platform administrator: everything, but for the ceiling. */
  isPlatformAdmin: boolean;
  ceiling: Ceiling | undefined;
};

export const compilePolicy = (grants: readonly Grant[], options: PolicyOptions): Policy =>
  policyOf(foldGrants(grants), options);

/** The same grants make several policies, one for each ceiling. */
export function policyOf(folds: GrantFolds, options: PolicyOptions): Policy {
  const onWorkspace = foldOf(folds, "workspace", "*");
  const shutOut = !options.isPlatformAdmin && isDenial(onWorkspace);
  const granted = bestOf(onWorkspace) ?? rank.NO_PERMISSIONS;
  const level = options.isPlatformAdmin ? rank.MANAGE : shutOut ? rank.NO_PERMISSIONS : granted;
  const ceiling = rank[options.ceiling ?? "MANAGE"];
  const manages = level >= rank.MANAGE;
  // USE is membership: it reads everything, and creates.
  const floor = level === rank.USE ? rank.READ : level;
  // Ranks begin at -1, with DENY.
  const capped = (value: number): Permission => permissions[Math.min(value, ceiling) + 1] ?? "NO_PERMISSIONS";
  const settled = manages ? rank.MANAGE : shutOut ? rank.NO_PERMISSIONS : undefined;

  const decide = (fold: Fold): number => {
    if (isDenial(fold)) return rank.DENY;
    const best = bestOf(fold);
    return best === undefined ? floor : best === rank.NO_PERMISSIONS ? best : Math.max(best, floor);
  };
  const onType = (type: SingleType): OnType => {
    const ofType = folds.get(type);
    const whole = ofType?.get("*") ?? SILENT;
    return { type, ofType, whole, general: decide(whole) };
  };
  // Most requests ask for one type again and again.
  let last: OnType | undefined;
  const onSingle = (type: SingleType, id: string): number => {
    if (settled !== undefined) return settled;
    if (last?.type !== type) last = onType(type);
    const fold = last.ofType?.get(id);
    return fold === undefined ? last.general : decide(join(last.whole, fold));
  };
  const onPart = (type: PartType, containerRank: number): number => {
    if (settled !== undefined) return settled;
    const whole = foldOf(folds, type, "*");
    if (whole === SILENT) return containerRank;
    return containerRank < rank.READ ? rank.NO_PERMISSIONS : decide(whole);
  };
  const onKey = (bucket: string, key: string): number =>
    settled ?? decide(foldKey(folds.get("bucket"), bucket, key));
  const onTree = (bucket: string, key: string): number => {
    const inside = key === "" || key.endsWith("/") ? `${bucket}/${key}` : `${bucket}/${key}/`;
    let lowest = onKey(bucket, key);
    if (settled !== undefined) return lowest;
    for (const pattern of folds.get("bucket")?.keys() ?? []) {
      if (pattern.startsWith(inside)) {
        lowest = Math.min(lowest, onKey(bucket, pattern.slice(bucket.length + 1)));
      }
    }
    return lowest;
  };
  const findVisible = (type: SingleType): Visible => {
    if (settled !== undefined) return settled >= rank.READ ? everything : nothing;
    const ofType = folds.get(type) ?? new Map<string, Fold>();
    const onAll = ofType.get("*");
    const general = decide(onAll ?? SILENT) >= rank.READ;
    const ids: string[] = [];
    for (const [id, fold] of ofType) {
      // A bucket of which a prefix is granted is not one that may be read.
      const isOne = id !== "*" && !(type === "bucket" && id.includes("/"));
      if (isOne && decide(join(onAll, fold)) >= rank.READ !== general) ids.push(id);
    }
    if (!general) return { kind: "only", ids };
    return ids.length === 0 ? everything : { kind: "except", ids };
  };
  // Asked by every search, and of up to 100,000 grants.
  const found = new Map<SingleType, Visible>();
  const withholds = (type: PartType): boolean => {
    const whole = settled === undefined ? foldOf(folds, type, "*") : SILENT;
    return whole !== SILENT && decide(whole) < rank.READ;
  };
  const visible = (type: SingleType): Visible => {
    let known = found.get(type);
    if (known === undefined) found.set(type, (known = findVisible(type)));
    return known;
  };
  const findLeast = (): number => {
    let least = floor;
    for (const [type, ofType] of folds) {
      if (type === "workspace" || type === "server") continue;
      // What several grants say of one thing together is never less than the least that one of them says.
      for (const fold of ofType.values()) least = Math.min(least, decide(fold));
    }
    return least;
  };
  const isSpecific = [...folds.keys()].some((type) => type !== "workspace" && type !== "server");

  return {
    isMember: !shutOut && (floor >= rank.READ || holdsPositive(folds)),
    mayCreate: level >= rank.USE && ceiling >= rank.EDIT,
    isAdmin: manages && ceiling >= rank.MANAGE,
    uniform: settled === undefined && isSpecific ? undefined : capped(settled ?? floor),
    least: capped(settled ?? findLeast()),
    general: capped(settled ?? floor),
    on: (type, id) => capped(onSingle(type, id)),
    onPart: (type, container) => capped(onPart(type, onSingle(container.type, container.id))),
    onKey: (bucket, key) => capped(onKey(bucket, key)),
    onTree: (bucket, key) => capped(onTree(bucket, key)),
    isDenied: (type) => !manages && (shutOut || isDenial(foldOf(folds, type, "*"))),
    withholds,
    visible,
    visibleParts: (type, container) => (withholds(type) ? nothing : visible(container)),
  };
}

const everything: Visible = { kind: "all" };
const nothing: Visible = { kind: "only", ids: [] };

/**
 * What several grants say of one pattern: one above the highest rank, with `DENIED` where one denies. A number, since
 * a principal may have 100,000 of them.
 */
type Fold = number;
const SILENT: Fold = 0;
const DENIED = 16;

/** What is granted on a type as a whole, and on single ones of it. */
type OnType = {
  type: SingleType;
  ofType: ReadonlyMap<string, Fold> | undefined;
  whole: Fold;
  general: number;
};

/** By type and pattern. */
export type GrantFolds = ReadonlyMap<GrantType, ReadonlyMap<string, Fold>>;

const foldOne = (permission: Permission): Fold => (permission === "DENY" ? DENIED : rank[permission] + 1);
const isDenial = (fold: Fold): boolean => fold >= DENIED;
const bestOf = (fold: Fold): number | undefined => (fold % DENIED === 0 ? undefined : (fold % DENIED) - 1);
const foldOf = (folds: GrantFolds, type: GrantType, pattern: string): Fold =>
  folds.get(type)?.get(pattern) ?? SILENT;

/** Several roles may speak of one resource: denied when one of them denies, else the highest. */
function join(left: Fold = SILENT, right: Fold = SILENT): Fold {
  const best = Math.max(left % DENIED, right % DENIED);
  return isDenial(left) || isDenial(right) ? DENIED + best : best;
}

export function foldGrants(grants: Iterable<Grant>): GrantFolds {
  const folds = new Map<GrantType, Map<string, Fold>>();
  for (const { resource_type: type, pattern, permission } of grants) {
    let ofType = folds.get(type);
    if (ofType === undefined) folds.set(type, (ofType = new Map<string, Fold>()));
    ofType.set(pattern, join(ofType.get(pattern), foldOne(permission)));
  }
  return folds;
}

/** The same with one grant more. */
export function addToFolds(
  folds: GrantFolds,
  { resource_type: type, pattern, permission }: Grant,
): GrantFolds {
  const ofType = new Map(folds.get(type));
  ofType.set(pattern, join(ofType.get(pattern), foldOne(permission)));
  return new Map(folds).set(type, ofType);
}

/** All that speaks of a key: its bucket, and every prefix that ends where a part of the key does. */
function foldKey(ofBuckets: ReadonlyMap<string, Fold> | undefined, bucket: string, key: string): Fold {
  if (ofBuckets === undefined) return SILENT;
  let found = join(ofBuckets.get("*"), ofBuckets.get(bucket));
  for (let end = key.indexOf("/"); end !== -1; end = key.indexOf("/", end + 1)) {
    found = join(found, ofBuckets.get(`${bucket}/${key.slice(0, end)}`));
  }
  return key === "" || key.endsWith("/") ? found : join(found, ofBuckets.get(`${bucket}/${key}`));
}

function holdsPositive(folds: GrantFolds): boolean {
  for (const [type, ofType] of folds) {
    if (type === "server") continue;
    for (const fold of ofType.values()) if ((bestOf(fold) ?? 0) >= rank.READ) return true;
  }
  return false;
}

/** What a role of the whole platform grants on the server itself. */
export const permissionOnServer = (folds: GrantFolds): Permission =>
  permissions[(bestOf(foldOf(folds, "server", "*")) ?? rank.NO_PERMISSIONS) + 1] ?? "NO_PERMISSIONS";

/** The policy of whoever runs the process: imports, jobs, an open server. */
export const fullPolicy: Policy = compilePolicy([], { isPlatformAdmin: true, ceiling: undefined });
