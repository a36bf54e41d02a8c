import { sql, type RawBuilder } from "kysely";
import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import {
  componentTypes,
  defaultComponents,
  flavorKey,
  InvalidConfiguration,
  isDefaultComponent,
  isSecretReference,
  noSuch,
  type ComponentRow,
} from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json, jsonOrNull, newComponentTypes } from "./envelope.ts";
import { invalidFilter } from "./errors.ts";
import { jsonObject, shortText, uuid } from "./fields.ts";
import { listShared, readShared, viewOne } from "./reading.ts";
import { removeShared } from "./removal.ts";
import { readerOf } from "./secrets.ts";
import { componentBody, flavorSummary } from "./summaries.ts";

const environment = z.record(z.string(), z.string()).nullish();
const secretList = z.array(z.string()).nullish();

const request = z.object({
  name: shortText.refine((name) => !isSecretReference(name), {
    message: "Passing the name of a stack component as a secret reference is not allowed.",
  }),
  type: z.enum(componentTypes),
  flavor: shortText,
  configuration: jsonObject,
  environment,
  secrets: secretList,
  labels: jsonObject.nullish(),
  connector: uuid.nullish(),
  connector_resource_id: z.string().nullish(),
});

const update = z.object({
  name: shortText.nullish(),
  configuration: jsonObject.optional(),
  environment,
  labels: jsonObject.nullish(),
  connector: uuid.nullish(),
  connector_resource_id: z.string().nullish(),
  add_secrets: secretList,
  remove_secrets: secretList,
});

export function componentEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { components, flavors } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly ComponentRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const related = context.relatedFor(call);
    const [users, kinds, connectors, secrets] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      flavors.of(rows),
      related.serviceConnectors(hydrate ? rows.map((row) => row.connector_id) : []),
      components.secretOrder(hydrate ? rows.flatMap((row) => row.secrets) : []),
    ]);
    return rows.map((row) => {
      const flavor = kinds.get(flavorKey(row));
      return entity(row, {
        body: componentBody({
          ...row,
          integration: flavor?.integration ?? null,
          logo_url: flavor?.logo_url ?? null,
        }),
        metadata: hydrate
          ? {
              ...metadataOf(row, secrets),
              connector_resource_id: row.connector_resource_id,
              connector: connectors.get(row.connector_id ?? "") ?? null,
            }
          : null,
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          flavor: flavor === undefined ? null : flavorSummary(flavor),
        },
      });
    });
  };

  const view = viewOne(views);

  const get = async (call: ZenmlCall): Promise<ComponentRow> => {
    const row = await components.get(call.path["component_id"] ?? "");
    call.request.subject = { resourceType: "component", resourceId: row.name };
    return componentTypesFor(call).require(row, components.label);
  };

  return [
    endpoint({
      method: "GET",
      path: "/component-types",
      access: reads("stack"),
      async handle(call) {
        // These are there on every server.
        await access.readsShared(call.request);
        return componentTypes.filter((type) => !componentTypesFor(call).hidden.has(type));
      },
    }),
    listShared(context, "/components", {
      collection: components,
      views,
      where: (call) => componentTypesFor(call).where,
      forAll: defaultComponents,
    }),
    endpoint({
      method: "POST",
      path: "/components",
      access: uses("stack"),
      body: request,
      async handle(call) {
        const { body } = call;
        call.request.subject = { resourceType: "component", resourceId: body.name };
        await access.requireShared(call.request, "use");
        const row = await configured(() =>
          components.create({
            id: call.newId(),
            user_id: userIdOf(call.request),
            reader: readerOf(call.request),
            name: body.name,
            type: body.type,
            flavor: body.flavor,
            configuration: body.configuration,
            environment: body.environment ?? null,
            labels: body.labels ?? null,
            secrets: body.secrets ?? [],
            connector: body.connector ?? null,
            connector_resource_id: body.connector_resource_id ?? null,
          }),
        );
        return view(call, row);
      },
    }),
    readShared(context, "/components/:component_id", {
      label: components.label,
      get,
      view,
      isForAll: isDefaultComponent,
    }),
    endpoint({
      method: "PUT",
      path: "/components/:component_id",
      access: uses("stack"),
      body: update,
      async handle(call) {
        const { body } = call;
        const row = await get(call);
        await access.requireSharedChange(call.request, row, components.label);
        const changed = await configured(() =>
          components.update(row.id, {
            reader: readerOf(call.request),
            name: body.name ?? undefined,
            configuration: body.configuration,
            environment: body.environment,
            labels: body.labels,
            addSecrets: body.add_secrets ?? [],
            removeSecrets: body.remove_secrets ?? [],
            connector: body.connector ?? null,
            connector_resource_id: body.connector_resource_id ?? null,
          }),
        );
        return view(call, changed);
      },
    }),
    removeShared(context, "/components/:component_id", { collection: components, get }),
  ];
}

/** What stacks and components say of themselves alike. */
export const metadataOf = (
  row: Pick<ComponentRow, "environment_json" | "secrets" | "labels_json"> & { configuration_json?: string },
  secretOrder: readonly string[],
): object => ({
  ...(row.configuration_json === undefined ? {} : { configuration: json(row.configuration_json) }),
  environment: json(row.environment_json),
  secrets: secretOrder.filter((id) => row.secrets.includes(id)),
  labels: jsonOrNull(row.labels_json),
});

/** What clients of 0.84 may see: one component of a type that they do not know would make a whole answer unreadable. */
export const componentTypesFor = ({
  isOld,
}: Pick<ZenmlCall, "isOld">): {
  hidden: ReadonlySet<string>;
  /** Over the alias `t`. */
  where: RawBuilder<unknown>[];
  /** Throws `not_found` for what is hidden. */
  require<R extends { id: string; type: string }>(row: R, label: string): R;
} => ({
  hidden: isOld ? newComponentTypes : none,
  where: isOld ? [sql`t.type <> all (${[...newComponentTypes]}::text[])`] : [],
  require(row, label) {
    if (isOld && newComponentTypes.has(row.type)) throw noSuch(label, row.id);
    return row;
  },
});

const none: ReadonlySet<string> = new Set();

/** Values that do not fit a flavor are answered like those that do not fit a filter. */
export async function configured<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof InvalidConfiguration ? invalidFilter(error.message) : error;
  }
}
