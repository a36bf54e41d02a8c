import type { FastifyRequest } from "fastify";
import type { Action } from "../../kernel/access.ts";
import { permissionDenied } from "../../kernel/errors.ts";
import type { AuditSubject } from "../../kernel/http.ts";
import {
  allows,
  type PartType,
  type Permission,
  type Policy,
  type Scope,
  type SingleType,
} from "../../modules/identity/index.ts";

/** What a request names that permissions are about. */
export type ObjectRef =
  /** The workspace itself: `read` is to be in it, `edit` to create in it, `manage` to say who may what in it. */
  | { type: "workspace" }
  | { type: "experiment"; id: string }
  | { type: "experiment_name"; name: string }
  | { type: "run"; id: string }
  | { type: "logged_model"; id: string }
  /** A registered model, or a prompt, which MLflow keeps among them. */
  | { type: "registered_model"; name: string }
  | { type: "registered_model_version"; name: string }
  /** Parts of an experiment that are no rows yet, or no rows of ours. */
  | { type: "part"; part: PartType; experimentId: string }
  /**
   * A key of the bucket that artifacts are in, with all below it for who manages it. A folder outside of the places
   * of experiments may be listed by anybody: `readableKeys` tells which of its entries are shown.
   */
  | { type: "artifact"; key: string; isFolder?: true };

export type Need =
  | { action: Action; on: ObjectRef }
  /** For what is about to be made: that making such a thing is not denied; of this name, where it has one. */
  | { notDenied: PartType }
  | { notDenied: SingleType; id?: string };

/** The answer holds only what the caller may read: the statement itself sees to it, by `scope.policy`. */
export const filtered = "filtered";

export type Needs = readonly Need[] | typeof filtered;

export const needs = (action: Action, on: ObjectRef): Need => ({ action, on });

/** What is there or will be in a while. */
type Soon<T> = T | Promise<T>;

/** Where things are; asked only where a grant speaks of single resources or types. */
export type Owners = {
  /** The experiment of a run, of any workspace; undefined when there is no such run. */
  experimentOfRun(runId: string): Soon<string | undefined>;
  experimentOfLoggedModel(modelId: string): Soon<string | undefined>;
  experimentOfName(scope: Scope, name: string): Soon<string | undefined>;
  /** The one spelling of an id of an experiment (`7` for ` +007`), by which it is granted; undefined where it is none. */
  experimentIdOf(id: string): string | undefined;
  /** The experiments in whose place a key is. */
  placesOfKey(key: string): Promise<readonly ArtifactPlace[]>;
  /** The experiments whose places are below a key. */
  experimentsBelow(key: string): Promise<readonly string[]>;
  isPrompt(scope: Scope, name: string): Soon<boolean>;
};

/** `rest` is what of a key follows the experiment's place, such as `<run id>/artifacts/model`. */
export type ArtifactPlace = { experimentId: string; rest: string };

/** What of a request's needs is told in the audit log: the first object. */
export function subjectOf(scope: Scope, wanted: Needs): AuditSubject {
  const { workspace } = scope;
  const first = wanted === filtered ? undefined : wanted.find((need) => "on" in need);
  if (first === undefined || !("on" in first)) return { workspace };
  const { on } = first;
  if (on.type === "workspace") return { workspace, resourceType: "workspace", resourceId: workspace };
  if (on.type === "part") return { workspace, resourceType: "experiment", resourceId: on.experimentId };
  const id = "id" in on ? on.id : "key" in on ? on.key : on.name;
  return { workspace, resourceType: on.type, resourceId: id };
}

export type Guard = {
  /** Throws `permission_denied` for the first thing that the caller may not do. */
  require(scope: Scope, needs: Needs): void | Promise<void>;
  /** Those of the keys that the caller may read. */
  readableKeys(scope: Scope, keys: readonly string[]): readonly string[] | Promise<readonly string[]>;
};

/** For routes that read their requests by themselves: asks, and marks the request as one that was decided. */
export async function requireFor(
  request: FastifyRequest,
  guard: Guard,
  { scope, wanted }: { scope: Scope; wanted: Needs },
): Promise<void> {
  request.subject = subjectOf(scope, wanted);
  await guard.require(scope, wanted);
  request.decided = true;
}

export type GuardOptions = {
  owners: Owners;
  /** Where artifacts are. */
  bucket: string;
  /** See `AccessControl`. */
  renew(scope: Scope): Soon<Scope>;
};

export function createGuard({ owners, bucket, renew }: GuardOptions): Guard {
  const ofExperiment = (id: string): { type: "experiment"; id: string } => ({
    type: "experiment",
    id: owners.experimentIdOf(id) ?? "*",
  });

  const permissionOn = (scope: Scope, on: ObjectRef): Soon<Permission> => {
    const { policy } = scope;
    switch (on.type) {
      case "experiment":
        return policy.on("experiment", ofExperiment(on.id).id);
      case "experiment_name":
        return then(owners.experimentOfName(scope, on.name), (id) =>
          id === undefined ? onUnknownName(policy) : policy.on("experiment", id),
        );
      case "run": {
        const id = owners.experimentOfRun(on.id);
        return id instanceof Promise
          ? id.then((one) => inExperiment(policy, "run", one))
          : inExperiment(policy, "run", id);
      }
      case "logged_model":
        return then(owners.experimentOfLoggedModel(on.id), (id) => inExperiment(policy, "logged_model", id));
      case "part":
        return policy.onPart(on.part, ofExperiment(on.experimentId));
      case "registered_model":
      case "registered_model_version": {
        const as = (isPrompt: boolean): Permission => {
          const container = { type: isPrompt ? "prompt" : "registered_model", id: on.name } as const;
          if (on.type === "registered_model") return policy.on(container.type, container.id);
          return policy.onPart(isPrompt ? "prompt_version" : "registered_model_version", container);
        };
        const asModel = as(false);
        return asModel === as(true) ? asModel : then(owners.isPrompt(scope, on.name), as);
      }
      case "workspace":
      case "artifact":
        throw new Error(`There is no one permission on ${on.type}.`);
    }
  };

  /** A key in the place of an experiment has the permission of what it belongs to there; a bucket's DENY wins. */
  const mayWithKey = async (
    { policy }: Scope,
    { key, isFolder }: { key: string; isFolder?: true },
    action: Action,
  ): Promise<boolean> => {
    const onKey = action === "manage" ? policy.onTree(bucket, key) : policy.onKey(bucket, key);
    if (onKey === "DENY") return false;
    const places = await owners.placesOfKey(key);
    if (places.length === 0 && !isFolder && !allows(onKey, action)) return false;
    for (const { experimentId, rest } of places) {
      const container = { type: "experiment", id: experimentId } as const;
      const parts = partsOf(rest, action);
      if (!allows(policy.on("experiment", experimentId), parts.length === 0 ? action : "read")) return false;
      if (parts.some((part) => !allows(policy.onPart(part, container), action))) return false;
    }
    // Only what deletes manages, and it takes all that is below along.
    if (action !== "manage") return true;
    const below = await owners.experimentsBelow(key);
    return below.every((id) =>
      artifactParts.every((part) => allows(policy.onPart(part, { type: "experiment", id }), action)),
    );
  };

  const may = (scope: Scope, need: Need): Soon<boolean> => {
    if ("notDenied" in need) return !isDenied(scope, need);
    const { action, on } = need;
    if (on.type === "workspace") return mayInWorkspace(scope, action);
    if (allows(scope.policy.least, action)) return true;
    if (on.type === "artifact") return mayWithKey(scope, on, action);
    const permission = permissionOn(scope, on);
    return permission instanceof Promise
      ? permission.then((one) => allows(one, action))
      : allows(permission, action);
  };

  /** All are asked for before one is waited for, so that look-ups share a statement. */
  const mayEach = (scope: Scope, wanted: readonly Need[]): Soon<boolean> => {
    const [first] = wanted;
    if (first !== undefined && wanted.length === 1) return may(scope, first);
    const waiting: Promise<boolean>[] = [];
    let isRefused = false;
    for (const need of wanted) {
      const allowed = may(scope, need);
      if (allowed instanceof Promise) waiting.push(allowed);
      else if (!allowed) isRefused = true;
    }
    if (isRefused) for (const one of waiting) one.catch(() => undefined);
    if (isRefused || waiting.length === 0) return !isRefused;
    return Promise.all(waiting).then((allowed) => allowed.every(Boolean));
  };

  const mayAll = (scope: Scope, wanted: Needs): Soon<boolean> => {
    const { uniform, isMember } = scope.policy;
    if (wanted === filtered) return isMember;
    return uniform === undefined
      ? mayEach(scope, wanted)
      : wanted.every((need) => settled(scope, need, uniform));
  };

  /** Nobody is refused for what another process granted a moment ago. */
  const requireRenewed = async (scope: Scope, wanted: Needs): Promise<void> => {
    const renewed = await renew(scope);
    if (renewed === scope || !(await mayAll(renewed, wanted))) throw refused();
  };

  return {
    require(scope, wanted) {
      const allowed = mayAll(scope, wanted);
      if (allowed === true) return;
      if (allowed === false) return requireRenewed(scope, wanted);
      return allowed.then((one) => (one ? undefined : requireRenewed(scope, wanted)));
    },
    readableKeys(scope, keys) {
      const { uniform } = scope.policy;
      if (uniform !== undefined) return allows(uniform, "read") ? keys : [];
      return Promise.all(keys.map((key) => mayWithKey(scope, { key }, "read"))).then((allowed) =>
        keys.filter((_key, at) => allowed[at]),
      );
    },
  };
}

function isDenied({ policy }: Scope, need: Extract<Need, { notDenied: unknown }>): boolean {
  if (policy.isDenied(need.notDenied)) return true;
  return "id" in need && need.id !== undefined && policy.on(need.notDenied, need.id) === "DENY";
}

const then = <T, U>(value: Soon<T>, next: (value: T) => U): Soon<U> =>
  value instanceof Promise ? value.then(next) : next(value);

function inExperiment(policy: Policy, part: PartType, id: string | undefined): Permission {
  if (id !== undefined) return policy.onPart(part, { type: "experiment", id });
  // What is not there may be told apart from what is forbidden only by those who read everything of its kind.
  return policy.visibleParts(part, "experiment").kind === "all"
    ? policy.onPart(part, { type: "experiment", id: "*" })
    : "NO_PERMISSIONS";
}

/** Who may create asks before whether a name is free, and would learn it by creating. */
function onUnknownName(policy: Policy): Permission {
  return policy.mayCreate || policy.visible("experiment").kind === "all" ? "READ" : "NO_PERMISSIONS";
}

/** What there are artifacts of within the place of an experiment. */
const artifactParts = ["run", "logged_model", "trace"] as const;

const RUN_ID = /^[0-9a-f]{32}$/;

/** Whose artifact it is; of nothing in particular where it is empty. What is deleted may hold any of them. */
function partsOf(rest: string, action: Action): readonly PartType[] {
  const [first = "", second] = rest.split("/", 2);
  if (first === "") return action === "manage" ? artifactParts : [];
  if (first === "models") return ["logged_model"];
  if (first === "traces") return ["trace"];
  return second === "artifacts" || RUN_ID.test(first) || action === "manage" ? ["run"] : [];
}

/** Where no grant speaks of single resources, nothing need be looked up. */
function settled(scope: Scope, need: Need, uniform: Permission): boolean {
  if ("notDenied" in need) return !isDenied(scope, need);
  if (need.on.type === "workspace") return mayInWorkspace(scope, need.action);
  return allows(uniform, need.action);
}

function mayInWorkspace({ policy }: Scope, action: Action): boolean {
  if (action === "read" || action === "use") return policy.isMember;
  return action === "edit" ? policy.mayCreate : policy.isAdmin;
}

const refused = (): Error => permissionDenied("Permission denied");
