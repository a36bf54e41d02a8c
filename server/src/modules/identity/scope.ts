import type { Caller } from "../../kernel/caller.ts";
import { compilePolicy, fullPolicy, type Ceiling, type Policy } from "./policy.ts";

/** A workspace by its id and its name. */
export type WorkspacePlace = { readonly workspaceId: number; readonly workspace: string };

/**
 * The workspace a request works in, and what its caller may do there. Every function of a module that reads or
 * changes an entity takes one, and its statement says `workspace_id = ...`: an entity of another workspace is as
 * unknown as one that is not there. Searches show what `policy` makes visible.
 */
export type Scope = WorkspacePlace & { readonly policy: Policy };

export const DEFAULT_WORKSPACE = "default";

/** Where requests work that name no workspace, and where everything is that stood before workspaces did. */
export const defaultWorkspace: WorkspacePlace = { workspaceId: 1, workspace: DEFAULT_WORKSPACE };

const fullScopes = new WeakMap<WorkspacePlace, Scope>();

/**
 * Everything in a workspace: for what the process does of its own accord, for open servers and platform
 * administrators. With a ceiling, everything that a limited key of theirs may do.
 */
export function fullScope(place: WorkspacePlace, ceiling: Ceiling = "MANAGE"): Scope {
  if (ceiling !== "MANAGE") {
    return { ...place, policy: compilePolicy([], { isPlatformAdmin: true, ceiling }) };
  }
  let scope = fullScopes.get(place);
  if (scope === undefined) fullScopes.set(place, (scope = { ...place, policy: fullPolicy }));
  return scope;
}

export const defaultScope: Scope = fullScope(defaultWorkspace);

/** For what is in no workspace: nothing is allowed in any. */
export const noScope: Scope = {
  ...defaultWorkspace,
  policy: compilePolicy([], { isPlatformAdmin: false, ceiling: undefined }),
};

/** The workspace of this name, entered by the caller. Throws `permission_denied` where the caller has no part in it. */
export type Enter = (caller: Caller, workspace: string) => Scope | Promise<Scope>;
