import { reads, uses } from "../../kernel/access.ts";
import { getConnectorType, noSuch, type ServiceConnectorRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { connectorRequest, connectorUpdate } from "./connector-request.ts";
import { typeView } from "./connector-types.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json } from "./envelope.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { connectorBody } from "./summaries.ts";

/** What of a connector is shown. */
export type Shown = { readonly hydrate: boolean; readonly expand: boolean };

/**
 * Connectors. Their configuration is shown without its secrets to those who may only read: ZenML's own server shows
 * them to every account.
 */
export function serviceConnectorEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { serviceConnectors: connectors } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly ServiceConnectorRow[],
    { hydrate, expand }: Shown,
  ): Promise<object[]> => {
    const users = await context.relatedFor(call).users(rows.map((row) => row.user_id));
    const reveals = expand && rows.length > 0 && (await access.allowsShared(call.request, "use"));
    if (reveals) call.request.subject = { ...call.request.subject, reveals };
    return rows.map((row) =>
      entity(row, {
        body: { ...connectorBody(row), connector_type: typeView(getConnectorType(row.connector_type)) },
        metadata:
          hydrate || expand
            ? {
                configuration: {
                  ...(JSON.parse(row.configuration_json) as object),
                  ...(reveals ? connectors.secretsOf(row) : {}),
                },
                expiration_seconds: row.expiration_seconds,
                labels: json(row.labels_json),
              }
            : null,
        resources: { user: users.get(row.user_id ?? "") ?? null },
      }),
    );
  };

  const view = async (
    call: ZenmlCall,
    row: ServiceConnectorRow,
    shown: Shown = { hydrate: true, expand: true },
  ): Promise<unknown> => (await views(call, [row], shown))[0];

  const find = async (call: ZenmlCall): Promise<ServiceConnectorRow> => {
    const id = call.path["connector_id"] ?? "";
    call.request.subject = { resourceType: "service_connector", resourceId: id };
    if (!(await access.readsShared(call.request))) throw noSuch(connectors.label, id);
    return connectors.get(id);
  };

  const change = async (call: ZenmlCall): Promise<string> => {
    const row = await find(call);
    await access.requireSharedChange(call.request, row, connectors.label);
    return row.id;
  };

  return [
    endpoint({
      method: "GET",
      path: "/service_connectors",
      access: reads("stack"),
      async handle(call) {
        call.request.subject = { resourceType: "service_connector" };
        const { hydrate, ...query } = context.listQuery(call, connectors.fields);
        if (!(await access.readsShared(call.request))) return pageOf(query, { total: 0, items: [] });
        const expand = readFlag(call.parameters, "expand_secrets", true);
        const { total, rows } = await connectors.search(query, scopeOf(call));
        return pageOf(query, { total, items: await views(call, rows, { hydrate, expand }) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/service_connectors",
      access: uses("stack"),
      body: connectorRequest,
      async handle(call) {
        await access.requireShared(call.request, "use");
        const id = call.newId();
        call.request.subject = { resourceType: "service_connector", resourceId: id };
        return view(call, await connectors.create({ ...call.body, id, userId: userIdOf(call.request) }));
      },
    }),
    endpoint({
      method: "GET",
      path: "/service_connectors/:connector_id",
      access: reads("stack"),
      async handle(call) {
        const row = await find(call);
        return view(call, row, {
          hydrate: readFlag(call.parameters, "hydrate", true),
          expand: readFlag(call.parameters, "expand_secrets", true),
        });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/service_connectors/:connector_id",
      access: uses("stack"),
      body: connectorUpdate,
      async handle(call) {
        return view(call, await connectors.update(await change(call), call.body));
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/service_connectors/:connector_id",
      access: uses("stack"),
      async handle(call) {
        await connectors.remove(await change(call));
        return null;
      },
    }),
  ];
}

/** Filters that are no columns. */
export const scopeOf = ({ query }: Pick<ZenmlCall, "query">): { resourceType?: string; labels?: string } => ({
  ...(query["resource_type"] ? { resourceType: query["resource_type"] } : {}),
  ...(query["labels_str"] ? { labels: query["labels_str"] } : {}),
});
