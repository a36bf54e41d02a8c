import type { z } from "zod";
import { RestError, TOO_LARGE, type RestCall, type RestClient } from "./rest-client.ts";

/** A workspace of the source's server; undefined where it has none. */
export type RestWorkspace = string | undefined;

/** Says what an answer is, or that it is not MLflow's. */
export function readAnswer<Shape extends z.ZodType>(
  client: RestClient,
  { path }: RestCall,
  [shape, answer]: [shape: Shape, answer: unknown],
): z.output<Shape> {
  const read = shape.safeParse(answer);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const field = issue?.path.join(".") ?? "";
  throw notMlflow(`${client.address}${path}`, `${field === "" ? "" : `'${field}': `}${issue?.message ?? ""}`);
}

export const notMlflow = (address: string, what: string): RestError =>
  new RestError(`The answer of ${address} is not what MLflow answers: ${what}`, {
    status: 200,
    transient: false,
  });

type PageCall<Shape> = RestCall & {
  shape: Shape;
  /** How many a page shall have. */
  max: number;
  /** The token of the page to begin with. */
  from: string | undefined;
};

/**
 * All pages of a search. An answer larger than memory should hold is asked for again in halves; `next` is
 * the token of the page behind, undefined for the last.
 */
export async function* searchPages<Shape extends z.ZodType<{ next_page_token: string | undefined }>>(
  client: RestClient,
  call: PageCall<Shape>,
): AsyncGenerator<{ page: z.output<Shape>; next: string | undefined }> {
  let token = call.from;
  let max = call.max;
  for (;;) {
    let answer: unknown;
    try {
      answer = await client.json(withPage(call, max, token));
    } catch (error) {
      if (!(error instanceof RestError) || error.code !== TOO_LARGE || max === 1) throw error;
      max = Math.ceil(max / 2);
      continue;
    }
    const page = readAnswer(client, call, [call.shape, answer]);
    const next = page.next_page_token;
    if (next !== undefined && next === token) {
      throw notMlflow(`${client.address}${call.path}`, "the page after this one is this one");
    }
    yield { page, next };
    if (next === undefined) return;
    token = next;
  }
}

function withPage(call: RestCall, max: number, token: string | undefined): RestCall {
  if (call.method === "POST") {
    const body = {
      ...(call.body as object),
      max_results: max,
      ...(token === undefined ? {} : { page_token: token }),
    };
    return { ...call, body };
  }
  const query = [...(call.query ?? []), ["max_results", String(max)] as const];
  return { ...call, query: token === undefined ? query : [...query, ["page_token", token] as const] };
}

/** Runs `tasks` some at a time and yields what they give in their order. */
export async function* inOrder<T>(tasks: Iterable<() => Promise<T>>, atOnce: number): AsyncGenerator<T> {
  const inWork: Promise<T>[] = [];
  try {
    for (const task of tasks) {
      const work = task();
      // It is awaited in its turn; until then it must not count as unhandled.
      work.catch(() => undefined);
      inWork.push(work);
      if (inWork.length === atOnce) yield await (inWork.shift() as Promise<T>);
    }
    while (inWork.length > 0) yield await (inWork.shift() as Promise<T>);
  } finally {
    await Promise.allSettled(inWork);
  }
}
