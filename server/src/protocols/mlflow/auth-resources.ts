import { invalidParameter } from "../../kernel/errors.ts";
import type { PartType, Permission, Policy, SingleType } from "../../modules/identity/index.ts";
import { pythonTuple } from "./auth-parameters.ts";

/** What MLflow's permissions are about. Plinth's own types, such as `bucket`, are granted by its own API. */
const containers = [
  "experiment",
  "registered_model",
  "prompt",
  "scorer",
  "gateway_secret",
  "gateway_endpoint",
  "gateway_model_definition",
  "mcp_server",
] as const satisfies readonly SingleType[];

const containerOf = {
  run: "experiment",
  trace: "experiment",
  assessment: "experiment",
  logged_model: "experiment",
  review_queue: "experiment",
  registered_model_version: "registered_model",
  prompt_version: "prompt",
  scorer_version: "scorer",
  mcp_server_version: "mcp_server",
} as const satisfies Readonly<Record<PartType, SingleType>>;

type Container = (typeof containers)[number];
type MlflowType = Container | PartType | "workspace";

const types: readonly string[] = [...containers, ...Object.keys(containerOf), "workspace"];
const permissionNames: readonly Permission[] = ["READ", "USE", "EDIT", "MANAGE", "NO_PERMISSIONS", "DENY"];
const onWorkspace: readonly string[] = ["MANAGE", "USE"];
const onResource: readonly string[] = ["DENY", "EDIT", "MANAGE", "READ", "USE"];

const isContainer = (type: string): type is Container => (containers as readonly string[]).includes(type);

export function readType(type: string): MlflowType {
  if (types.includes(type)) return type as MlflowType;
  throw invalidParameter(
    `Invalid resource type '${shown(type)}'. Valid resource types are: ${pythonTuple(types.toSorted())}`,
  );
}

/** Of the endpoints about one user: what is granted on whole workspaces is in roles. */
export function readResourceType(type: string): Exclude<MlflowType, "workspace"> {
  if (type === "workspace") {
    throw invalidParameter(
      "resource_type 'workspace' is not granted to single users: give them a role of the workspace.",
    );
  }
  return readType(type) as Exclude<MlflowType, "workspace">;
}

export function readPermission(permission: string): Permission {
  const found = permissionNames.find((one) => one === permission);
  if (found !== undefined) return found;
  throw invalidParameter(
    `Invalid permission '${shown(permission)}'. Valid permissions are: ${pythonTuple(permissionNames)}`,
  );
}

/** Without NO_PERMISSIONS, which only MLflow 2.9 knows: a grant that is not there says the same. */
export function readGrantable(
  permission: string,
  given: string,
): { type: MlflowType; permission: Permission } {
  const known = readPermission(permission);
  const type = readType(given);
  const allowed = type === "workspace" ? onWorkspace : onResource;
  if (allowed.includes(known)) return { type, permission: known };
  const grants = type === "workspace" ? "Workspace-wide" : "Resource-level";
  throw invalidParameter(
    `Invalid permission '${known}' for resource_type='${type}'. ${grants} grants accept only: ${pythonTuple(allowed)}.`,
  );
}

export function checkPattern(pattern: string, type: MlflowType): void {
  if (pattern === "*" || isContainer(type)) return;
  throw invalidParameter(
    `Invalid resource_pattern '${shown(pattern)}' for resource_type='${type}'. ` +
      "This resource type supports only wildcard ('*') grants.",
  );
}

/** What a policy says of one resource, or of all of a type. Parts are asked for as a whole. */
export function permissionOn(
  policy: Policy,
  type: Exclude<MlflowType, "workspace">,
  pattern: string,
): Permission {
  if (isContainer(type)) return policy.on(type, pattern);
  if (pattern === "*") return policy.onPart(type, { type: containerOf[type], id: "*" });
  throw invalidParameter(
    `resource_type '${type}' is not supported by the per-user permission convenience APIs.`,
  );
}

const shown = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}...` : text);
