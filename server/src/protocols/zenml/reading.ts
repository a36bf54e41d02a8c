import { sql, type RawBuilder } from "kysely";
import { reads } from "../../kernel/access.ts";
import { noSuch, type Fields, type ListQuery } from "../../modules/pipelines/index.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { pageOf, readFlag } from "./list-query.ts";

/** What lists are made of. */
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

type Shared<R> = Listed<R> & {
  /** What this client does not see, over the alias `t`. */
  where?(call: ZenmlCall): readonly RawBuilder<unknown>[];
  /** What is there for those, too, who have no part in any project; nothing unless said. */
  forAll?: RawBuilder<unknown>;
};

/** A page of what belongs to no project. */
export const listShared = <R>(
  { access, listQuery }: ZenmlContext,
  path: string,
  { collection, views, where = () => [], forAll = sql`false` }: Shared<R>,
): ZenmlEndpoint =>
  endpoint({
    method: "GET",
    path,
    access: reads("stack"),
    async handle(call) {
      const seen = (await access.readsShared(call.request)) ? [] : [forAll];
      const query = listQuery(call, collection.fields);
      const { total, rows } = await collection.search(query, [...where(call), ...seen]);
      return pageOf(query, { total, items: await views(call, rows, query.hydrate) });
    },
  });

/** As `readOne`, of what belongs to no project. */
export const readShared = <R extends { readonly id: string }>(
  { access }: ZenmlContext,
  path: string,
  {
    label,
    get,
    view,
    isForAll = () => false,
  }: { label: string; get(call: ZenmlCall): Promise<R>; view: View<R>; isForAll?(row: R): boolean },
): ZenmlEndpoint =>
  endpoint({
    method: "GET",
    path,
    access: reads("stack"),
    async handle(call) {
      const reads = await access.readsShared(call.request);
      const row = await get(call);
      if (!reads && !isForAll(row)) throw noSuch(label, row.id);
      return view(call, row, readFlag(call.parameters, "hydrate", true));
    },
  });

type View<R> = (call: ZenmlCall, row: R, hydrate?: boolean) => Promise<unknown>;

/** One row as lists show it; whole unless said. */
export const viewOne =
  <R>(views: (call: ZenmlCall, rows: readonly R[], hydrate: boolean) => Promise<readonly object[]>) =>
  async (call: ZenmlCall, row: R, hydrate = true): Promise<object> =>
    (await views(call, [row], hydrate))[0] ?? {};
