import type { Micros } from "../../../kernel/micros.ts";
import type { Client, Connector } from "./connector.ts";
import { findSpecification, type ConnectorType } from "./connector-type.ts";

/** Connectors for one resource, as they are handed to components. */

const nameFor = (name: string | null, resourceType: string, id: string): string =>
  `${name ?? ""} (${resourceType} | ${id} client)`;

/** With the connector's own credentials. */
export const sameFor = (connector: Connector, resourceType: string, id: string): Client => ({
  ...connector,
  name: nameFor(connector.name, resourceType, id),
  resourceType,
  resourceId: id,
  expirationSeconds: null,
});

type Derived = {
  method: string;
  resourceType: string;
  /** What the client calls it, where that is not what was asked for. */
  id: string;
  named?: string;
  expiresAt: Micros | null;
  configuration: Record<string, unknown>;
};

/** Of the type and with the credentials that were made for it. */
export function derived(connector: Connector, type: ConnectorType, given: Derived): Client {
  const { method } = findSpecification(type, given.method, given.resourceType);
  return {
    name: nameFor(connector.name, given.resourceType, given.named ?? given.id),
    type,
    method,
    resourceType: given.resourceType,
    resourceId: given.id,
    expiresAt: given.expiresAt,
    expiresSkewTolerance: given.expiresAt === null ? null : connector.expiresSkewTolerance,
    expirationSeconds: null,
    configuration: given.configuration,
  };
}
