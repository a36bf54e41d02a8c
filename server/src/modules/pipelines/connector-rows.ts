import { sql, type RawBuilder } from "kysely";
import type { Prepared, Queryable } from "../../kernel/database.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import {
  expirationOf,
  resourcesOf,
  specificationOf,
  splitConfiguration,
} from "./connectors/configuration.ts";
import type { Configuration, Connector } from "./connectors/connector.ts";
import { connectorTypes, findConnectorType } from "./connectors/connector-types.ts";
import type { ConnectorType } from "./connectors/connector-type.ts";
import { checkConfiguration } from "./connectors/known-values.ts";
import { idFields, userFields, type Fields } from "./list.ts";
import { connectorPlace } from "./sealed-columns.ts";
import type { ServiceConnectorRow } from "./stack-tables.ts";

/** How connectors lie in their table, and are read from it. */

/** `{"name":"value","other":null}` or `name=value,other`; null, or nothing behind a name, takes any value. Pure. */
export function parseLabels(text: string): Record<string, string | null> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      return Object.fromEntries(
        Object.entries(parsed).map(([name, value]) => [name, value === null ? null : String(value)]),
      );
    }
  } catch {
    // Written with commas.
  }
  return Object.fromEntries(
    text.split(",").map((part): [string, string | null] => {
      const at = part.indexOf("=");
      return at === -1 ? [part, null] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}

const OF_LABELS = "t.labels_json::jsonb";

const hasLabel = ([name, value]: [string, string | null]): RawBuilder<unknown> =>
  value === null
    ? sql`${sql.raw(OF_LABELS)} ? ${name}::text`
    : sql`${sql.raw(OF_LABELS)} ->> ${name}::text = ${value}`;

/** What holds besides the conditions of a query, and whatever joins those. */
export type ConnectorScope = {
  readonly resourceType?: string | undefined;
  /** See `parseLabels`. */
  readonly labels?: string | undefined;
};

export const withinScope = ({ resourceType, labels }: ConnectorScope): RawBuilder<unknown>[] => [
  ...(resourceType === undefined ? [] : [sql`${resourceType} = any (t.resource_types)`]),
  ...(labels === undefined ? [] : Object.entries(parseLabels(labels)).map(hasLabel)),
];

export const connectorFields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  connector_type: { kind: "text", sql: "t.connector_type" },
  auth_method: { kind: "text", sql: "t.auth_method" },
  resource_id: { kind: "text", sql: "t.resource_id" },
};

/** What is given to make a connector, or to try one without keeping it. */
export type ConnectorRequest = {
  readonly name: string;
  readonly connectorType: string;
  readonly description: string;
  readonly authMethod: string;
  /** One is what it is for; none or several are all of its type. */
  readonly resourceTypes: readonly string[];
  readonly resourceId: string | null;
  readonly expiresAt: number | null;
  readonly expiresSkewTolerance: number | null;
  readonly expirationSeconds: number | null;
  readonly configuration: Configuration;
  readonly labels: Readonly<Record<string, string>>;
};

/** Throws `invalid_parameter`, with a list of those there are. */
export function requireType(name: string): ConnectorType {
  const type = findConnectorType(name);
  if (type !== undefined) return type;
  const known = connectorTypes.map((one) => `'${one.connector_type}'`);
  throw invalidParameter(
    `connector configuration is not valid: there is no connector type '${name}'. Supported connector types are: ` +
      `[${known.join(", ")}].`,
  );
}

/** What is checked by the type before anything is kept. Throws `invalid_parameter`. */
export function checked(request: ConnectorRequest): {
  connector: Connector;
  resources: ReturnType<typeof resourcesOf>;
  plain: Record<string, unknown>;
  secrets: Record<string, string>;
} {
  const type = requireType(request.connectorType);
  const resources = resourcesOf(type, request.authMethod, request.resourceTypes);
  // A type that knows one kind of resource is for that, said or not.
  const [resourceType, ...more] = resources.resource_types;
  const only = more.length === 0 ? resourceType : undefined;
  const { method } = specificationOf(type, request.authMethod, only);
  const { plain, secrets } = splitConfiguration(method, request.configuration);
  checkConfiguration(type, { ...plain, ...secrets });
  const connector: Connector = {
    id: null,
    name: null,
    type,
    method,
    resourceType: only,
    resourceId: request.resourceId ?? undefined,
    expiresAt: request.expiresAt,
    expiresSkewTolerance: request.expiresSkewTolerance,
    expirationSeconds: expirationOf(method, request.expirationSeconds),
    configuration: { ...plain, ...secrets },
  };
  return { connector, resources, plain, secrets };
}

/** The columns that a configuration goes to. */
export const configurationColumns = (
  id: string,
  { plain, secrets }: { plain: Record<string, unknown>; secrets: Record<string, string> },
  vault: Secrets,
): Pick<ServiceConnectorRow, "configuration_json" | "sealed_secrets"> => ({
  configuration_json: JSON.stringify(plain),
  sealed_secrets:
    Object.keys(secrets).length === 0 ? null : vault.seal(JSON.stringify(secrets), connectorPlace(id)),
});

/** The secret attributes of a connector. */
export const openSecrets = (
  { id, sealed_secrets: sealed }: ServiceConnectorRow,
  vault: Secrets,
): Record<string, string> =>
  sealed === null ? {} : (JSON.parse(vault.open(sealed, connectorPlace(id))) as Record<string, string>);

/** The row as what was given for it, with its secrets. */
export const requestOf = (row: ServiceConnectorRow, vault: Secrets): ConnectorRequest => ({
  name: row.name,
  connectorType: row.connector_type,
  description: row.description,
  authMethod: row.auth_method,
  resourceTypes: row.resource_types,
  resourceId: row.resource_id,
  expiresAt: row.expires_at,
  expiresSkewTolerance: row.expires_skew_tolerance,
  expirationSeconds: row.expiration_seconds,
  configuration: {
    ...(JSON.parse(row.configuration_json) as Record<string, unknown>),
    ...openSecrets(row, vault),
  },
  labels: JSON.parse(row.labels_json) as Record<string, string>,
});

const usersText: Prepared = {
  name: "pipelines_count_components_of_connector",
  text: "select count(*) as components from pipelines.components where connector_id = $1",
};

export async function countComponentsOf(database: Queryable, id: string): Promise<number> {
  return (await database.prepared<{ components: number }>(usersText, [id]))[0]?.components ?? 0;
}

export type ConnectedComponent = { id: string; type: string; flavor_name: string };

const componentsText: Prepared = {
  name: "pipelines_select_components_of_connector",
  text: "select id, type, flavor_name from pipelines.components where connector_id = $1 order by created, id",
};

export const selectComponentsOf = (database: Queryable, id: string): Promise<ConnectedComponent[]> =>
  database.prepared<ConnectedComponent>(componentsText, [id]);
