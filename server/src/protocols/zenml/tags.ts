import { sql } from "kysely";
import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { isTagId, noSuch, tagColors, type TagRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity } from "./envelope.ts";
import { flag, shortText } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { tagBody } from "./summaries.ts";
import { viewOne } from "./reading.ts";

const name = shortText.refine(
  (text) => !isTagId(text),
  "Value error, Tag names cannot be UUIDs or strings that can be converted to UUIDs.",
);

const request = z.object({
  name,
  exclusive: flag.default(false),
  color: z.enum(tagColors).optional(),
});

const update = z.object({
  name: name.nullish(),
  exclusive: flag.nullish(),
  color: z.enum(tagColors).nullish(),
});

/** Clients of 0.84 ask for tags by name as well as by id. */
export function tagEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { tags } = context.pipelines;

  const views = async (call: ZenmlCall, rows: readonly TagRow[], hydrate: boolean): Promise<object[]> => {
    const [users, counts] = await Promise.all([
      context.relatedFor(call).users(rows.map((row) => row.user_id)),
      hydrate ? tags.countTagged(rows.map((row) => row.id)) : undefined,
    ]);
    return rows.map((row) =>
      entity(row, {
        body: tagBody(row),
        metadata: counts === undefined ? null : { tagged_count: counts.get(row.id) ?? 0 },
        resources: { user: users.get(row.user_id ?? "") ?? null },
      }),
    );
  };

  const view = viewOne(views);

  return [
    endpoint({
      method: "GET",
      path: "/tags",
      access: reads("stack"),
      async handle(call) {
        const seen = (await access.readsShared(call.request)) ? [] : [sql`false`];
        const query = context.listQuery(call, tags.fields);
        const { total, rows } = await tags.search(query, seen);
        return pageOf(query, { total, items: await views(call, rows, query.hydrate) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/tags",
      access: uses("stack"),
      body: request,
      async handle(call) {
        await access.requireShared(call.request, "use");
        const { body } = call;
        return view(call, await tags.create({ id: call.newId(), user_id: userIdOf(call.request), ...body }));
      },
    }),
    endpoint({
      method: "GET",
      path: "/tags/:tag_name_or_id",
      access: reads("stack"),
      async handle(call) {
        const nameOrId = call.path["tag_name_or_id"] ?? "";
        if (!(await access.readsShared(call.request))) throw noSuch("tag", nameOrId);
        const row = await tags.getByNameOrId(nameOrId);
        return view(call, row, readFlag(call.parameters, "hydrate", true));
      },
    }),
    endpoint({
      method: "PUT",
      path: "/tags/:tag_name_or_id",
      access: uses("stack"),
      body: update,
      async handle(call) {
        await access.requireShared(call.request, "read");
        const { body } = call;
        const row = await tags.getByNameOrId(call.path["tag_name_or_id"] ?? "");
        await access.requireSharedChange(call.request, row, "tag");
        const changed = await tags.update(row.id, {
          ...(body.name == null ? {} : { name: body.name }),
          ...(body.exclusive == null ? {} : { exclusive: body.exclusive }),
          ...(body.color == null ? {} : { color: body.color }),
        });
        return view(call, changed);
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/tags/:tag_name_or_id",
      access: uses("stack"),
      async handle(call) {
        await access.requireShared(call.request, "read");
        const row = await tags.getByNameOrId(call.path["tag_name_or_id"] ?? "");
        await access.requireSharedChange(call.request, row, "tag");
        await tags.remove(row.id);
        return null;
      },
    }),
  ];
}
