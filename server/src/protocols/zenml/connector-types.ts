import { reads } from "../../kernel/access.ts";
import { jsonText, type JsonText } from "../../kernel/json-text.ts";
import {
  connectorTypes,
  connectorTypeView,
  getConnectorType,
  type ConnectorType,
} from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";

/** They never change, and are in every answer about a connector. */
const views = new Map<ConnectorType, JsonText>();

/** A type as the clients of both versions read it. */
export function typeView(type: ConnectorType): JsonText {
  const known = views.get(type);
  if (known !== undefined) return known;
  const view = jsonText(JSON.stringify(connectorTypeView(type)));
  views.set(type, view);
  return view;
}

/** The types of connectors that there are. Nobody makes others. */
export function connectorTypeEndpoints({ access }: ZenmlContext): ZenmlEndpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/service_connector_types",
      access: reads("stack"),
      async handle({ query, request }) {
        // These are there on every server.
        await access.readsShared(request);
        const { connector_type: kind, resource_type: resource, auth_method: method } = query;
        const fits = (type: ConnectorType): boolean =>
          (kind === undefined || type.connector_type === kind) &&
          (resource === undefined || type.resource_types.some((one) => one.resource_type === resource)) &&
          (method === undefined || type.auth_methods.some((one) => one.auth_method === method));
        return connectorTypes.filter(fits).map(typeView);
      },
    }),
    endpoint({
      method: "GET",
      path: "/service_connector_types/:connector_type",
      access: reads("stack"),
      async handle({ path, request }) {
        await access.readsShared(request);
        return typeView(getConnectorType(path["connector_type"] ?? ""));
      },
    }),
  ];
}
