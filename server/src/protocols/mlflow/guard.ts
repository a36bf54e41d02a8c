import type { Action } from "../../kernel/access.ts";
import { permissionDenied } from "../../kernel/errors.ts";
import type { AuditSubject } from "../../kernel/http.ts";
import {
  allows,
  type PartType,
  type Permission,
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
  /** A key of the bucket that artifacts are in. */
  | { type: "artifact"; key: string };

export type Need =
  | { action: Action; on: ObjectRef }
  /** For what is about to be made: that making such a thing is not denied. */
  | { notDenied: PartType | SingleType };

/** The answer holds only what the caller may read: the statement itself sees to it, by `scope.policy`. */
export const filtered = "filtered";

export type Needs = readonly Need[] | typeof filtered;

export const needs = (action: Action, on: ObjectRef): Need => ({ action, on });

/** Where things are; asked only where a grant speaks of single resources or types. */
export type Owners = {
  /** The experiment of a run, of any workspace; undefined when there is no such run. */
  experimentOfRun(runId: string): Promise<string | undefined> | string | undefined;
  experimentOfLoggedModel(modelId: string): Promise<string | undefined> | string | undefined;
  experimentOfName(scope: Scope, name: string): Promise<string | undefined>;
  /** The experiment in whose place a key is. */
  experimentOfKey(key: string): Promise<string | undefined>;
  isPrompt(scope: Scope, name: string): Promise<boolean>;
};

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
};

export function createGuard(owners: Owners, bucket: string): Guard {
  const permissionOn = async (scope: Scope, on: ObjectRef): Promise<Permission | undefined> => {
    const { policy } = scope;
    const inExperiment = (part: PartType, id: string | undefined): Permission | undefined =>
      id === undefined ? undefined : policy.onPart(part, { type: "experiment", id });
    switch (on.type) {
      case "workspace":
        return undefined;
      case "experiment":
        return policy.on("experiment", on.id);
      case "experiment_name": {
        const id = await owners.experimentOfName(scope, on.name);
        return id === undefined ? undefined : policy.on("experiment", id);
      }
      case "run":
        return inExperiment("run", await owners.experimentOfRun(on.id));
      case "logged_model":
        return inExperiment("logged_model", await owners.experimentOfLoggedModel(on.id));
      case "part":
        return policy.onPart(on.part, { type: "experiment", id: on.experimentId });
      case "registered_model":
      case "registered_model_version": {
        const isPrompt = await owners.isPrompt(scope, on.name);
        const container = { type: isPrompt ? "prompt" : "registered_model", id: on.name } as const;
        if (on.type === "registered_model") return policy.on(container.type, container.id);
        return policy.onPart(isPrompt ? "prompt_version" : "registered_model_version", container);
      }
      case "artifact": {
        const id = await owners.experimentOfKey(on.key);
        return id === undefined ? policy.onKey(bucket, on.key) : policy.on("experiment", id);
      }
    }
  };

  const requireEach = async (scope: Scope, wanted: readonly Need[]): Promise<void> => {
    for (const need of wanted) {
      if ("notDenied" in need) {
        if (scope.policy.isDenied(need.notDenied)) throw refused();
      } else if (need.on.type === "workspace") {
        if (!mayInWorkspace(scope, need.action)) throw refused();
      } else {
        // What is not there may be told apart from what is forbidden only by those who read everything here.
        const permission = await permissionOn(scope, need.on);
        if (!allows(permission ?? general(scope), need.action)) throw refused();
      }
    }
  };

  return {
    require(scope, wanted) {
      const { uniform, isMember } = scope.policy;
      if (wanted === filtered) {
        if (!isMember) throw refused();
        return;
      }
      if (uniform === undefined) return requireEach(scope, wanted);
      for (const need of wanted) if (!settled(scope, need, uniform)) throw refused();
      return;
    },
  };
}

/** Where no grant speaks of single resources, nothing need be looked up. */
function settled(scope: Scope, need: Need, uniform: Permission): boolean {
  if ("notDenied" in need) return !scope.policy.isDenied(need.notDenied);
  if (need.on.type === "workspace") return mayInWorkspace(scope, need.action);
  return allows(uniform, need.action);
}

function mayInWorkspace({ policy }: Scope, action: Action): boolean {
  if (action === "read" || action === "use") return policy.isMember;
  return action === "edit" ? policy.mayCreate : policy.isAdmin;
}

/** The permission on something that no grant names. */
const general = ({ policy }: Scope): Permission => policy.on("experiment", "*");

const refused = (): Error => permissionDenied("Permission denied");
