import type { FastifyInstance, FastifyRequest } from "fastify";
import { newWorkspaceRequest, workspaceChange, workspaceDeletion, type Workspace } from "@plinth/contract";
import { manages, reads } from "../../kernel/access.ts";
import { isPlatformAdmin } from "../../kernel/caller.ts";
import type { Identity, WorkspaceRow, Workspaces } from "../../modules/identity/index.ts";
import { enterAsAdmin, given, read, requirePlatformAdmin } from "./request.ts";

type Options = { identity: Pick<Identity, "enter" | "listWorkspaces" | "renew">; workspaces: Workspaces };
type Named = { Params: { workspace: string } };

const reading = { config: { access: reads("workspace"), protocol: "console" } } as const;
const managing = { config: { access: manages("workspace"), protocol: "console" } } as const;

const PATH = "/console/api/workspaces";

/** Workspaces: made, protected and deleted by administrators of the platform, described by their own. */
export function registerWorkspaces(app: FastifyInstance, { identity, workspaces }: Options): void {
  app.get(PATH, reading, async (request, reply) => {
    const rows = await identity.listWorkspaces(request.caller);
    request.decided = true;
    return reply.send({ workspaces: rows.map(workspaceJson) });
  });
  app.post(PATH, managing, async (request, reply) => {
    requirePlatformAdmin(request);
    const { name, ...wanted } = read(newWorkspaceRequest, request.body);
    about(request, name);
    return reply.code(201).send(workspaceJson(await workspaces.createWorkspace(name, fieldsOf(wanted))));
  });
  app.get<Named>(`${PATH}/:workspace`, reading, async (request, reply) => {
    const { workspace } = await identity.enter(request.caller, request.params.workspace);
    request.decided = true;
    return reply.send(workspaceJson(await workspaces.getWorkspace(workspace)));
  });
  app.patch<Named>(`${PATH}/:workspace`, managing, async (request, reply) => {
    const { workspace } = await enterAsAdmin(request, identity, request.params.workspace);
    const wanted = read(workspaceChange, request.body);
    about(request, workspace, wanted.protected);
    const { description: _description, ...others } = given(wanted);
    // Where artifacts go, and what is recorded, is not for those whose artifacts and records they are.
    if (Object.keys(others).length > 0 && !isPlatformAdmin(request.caller)) requirePlatformAdmin(request);
    return reply.send(workspaceJson(await workspaces.updateWorkspace(workspace, fieldsOf(wanted))));
  });
  app.delete<Named>(`${PATH}/:workspace`, managing, async (request, reply) => {
    requirePlatformAdmin(request);
    about(request, request.params.workspace);
    const { mode } = read(workspaceDeletion, request.query);
    await workspaces.deleteWorkspace(request.params.workspace, mode);
    return reply.code(204).send();
  });
}

function about(request: FastifyRequest, workspace: string, isProtected?: boolean): void {
  request.subject = {
    resourceType: "workspace",
    resourceId: workspace,
    workspace,
    ...(isProtected === undefined ? {} : { details: { protected: isProtected } }),
  };
}

type Fields = {
  description?: string | undefined;
  default_artifact_root?: string | undefined;
  protected?: boolean | undefined;
};

const fieldsOf = ({ description, default_artifact_root, protected: isProtected }: Fields) => ({
  description,
  defaultArtifactRoot: default_artifact_root,
  protected: isProtected,
});

const workspaceJson = (row: WorkspaceRow): Workspace => ({
  name: row.name,
  description: row.description,
  default_artifact_root: row.default_artifact_root,
  protected: row.protected,
});
