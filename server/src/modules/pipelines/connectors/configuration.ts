import { invalidParameter, type PlinthError } from "../../../kernel/errors.ts";
import type { Attribute } from "./attributes.ts";
import type { Configuration } from "./connector.ts";
import {
  findSpecification,
  type AuthMethod,
  type ConnectorType,
  type ResourceType,
} from "./connector-type.ts";

/** The rules by which a connector is configured: what its type knows, of the kind it is. Pure. */

export type SplitConfiguration = {
  readonly plain: Record<string, unknown>;
  readonly secrets: Record<string, string>;
};

const notValid = (reason: string): PlinthError =>
  invalidParameter(`connector configuration is not valid: ${reason}`);

/** Throws `invalid_parameter` with a list of what there is instead. */
export function specificationOf(
  type: ConnectorType,
  authMethod: string,
  resourceType: string | undefined,
): { method: AuthMethod; resource: ResourceType | undefined } {
  try {
    return findSpecification(type, authMethod, resourceType);
  } catch (error) {
    if (error instanceof TypeError) throw notValid(`"${error.message}"`);
    throw error;
  }
}

/** What a connector can be used for, by the resource types that were asked for. */
export function resourcesOf(
  type: ConnectorType,
  authMethod: string,
  asked: readonly string[],
): { resource_types: string[]; supports_instances: boolean } {
  for (const one of asked) specificationOf(type, authMethod, one);
  const { resource } = specificationOf(type, authMethod, asked.length === 1 ? asked[0] : undefined);
  return resource === undefined
    ? { resource_types: type.resource_types.map((one) => one.resource_type), supports_instances: false }
    : { resource_types: [resource.resource_type], supports_instances: resource.supports_instances };
}

/**
 * Checks a configuration against the attributes of the way of authenticating, and takes the secrets out of it. Texts may
 * stand for flags, which stay as they came, and for lists and objects, which clients read as such: Terraform writes
 * texts alone. Messages name attributes, never their values.
 */
export function splitConfiguration(method: AuthMethod, given: Configuration): SplitConfiguration {
  const { attributes } = method;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(attributes, name)) {
      const known = Object.keys(attributes).map((one) => `'${one}'`);
      throw notValid(`unknown attribute '${name}'. Supported attributes are: [${known.join(", ")}]`);
    }
  }
  const plain: Record<string, unknown> = {};
  const secrets: Record<string, string> = {};
  for (const [name, attribute] of Object.entries(attributes)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || value === null) {
      if (attribute.required) throw notValid(`missing required attribute '${name}'`);
      continue;
    }
    if (attribute.kind === "secret") {
      // Keys that are JSON may come as the object they are.
      if (name.endsWith("_json") && typeof value === "object") secrets[name] = written(name, value);
      else if (typeof value === "string") secrets[name] = value;
      else throw notValid(`attribute '${name}' is a secret but is not a string`);
      continue;
    }
    const problem = problemOf(attribute, value);
    if (problem !== undefined) throw notValid(`attribute '${name}' ${problem}`);
    plain[name] = shaped(attribute, value);
  }
  return { plain, secrets };
}

function shaped({ kind }: Attribute, value: unknown): unknown {
  if (kind === "texts") return textsOf(value);
  return kind === "map" ? textMapOf(value) : value;
}

/** What is nested too deeply to be written is no key. */
function written(name: string, value: object): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) throw notValid(`attribute '${name}' is nested too deeply`);
    throw error;
  }
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const FLAG = /^(?:true|false|1|0|yes|no|on|off|t|f|y|n)$/i;

function problemOf({ kind, choices }: Attribute, value: unknown): string | undefined {
  switch (kind) {
    case "boolean":
      return typeof value === "boolean" || (typeof value === "string" && FLAG.test(value))
        ? undefined
        : "must be true or false";
    case "uuid":
      return typeof value === "string" && UUID.test(value) ? undefined : "must be a UUID";
    case "texts":
      return typeof value === "string" || isTexts(value) ? undefined : "must be a list of strings";
    case "map":
      return isTextMap(value) ? undefined : "must be an object of strings";
    case "choice":
      return typeof value === "string" && choices?.includes(value) === true
        ? undefined
        : `must be one of ${(choices ?? []).join(", ")}`;
    default:
      return typeof value === "string" ? undefined : "must be a string";
  }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const isTextMap = (value: unknown): boolean => {
  const parsed = typeof value === "string" ? parsedOrUndefined(value) : value;
  return (
    typeof parsed === "object" &&
    parsed !== null &&
    !Array.isArray(parsed) &&
    Object.values(parsed).every((one) => typeof one === "string")
  );
};

/** A list that may be written as JSON, or with commas. */
export function textsOf(value: unknown): string[] {
  if (isTexts(value)) return value;
  if (typeof value !== "string") return [];
  const parsed = parsedOrUndefined(value);
  return isTexts(parsed) ? parsed : value.split(",").map((one) => one.trim());
}

export function textMapOf(value: unknown): Readonly<Record<string, string>> {
  const parsed = typeof value === "string" ? parsedOrUndefined(value) : value;
  return isTextMap(parsed) ? (parsed as Record<string, string>) : {};
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How long temporary credentials live, null where there are none. Throws `invalid_parameter` beyond the limits. */
export function expirationOf(method: AuthMethod, seconds: number | null): number | null {
  const {
    min_expiration_seconds: least,
    max_expiration_seconds: most,
    default_expiration_seconds: usual,
  } = method;
  if (least === null && most === null && usual === null) {
    if (seconds === null) return null;
    throw notValid(
      `Expiration time is not supported for this authentication method but a value was provided: ${seconds}`,
    );
  }
  const wanted = seconds ?? usual;
  if (wanted === null) return null;
  if (least !== null && wanted < least) throw notValid(`Expiration time must be at least ${least} seconds.`);
  if (most !== null && wanted > most) throw notValid(`Expiration time must be at most ${most} seconds.`);
  return wanted;
}
