import { schemaOf, type Attributes } from "./attributes.ts";

/** A kind of outside service: how one authenticates there, and what can be reached. */
export type ConnectorType = {
  readonly name: string;
  readonly connector_type: string;
  readonly description: string;
  readonly resource_types: readonly ResourceType[];
  readonly auth_methods: readonly AuthMethod[];
  /** Whether clients can find credentials where they run. */
  readonly supports_auto_configuration: boolean;
  readonly emoji: string | null;
};

export type ResourceType = {
  readonly name: string;
  readonly resource_type: string;
  readonly description: string;
  readonly auth_methods: readonly string[];
  /** Whether there are several of them, told apart by an id. */
  readonly supports_instances: boolean;
  readonly emoji: string | null;
};

export type AuthMethod = {
  readonly name: string;
  readonly auth_method: string;
  readonly description: string;
  readonly attributes: Attributes;
  /** Of the temporary credentials that it makes, in seconds. */
  readonly min_expiration_seconds: number | null;
  readonly max_expiration_seconds: number | null;
  readonly default_expiration_seconds: number | null;
};

type NewAuthMethod = Pick<AuthMethod, "name" | "auth_method" | "description" | "attributes"> &
  Partial<AuthMethod>;

export const authMethod = (given: NewAuthMethod): AuthMethod => ({
  min_expiration_seconds: null,
  max_expiration_seconds: null,
  default_expiration_seconds: null,
  ...given,
});

type NewConnectorType = Omit<ConnectorType, "resource_types" | "supports_auto_configuration"> & {
  readonly resource_types: readonly Omit<ResourceType, "auth_methods">[];
  readonly supports_auto_configuration?: boolean;
};

/** Every resource can be reached in every way of authenticating. */
export const connectorType = (given: NewConnectorType): ConnectorType => ({
  supports_auto_configuration: false,
  ...given,
  resource_types: given.resource_types.map((one) => ({
    ...one,
    auth_methods: given.auth_methods.map((method) => method.auth_method),
  })),
});

/** As ZenML's clients read it. */
export const connectorTypeView = (type: ConnectorType): object => ({
  ...type,
  resource_types: type.resource_types.map((one) => ({ ...one, logo_url: null })),
  auth_methods: type.auth_methods.map(({ attributes, ...method }) => ({
    ...method,
    config_schema: schemaOf(`${type.connector_type} ${method.auth_method}`, attributes),
  })),
  logo_url: null,
  docs_url: null,
  sdk_docs_url: null,
  local: true,
  remote: false,
});

/** As Python shows a list of texts. */
const listed = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join(", ")}]`;

/** What fits the names. Throws a `TypeError` that lists what there is; the caller says what it is about. */
export function findSpecification(
  type: ConnectorType,
  authMethodName: string,
  resourceTypeName: string | undefined,
): { method: AuthMethod; resource: ResourceType | undefined } {
  const kind = type.connector_type;
  const method = type.auth_methods.find((one) => one.auth_method === authMethodName);
  if (method === undefined) {
    throw new TypeError(
      `connector type '${kind}' does not support the '${authMethodName}' authentication method. Supported ` +
        `authentication methods are: ${listed(type.auth_methods.map((one) => one.auth_method))}.`,
    );
  }
  if (resourceTypeName === undefined) return { method, resource: undefined };
  const resource = type.resource_types.find((one) => one.resource_type === resourceTypeName);
  if (resource === undefined) {
    throw new TypeError(
      `connector type '${kind}' does not support resource type '${resourceTypeName}'. Supported resource types ` +
        `are: ${listed(type.resource_types.map((one) => one.resource_type))}.`,
    );
  }
  return { method, resource };
}
