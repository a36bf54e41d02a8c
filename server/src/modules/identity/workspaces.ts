import type { Database, Queryable } from "../../kernel/database.ts";
import { isForeignKeyViolation, violates } from "../../kernel/database-errors.ts";
import {
  alreadyExists,
  invalidParameter,
  invalidState,
  notFound,
  type PlinthError,
} from "../../kernel/errors.ts";
import { DEFAULT_WORKSPACE, defaultWorkspace, type WorkspacePlace } from "./scope.ts";
import type { WorkspaceContents } from "./workspace-contents.ts";
import {
  checkNamespaceName,
  checkWorkspaceName,
  readWorkspaceFields,
  type WorkspaceFields,
} from "./workspace-fields.ts";
import {
  deleteWorkspace,
  insertDeletedWorkspace,
  insertWorkspace,
  lockWorkspace,
  selectDeletedWorkspaces,
  selectHasOthers,
  selectProtected,
  selectIsAlone,
  selectWorkspace,
  selectWorkspaceByUuid,
  selectWorkspaces,
  selectWorkspacesOf,
  updateWorkspace,
  type WorkspaceChange,
  type WorkspaceRow,
} from "./workspaces.sql.ts";

export type { WorkspaceRow } from "./workspaces.sql.ts";

/** What happens to what is in a workspace that is deleted: it moves to the default one, goes too, or prevents that. */
export const deletionModes = ["SET_DEFAULT", "CASCADE", "RESTRICT"] as const;
export type DeletionMode = (typeof deletionModes)[number];

export type Workspaces = {
  /**
   * A workspace by its name; nothing is waited for where the name is known. Throws `not_found`.
   * What was found stays known for `KNOWN_MS`: a workspace that another process deletes meanwhile is found
   * empty, since all that was in it has another `workspace_id` from then on, and cannot be filled, since rows
   * refer to it by a foreign key.
   */
  placeOf(name: string): WorkspacePlace | Promise<WorkspacePlace>;
  /** By name. */
  listWorkspaces(): Promise<WorkspaceRow[]>;
  /** Those that a principal has a part in, which `enter` lets it into. */
  listWorkspacesOf(of: Parameters<typeof selectWorkspacesOf>[1]): Promise<WorkspaceRow[]>;
  getWorkspace(name: string): Promise<WorkspaceRow>;
  /** With an id that is there already: the workspace that this request made before. */
  createWorkspace(name: string, fields: WorkspaceFields & { uuid?: string }): Promise<WorkspaceRow>;
  /**
   * Fields that are undefined stay as they are, empty ones are cleared. A new name is for a workspace in which nothing
   * has the old one in its address: else `invalid_state`.
   */
  updateWorkspace(name: string, fields: WorkspaceFields & { newName?: string }): Promise<WorkspaceRow>;
  /** All of it or nothing; what `CASCADE` deletes is removed for good by the next purge. */
  deleteWorkspace(name: string, mode: DeletionMode): Promise<void>;
  hasOtherWorkspaces(): Promise<boolean>;
  /** Whether all changes and reads of artifacts in it are in the audit log; as of the last `readProtected`. */
  isProtected(name: string): boolean;
  /** To be called at the start, and often: another process may have protected one. */
  readProtected(): Promise<void>;
  /** True where there is no workspace besides the default one, as far as known for `KNOWN_MS`; hidden ones count. */
  isAlone(): boolean | Promise<boolean>;
  /** Removes what is left of workspaces deleted at least `olderThanMs` ago. */
  purgeWorkspaces(options: { olderThanMs: number }): Promise<void>;
};

export type WorkspacesDeps = {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
  /** Throws for an artifact root that nobody may choose. */
  checkArtifactRoot(root: string): void;
  /** What the modules keep in workspaces; asked for when a workspace is deleted. */
  contents(): readonly WorkspaceContents[];
};

const KNOWN_MS = 2000;
const MAX_KNOWN = 10_000;

export function createWorkspaces(deps: WorkspacesDeps): Workspaces {
  const { database } = deps;
  const known = new Map<string, { place: WorkspacePlace; until: number }>();
  /** Requests that ask for the same name at once share a statement. */
  const asked = new Map<string, Promise<WorkspacePlace>>();

  let alone: { value: boolean; until: number } | undefined;

  let protectedNames: ReadonlySet<string> = new Set();
  const readProtected = async (): Promise<void> => {
    protectedNames = new Set(await selectProtected(database));
  };

  const getWorkspace = async (name: string): Promise<WorkspaceRow> => {
    if (name !== DEFAULT_WORKSPACE) checkWorkspaceName(name);
    const row = await selectWorkspace(database, name);
    if (row === undefined) {
      // Where there is no project of that name either, what MLflow's clients may not say is refused as they know it.
      if (name !== DEFAULT_WORKSPACE) checkNamespaceName(name);
      throw workspaceNotFound(name);
    }
    return row;
  };

  const ask = async (name: string): Promise<WorkspacePlace> => {
    const { workspace_id: workspaceId, name: workspace } = await getWorkspace(name);
    if (known.size >= MAX_KNOWN) known.clear();
    const place = { workspaceId, workspace };
    known.set(name, { place, until: deps.now() + KNOWN_MS });
    return place;
  };

  return {
    placeOf(name) {
      if (name === DEFAULT_WORKSPACE) return defaultWorkspace;
      const found = known.get(name);
      if (found !== undefined && deps.now() < found.until) return found.place;
      const under = asked.get(name);
      if (under !== undefined) return under;
      const asking = ask(name).finally(() => asked.delete(name));
      asked.set(name, asking);
      return asking;
    },
    listWorkspaces: () => selectWorkspaces(database),
    listWorkspacesOf: (of) => selectWorkspacesOf(database, of),
    getWorkspace,
    async createWorkspace(name, { uuid, ...fields }) {
      if (name === DEFAULT_WORKSPACE) throw reserved("created");
      checkWorkspaceName(name);
      const none = {
        description: null,
        default_artifact_root: null,
        trace_archival_location: null,
        trace_archival_retention: null,
        protected: false,
        display_name: null,
        metadata_json: null,
      };
      const read = readWorkspaceFields(fields, deps.checkArtifactRoot);
      const row = await insertWorkspace(database, { name, ...none, ...read, uuid, now: deps.now() });
      if (row === undefined) {
        const before = uuid === undefined ? undefined : await selectWorkspaceByUuid(database, uuid);
        if (before !== undefined) return before;
        throw alreadyExists(`Workspace '${name}' already exists.`);
      }
      alone = undefined;
      if (row.protected) await readProtected();
      return row;
    },
    async updateWorkspace(name, { newName, ...fields }) {
      if (name !== DEFAULT_WORKSPACE) checkWorkspaceName(name);
      const read = readWorkspaceFields(fields, deps.checkArtifactRoot);
      const isRenamed = newName !== undefined && newName !== name;
      if (Object.keys(read).length === 0 && newName === undefined) {
        throw invalidParameter("Workspace update must have at least one key");
      }
      const change = { name, ...read, now: deps.now() };
      const row = isRenamed
        ? await rename(deps, { ...change, newName })
        : await updateWorkspace(database, change);
      if (row === undefined) throw workspaceNotFound(name);
      known.delete(name);
      await readProtected();
      return row;
    },
    async deleteWorkspace(name, mode) {
      if (name === DEFAULT_WORKSPACE) throw reserved("deleted");
      checkWorkspaceName(name);
      await database
        .transaction((transaction) => empty(transaction, deps, { name, mode }))
        .catch((error: unknown) => {
          // Put into the default workspace since it was looked at.
          const taken = deps.contents().some(({ nameKeys }) => nameKeys.some((key) => violates(error, key)));
          throw taken ? invalidState(`Cannot delete workspace '${name}': ${CONFLICTS}`) : error;
        });
      known.delete(name);
    },
    hasOtherWorkspaces: () => selectHasOthers(database),
    isProtected: (name) => protectedNames.has(name),
    readProtected,
    isAlone() {
      if (alone !== undefined && deps.now() < alone.until) return alone.value;
      return selectIsAlone(database).then((value) => {
        alone = { value, until: deps.now() + KNOWN_MS };
        return value;
      });
    },
    async purgeWorkspaces({ olderThanMs }) {
      for (const id of await selectDeletedWorkspaces(database, deps.now() - olderThanMs)) {
        for (const part of deps.contents()) await part.purgeContents(id);
        await deleteWorkspace(database, id).catch((error: unknown) => {
          // Something is left that cannot be purged yet: the next purge tries again.
          if (!isForeignKeyViolation(error)) throw error;
        });
      }
    },
  };
}

async function rename(
  { database, contents }: WorkspacesDeps,
  change: WorkspaceChange & { newName: string },
): Promise<WorkspaceRow | undefined> {
  const { name, newName } = change;
  if (name === DEFAULT_WORKSPACE || newName === DEFAULT_WORKSPACE) throw reserved("renamed");
  checkWorkspaceName(newName);
  try {
    return await database.transaction(async (transaction) => {
      const workspaceId = await lockWorkspace(transaction, name);
      if (workspaceId === undefined) return undefined;
      for (const part of contents()) {
        if (!part.bindsName) continue;
        const [first] = await part.countContents(transaction, workspaceId);
        if (first !== undefined) throw bound(name, first);
      }
      return updateWorkspace(transaction, change);
    });
  } catch (error) {
    throw violates(error, "workspaces_name_key")
      ? alreadyExists(`Workspace '${newName}' already exists.`)
      : error;
  }
}

const bound = (name: string, { table, count }: { table: string; count: number }): PlinthError =>
  invalidState(
    `Cannot rename workspace '${name}': table '${table}' contains ${count} resource(s), and their addresses contain the name.`,
  );

const CONFLICTS = `names in it exist in the '${DEFAULT_WORKSPACE}' workspace already.`;

/** Takes everything out of a workspace as `mode` says, and deletes it. */
async function empty(
  transaction: Queryable,
  deps: WorkspacesDeps,
  { name, mode }: { name: string; mode: DeletionMode },
): Promise<void> {
  const from = await lockWorkspace(transaction, name);
  if (from === undefined) throw workspaceNotFound(name);
  const contents = deps.contents();
  if (mode === "RESTRICT") {
    for (const part of contents) {
      const [first] = await part.countContents(transaction, from);
      if (first !== undefined) throw filled(name, first);
    }
  } else if (mode === "SET_DEFAULT") {
    const move = { from, to: defaultWorkspace.workspaceId };
    const conflicts = [];
    for (const part of contents) conflicts.push(...(await part.findConflicts(transaction, move)));
    if (conflicts.length > 0) throw conflicting(name, conflicts);
    for (const part of contents) await part.moveContents(transaction, move);
  } else {
    const now = deps.now();
    const to = await insertDeletedWorkspace(transaction, { workspaceId: from, name, now });
    for (const part of contents) await part.moveContents(transaction, { from, to, deletedAt: now });
  }
  await deleteWorkspace(transaction, from);
}

export const workspaceNotFound = (name: string): PlinthError => notFound(`Workspace '${name}' not found`);

const reserved = (what: "created" | "deleted" | "renamed"): PlinthError =>
  invalidParameter(`The '${DEFAULT_WORKSPACE}' workspace is reserved and cannot be ${what}`);

const filled = (name: string, { table, count }: { table: string; count: number }): PlinthError =>
  invalidState(
    `Cannot delete workspace '${name}': table '${table}' still contains ${count} resource(s). ` +
      "Remove or reassign them before deleting the workspace.",
  );

function conflicting(name: string, conflicts: readonly { table: string; name: string }[]): PlinthError {
  const list = conflicts.slice(0, 20).map((one) => `  - ${one.table}: '${one.name}'`);
  if (conflicts.length > list.length) list.push(`  and ${conflicts.length - list.length} more`);
  return invalidState(
    `Cannot reassign resources from workspace '${name}' to '${DEFAULT_WORKSPACE}': the following names already ` +
      `exist in the default workspace and would cause conflicts:\n${list.join("\n")}\n` +
      "Rename or remove the conflicting resources before retrying.",
  );
}
