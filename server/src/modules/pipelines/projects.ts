import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import type { WorkspacePlace } from "../identity/index.ts";
import { isUuid } from "./list.sql.ts";

/** A workspace as ZenML knows it: a project with an id. */
export type Project = WorkspacePlace & { readonly projectId: string };

export type Projects = {
  /** By its name or its id; undefined where there is none. Nothing is waited for where it is known. */
  find(nameOrId: string): Project | undefined | Promise<Project | undefined>;
  /** The one that a row is in. Throws where there is none, which foreign keys prevent. */
  of(workspaceId: number): Project | Promise<Project>;
  /** Of a project that `find` or `of` gave before: ids never change. */
  idOf(workspaceId: number): string;
  /** To be called when one was renamed or deleted by this process. */
  forget(): void;
};

/** As long as identity takes a name for known. */
const KNOWN_MS = 2000;
const MAX_KNOWN = 10_000;

type ProjectRow = { workspace_id: number; name: string; uuid: string };

const byNameText: Prepared = {
  name: "pipelines_select_project_by_name",
  text: "select workspace_id, name, uuid from identity.workspaces where name = $1 and not hidden",
};
const byUuidText: Prepared = {
  name: "pipelines_select_project_by_uuid",
  text: "select workspace_id, name, uuid from identity.workspaces where uuid = $1::uuid and not hidden",
};
const byIdText: Prepared = {
  name: "pipelines_select_project",
  text: "select workspace_id, name, uuid from identity.workspaces where workspace_id = $1",
};

async function selectProject(
  database: Queryable,
  statement: Prepared,
  value: string | number,
): Promise<Project | undefined> {
  const [row] = await database.prepared<ProjectRow>(statement, [value]);
  return row && { workspaceId: row.workspace_id, workspace: row.name, projectId: row.uuid };
}

export function createProjects({ database, now }: { database: Database; now(): number }): Projects {
  const known = new Map<string | number, { project: Project; until: number }>();
  const ids = new Map<number, string>();

  const remember = (key: string | number, project: Project): void => {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, { project, until: now() + KNOWN_MS });
    ids.set(project.workspaceId, project.projectId);
  };

  const peek = (key: string | number): Project | undefined => {
    const found = known.get(key);
    return found !== undefined && now() < found.until ? found.project : undefined;
  };

  const load = async (key: string | number): Promise<Project | undefined> => {
    const statement = typeof key === "number" ? byIdText : isUuid(key) ? byUuidText : byNameText;
    // What looks like an id may be a name all the same.
    const project =
      (await selectProject(database, statement, key)) ??
      (statement === byUuidText ? await selectProject(database, byNameText, key) : undefined);
    if (project !== undefined) remember(key, project);
    return project;
  };

  return {
    find: (nameOrId) => peek(nameOrId) ?? load(nameOrId),
    of(workspaceId) {
      const found = peek(workspaceId);
      if (found !== undefined) return found;
      return load(workspaceId).then((project) => {
        if (project === undefined) throw new Error(`there is no workspace ${workspaceId}`);
        return project;
      });
    },
    idOf(workspaceId) {
      const id = ids.get(workspaceId);
      if (id === undefined) throw new Error(`workspace ${workspaceId} was not asked for before`);
      return id;
    },
    forget: () => known.clear(),
  };
}
