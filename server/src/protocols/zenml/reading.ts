import type { RawBuilder } from "kysely";
import { reads } from "../../kernel/access.ts";
import type { Fields, ListQuery } from "../../modules/pipelines/index.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { pageOf, readFlag } from "./list-query.ts";

/** What lists of a project are made of. */
export type Listed<R> = {
  collection: {
    readonly fields: Fields;
    search(
      query: ListQuery,
      where: readonly RawBuilder<unknown>[],
    ): Promise<{ total: number; rows: readonly R[] }>;
  };
  views(call: ZenmlCall, rows: readonly R[], hydrate: boolean): Promise<readonly unknown[]>;
};

/** A page of what is in the project of `?project=`. */
export const listInProject = <R>(
  context: ZenmlContext,
  path: string,
  { collection, views }: Listed<R>,
): ZenmlEndpoint =>
  endpoint({
    method: "GET",
    path,
    access: reads("pipeline"),
    async handle(call) {
      const scope = await context.enterListed(call);
      const query = context.listQuery(call, collection.fields);
      const { total, rows } = await collection.search(query, [within(scope)]);
      return pageOf(query, { total, items: await views(call, rows, query.hydrate) });
    },
  });

/** One entity by the id in the path; whole unless `hydrate=false`. */
export const readOne = <R>(
  path: string,
  of: {
    get(call: ZenmlCall, action: "read"): Promise<R>;
    view(call: ZenmlCall, row: R, hydrate: boolean): Promise<unknown>;
  },
): ZenmlEndpoint =>
  endpoint({
    method: "GET",
    path,
    access: reads("pipeline"),
    async handle(call) {
      const row = await of.get(call, "read");
      return of.view(call, row, readFlag(call.parameters, "hydrate", true));
    },
  });
