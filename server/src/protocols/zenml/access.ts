import type { FastifyRequest } from "fastify";
import type { Action } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { notFound, permissionDenied, PlinthError, type ErrorCode } from "../../kernel/errors.ts";
import { allows, DEFAULT_WORKSPACE, type Identity, type Scope } from "../../modules/identity/index.ts";
import { noSuch, type Project, type Projects } from "../../modules/pipelines/index.ts";

/** A project that the caller entered. */
export type ProjectScope = Scope & Project;

/** Whose a row is. */
export type Owned = { readonly user_id: string | null };
export type InProject = Owned & { readonly id: string; readonly workspace_id: number };

/**
 * Who may do what with ZenML's entities. Those in a project go by the caller's permission on its workspace: READ
 * reads; USE creates, and changes what it created; EDIT changes everything. Stacks, components, flavors, connectors and
 * tags belong to no project: whoever has a part in any project reads them; whoever may create in one creates, and
 * changes what is their own; those of others change the editors of the workspace `default`, which looks after what all
 * share, and administrators of the platform.
 */
export type ZenmlAccess = {
  /**
   * The project that a request names, or else the caller's default one. Throws `not_found` where the caller has no part
   * in it, `permission_denied` where the action is not allowed.
   */
  enterProject(request: FastifyRequest, nameOrId: string | undefined, action: Action): Promise<ProjectScope>;
  /**
   * The row, and the project it is in; `edit` is allowed to those who may create there for what is their own. For whom
   * has no part in its project there is no such row.
   */
  enterProjectOf(
    request: FastifyRequest,
    row: InProject,
    options: { action: "read" | "edit"; label: string },
  ): Promise<ProjectScope>;
  /** Of all projects that the caller may read, for lists across them; undefined: of every one. */
  readableProjects(request: FastifyRequest): Promise<readonly number[] | undefined>;
  /**
   * Whether the caller reads what belongs to no project. For whoever does not, there is nothing but what every server
   * has from the beginning, which their clients end without: lists are empty, and a single one is not found.
   */
  readsShared(request: FastifyRequest): Promise<boolean>;
  /** For what belongs to no project. */
  requireShared(request: FastifyRequest, action: "read" | "use"): Promise<void>;
  /** Whether `requireShared` would let the caller do this; decides nothing by itself. */
  allowsShared(request: FastifyRequest, action: "read" | "use"): Promise<boolean>;
  requireSharedChange(
    request: FastifyRequest,
    row: Owned & { readonly id: string },
    label: string,
  ): Promise<void>;
};

export type ZenmlAccessDeps = {
  identity: Pick<Identity, "enter" | "renew" | "listWorkspaces">;
  projects: Projects;
};

export function createZenmlAccess({ identity, projects }: ZenmlAccessDeps): ZenmlAccess {
  /** Who has no part in a project is told what is told where there is nothing. */
  const enter = async (
    request: FastifyRequest,
    project: Project,
    unknown: () => PlinthError,
  ): Promise<ProjectScope> => {
    try {
      return { ...(await identity.enter(request.caller, project.workspace)), projectId: project.projectId };
    } catch (error) {
      // One that was renamed or deleted since it was known, or that is being deleted, is gone, too.
      if (error instanceof PlinthError && hidden.has(error.code)) throw unknown();
      throw error;
    }
  };

  const settle = (request: FastifyRequest, scope: ProjectScope): ProjectScope => {
    request.subject = {
      resourceType: "project",
      resourceId: scope.workspace,
      ...request.subject,
      workspace: scope.workspace,
    };
    request.decided = true;
    return scope;
  };

  /** Asked once more, with what other processes changed, before somebody is turned away. */
  const require = async (
    request: FastifyRequest,
    scope: ProjectScope,
    allowed: (scope: Scope) => boolean,
  ): Promise<ProjectScope> => {
    if (allowed(scope)) return settle(request, scope);
    const renewed = await identity.renew(scope);
    if (allowed(renewed)) return settle(request, { ...renewed, projectId: scope.projectId });
    request.subject = { ...request.subject, workspace: scope.workspace };
    throw permissionDenied(`You are not allowed to do this in the project '${scope.workspace}'.`);
  };

  /** The best that holds in any of the caller's workspaces. */
  const holdsAnywhere = async (caller: Caller, holds: (scope: Scope) => boolean): Promise<boolean> => {
    if (isPlatformAdmin(caller)) return true;
    for (const { name } of await identity.listWorkspaces(caller)) {
      try {
        if (holds(await identity.enter(caller, name))) return true;
      } catch (error) {
        if (!(error instanceof PlinthError)) throw error;
      }
    }
    return false;
  };

  const allowsShared = ({ caller }: FastifyRequest, action: "read" | "use"): Promise<boolean> =>
    holdsAnywhere(caller, ({ policy }) => (action === "read" ? policy.isMember : policy.mayCreate));

  const editsDefault = async (caller: Caller): Promise<boolean> => {
    try {
      return allows((await identity.enter(caller, DEFAULT_WORKSPACE)).policy.general, "edit");
    } catch (error) {
      if (error instanceof PlinthError && error.code === "permission_denied") return false;
      throw error;
    }
  };

  return {
    async enterProject(request, nameOrId, action) {
      const named = nameOrId ?? DEFAULT_WORKSPACE;
      const project = await projects.find(named);
      if (project === undefined) throw noProject(named);
      return require(request, await enter(request, project, () => noProject(named)), ({ policy }) =>
        action === "use" ? policy.mayCreate : allows(policy.general, action));
    },
    async enterProjectOf(request, row, { action, label }) {
      const project = await projects.of(row.workspace_id);
      const scope = await enter(request, project, () => noSuch(label, row.id));
      const isOwn = isOwner(request.caller, row);
      return require(request, scope, ({ policy }) =>
        allows(policy.general, action) || (action === "edit" && isOwn && policy.mayCreate));
    },
    allowsShared,
    async readableProjects(request) {
      const { caller } = request;
      request.decided = true;
      if (isPlatformAdmin(caller) && caller.credential.limit === undefined) return undefined;
      const ids: number[] = [];
      for (const { name, workspace_id: id } of await identity.listWorkspaces(caller)) {
        try {
          if (allows((await identity.enter(caller, name)).policy.general, "read")) ids.push(id);
        } catch (error) {
          if (!(error instanceof PlinthError)) throw error;
        }
      }
      return ids;
    },
    readsShared(request) {
      request.decided = true;
      return allowsShared(request, "read");
    },
    async requireShared(request, action) {
      if (!(await allowsShared(request, action)))
        throw permissionDenied("You may do this once you have a part in a project of this server.");
      request.decided = true;
    },
    async requireSharedChange(request, row, label) {
      const { caller } = request;
      const isOwn = isOwner(caller, row);
      const allowed =
        isPlatformAdmin(caller) ||
        (isOwn && (await holdsAnywhere(caller, ({ policy }) => policy.mayCreate))) ||
        (await editsDefault(caller));
      if (!allowed) {
        if (!(await allowsShared(request, "read"))) throw noSuch(label, row.id);
        throw permissionDenied(
          "Only who made this, editors of the project 'default' and administrators change or delete it.",
        );
      }
      request.decided = true;
    },
  };
}

const hidden: ReadonlySet<ErrorCode> = new Set(["permission_denied", "not_found", "invalid_parameter"]);

export const isOwner = ({ principal }: Caller, { user_id: owner }: Owned): boolean =>
  principal !== undefined && principal.kind !== "local" && principal.uuid === owner;

/** The id of the caller's user or service account; null for the local administrator of an open server, who has no row. */
export const userIdOf = ({ caller: { principal } }: Pick<FastifyRequest, "caller">): string | null =>
  principal === undefined || principal.kind === "local" ? null : principal.uuid;

const noProject = (nameOrId: string): PlinthError =>
  notFound(`Unable to get project with name or ID '${nameOrId}': No project with this name or ID found`);
