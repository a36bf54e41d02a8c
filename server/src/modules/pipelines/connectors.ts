import type { Database, Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { invalidState, notImplemented, PlinthError } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { Outbound } from "../../kernel/outbound/outbound.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { createCollection, noSuch, taken } from "./collection.ts";
import {
  checked,
  configurationColumns,
  connectorFields,
  countComponentsOf,
  openSecrets,
  requestOf,
  selectComponentsOf,
  withinScope,
  type ConnectedComponent,
  type ConnectorRequest,
  type ConnectorScope,
} from "./connector-rows.ts";
import { type Client, type Configuration, type Places } from "./connectors/connector.ts";
import { connectorTypes, findConnectorType } from "./connectors/connector-types.ts";
import { createTools } from "./connectors/tools.ts";
import {
  connectorClient,
  verifyConnector,
  type Asked,
  type ConnectorResources,
} from "./connectors/verification.ts";
import type { Fields, ListQuery, Page } from "./list.ts";
import { deleteRow, insertRow, lockRow, updateRow } from "./records.ts";
import { serviceConnectors, type ServiceConnectorRow } from "./stack-tables.ts";

export type ConnectorChanges = Partial<Omit<ConnectorRequest, "resourceId" | "expirationSeconds">> &
  // What is not said of these two is taken away.
  Pick<ConnectorRequest, "resourceId" | "expirationSeconds">;

/** Ways into services elsewhere, which components use without knowing the credentials. Unique by name. */
export type ServiceConnectors = {
  readonly label: string;
  readonly fields: Fields;
  create(given: ConnectorRequest & { id: string; userId: string | null }): Promise<ServiceConnectorRow>;
  get(id: string): Promise<ServiceConnectorRow>;
  search(query: ListQuery, scope: ConnectorScope): Promise<Page<ServiceConnectorRow>>;
  /** Throws `invalid_state` where components use it and it would be another one afterwards. */
  update(id: string, changes: ConnectorChanges): Promise<ServiceConnectorRow>;
  /** Throws `invalid_state` where components use it. */
  remove(id: string): Promise<void>;
  secretsOf(row: ServiceConnectorRow): Configuration;
  /** The components that use it. */
  componentsOf(id: string): Promise<readonly ConnectedComponent[]>;
  now(): Micros;
  /** Tries a configuration that is not kept. Throws `not_implemented` for a type that there is not. */
  tryOut(request: ConnectorRequest, options: { list: boolean }): Promise<ConnectorResources>;
  verify(row: ServiceConnectorRow, asked: Asked & { list: boolean }): Promise<ConnectorResources>;
  client(row: ServiceConnectorRow, asked: Asked): Promise<Client>;
  /** What each of them reaches, without those that the question does not fit. */
  resources(rows: readonly ServiceConnectorRow[], asked: Asked): Promise<ConnectorResources[]>;
};

export type ServiceConnectorsDeps = {
  database: Database;
  clock(): Micros;
  secrets: Secrets;
  outbound: Outbound;
  places?: Places | undefined;
};

const LABEL = "service connector";
/** Of connectors that are asked at the same time. */
const AT_ONCE = 4;

export function createServiceConnectors(deps: ServiceConnectorsDeps): ServiceConnectors {
  const { database, clock, secrets } = deps;
  const rows = createCollection(
    { database, clock },
    {
      table: serviceConnectors,
      label: LABEL,
      fields: connectorFields,
      nameKeys: ["service_connectors_name_key"],
    },
  );
  const tools = createTools(deps);

  const connectorOf = (row: ServiceConnectorRow): ReturnType<typeof checked>["connector"] => {
    const request = requestOf(row, secrets);
    return { ...checked(request).connector, id: row.id, name: row.name };
  };

  const verify: ServiceConnectors["verify"] = async (row, asked) =>
    verifyConnector(connectorOf(row), tools, asked);

  return {
    label: LABEL,
    fields: connectorFields,
    get: rows.get,
    search: (query, scope) => rows.search(query, withinScope(scope)),
    async create(given) {
      await insertConnector(database, given, deps);
      return rows.get(given.id);
    },
    async update(id, changes) {
      return database.transaction(async (transaction) => {
        const row = await lockRow(transaction, serviceConnectors, id);
        if (row === undefined) throw noSuch(LABEL, id);
        const before = requestOf(row, secrets);
        if ((await countComponentsOf(transaction, id)) > 0) requireSame(before, changes);
        const after: ConnectorRequest = { ...before, ...given(changes) };
        const { resources, plain, secrets: hidden } = checked(after);
        try {
          const changed = await updateRow(transaction, serviceConnectors, id, {
            name: after.name,
            description: after.description,
            connector_type: after.connectorType,
            auth_method: after.authMethod,
            ...resources,
            resource_id: after.resourceId,
            expires_at: after.expiresAt,
            expires_skew_tolerance: after.expiresSkewTolerance,
            expiration_seconds: after.expirationSeconds,
            ...(changes.configuration === undefined
              ? {}
              : configurationColumns(id, { plain, secrets: hidden }, secrets)),
            labels_json: JSON.stringify(after.labels),
            updated: clock(),
          });
          return changed ?? row;
        } catch (error) {
          throw takenOr(error, "update", after.name);
        }
      });
    },
    remove: (id) =>
      database.transaction(async (transaction) => {
        // Locked: a component that is made meanwhile finds no connector, and this one finds all others.
        if ((await lockRow(transaction, serviceConnectors, id)) === undefined) throw noSuch(LABEL, id);
        const components = await countComponentsOf(transaction, id);
        if (components > 0) {
          throw invalidState(
            `Service connector with ID ${id} cannot be deleted as it is still referenced by ${components} stack ` +
              "components. Before deleting this service connector, make sure to remove it from all stack components.",
          );
        }
        await deleteRow(transaction, serviceConnectors, id);
      }),
    secretsOf: (row) => openSecrets(row, secrets),
    componentsOf: (id) => selectComponentsOf(database, id),
    now: clock,
    async tryOut(request, { list }) {
      if (findConnectorType(request.connectorType) === undefined) throw noDriver(request.connectorType);
      return verifyConnector(checked(request).connector, tools, { list });
    },
    verify,
    client: async (row, asked) => connectorClient(connectorOf(row), tools, asked),
    async resources(asking, asked) {
      const found: ConnectorResources[] = [];
      for (let at = 0; at < asking.length; at += AT_ONCE) {
        const some = asking
          .slice(at, at + AT_ONCE)
          .map((row) => unlessUnfit(verify(row, { ...asked, list: true })));
        found.push(...(await Promise.all(some)).filter((one) => one !== undefined));
      }
      return found;
    },
  };
}

/** Nothing where one of this id is there. Throws `already_exists`, and `invalid_parameter` for what no such type takes. */
export async function insertConnector(
  database: Queryable,
  { id, userId, ...request }: ConnectorRequest & { id: string; userId: string | null },
  { clock, secrets }: Pick<ServiceConnectorsDeps, "clock" | "secrets">,
): Promise<void> {
  const { resources, plain, secrets: hidden } = checked(request);
  const now = clock();
  try {
    await insertRow(database, serviceConnectors, {
      id,
      user_id: userId,
      name: request.name,
      description: request.description,
      connector_type: request.connectorType,
      auth_method: request.authMethod,
      ...resources,
      resource_id: request.resourceId,
      expires_at: request.expiresAt,
      expires_skew_tolerance: request.expiresSkewTolerance,
      expiration_seconds: request.expirationSeconds,
      ...configurationColumns(id, { plain, secrets: hidden }, secrets),
      labels_json: JSON.stringify(request.labels),
      created: now,
      updated: now,
    });
  } catch (error) {
    throw takenOr(error, "create", request.name);
  }
}

const noDriver = (type: string): PlinthError =>
  notImplemented(
    `Service connector type ${type} is not available. Available are: ` +
      `${connectorTypes.map((one) => one.connector_type).join(", ")}.`,
  );

async function unlessUnfit<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof PlinthError && error.code === "invalid_parameter") return undefined;
    throw error;
  }
}

/** Only what was said. */
const given = (changes: ConnectorChanges): Partial<ConnectorRequest> =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));

function requireSame(before: ConnectorRequest, changes: ConnectorChanges): void {
  const refuse = (what: string): never => {
    throw invalidState(
      `The ${what} of a service connector that is already actively used in one or more stack components cannot be ` +
        "changed.",
    );
  };
  const { connectorType, authMethod, resourceTypes } = changes;
  if (connectorType !== undefined && connectorType !== before.connectorType) refuse("service type");
  if (authMethod !== undefined && authMethod !== before.authMethod) refuse("authentication method");
  const types = resourceTypes ?? [];
  if (types.length > 0 && types.join() !== before.resourceTypes.join()) refuse("resource type");
  if (changes.resourceId !== before.resourceId) refuse("resource ID");
}

const takenOr = (error: unknown, operation: string, name: string): unknown =>
  violates(error, "service_connectors_name_key") ? taken(operation, LABEL, name) : error;
