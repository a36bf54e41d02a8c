import { createHash } from "node:crypto";
import { zenmlCatalogue } from "../../schemas/client-tables.ts";
import type { Stacks } from "../../spec/components.ts";
import type { TerraformValue } from "../resource.ts";

/** What is to be registered with the pipeline server, of the configuration or the platform's own. */
export type Registration = {
  /** Secrets in ZenML's own store, by name: keys to values. */
  secrets: readonly { name: string; values: Record<string, TerraformValue>; why: string }[];
  connectors: readonly ConnectorSpec[];
  components: readonly ComponentSpec[];
  stacks: Stacks["stacks"];
};

export type ConnectorSpec = Stacks["connectors"][number];

export type ComponentSpec = Omit<Stacks["components"][number], "configuration"> & {
  configuration: Readonly<Record<string, TerraformValue>>;
  /** Above the block. */
  comment?: string;
};

/** A secret that a connector's method asks for and that therefore comes as a variable. */
type ConnectorSecret = { connector: ConnectorSpec; key: string; variable: string };

/** Secrets that a connector needs and that its configuration rightly does not hold. */
export function connectorSecrets(connector: ConnectorSpec): ConnectorSecret[] {
  const method = zenmlCatalogue().connectors[connector.type]?.methods[connector.authMethod];
  const secret = new Set(method?.secret);
  return (method?.required ?? [])
    .filter((key) => secret.has(key) && !(key in connector.configuration))
    .map((key) => ({ connector, key, variable: identifier(`${connector.name}_${key}`) }));
}

/** Name of a block, of a name that may hold hyphens and begin with a digit. */
export const identifier = (name: string): string => name.replaceAll("-", "_").replace(/^(?=\d)/, "_");

/**
 * A name that changes together with what cannot be changed in place: the one made anew stands beside the old one until
 * nothing uses that any more, and the server knows each name once.
 */
export function versionedName(name: string, identity: readonly (string | undefined)[]): string {
  const version = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 6);
  return `${name}-${version}`;
}

export const connectorName = ({ name, type, authMethod, resourceType, resourceId }: ConnectorSpec): string =>
  versionedName(name, [type, authMethod, resourceType, resourceId]);

export function componentName(component: ComponentSpec, connectors: readonly ConnectorSpec[]): string {
  const { name, type, flavor } = component;
  const connector = connectors.find((one) => one.name === component.connector);
  return versionedName(name, [type, flavor, connector === undefined ? undefined : connectorName(connector)]);
}

/** Every value of a configuration is a string on the wire. */
export const encoded = (value: TerraformValue): TerraformValue =>
  typeof value === "number" || typeof value === "boolean" ? String(value) : value;
