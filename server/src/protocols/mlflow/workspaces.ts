import { manages, reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { deletionModes, type WorkspaceRow, type Workspaces } from "../../modules/identity/index.ts";
import type { Endpoint } from "./endpoint.ts";
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

/** MLflow's workspaces. Its client insists on 201 and 204. */
export function workspaceEndpoints(workspaces: Workspaces): Endpoint[] {
  return [
    {
      method: "GET",
      path: PATH,
      access: reads("workspace"),
      request: message({}),
      async handle() {
        return { workspaces: (await workspaces.listWorkspaces()).map(workspaceJson) };
      },
    },
    {
      method: "POST",
      path: PATH,
      access: manages("workspace"),
      request: message({ name: string, ...fields }),
      checks: { name: ["required", "string"], ...checks },
      async handle(values, { reply }) {
        const row = await workspaces.createWorkspace(values["name"] as string, readFields(values));
        reply.code(201);
        return { workspace: workspaceJson(row) };
      },
    },
    {
      method: "GET",
      path: `${PATH}/:workspace_name`,
      access: reads("workspace"),
      request: message({}),
      async handle(_values, { path }) {
        return { workspace: workspaceJson(await workspaces.getWorkspace(path["workspace_name"] ?? "")) };
      },
    },
    {
      method: "PATCH",
      path: `${PATH}/:workspace_name`,
      access: manages("workspace"),
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
      access: manages("workspace"),
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
