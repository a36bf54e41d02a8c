import type { Database } from "../../kernel/database.ts";
import { invalidParameter, notFound, type PlinthError } from "../../kernel/errors.ts";
import { DEFAULT_WORKSPACE, defaultScope, type Scope } from "./scope.ts";
import { selectWorkspace } from "./workspaces.sql.ts";

export type Workspaces = {
  /**
   * The scope of a workspace by its name; nothing is waited for where the name is known. Throws `not_found`.
   * What was found stays known for `KNOWN_MS`: a workspace that another process deletes meanwhile is found
   * empty, since all that was in it has another `workspace_id` (or none) from then on, and cannot be filled,
   * since rows refer to it by a foreign key.
   */
  scopeOf(name: string): Scope | Promise<Scope>;
};

export type WorkspacesDeps = {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
};

const KNOWN_MS = 2000;
const MAX_KNOWN = 10_000;

export function createWorkspaces(deps: WorkspacesDeps): Workspaces {
  const { database } = deps;
  const known = new Map<string, { scope: Scope; until: number }>();
  /** Requests that ask for the same name at once share a statement. */
  const asked = new Map<string, Promise<Scope>>();

  const ask = async (name: string): Promise<Scope> => {
    checkWorkspaceName(name);
    const row = await selectWorkspace(database, name);
    if (row === undefined) throw workspaceNotFound(name);
    const scope = { workspaceId: row.workspace_id, workspace: row.name };
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(name, { scope, until: deps.now() + KNOWN_MS });
    return scope;
  };

  return {
    scopeOf(name) {
      if (name === DEFAULT_WORKSPACE) return defaultScope;
      const found = known.get(name);
      if (found !== undefined && deps.now() < found.until) return found.scope;
      const under = asked.get(name);
      if (under !== undefined) return under;
      const asking = ask(name).finally(() => asked.delete(name));
      asked.set(name, asking);
      return asking;
    },
  };
}

export const workspaceNotFound = (name: string): PlinthError => notFound(`Workspace '${name}' not found`);

const NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const RESERVED = new Set(["workspaces", "api", "ajax-api", "static-files"]);

/** Names are those of Kubernetes' namespaces: they stand in addresses and in keys of objects. */
export function checkWorkspaceName(name: string): void {
  const shown = name.length > 200 ? `${name.slice(0, 200)}...` : name;
  if (name.length < 2 || name.length > 63) {
    throw invalidParameter(`Workspace name '${shown}' must be between 2 and 63 characters.`);
  }
  if (!NAME.test(name)) {
    throw invalidParameter(
      `Workspace name '${shown}' must match the pattern ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$ ` +
        "(lowercase alphanumeric with optional internal hyphens).",
    );
  }
  if (RESERVED.has(name)) throw invalidParameter(`Workspace name '${shown}' is reserved and cannot be used.`);
}
