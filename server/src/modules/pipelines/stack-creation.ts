import type { Database, Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { invalidParameter, PlinthError } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { noSuch, taken } from "./collection.ts";
import { textIn, type Configuration } from "./component-configuration.ts";
import { insertComponent } from "./components.ts";
import { requireType } from "./connector-rows.ts";
import { insertConnector } from "./connectors.ts";
import { specificationOf } from "./connectors/configuration.ts";
import { checkName } from "./names.ts";
import { findRow, insertRow, selectRow, selectRows, updateRow } from "./records.ts";
import { resolveSecrets } from "./secret-references.ts";
import type { SecretReader } from "./secrets.ts";
import { placeMembers, selectMembers } from "./stack-members.ts";
import {
  components,
  flavors,
  serviceConnectors,
  stacks,
  type ComponentRow,
  type FlavorRow,
  type ServiceConnectorRow,
} from "./stack-tables.ts";
import { replaceStackMembers } from "./stacks.sql.ts";

/** A component that is made with its stack, under the stack's name. */
export type ComponentInfo = {
  flavor: string;
  configuration: Configuration;
  /** Of the stack's list of connectors. */
  service_connector_index: number | null;
  service_connector_resource_id: string | null;
};

/** A connector that is made with a stack, under the stack's name. */
export type ConnectorInfo = { type: string; auth_method: string; configuration: Configuration };

export type NewStack = {
  id: string;
  user_id: string | null;
  name: string;
  description: string;
  stack_spec_path: string | null;
  environment: object | null;
  labels: Readonly<Record<string, unknown>>;
  secrets: readonly string[];
  reader: SecretReader;
  components: readonly { type: string; member: string | ComponentInfo }[];
  connectors: readonly (string | ConnectorInfo)[];
  /** Ids of what is made besides, in the order in which it is named. */
  newId(): string;
  /** Throws where the caller may not change this connector of somebody else. */
  requireConnectorChange(row: ServiceConnectorRow): Promise<void>;
};

export type StackCreationDeps = { database: Database; clock(): Micros; secrets: Secrets };

/** The attribute of connectors that hand out credentials for a time. */
const TEMPORARY = "generate_temporary_tokens";
/** How often names that others took meanwhile are chosen again. */
const ATTEMPTS = 3;

/**
 * A stack, together with the components and connectors that it is described with: all of them or none. One that is there
 * already was made by the same request before. Throws `not_found`, `already_exists`, `invalid_parameter`,
 * `InvalidConfiguration`.
 */
export async function createStack(deps: StackCreationDeps, given: NewStack): Promise<void> {
  checkName(given.name, "stack");
  if ((await selectRow(deps.database, stacks, given.id)) !== undefined) return;
  const ids = {
    connectors: given.connectors.map(idFor),
    members: given.components.map(({ member }) => idFor(member)),
  };
  const secrets = await resolveSecrets(deps.database, given.secrets, given.reader);
  const isPermanent = await needsPermanentTokens(deps.database, given);
  if (isPermanent) await requireConnectorChanges(deps.database, given);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await deps.database.transaction(async (transaction) => {
        const now = deps.clock();
        const creation: Creation = { ...given, deps, transaction, ids, isPermanent, now };
        const members = await makeMembers(creation);
        await insertStack(creation, secrets);
        await replaceStackMembers(transaction, given.id, placeMembers(members));
      });
      return;
    } catch (error) {
      if (violates(error, "stacks_name_key")) throw taken("create", "stack", given.name);
      const isTaken = error instanceof PlinthError && error.code === "already_exists";
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }

  function idFor(one: unknown): string {
    return typeof one === "string" ? one : given.newId();
  }
}

type Creation = NewStack & {
  deps: StackCreationDeps;
  transaction: Queryable;
  ids: { connectors: readonly string[]; members: readonly string[] };
  isPermanent: boolean;
  now: Micros;
};

/**
 * Orchestrators that start virtual machines need credentials that do not run out: their connectors may hand out no
 * temporary ones.
 */
async function needsPermanentTokens(database: Queryable, { components: given }: NewStack): Promise<boolean> {
  const orchestrators = given.filter(({ type }) => type === "orchestrator").map(({ member }) => member);
  const found = await selectRows(
    database,
    components,
    orchestrators.filter((member) => typeof member === "string"),
  );
  return orchestrators.some((member) => {
    const flavor = typeof member === "string" ? found.get(member)?.flavor_name : member.flavor;
    return flavor?.startsWith("vm_") === true;
  });
}

async function requireConnectorChanges(database: Queryable, given: NewStack): Promise<void> {
  const named = given.connectors.filter((one) => typeof one === "string");
  for (const row of (await selectRows(database, serviceConnectors, named)).values()) {
    if (handsOutTemporaryTokens(row)) await given.requireConnectorChange(row);
  }
}

const handsOutTemporaryTokens = (row: ServiceConnectorRow): boolean =>
  takesTemporary(row.connector_type, row.auth_method) &&
  (JSON.parse(row.configuration_json) as Record<string, unknown>)[TEMPORARY] !== false;

const takesTemporary = (type: string, authMethod: string): boolean =>
  Object.hasOwn(specificationOf(requireType(type), authMethod, undefined).method.attributes, TEMPORARY);

async function insertStack({ transaction, now, ...given }: Creation, secrets: string[]): Promise<void> {
  await insertRow(transaction, stacks, {
    id: given.id,
    user_id: given.user_id,
    name: given.name,
    description: given.description,
    stack_spec_path: given.stack_spec_path,
    environment_json: JSON.stringify(given.environment ?? {}),
    secrets,
    labels_json: JSON.stringify(given.labels),
    created: now,
    updated: now,
  });
}

/** The components that are named, and those that are described and now made. */
async function makeMembers(creation: Creation): Promise<Pick<ComponentRow, "id" | "type">[]> {
  const { transaction, ids } = creation;
  const named = creation.components.flatMap(({ member }) => (typeof member === "string" ? [member] : []));
  const found = new Map((await selectMembers(transaction, named)).map((row) => [row.id, row]));
  const connectors = await makeConnectors(creation);
  const members: Pick<ComponentRow, "id" | "type">[] = [];
  for (const [at, { type, member }] of creation.components.entries()) {
    const id = ids.members[at] ?? "";
    if (typeof member !== "string") await makeComponent(creation, { id, type, info: member, connectors });
    members.push(found.get(id) ?? { id, type });
  }
  return members;
}

async function makeConnectors(creation: Creation): Promise<ServiceConnectorRow[]> {
  const { transaction, ids, isPermanent } = creation;
  const named = creation.connectors.filter((one) => typeof one === "string");
  const rows = await selectRows(transaction, serviceConnectors, named);
  const made: ServiceConnectorRow[] = [];
  for (const [at, one] of creation.connectors.entries()) {
    const id = ids.connectors[at] ?? "";
    if (typeof one !== "string") {
      made.push(await makeConnector(creation, id, one));
      continue;
    }
    const row = rows.get(id);
    if (row === undefined) throw noSuch("service connector", id);
    made.push(isPermanent ? await withoutTemporaryTokens(creation, row) : row);
  }
  return made;
}

async function makeConnector(
  creation: Creation,
  id: string,
  info: ConnectorInfo,
): Promise<ServiceConnectorRow> {
  const { transaction, deps, isPermanent } = creation;
  const tokens = takesTemporary(info.type, info.auth_method) ? { [TEMPORARY]: !isPermanent } : {};
  const labels = Object.entries(creation.labels).map(([key, value]) => [key, labelText(value)]);
  const request = {
    id,
    userId: creation.user_id,
    name: await freeName(creation, id, (name) => findRow(transaction, serviceConnectors, { name })),
    description: "",
    connectorType: info.type,
    authMethod: info.auth_method,
    resourceTypes: [],
    resourceId: null,
    expiresAt: null,
    expiresSkewTolerance: null,
    expirationSeconds: null,
    configuration: { ...info.configuration, ...tokens },
    labels: Object.fromEntries(labels) as Record<string, string>,
  };
  await insertConnector(transaction, request, deps);
  const row = await selectRow(transaction, serviceConnectors, id);
  if (row === undefined) throw noSuch("service connector", id);
  return row;
}

/** Labels of stacks may be anything, those of connectors are texts: as Python writes them. */
function labelText(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function withoutTemporaryTokens(
  { transaction, now }: Creation,
  row: ServiceConnectorRow,
): Promise<ServiceConnectorRow> {
  if (!handsOutTemporaryTokens(row)) return row;
  const configuration = JSON.parse(row.configuration_json) as Record<string, unknown>;
  const changed = await updateRow(transaction, serviceConnectors, row.id, {
    configuration_json: JSON.stringify({ ...configuration, [TEMPORARY]: false }),
    updated: now,
  });
  return changed ?? row;
}

type Described = {
  id: string;
  type: string;
  info: ComponentInfo;
  connectors: readonly ServiceConnectorRow[];
};

async function makeComponent(creation: Creation, { id, type, info, connectors }: Described): Promise<void> {
  const { transaction, now } = creation;
  const flavor = await findRow(transaction, flavors, { type, name: info.flavor });
  if (flavor === undefined) {
    throw invalidParameter(`Flavor '${info.flavor}' not found for component type '${type}'.`);
  }
  const connector = connectors[info.service_connector_index ?? -1];
  const resource = connector === undefined ? undefined : connectedResource(flavor, info, connector);
  const component = {
    id,
    user_id: creation.user_id,
    name: await freeName(creation, id, (name) => findRow(transaction, components, { type, name })),
    type,
    configuration: info.configuration,
    environment: null,
    labels: creation.labels,
    secrets: [],
    connector: connector?.id ?? null,
    connector_resource_id: resource ?? null,
  };
  await insertComponent(transaction, component, { flavor, now });
}

/** What the component asks its connector for; nothing where the connector has only one thing. */
function connectedResource(
  flavor: FlavorRow,
  info: ComponentInfo,
  connector: ServiceConnectorRow,
): string | undefined {
  const wanted = flavor.connector_resource_type;
  if (wanted === null) {
    throw invalidParameter(
      `The '${flavor.name}' implementation does not support using a service connector to connect to resources.`,
    );
  }
  const attribute = flavor.connector_resource_id_attr;
  const configured = textIn(info.configuration, attribute);
  const fits =
    (flavor.connector_type === null || flavor.connector_type === connector.connector_type) &&
    connector.resource_types.includes(wanted) &&
    (attribute === null || configured !== undefined);
  if (!fits) {
    throw invalidParameter(
      `The connector '${connector.name}' does not fit the component flavor '${flavor.name}': pick one that gives access to ${wanted}.`,
    );
  }
  const resource = info.service_connector_resource_id ?? configured ?? connector.resource_id ?? undefined;
  if (resource === undefined && connector.supports_instances) {
    throw invalidParameter(
      `Multiple ${wanted} resources are available for the selected connector: name one with a resource id.`,
    );
  }
  return resource;
}

/** The stack's name, or that and a part of the id where it is taken: a repetition of the request finds the same. */
async function freeName(
  { name }: Creation,
  id: string,
  find: (name: string) => Promise<unknown>,
): Promise<string> {
  for (const suffix of [undefined, id.slice(0, 4), id.slice(24, 28)]) {
    const candidate = suffix === undefined ? name : suffixed(name, suffix);
    if ((await find(candidate)) === undefined) return candidate;
  }
  return suffixed(name, id);
}

const MAX_NAME = 255;

const suffixed = (name: string, suffix: string): string =>
  `${name.slice(0, MAX_NAME - suffix.length - 1)}-${suffix}`.toLowerCase();
