import { invalidParameter } from "../../kernel/errors.ts";
import { RestError, type RestClient } from "./rest-client.ts";
import { searchPages, type RestWorkspace } from "./rest-pages.ts";
import type { PointReader } from "./rest-points.ts";
import { experimentPage } from "./rest-shapes.ts";
import type { Cursor } from "./source.ts";

const PAGE_ROWS = 200;

/** Undefined where the server does not have it; a server that does not answer at all fails. */
export async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RestError && error.status !== 0 && error.status !== 401 && error.status !== 403) {
      return undefined;
    }
    throw error;
  }
}

export type Reading = { client: RestClient; scopes: RestWorkspace[]; readPoints: PointReader };

/** Where a reading of pages goes on: in which workspace, in what of it, at which page; `[w, i, null]` is behind it. */
type Place = [scope: number, item: string, token: string | null];

const placeOf = (cursor: Cursor): Place =>
  cursor === undefined ? [0, "", null] : (JSON.parse(cursor) as Place);

type ScopedPage<P> = { workspace: RestWorkspace; page: P; cursor: string };

/** The pages of one search in every workspace. */
export async function* scoped<P>(
  { client, scopes }: Reading,
  after: Cursor,
  search: (
    client: RestClient,
    workspace: RestWorkspace,
    from: string | undefined,
  ) => AsyncGenerator<{ page: P; next: string | undefined }>,
): AsyncGenerator<ScopedPage<P>> {
  const [fromScope, , fromToken] = placeOf(after);
  for (const [scope, workspace] of scopes.entries()) {
    if (scope < fromScope) continue;
    const isFirst = scope === fromScope && after !== undefined;
    // Behind the last page of this one.
    if (isFirst && fromToken === null) continue;
    for await (const { page, next } of search(
      client,
      workspace,
      isFirst ? (fromToken ?? undefined) : undefined,
    )) {
      yield { workspace, page, cursor: JSON.stringify([scope, "", next ?? null] satisfies Place) };
    }
  }
}

export const experimentPages = (client: RestClient, workspace: RestWorkspace, from: string | undefined) =>
  searchPages(client, {
    method: "POST",
    path: "/api/2.0/mlflow/experiments/search",
    body: { view_type: "ALL", order_by: ["experiment_id ASC"] },
    workspace,
    shape: experimentPage,
    max: PAGE_ROWS,
    from,
  });

export async function experimentIds({ client }: Reading, workspace: RestWorkspace): Promise<string[]> {
  const ids: string[] = [];
  for await (const { page } of experimentPages(client, workspace, undefined)) {
    ids.push(...page.experiments.map((row) => row.experiment_id));
  }
  return ids;
}

/** Every page of a search that is made once for each experiment. */
export async function* inExperiments<P>(
  reading: Reading,
  after: Cursor,
  search: (
    workspace: RestWorkspace,
    experiment: string,
    from: string | undefined,
  ) => AsyncGenerator<{ page: P; next: string | undefined }>,
): AsyncGenerator<ScopedPage<P>> {
  const [fromScope, fromItem, fromToken] = placeOf(after);
  for (const [scope, workspace] of reading.scopes.entries()) {
    if (scope < fromScope) continue;
    const ids = await experimentIds(reading, workspace);
    const isFirst = scope === fromScope && after !== undefined;
    const start = isFirst ? ids.indexOf(fromItem) : 0;
    if (start === -1) {
      throw invalidParameter(
        `The experiment ${fromItem} is gone from the source since the import began. Begin anew.`,
      );
    }
    for (const [index, id] of ids.entries()) {
      if (index < start || (isFirst && index === start && fromToken === null)) continue;
      const from = isFirst && index === start ? (fromToken ?? undefined) : undefined;
      for await (const { page, next } of search(workspace, id, from)) {
        yield { workspace, page, cursor: JSON.stringify([scope, id, next ?? null] satisfies Place) };
      }
    }
  }
}
