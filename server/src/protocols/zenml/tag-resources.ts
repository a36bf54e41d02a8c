import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import {
  labelOf,
  taggableTypes,
  type NewTagResource,
  type TagResourceRow,
} from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, stamps } from "./envelope.ts";
import { uuid } from "./fields.ts";

const request = z.object({ tag_id: uuid, resource_id: uuid, resource_type: z.enum(taggableTypes) });
type Request = z.infer<typeof request>;

/** Tags on resources, which whoever may change the resource puts there and takes away. */
export function tagResourceEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { tags } = context.pipelines;

  const enter = async (call: ZenmlCall, given: readonly Request[]): Promise<NewTagResource[]> => {
    await context.access.requireShared(call.request, "use");
    const links = given.map((one) => ({
      tagId: one.tag_id,
      resourceId: one.resource_id,
      resourceType: one.resource_type,
    }));
    const rows = await tags.getTaggable(links);
    const typeOf = new Map(links.map(({ resourceId, resourceType }) => [resourceId, resourceType]));
    const owners = Map.groupBy(rows.values(), (row) => `${row.workspace_id} ${row.user_id}`);
    for (const [first] of owners.values()) {
      if (first === undefined) continue;
      const label = labelOf(typeOf.get(first.id) ?? "artifact");
      await context.access.enterProjectOf(call.request, first, { action: "edit", label });
    }
    return links;
  };

  const link = async (call: ZenmlCall, given: readonly Request[]): Promise<object[]> => {
    const links = await enter(call, given);
    return (await tags.link(links.map((one) => ({ ...one, id: call.newId() })))).map(view);
  };

  const unlink = async (call: ZenmlCall, given: readonly Request[]): Promise<null> => {
    await tags.unlink(await enter(call, given));
    return null;
  };

  return [
    endpoint({
      method: "POST",
      path: "/tag_resources",
      access: uses("pipeline"),
      body: request,
      handle: async (call) => (await link(call, [call.body]))[0],
    }),
    endpoint({
      method: "POST",
      path: "/tag_resources/batch",
      access: uses("pipeline"),
      body: z.array(request),
      handle: (call) => link(call, call.body),
    }),
    endpoint({
      method: "DELETE",
      path: "/tag_resources",
      access: uses("pipeline"),
      body: request,
      handle: (call) => unlink(call, [call.body]),
    }),
    endpoint({
      method: "DELETE",
      path: "/tag_resources/batch",
      access: uses("pipeline"),
      body: z.array(request),
      handle: (call) => unlink(call, call.body),
    }),
  ];
}

const view = (row: TagResourceRow): object =>
  entity(
    { id: row.id },
    {
      body: {
        ...stamps(row),
        tag_id: row.tag_id,
        resource_id: row.resource_id,
        resource_type: row.resource_type,
      },
    },
  );
