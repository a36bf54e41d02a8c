import { invalidParameter, type PlinthError } from "../../kernel/errors.ts";
import { partTypes, permissions, singleTypes, type Grant, type Permission } from "./policy.ts";

/** What a role has of a resource, before anybody has looked whether it makes sense. */
export type GivenGrant = { resource_type: string; pattern: string; permission: string };

const PARTS: ReadonlySet<string> = new Set(partTypes);
const SINGLES: ReadonlySet<string> = new Set(singleTypes);
const ON_WORKSPACE: readonly string[] = ["READ", "USE", "EDIT", "MANAGE", "DENY"];
const ON_SERVER: readonly string[] = ["READ", "MANAGE"];
const EXPERIMENT_ID = /^(?:0|[1-9]\d{0,18})$/;
const MAX_PATTERN = 1024;

/**
 * The grant, where its role may hold it and it could ever speak of something: one that never matches would be
 * taken and then ignored. Throws `invalid_parameter`.
 */
export function readGrant(given: GivenGrant, role: { isPlatform: boolean }): Grant {
  const { resource_type: type, pattern } = given;
  const permission = readPermission(given.permission);
  if (type === "server" || role.isPlatform) return readServerGrant(given, role);
  if (type === "workspace") {
    if (pattern !== "*") throw wildcardOnly(type, pattern);
    return { resource_type: type, pattern, permission: permissionOn(type, permission, ON_WORKSPACE) };
  }
  if (PARTS.has(type)) {
    if (pattern !== "*") throw wildcardOnly(type, pattern);
  } else if (SINGLES.has(type)) checkPattern(type, pattern);
  else {
    const known = [...singleTypes, ...partTypes, "workspace"].toSorted().join(", ");
    throw invalidParameter(`Invalid resource type '${shown(type)}'. Valid resource types are: ${known}.`);
  }
  return { resource_type: type as Grant["resource_type"], pattern, permission };
}

export function readPermission(given: string): Permission {
  const permission = permissions.find((one) => one === given);
  if (permission !== undefined) return permission;
  throw invalidParameter(
    `Invalid permission '${shown(given)}'. Valid permissions are: ${permissions.join(", ")}.`,
  );
}

function readServerGrant(
  { resource_type: type, pattern, permission }: GivenGrant,
  { isPlatform }: { isPlatform: boolean },
): Grant {
  if (!isPlatform) {
    throw invalidParameter("Resource type 'server' is granted in roles of the whole platform only.");
  }
  if (type !== "server") {
    throw invalidParameter(
      `A role of the whole platform holds grants on 'server' only, not on '${shown(type)}'.`,
    );
  }
  if (pattern !== "*") throw wildcardOnly(type, pattern);
  return {
    resource_type: type,
    pattern,
    permission: permissionOn(type, readPermission(permission), ON_SERVER),
  };
}

function permissionOn(type: string, permission: Permission, allowed: readonly string[]): Permission {
  if (allowed.includes(permission)) return permission;
  throw invalidParameter(
    `Invalid permission '${permission}' for resource type '${type}'. It accepts only: ${allowed.join(", ")}.`,
  );
}

function checkPattern(type: string, pattern: string): void {
  if (pattern === "*") return;
  if (pattern === "" || pattern.length > MAX_PATTERN) {
    throw invalidParameter(`A pattern has 1 to ${MAX_PATTERN} characters, got ${pattern.length}.`);
  }
  // As Plinth writes ids: `07` would never be asked for.
  if (type === "experiment" && !EXPERIMENT_ID.test(pattern)) {
    throw invalidParameter(
      `Invalid pattern '${shown(pattern)}': experiments are granted by their id, or all by '*'.`,
    );
  }
  if (type === "bucket" && !isBucketPattern(pattern)) {
    throw invalidParameter(
      `Invalid pattern '${shown(pattern)}' for a bucket: use its name, or 'name/prefix' without empty parts, ` +
        "'.', '..' and a slash at the end.",
    );
  }
}

function isBucketPattern(pattern: string): boolean {
  const parts = pattern.split("/");
  return parts[0] !== "*" && parts.every((part) => part !== "" && part !== "." && part !== "..");
}

const wildcardOnly = (type: string, pattern: string): PlinthError =>
  invalidParameter(`Invalid pattern '${shown(pattern)}' for resource type '${type}': only '*' is granted.`);

const shown = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}...` : text);
