import { z } from "zod";
import { manages, reads } from "../../kernel/access.ts";
import { isPlatformAdmin } from "../../kernel/caller.ts";
import { alreadyExists, invalidState, permissionDenied, PlinthError } from "../../kernel/errors.ts";
import { DEFAULT_WORKSPACE, type Workspaces } from "../../modules/identity/index.ts";
import type { ProjectRow } from "../../modules/pipelines/index.ts";
import type { ProjectScope } from "./access.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json, stamps } from "./envelope.ts";
import { jsonObject, shortText } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";

const MAX_NAME = 50;
const MAX_DESCRIPTION = 255;

const projectName = z
  .string()
  .min(1, "String should have at least 1 character")
  .max(MAX_NAME, `String should have at most ${MAX_NAME} characters`)
  .regex(/^[a-z0-9_-]+$/, 'String should match pattern "^[a-z0-9_-]+$"');

/** A project without a name is named after what it is to be shown as. */
const projectRequest = z.preprocess(
  (given) => {
    const { name, display_name: shown } = (given ?? {}) as Record<string, unknown>;
    if (name || typeof shown !== "string" || shown === "") return given;
    const made = shown
      .toLowerCase()
      .replaceAll(" ", "-")
      .replaceAll(/[^a-z0-9_-]/g, "");
    return { ...(given as object), name: made };
  },
  z.object({
    name: projectName,
    display_name: shortText.default(""),
    description: shortText.default(""),
    project_metadata: jsonObject.nullish(),
  }),
);

const projectUpdate = z.object({
  name: projectName.nullish(),
  display_name: shortText.nullish(),
  description: shortText.nullish(),
  project_metadata: jsonObject.nullish(),
});

const PATH = "/projects";
const ONE = `${PATH}/:project_name_or_id`;

/**
 * Projects, which are workspaces: everybody sees those that they have a part in, their administrators describe them,
 * and those of the platform make, rename and delete them.
 */
export function projectEndpoints(context: ZenmlContext, workspaces: Workspaces): ZenmlEndpoint[] {
  const { access, identity } = context;
  const { projects, projectList } = context.pipelines;

  const enter = (call: ZenmlCall, action: "read" | "manage"): Promise<ProjectScope> =>
    access.enterProject(call.request, call.path["project_name_or_id"], action);

  const show = async (workspaceId: number, hydrate = true): Promise<object> => {
    const row = await projectList.find(workspaceId);
    if (row === undefined) throw new Error(`there is no workspace ${workspaceId}`);
    return projectView(row, hydrate);
  };

  return [
    endpoint({
      method: "GET",
      path: PATH,
      access: reads("workspace"),
      async handle(call) {
        const { caller } = call.request;
        const query = context.listQuery(call, projectList.fields);
        const isUnlimited = isPlatformAdmin(caller) && caller.credential.limit === undefined;
        const among = isUnlimited
          ? undefined
          : (await identity.listWorkspaces(caller)).map((row) => row.workspace_id);
        call.request.decided = true;
        const { total, rows } = await projectList.search(query, among);
        return pageOf(query, { total, items: rows.map((row) => projectView(row, query.hydrate)) });
      },
    }),
    endpoint({
      method: "POST",
      path: PATH,
      access: manages("server"),
      body: projectRequest,
      async handle(call) {
        const { name, display_name: shown, description, project_metadata: metadata } = call.body;
        call.request.subject = { resourceType: "project", resourceId: name };
        if (name === DEFAULT_WORKSPACE) throw nameTaken(name);
        const made = await workspaces
          .createWorkspace(name, {
            uuid: call.newId(),
            displayName: shown || name,
            description,
            metadataJson: JSON.stringify(metadata ?? {}),
          })
          .catch((error: unknown) => refuseTaken(error, name));
        return show(made.workspace_id);
      },
    }),
    endpoint({
      method: "GET",
      path: ONE,
      access: reads("workspace"),
      async handle(call) {
        const { workspaceId } = await enter(call, "read");
        return show(workspaceId, readFlag(call.parameters, "hydrate", true));
      },
    }),
    endpoint({
      method: "PUT",
      path: ONE,
      access: manages("workspace"),
      body: projectUpdate,
      async handle(call) {
        const { name, display_name: shown, description, project_metadata: metadata } = call.body;
        const { workspace, workspaceId } = await enter(call, "manage");
        const isRenamed = typeof name === "string" && name !== workspace;
        if (isRenamed) refuseRename(call, workspace);
        const changes = {
          ...(isRenamed ? { newName: name } : {}),
          ...(typeof shown === "string" ? { displayName: shown } : {}),
          ...(typeof description === "string" ? { description } : {}),
          ...(metadata ? { metadataJson: JSON.stringify(metadata) } : {}),
        };
        if (Object.keys(changes).length > 0) {
          await workspaces
            .updateWorkspace(workspace, changes)
            .catch((error: unknown) => refuseTaken(error, name ?? ""));
          projects.forget();
        }
        return show(workspaceId);
      },
    }),
    endpoint({
      method: "DELETE",
      path: ONE,
      access: manages("server"),
      async handle(call) {
        const { workspace } = await enter(call, "manage");
        if (workspace === DEFAULT_WORKSPACE) throw invalidState("The default project cannot be deleted.");
        await workspaces.deleteWorkspace(workspace, "CASCADE");
        projects.forget();
        return null;
      },
    }),
    endpoint({
      method: "GET",
      path: `${ONE}/statistics`,
      access: reads("pipeline"),
      async handle(call) {
        const { workspaceId } = await enter(call, "read");
        return projectList.statistics(workspaceId);
      },
    }),
  ];
}

/** The clients take no longer names and descriptions, which workspaces may have: those are cut. */
const projectView = (row: ProjectRow, hydrate: boolean): object =>
  entity(
    { id: row.id, name: row.name.slice(0, MAX_NAME) },
    {
      body: { ...stamps(row), display_name: row.display_name },
      metadata: hydrate
        ? {
            description: Array.from(row.description ?? "")
              .slice(0, MAX_DESCRIPTION)
              .join(""),
            project_metadata: json(row.metadata_json ?? "{}"),
          }
        : null,
    },
  );

function refuseRename({ request }: ZenmlCall, workspace: string): void {
  if (workspace === DEFAULT_WORKSPACE) {
    throw invalidState("The name of the default project cannot be changed.");
  }
  if (!isPlatformAdmin(request.caller)) {
    throw permissionDenied("Only administrators of the platform rename projects.");
  }
}

const nameTaken = (name: string): PlinthError =>
  alreadyExists(
    `Unable to create the requested project with name '${name}': Found another existing project with the same name.`,
  );

function refuseTaken(error: unknown, name: string): never {
  throw error instanceof PlinthError && error.code === "already_exists" ? nameTaken(name) : error;
}
