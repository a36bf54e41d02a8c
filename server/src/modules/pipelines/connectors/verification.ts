import { invalidParameter, PlinthError } from "../../../kernel/errors.ts";
import { openAws } from "./aws.ts";
import { openAzure } from "./azure.ts";
import { specificationOf } from "./configuration.ts";
import {
  AuthorizationFailure,
  type Client,
  type Connector,
  type Driver,
  type OpenDriver,
  type Tools,
} from "./connector.ts";
import type { ConnectorType } from "./connector-type.ts";
import { openDocker } from "./docker.ts";
import { openGcp } from "./gcp.ts";
import { openHyperai } from "./hyperai.ts";
import { openKubernetes } from "./kubernetes.ts";
import { openOauth2 } from "./oauth2.ts";
import { redactor } from "./redaction.ts";

/** What a connector gives access to; what could not be asked is an error in it, not one of the whole request. */
export type ConnectorResources = {
  id: string | null;
  name: string | null;
  connector_type: ConnectorType;
  resources: TypedResources[];
  error: string | null;
};
export type TypedResources = {
  resource_type: string;
  resource_ids: readonly string[] | null;
  error: string | null;
};

/** Which resources are asked about: by default all that the connector is for. */
export type Asked = { resourceType?: string | undefined; resourceId?: string | undefined };

const drivers: Readonly<Record<string, OpenDriver>> = {
  aws: openAws,
  gcp: openGcp,
  azure: openAzure,
  docker: openDocker,
  kubernetes: openKubernetes,
  oauth2: openOauth2,
  hyperai: openHyperai,
};

/** Seconds before credentials expire from which they count as expired. */
const SKEW_SECONDS = 5 * 60;

type Opened = { connector: Connector; driver: Driver; tools: Tools; redact(message: string): string };

async function open(given: Connector, tools: Tools): Promise<Opened> {
  const kind = given.type.connector_type;
  const openDriver = drivers[kind];
  if (openDriver === undefined) throw new TypeError(`there is no driver for connectors of the type ${kind}`);
  const driver = openDriver(given, tools);
  const redact = redactor(given);
  const { resourceType } = given;
  if (resourceType === undefined) return { connector: given, driver, tools, redact };
  const resourceId = await resourceIdOf({ connector: given, driver }, resourceType, given.resourceId).catch(
    (error: unknown) => {
      if (error instanceof AuthorizationFailure) return undefined;
      throw error;
    },
  );
  return { connector: { ...given, resourceId }, driver, tools, redact };
}

const hasExpired = ({ connector, tools }: Opened): boolean => isExpired(connector, tools);

function isExpired(
  { expiresAt, expiresSkewTolerance }: Pick<Connector, "expiresAt" | "expiresSkewTolerance">,
  tools: Tools,
): boolean {
  if (expiresAt === null) return false;
  return expiresAt - (expiresSkewTolerance ?? SKEW_SECONDS) * 1_000_000 < tools.now();
}

/** The one spelling of an id, or the id of what there is one of. */
async function resourceIdOf(
  { connector, driver }: Pick<Opened, "connector" | "driver">,
  resourceType: string,
  id: string | undefined,
): Promise<string | undefined> {
  const { resource } = specificationOf(connector.type, connector.method.auth_method, resourceType);
  const canonical = id === undefined ? undefined : (driver.canonicalId?.(resourceType, id) ?? id);
  if (resource === undefined || resource.supports_instances) return canonical;
  const only = await driver.defaultId?.(resourceType);
  if (canonical === undefined || canonical === only) return only;
  throw new AuthorizationFailure(
    `The connector does not allow access to the provided '${canonical}' ${resource.name} resource. It only allows ` +
      `access to the following resource: '${only ?? ""}'.`,
  );
}

/** Checks what is asked for against what the connector is for. */
async function settle(
  opened: Opened,
  asked: Asked,
  isRequired: boolean,
): Promise<{ resourceType: string | undefined; resourceId: string | undefined }> {
  const { connector } = opened;
  if (connector.resourceType && asked.resourceType && connector.resourceType !== asked.resourceType) {
    throw invalidParameter(
      `the connector is configured to provide access to a '${connector.resourceType}' resource type, but a ` +
        `different resource type was requested: '${asked.resourceType}'.`,
    );
  }
  const resourceType = asked.resourceType ?? connector.resourceType;
  if (resourceType === undefined) {
    if (isRequired) {
      throw invalidParameter(
        "the connector is configured to provide access to multiple resource types. A resource type must be " +
          "specified when requesting access to a resource.",
      );
    }
    return { resourceType: undefined, resourceId: undefined };
  }
  const { resource } = specificationOf(connector.type, connector.method.auth_method, resourceType);
  const resourceId = await resourceIdOf(opened, resourceType, asked.resourceId ?? connector.resourceId);
  if (resourceId === undefined && isRequired) {
    throw invalidParameter(
      `the connector is configured to provide access to multiple ${resource?.name ?? ""} resources. A resource name ` +
        "must be specified when requesting access to a resource.",
    );
  }
  if (resourceId !== undefined && connector.resourceId !== undefined && connector.resourceId !== resourceId) {
    throw invalidParameter(
      `the connector is configured to provide access to a single ${resource?.name ?? ""} resource with a resource ` +
        `name of '${connector.resourceId}', but a different resource name was requested: '${resourceId}'.`,
    );
  }
  return { resourceType, resourceId };
}

/**
 * Asks the service itself what the credentials of a connector reach. Without `list` it is enough that they are good.
 * Throws `invalid_parameter` for what does not fit the connector.
 */
export async function verifyConnector(
  given: Connector,
  tools: Tools,
  { list, ...asked }: Asked & { list: boolean },
): Promise<ConnectorResources> {
  const known =
    given.resourceType === undefined
      ? given.type.resource_types.map((one) => one.resource_type)
      : [given.resourceType];
  if (asked.resourceType !== undefined && !known.includes(asked.resourceType)) {
    throw invalidParameter(
      `connector${named(given)} does not support resource type: '${asked.resourceType}'. Supported resource types ` +
        `are: ${known.join(", ")}`,
    );
  }
  const types = asked.resourceType === undefined ? known : [asked.resourceType];
  const result: ConnectorResources = {
    id: given.id,
    name: given.name,
    connector_type: given.type,
    resources: types.map((type) => ({ resource_type: type, resource_ids: null, error: null })),
    error: null,
  };
  if (isExpired(given, tools)) {
    setError(result, "the connector's authentication credentials have expired.");
    return result;
  }
  const opened = await open(given, tools);
  const isGlobal = !list && asked.resourceId === undefined;
  const steps = isGlobal ? [undefined] : types.length > 1 ? [undefined, ...types] : types;
  const resourceId = steps.length === 1 ? asked.resourceId : undefined;
  for (const type of steps) {
    if (!(await verifyType(opened, { resourceType: type, resourceId }, result))) break;
  }
  return result;
}

/** False where it makes no sense to go on. */
async function verifyType(opened: Opened, asked: Asked, result: ConnectorResources): Promise<boolean> {
  const { connector, driver } = opened;
  try {
    const { resourceType, resourceId } = await settle(opened, asked, false);
    const ids = await driver.verify(resourceType, resourceId);
    if (resourceType === undefined) return true;
    if (resourceId === undefined && ids.length === 0) {
      const { resource } = specificationOf(connector.type, connector.method.auth_method, resourceType);
      const kind = resource?.name ?? resourceType;
      setError(
        result,
        `connector${named(connector)} didn't list any ${kind} resources. This is likely caused by the connector ` +
          "credentials not being valid or not having sufficient permissions to list or access resources of this type.",
        resourceType,
      );
    } else setIds(result, resourceType, resourceId === undefined ? ids : [resourceId]);
    return true;
  } catch (error) {
    if (error instanceof PlinthError && error.code === "invalid_parameter") {
      throw invalidParameter(
        `The connector configuration is incomplete or invalid: ${opened.redact(error.message)}`,
      );
    }
    if (!(error instanceof AuthorizationFailure)) throw error;
    const message = `connector${named(connector)} authorization failure: ${opened.redact(error.message)}`;
    setError(result, message, asked.resourceType);
    return asked.resourceType !== undefined;
  }
}

const named = ({ name }: Pick<Connector, "name">): string => (name === null ? "" : ` '${name}'`);

function setError(result: ConnectorResources, error: string, resourceType?: string): void {
  const about = result.resources.filter(
    (one) => resourceType === undefined || one.resource_type === resourceType,
  );
  for (const one of about) Object.assign(one, { error, resource_ids: null });
  if (resourceType === undefined || result.resources.length === 1) result.error = error;
}

function setIds(result: ConnectorResources, resourceType: string, ids: readonly string[]): void {
  const found = result.resources.find((one) => one.resource_type === resourceType);
  if (found !== undefined) Object.assign(found, { resource_ids: ids, error: null });
}

/**
 * Credentials for one resource, temporary ones where the way of authenticating makes such. Throws `invalid_parameter`,
 * and an `AuthorizationFailure` where the service does not give them.
 */
export async function connectorClient(given: Connector, tools: Tools, asked: Asked): Promise<Client> {
  const opened = await open(given, tools);
  const { connector, driver } = opened;
  try {
    const { resourceType = "", resourceId = "" } = await settle(opened, asked, true);
    if (hasExpired(opened)) throw expired();
    await driver.verify(resourceType, resourceId);
    const client = (await driver.client?.(resourceType, resourceId)) ?? {
      ...connector,
      resourceType,
      resourceId,
    };
    if (isExpired(client, tools)) throw expired();
    return client;
  } catch (error) {
    if (error instanceof AuthorizationFailure) throw new AuthorizationFailure(opened.redact(error.message));
    throw error;
  }
}

const expired = (): AuthorizationFailure =>
  new AuthorizationFailure("the connector's authentication credentials have expired.");
