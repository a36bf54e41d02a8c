import { sql } from "kysely";
import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import { componentTypes, type FlavorRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { componentTypesFor } from "./components.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json } from "./envelope.ts";
import { entityName, jsonObject, shortText } from "./fields.ts";
import { listShared, readShared, viewOne } from "./reading.ts";
import { removeShared } from "./removal.ts";
import { flavorBody } from "./summaries.ts";

const type = z.enum(componentTypes);

const request = z.object({
  name: entityName,
  display_name: shortText.nullish(),
  type,
  config_schema: jsonObject,
  connector_type: shortText.nullish(),
  connector_resource_type: shortText.nullish(),
  connector_resource_id_attr: shortText.nullish(),
  source: shortText,
  integration: shortText.nullable(),
  logo_url: z.string().nullish(),
  docs_url: z.string().nullish(),
  sdk_docs_url: z.string().nullish(),
  is_custom: z.boolean().default(true),
});

const update = z.object({
  name: entityName.nullish(),
  display_name: shortText.nullish(),
  type: type.nullish(),
  config_schema: jsonObject.nullish(),
  connector_type: shortText.nullish(),
  connector_resource_type: shortText.nullish(),
  connector_resource_id_attr: shortText.nullish(),
  source: shortText.nullish(),
  integration: shortText.nullish(),
  logo_url: z.string().nullish(),
  docs_url: z.string().nullish(),
  sdk_docs_url: z.string().nullish(),
  is_custom: z.boolean().nullish(),
});

export function flavorEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { flavors } = context.pipelines;

  const views = async (call: ZenmlCall, rows: readonly FlavorRow[], hydrate: boolean): Promise<object[]> => {
    const users = await context.relatedFor(call).users(rows.map((row) => row.user_id));
    return rows.map((row) =>
      entity(row, {
        body: flavorBody(row),
        metadata: hydrate ? metadataOf(row) : null,
        resources: { user: users.get(row.user_id ?? "") ?? null },
      }),
    );
  };

  const view = viewOne(views);

  const get = async (call: ZenmlCall): Promise<FlavorRow> => {
    const row = await flavors.get(call.path["flavor_id"] ?? "");
    call.request.subject = { resourceType: "flavor", resourceId: row.name };
    return componentTypesFor(call).require(row, flavors.label);
  };

  return [
    listShared(context, "/flavors", {
      collection: flavors,
      views,
      where: (call) => componentTypesFor(call).where,
      forAll: sql`not t.is_custom`,
    }),
    endpoint({
      method: "POST",
      path: "/flavors",
      access: uses("stack"),
      body: request,
      async handle(call) {
        await access.requireShared(call.request, "use");
        const { config_schema: schema, name, type: kind, source, integration, ...others } = call.body;
        const row = await flavors.create({
          ...given(others),
          id: call.newId(),
          user_id: others.is_custom ? userIdOf(call.request) : null,
          name,
          type: kind,
          source,
          integration: integration ?? "",
          display_name: others.display_name ?? null,
          config_schema_json: JSON.stringify(schema),
        });
        return view(call, row);
      },
    }),
    endpoint({
      method: "PATCH",
      path: "/flavors/sync",
      access: uses("stack"),
      async handle(call) {
        await access.requireShared(call.request, "use");
        await flavors.sync();
        return null;
      },
    }),
    readShared(context, "/flavors/:flavor_id", {
      label: flavors.label,
      get,
      view,
      isForAll: (row) => !row.is_custom,
    }),
    endpoint({
      method: "PUT",
      path: "/flavors/:flavor_id",
      access: uses("stack"),
      body: update,
      async handle(call) {
        const row = await get(call);
        await access.requireSharedChange(call.request, row, flavors.label);
        const { config_schema: schema, name, type: kind, source, is_custom: isCustom, ...others } = call.body;
        const changed = await flavors.update(row.id, {
          ...given(others),
          // These are never nothing.
          ...(name == null ? {} : { name }),
          ...(kind == null ? {} : { type: kind }),
          ...(source == null ? {} : { source }),
          ...(isCustom == null ? {} : { is_custom: isCustom }),
          ...(schema == null ? {} : { config_schema_json: JSON.stringify(schema) }),
        });
        return view(call, changed);
      },
    }),
    removeShared(context, "/flavors/:flavor_id", { collection: flavors, get }),
  ];
}

const metadataOf = (row: FlavorRow): object => ({
  config_schema: json(row.config_schema_json),
  connector_type: row.connector_type,
  connector_resource_type: row.connector_resource_type,
  connector_resource_id_attr: row.connector_resource_id_attr,
  docs_url: row.docs_url,
  sdk_docs_url: row.sdk_docs_url,
});

/** Without what was not given; null is. */
const given = <T extends object>(changes: T): { [N in keyof T]?: Exclude<T[N], undefined> } =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as {
    [N in keyof T]?: Exclude<T[N], undefined>;
  };
