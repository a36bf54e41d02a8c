import type { Database } from "../../../kernel/database.ts";
import { PlinthError } from "../../../kernel/errors.ts";
import type { Micros } from "../../../kernel/micros.ts";
import { AuthorizationFailure, type Client, type Configuration } from "../connectors/connector.ts";
import type { Asked } from "../connectors/verification.ts";
import { selectRow } from "../records.ts";
import { serviceConnectors, type ComponentRow, type ServiceConnectorRow } from "../stack-tables.ts";
import type { StorePath } from "./location.ts";
import { StoreError } from "./store.ts";

/** What a connector gives for one bucket. */
export type ConnectorCredentials = {
  readonly type: string;
  readonly configuration: Configuration;
  readonly client: Client;
};

export type ConnectorCredentialsDeps = {
  database: Database;
  clock(): Micros;
  connectors: { client(row: ServiceConnectorRow, asked: Asked): Promise<Client> };
};

/** What is made for a bucket is used again for so long, or until ten minutes before it ends. */
const KEPT_MICROS = 5 * 60 * 1_000_000;
const END_MICROS = 10 * 60 * 1_000_000;
const MAX_KEPT = 1000;

const resourceTypes: Readonly<Record<string, string>> = {
  s3: "s3-bucket",
  gs: "gcs-bucket",
  az: "blob-container",
  abfs: "blob-container",
};

export type ConnectorCredentialsOf = (
  component: ComponentRow,
  path: StorePath,
) => Promise<ConnectorCredentials | undefined>;

/** Credentials by the connector that a store is linked to. */
export function createConnectorCredentials(deps: ConnectorCredentialsDeps): ConnectorCredentialsOf {
  const { database, clock, connectors } = deps;
  const kept = new Map<string, { given: ConnectorCredentials; until: Micros }>();

  return async (component, path) => {
    if (component.connector_id === null) return undefined;
    const row = await selectRow(database, serviceConnectors, component.connector_id);
    if (row === undefined) return undefined;
    const asked = {
      resourceType: resourceTypes[path.scheme],
      resourceId: component.connector_resource_id ?? `${path.scheme}://${path.bucket}`,
    };
    const key = `${row.id} ${row.updated} ${asked.resourceId}`;
    const now = clock();
    const found = kept.get(key);
    if (found !== undefined && now < found.until) return found.given;
    const client = await connectors.client(row, asked).catch((error: unknown) => {
      if (!(error instanceof PlinthError) && !(error instanceof AuthorizationFailure)) throw error;
      throw new StoreError(
        "refused",
        `The service connector of artifact store '${component.name}' gives no credentials: ${error.message}`,
        { cause: error },
      );
    });
    const given = { type: client.type.connector_type, configuration: client.configuration, client };
    if (kept.size >= MAX_KEPT) kept.clear();
    const end = client.expiresAt === null ? Infinity : client.expiresAt - END_MICROS;
    kept.set(key, { given, until: Math.min(now + KEPT_MICROS, end) });
    return given;
  };
}
