import { invalidParameter } from "../../kernel/errors.ts";
import { defaultScope, type Scope } from "../../modules/identity/index.ts";
import { joinPath } from "./artifacts-paths.ts";

/**
 * The key that a proxied path means to a caller. `workspaces/<name>/...` belongs to that workspace, and what a
 * caller from a workspace calls `a/b` is there; the default workspace has the rest.
 */
export type KeyInScope = (scope: Scope, path: string) => Promise<string>;

export const WORKSPACES = "workspaces";

/** `ownerOf` tells the workspace of the experiment that a path belongs to, where it belongs to one. */
export const createKeyInScope =
  (ownerOf: (path: string) => Promise<number | undefined>): KeyInScope =>
  async (scope, path) => {
    const [first, name] = path.split("/", 2);
    const isDefault = scope.workspaceId === defaultScope.workspaceId;
    if (first !== WORKSPACES) {
      const key = isDefault ? path : joinPath(WORKSPACES, scope.workspace, path);
      // Nobody else's either: a workspace of this name may have been there before, and have left experiments.
      if (isDefault || path === "" || (await mayReach(scope, key, scope.workspace))) return key;
      throw elsewhere(scope.workspace, scope);
    }
    if (name === undefined || name === "") {
      throw invalidParameter("Artifact paths prefixed with 'workspaces/' must include a workspace name.");
    }
    if (await mayReach(scope, path, name)) return path;
    throw elsewhere(name, scope);

    async function mayReach(caller: Scope, key: string, workspace: string): Promise<boolean> {
      const owner = await ownerOf(key);
      return owner === undefined ? workspace === caller.workspace : owner === caller.workspaceId;
    }
  };

const elsewhere = (name: string, { workspace }: Scope): Error =>
  invalidParameter(
    `Artifact path targets workspace '${name}' but the workspace specified in the request is '${workspace}'.`,
  );
