import type { Caller } from "../../kernel/caller.ts";
import { fullPolicy, type Policy } from "./policy.ts";

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

/** Everything in a workspace: for what the process does of its own accord, and for open servers. */
export const fullScope = (place: WorkspacePlace): Scope => ({ ...place, policy: fullPolicy });

export const defaultScope: Scope = fullScope(defaultWorkspace);

/** The workspace of this name, entered by the caller. Throws `permission_denied` where the caller has no part in it. */
export type Enter = (caller: Caller, workspace: string) => Scope | Promise<Scope>;
