import { notFound } from "../../../kernel/errors.ts";
import { awsType, azureType, gcpType } from "./cloud-types.ts";
import type { ConnectorType } from "./connector-type.ts";
import { dockerType, hyperaiType, kubernetesType, oauth2Type } from "./other-types.ts";

export const connectorTypes: readonly ConnectorType[] = [
  awsType,
  gcpType,
  azureType,
  kubernetesType,
  dockerType,
  oauth2Type,
  hyperaiType,
];

const byName = new Map(connectorTypes.map((type) => [type.connector_type, type]));

/** Throws `not_found`, with the list of those there are. */
export function getConnectorType(name: string): ConnectorType {
  const type = byName.get(name);
  if (type !== undefined) return type;
  throw notFound(
    `Service connector type ${name} is not available. Available are: ${[...byName.keys()].sort().join(", ")}.`,
  );
}

export const findConnectorType = (name: string): ConnectorType | undefined => byName.get(name);
