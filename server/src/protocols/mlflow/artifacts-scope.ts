import { invalidParameter } from "../../kernel/errors.ts";
import { defaultWorkspace, type Scope } from "../../modules/identity/index.ts";
import { joinPath } from "./artifacts-paths.ts";

/**
 * The key that a proxied path means to a caller; throws for what is of another workspace. What is in the place of
 * an experiment belongs to the experiment's workspace, wherever that place is: it stays when an experiment moves.
 * Otherwise `workspaces/<name>/...` belongs to the workspace of that name, and the rest to the default one. What
 * a caller from another workspace calls `a/b` is below its own folder.
 */
export type KeyInScope = (scope: Scope, path: string, use?: "delete") => Promise<string>;

export const WORKSPACES = "workspaces";

export type ArtifactOwners = {
  /** The workspace of the experiment in whose place a path is. */
  ownerOf(path: string): Promise<number | undefined>;
  /** Whether experiments of another workspace have their places below a path. */
  hasOthersBelow(path: string, workspaceId: number): Promise<boolean>;
  /** Whether there is no workspace besides the default one: then nothing need be asked. */
  isAlone(): boolean | Promise<boolean>;
};

export const createKeyInScope =
  ({ ownerOf, hasOthersBelow, isAlone }: ArtifactOwners): KeyInScope =>
  async (scope, path, use) => {
    const [first, name] = path.split("/", 2);
    const isDefault = scope.workspaceId === defaultWorkspace.workspaceId;
    const named = first === WORKSPACES;
    if (named && (name === undefined || name === "")) {
      throw invalidParameter("Artifact paths prefixed with 'workspaces/' must include a workspace name.");
    }
    if (isDefault && !named && (path === "" || (await isAlone()))) return path;
    const owner = await ownerOf(path);
    const isOwn = owner === scope.workspaceId;
    const key = named || isDefault || isOwn ? path : joinPath(WORKSPACES, scope.workspace, path);
    // A workspace of this name may have been there before, and have left experiments that moved.
    const holder = key === path ? owner : await ownerOf(key);
    if (holder !== undefined && holder !== scope.workspaceId)
      throw elsewhere(named ? name : undefined, scope);
    if (named && holder === undefined && name !== scope.workspace) throw elsewhere(name, scope);
    if (use === "delete" && (await hasOthersBelow(key, scope.workspaceId))) throw elsewhere(undefined, scope);
    return key;
  };

const elsewhere = (name: string | undefined, { workspace }: Scope): Error =>
  invalidParameter(
    name === undefined || name === workspace
      ? `Artifact path targets another workspace than the one specified in the request, '${workspace}'.`
      : `Artifact path targets workspace '${name}' but the workspace specified in the request is '${workspace}'.`,
  );
