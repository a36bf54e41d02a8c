import { sql } from "kysely";
import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import {
  componentTypes,
  DEFAULT_STACK,
  isRepeatable,
  type StackMemberRow,
  type StackRow,
} from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { componentTypesFor, configured, metadataOf } from "./components.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, sharedBody } from "./envelope.ts";
import { integer, jsonObject, shortText, uuid } from "./fields.ts";
import { listShared, readShared, viewOne } from "./reading.ts";
import { removeShared } from "./removal.ts";
import { readerOf } from "./secrets.ts";
import { componentSummary } from "./summaries.ts";

const type = z.enum(componentTypes);
const environment = z.record(z.string(), z.string()).nullish();
const secretList = z.array(z.string()).nullish();

const componentInfo = z.object({
  flavor: z.string(),
  service_connector_index: integer.nullish(),
  service_connector_resource_id: z.string().nullish(),
  configuration: jsonObject.default({}),
});

const connectorInfo = z.object({
  type: z.string(),
  auth_method: z.string(),
  configuration: jsonObject.default({}),
});

const members = <T extends z.ZodType>(member: T) =>
  z.partialRecord(type, z.array(member)).superRefine((given, context) => {
    for (const [kind, list] of Object.entries(given)) {
      if (list.length < 2 || isRepeatable(kind)) continue;
      context.addIssue(
        `Value error, Stack component type "${kind}" does not support multiple components in a single stack.`,
      );
    }
    const has = (kind: "orchestrator" | "artifact_store"): boolean => (given[kind]?.length ?? 0) > 0;
    if (has("orchestrator") && has("artifact_store")) return;
    context.addIssue("Value error, Stack must contain at least an orchestrator and artifact store.");
  });

const request = z
  .object({
    name: shortText,
    description: shortText.default(""),
    stack_spec_path: z.string().nullish(),
    components: members(z.union([uuid, componentInfo])),
    environment,
    secrets: secretList,
    labels: jsonObject.nullish(),
    service_connectors: z.array(z.union([uuid, connectorInfo])).default([]),
  })
  .superRefine(({ components, service_connectors: connectors }, context) => {
    for (const member of Object.values(components).flat()) {
      const at = typeof member === "string" ? null : (member.service_connector_index ?? null);
      if (at === null || (at >= 0 && at < connectors.length)) continue;
      context.addIssue(
        `Value error, Service connector index ${at} is out of range. Please provide a valid index referring to the position in the list of service connectors.`,
      );
    }
  });

const update = z.object({
  name: shortText.nullish(),
  description: shortText.nullish(),
  stack_spec_path: z.string().nullish(),
  components: members(uuid).nullish(),
  environment,
  labels: jsonObject.nullish(),
  add_secrets: secretList,
  remove_secrets: secretList,
});

/** A stack whole, as it is nested in nothing: its components are nested in it without metadata of their own. */
export const stackViews =
  (context: ZenmlContext) =>
  async (call: ZenmlCall, rows: readonly StackRow[], hydrate: boolean): Promise<object[]> => {
    const { stacks } = context.pipelines;
    const ids = hydrate ? rows.map(({ id }) => id) : [];
    const [users, members, secrets] = await Promise.all([
      context.relatedFor(call).users(rows.map((row) => row.user_id)),
      stacks.membersOf(ids),
      stacks.secretOrder(hydrate ? rows.flatMap((row) => row.secrets) : []),
    ]);
    const { hidden } = componentTypesFor(call);
    const shown = Map.groupBy(
      members.filter((member) => !hidden.has(member.type)),
      (member) => member.stack_id,
    );
    return rows.map((row) =>
      entity(row, {
        body: sharedBody(row),
        metadata: hydrate
          ? {
              components: byType(shown.get(row.id) ?? []),
              description: row.description,
              stack_spec_path: row.stack_spec_path,
              ...metadataOf(row, secrets),
            }
          : null,
        resources: { user: users.get(row.user_id ?? "") ?? null },
      }),
    );
  };

const byType = (rows: readonly StackMemberRow[]): object =>
  Object.fromEntries(
    [...Map.groupBy(rows, (row) => row.type)].map(([kind, list]) => [kind, list.map(componentSummary)]),
  );

export function stackEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { stacks } = context.pipelines;
  const views = stackViews(context);

  const view = viewOne(views);

  const get = async (call: ZenmlCall): Promise<StackRow> => {
    const row = await stacks.get(call.path["stack_id"] ?? "");
    call.request.subject = { resourceType: "stack", resourceId: row.name };
    return row;
  };

  return [
    listShared(context, "/stacks", { collection: stacks, views, forAll: sql`t.name = ${DEFAULT_STACK}` }),
    endpoint({
      method: "POST",
      path: "/stacks",
      access: uses("stack"),
      body: request,
      async handle(call) {
        const { body, request: from } = call;
        from.subject = { resourceType: "stack", resourceId: body.name };
        await access.requireShared(from, "use");
        const row = await configured(() =>
          stacks.create({
            id: call.newId(),
            user_id: userIdOf(from),
            reader: readerOf(from),
            name: body.name,
            description: body.description,
            stack_spec_path: body.stack_spec_path ?? null,
            environment: body.environment ?? null,
            labels: body.labels ?? {},
            secrets: body.secrets ?? [],
            components: Object.entries(body.components).flatMap(([kind, list]) =>
              list.map((member) => ({
                type: kind,
                member: typeof member === "string" ? member : infoOf(member),
              })),
            ),
            connectors: body.service_connectors,
            newId: call.newId,
            requireConnectorChange: (connector) =>
              access.requireSharedChange(from, connector, "service connector"),
          }),
        );
        return view(call, row);
      },
    }),
    readShared(context, "/stacks/:stack_id", {
      label: stacks.label,
      get,
      view,
      isForAll: ({ name }) => name === DEFAULT_STACK,
    }),
    endpoint({
      method: "PUT",
      path: "/stacks/:stack_id",
      access: uses("stack"),
      body: update,
      async handle(call) {
        const { body } = call;
        const row = await get(call);
        await access.requireSharedChange(call.request, row, stacks.label);
        const changed = await stacks.update(row.id, {
          reader: readerOf(call.request),
          name: body.name ?? undefined,
          description: body.description,
          stack_spec_path: body.stack_spec_path,
          components: body.components == null ? undefined : Object.values(body.components).flat(),
          environment: body.environment,
          labels: body.labels,
          hiddenTypes: componentTypesFor(call).hidden,
          addSecrets: body.add_secrets ?? [],
          removeSecrets: body.remove_secrets ?? [],
        });
        return view(call, changed);
      },
    }),
    removeShared(context, "/stacks/:stack_id", { collection: stacks, get }),
  ];
}

const infoOf = (info: z.output<typeof componentInfo>) => ({
  flavor: info.flavor,
  configuration: info.configuration,
  service_connector_index: info.service_connector_index ?? null,
  service_connector_resource_id: info.service_connector_resource_id ?? null,
});
