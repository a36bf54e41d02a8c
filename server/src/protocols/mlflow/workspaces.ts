import type { FastifyRequest } from "fastify";
import { loginAccess, manages, reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import {
  checkNamespaceName,
  DEFAULT_WORKSPACE,
  deletionModes,
  noScope,
  type Identity,
  type Scope,
  type WorkspaceRow,
  type Workspaces,
} from "../../modules/identity/index.ts";
import type { Endpoint } from "./endpoint.ts";
import { needs } from "./guard.ts";
import { workspaceNameOf } from "./scope.ts";
import { isObject, message, nested, string, wrongType, type Check, type Values } from "./wire.ts";

const PATH = "/3.0/mlflow/workspaces";

const fields = {
  description: string,
  default_artifact_root: string,
  trace_archival_config: nested(message({ location: string, retention: string })),
};

/** Reads also what the message would leave out as unreadable. */
const archival: Check = (value) => {
  if (value === undefined || value === null) return;
  if (!isObject(value)) throw wrongType("trace_archival_config", value);
  for (const field of ["location", "retention"]) {
    if (Object.hasOwn(value, field) && typeof value[field] !== "string") throw wrongType(field, value[field]);
  }
};

const checks = {
  description: ["string"],
  default_artifact_root: ["string"],
  trace_archival_config: [archival],
} as const;

/**
 * MLflow's workspaces. Its client insists on 201 and 204. Everybody sees those that they have a part in; only
 * administrators of the platform make, change and delete them.
 */
export function workspaceEndpoints(
  workspaces: Workspaces,
  { enter, listWorkspaces }: Pick<Identity, "enter" | "listWorkspaces">,
): Endpoint[] {
  /** A workspace that is named must be there, though nothing is asked of it. */
  const scopeIfNamed = (request: FastifyRequest): Scope | Promise<Scope> => {
    const name = workspaceNameOf(request);
    return name === DEFAULT_WORKSPACE ? noScope : enter(request.caller, name);
  };
  const scopeOfPath = (request: FastifyRequest): Scope | Promise<Scope> =>
    enter(request.caller, (request.params as { workspace_name?: string }).workspace_name ?? "");
  return [
    {
      method: "GET",
      path: PATH,
      access: loginAccess,
      scoped: scopeIfNamed,
      request: message({}),
      async handle(_values, { request }) {
        return { workspaces: (await listWorkspaces(request.caller)).map(workspaceJson) };
      },
    },
    {
      method: "POST",
      path: PATH,
      access: manages("server"),
      scoped: scopeIfNamed,
      request: message({ name: string, ...fields }),
      checks: { name: ["required", "string"], ...checks },
      async handle(values, { reply }) {
        const name = values["name"] as string;
        if (name !== DEFAULT_WORKSPACE) checkNamespaceName(name);
        const row = await workspaces.createWorkspace(name, readFields(values));
        reply.code(201);
        return { workspace: workspaceJson(row) };
      },
    },
    {
      method: "GET",
      path: `${PATH}/:workspace_name`,
      access: reads("workspace"),
      scoped: scopeOfPath,
      needs: () => [needs("read", { type: "workspace" })],
      request: message({}),
      async handle(_values, { path }) {
        return { workspace: workspaceJson(await workspaces.getWorkspace(path["workspace_name"] ?? "")) };
      },
    },
    {
      method: "PATCH",
      path: `${PATH}/:workspace_name`,
      access: manages("server"),
      scoped: scopeIfNamed,
      request: message(fields),
      checks,
      async handle(values, { path }) {
        const name = path["workspace_name"] ?? "";
        return { workspace: workspaceJson(await workspaces.updateWorkspace(name, readFields(values))) };
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/:workspace_name`,
      access: manages("server"),
      scoped: scopeIfNamed,
      request: message({}),
      async handle(_values, { path, request, reply }) {
        const { mode: given } = request.query as { mode?: string | string[] };
        const wanted = [given].flat()[0] ?? "RESTRICT";
        const mode = deletionModes.find((one) => one === wanted);
        if (mode === undefined) {
          throw invalidParameter(
            `Invalid deletion mode '${wanted}'. Must be one of: ${deletionModes.join(", ")}`,
          );
        }
        await workspaces.deleteWorkspace(path["workspace_name"] ?? "", mode);
        reply.code(204);
        return "";
      },
    },
  ];
}

function readFields(values: Values): Parameters<Workspaces["updateWorkspace"]>[1] {
  const archival = (values["trace_archival_config"] ?? {}) as { location?: string; retention?: string };
  return {
    description: values["description"] as string | undefined,
    defaultArtifactRoot: values["default_artifact_root"] as string | undefined,
    traceArchivalLocation: archival.location,
    traceArchivalRetention: archival.retention,
  };
}

function workspaceJson(row: WorkspaceRow): Values {
  const { trace_archival_location: location, trace_archival_retention: retention } = row;
  const archival = {
    ...(location === null ? {} : { location }),
    ...(retention === null ? {} : { retention }),
  };
  return {
    name: row.name,
    ...(row.description === null ? {} : { description: row.description }),
    ...(row.default_artifact_root === null ? {} : { default_artifact_root: row.default_artifact_root }),
    ...(Object.keys(archival).length === 0 ? {} : { trace_archival_config: archival }),
  };
}
