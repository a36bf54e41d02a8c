import type { Projects } from "../../modules/pipelines/index.ts";
import type { ZenmlCall, ZenmlEndpoint } from "./endpoint.ts";

/**
 * Addresses from when projects were called workspaces: deprecated, and kept by ZenML's servers for dashboards. Each is
 * another one with the project in its path, which counts in place of what the request says besides.
 */
const aliases: readonly (readonly [methods: readonly ZenmlEndpoint["method"][], path: string])[] = [
  [["GET", "POST"], "/projects"],
  [["GET", "PUT", "DELETE"], "/projects/:project_name_or_id"],
  [["GET"], "/projects/:project_name_or_id/statistics"],
  [["GET", "POST"], "/code_repositories"],
  [["POST"], "/models"],
  [["GET", "POST"], "/pipeline_builds"],
  [["GET", "POST"], "/pipeline_deployments"],
  [["GET", "POST"], "/pipelines"],
  [["POST"], "/run-metadata"],
  [["GET", "POST"], "/run_templates"],
  [["GET", "POST"], "/runs"],
  [["GET", "POST"], "/schedules"],
  [["POST"], "/secrets"],
  [["GET", "POST"], "/service_connectors"],
  [["GET"], "/service_connectors/resources"],
  [["POST"], "/services"],
  [["GET", "POST"], "/components"],
  [["GET", "POST"], "/stacks"],
  [["POST"], "/model_versions"],
];

const WORKSPACE = "/workspaces/:project_name_or_id";

/** What an address is called below `/workspaces`. */
function aliasOf(path: string): string {
  if (path.startsWith("/projects")) return path.replace("/projects", "/workspaces");
  if (path === "/service_connectors/resources") return `${WORKSPACE}/resources`;
  if (path === "/model_versions") return `${WORKSPACE}/models/:model_id/model_versions`;
  return WORKSPACE + path;
}

export function workspaceAliases(
  endpoints: readonly ZenmlEndpoint[],
  projects: Pick<Projects, "find">,
): ZenmlEndpoint[] {
  const inProject = async (call: ZenmlCall): Promise<ZenmlCall> => {
    const named = call.path["project_name_or_id"] ?? "";
    // One that is not there is refused by whoever enters it.
    const project = (await projects.find(named))?.projectId ?? named;
    const { model_id: model } = call.path;
    const more = { project, ...(model === undefined ? {} : { model }) };
    return {
      ...call,
      query: { ...call.query, project },
      parameters: new Map([...call.parameters, ["project", [project]]]),
      body: typeof call.body === "object" && call.body !== null ? { ...call.body, ...more } : call.body,
    };
  };
  return aliases.flatMap(([methods, path]) =>
    methods.map((method) => {
      const found = endpoints.find((one) => one.method === method && one.path === path);
      if (found === undefined) throw new TypeError(`there is no endpoint ${method} ${path}`);
      const isOfProjects = path.startsWith("/projects");
      return {
        ...found,
        path: aliasOf(path),
        handle: async (call) => found.handle(isOfProjects ? call : await inProject(call)),
      } satisfies ZenmlEndpoint;
    }),
  );
}
