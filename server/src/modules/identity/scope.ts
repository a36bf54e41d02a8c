/**
 * The workspace a request works in. Every function of a module that reads or changes an entity takes one, and
 * its statement says `workspace_id = ...`: an entity of another workspace is as unknown as one that is not there.
 */
export type Scope = { readonly workspaceId: number; readonly workspace: string };

export const DEFAULT_WORKSPACE = "default";

/** Where requests work that name no workspace, and where everything is that stood before workspaces did. */
export const defaultScope: Scope = { workspaceId: 1, workspace: DEFAULT_WORKSPACE };
