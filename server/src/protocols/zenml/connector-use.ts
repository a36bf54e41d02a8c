import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import {
  AuthorizationFailure,
  isUuid,
  type ConnectorClient,
  type ConnectorResources,
  type ServiceConnectorRow,
} from "../../modules/pipelines/index.ts";
import { connectorRequest } from "./connector-request.ts";
import { stackOptions, type UsedComponents } from "./connector-stack-options.ts";
import { typeView } from "./connector-types.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, iso, sharedBody } from "./envelope.ts";
import { invalidRequest, ZenmlError } from "./errors.ts";
import { jsonObject, shortText } from "./fields.ts";
import { readFlag } from "./list-query.ts";
import { scopeOf } from "./service-connectors.ts";

const connectorInfo = z
  .object({ type: shortText, auth_method: shortText, configuration: jsonObject.default({}) })
  .nullish();

/**
 * Connectors that connect: what they reach, and credentials for it. All of these use what is in a connector, so they
 * are for those who may use what all share.
 */
export function connectorUseEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { serviceConnectors: connectors } = context.pipelines;

  const find = async (call: ZenmlCall, id: string): Promise<ServiceConnectorRow> => {
    call.request.subject = { resourceType: "service_connector", resourceId: id };
    await access.requireShared(call.request, "use");
    return connectors.get(id);
  };

  const asked = ({
    query,
  }: ZenmlCall): { resourceType: string | undefined; resourceId: string | undefined } => ({
    resourceType: query["resource_type"] || undefined,
    resourceId: query["resource_id"] || undefined,
  });

  const usedComponents: (call: ZenmlCall, id: string) => Promise<UsedComponents> = async (call, id) => {
    const components = await connectors.componentsOf(id);
    const shown = await context.relatedFor(call).components(components.map((one) => one.id));
    return components.map((one) => ({ ...one, view: shown.get(one.id) ?? {} }));
  };

  return [
    endpoint({
      method: "POST",
      path: "/service_connectors/verify",
      access: uses("stack"),
      body: connectorRequest,
      async handle(call) {
        await access.requireShared(call.request, "use");
        const list = readFlag(call.parameters, "list_resources", true);
        return resourcesView(await connectors.tryOut(call.body, { list }));
      },
    }),
    endpoint({
      method: "PUT",
      path: "/service_connectors/:connector_id/verify",
      access: uses("stack"),
      async handle(call) {
        const list = readFlag(call.parameters, "list_resources", true);
        const row = await find(call, call.path["connector_id"] ?? "");
        return resourcesView(await connectors.verify(row, { ...asked(call), list }));
      },
    }),
    endpoint({
      method: "GET",
      path: "/service_connectors/resources",
      access: uses("stack"),
      async handle(call) {
        await access.requireShared(call.request, "use");
        // The id is in the words of each type: it is asked of the services, and not of the table.
        const { resource_id: _id, ...fields } = connectors.fields;
        const { rows } = await connectors.search(context.listQuery(call, fields), scopeOf(call));
        return (await connectors.resources(rows, asked(call))).map(resourcesView);
      },
    }),
    endpoint({
      method: "GET",
      path: "/service_connectors/:connector_id/client",
      access: uses("stack"),
      async handle(call) {
        const row = await find(call, call.path["connector_id"] ?? "");
        call.request.subject = { ...call.request.subject, reveals: true };
        const client = await orUnauthorized(connectors.client(row, asked(call)));
        const users = await context.relatedFor(call).users([row.user_id]);
        return clientView(row, client, { now: connectors.now(), user: users.get(row.user_id ?? "") ?? null });
      },
    }),
    endpoint({
      method: "POST",
      path: "/service_connectors/full_stack_resources",
      access: uses("stack"),
      body: connectorInfo,
      async handle(call) {
        const { body: info, query } = call;
        const id = query["connector_uuid"];
        if ((info ?? undefined) !== undefined && id !== undefined) {
          throw invalidParameter("Only one of connector_info or connector_uuid must be provided.");
        }
        if (id !== undefined) {
          const row = await find(call, requireUuid(id));
          const found = await connectors.verify(row, { list: true });
          return stackOptions(found, await usedComponents(call, row.id));
        }
        await access.requireShared(call.request, "use");
        if (info === undefined || info === null) {
          throw invalidParameter("Either connector_info or connector_uuid must be provided.");
        }
        return stackOptions(await connectors.tryOut(requestFor(info), { list: true }), []);
      },
    }),
  ];
}

const requireUuid = (text: string): string => {
  if (isUuid(text)) return text;
  throw invalidRequest([
    { type: "uuid_parsing", loc: ["query", "connector_uuid"], msg: "Input should be a valid UUID" },
  ]);
};

const requestFor = (info: NonNullable<z.infer<typeof connectorInfo>>): z.infer<typeof connectorRequest> => ({
  name: info.type,
  connectorType: info.type,
  description: "",
  authMethod: info.auth_method,
  resourceTypes: [],
  resourceId: null,
  expiresAt: null,
  expiresSkewTolerance: null,
  expirationSeconds: null,
  configuration: info.configuration,
  labels: {},
});

const resourcesView = (found: ConnectorResources): object => ({
  ...found,
  connector_type: typeView(found.connector_type),
});

/** A connector that is there for this answer alone. */
function clientView(
  row: ServiceConnectorRow,
  client: ConnectorClient,
  { now, user }: { now: number; user: object | null },
): object {
  const spec = client.type.resource_types.find((one) => one.resource_type === client.resourceType);
  return entity(
    { id: row.id, name: client.name },
    {
      body: {
        ...sharedBody({ created: now, updated: now, user_id: row.user_id }),
        description: row.description,
        connector_type: typeView(client.type),
        auth_method: client.method.auth_method,
        resource_types: client.resourceType === undefined ? [] : [client.resourceType],
        resource_id: client.resourceId ?? null,
        supports_instances: spec?.supports_instances ?? false,
        expires_at: iso(client.expiresAt),
        expires_skew_tolerance: client.expiresSkewTolerance,
      },
      metadata: {
        configuration: withoutNulls(client.configuration),
        expiration_seconds: client.expirationSeconds,
        labels: JSON.parse(row.labels_json) as unknown,
      },
      resources: { user },
    },
  );
}

const withoutNulls = (configuration: object): object =>
  Object.fromEntries(Object.entries(configuration).filter(([, value]) => value !== null));

/** What the service refuses is the caller's to know, and no failed login here. */
async function orUnauthorized<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof AuthorizationFailure)) throw error;
    throw new ZenmlError("invalid_state", error.message, {
      status: 401,
      body: { detail: ["AuthorizationException", error.message] },
    });
  }
}
