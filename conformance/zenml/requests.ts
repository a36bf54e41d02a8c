// The language of the case tables: a scenario is a list of requests that build on one another.
import { send } from "../src/http.ts";
import { encodeQuery, fill, pick, type Query, type Save, type Variables } from "../mlflow/scenario.ts";
import { parseBody } from "../mlflow/normal-answer.ts";
import type { ZenmlVersion } from "../src/environment.ts";
import type { Server } from "./reference.ts";

export interface Step {
  readonly label: string;
  readonly method: string;
  /** Below `/api/v1`, with `{variables}`. */
  readonly path: string;
  readonly query?: Query | undefined;
  readonly json?: unknown;
  /** A body as it is, for what JSON.stringify cannot say. */
  readonly raw?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Further headers, of the body and the time at which it is sent. */
  readonly sign?: ((body: string) => Readonly<Record<string, string>>) | undefined;
  /** Variables taken from the answer: name -> dotted path in the JSON body. */
  readonly save?: Save | undefined;
  /** Variables found in the answer as it was sent: name -> what stands around it. */
  readonly find?: Readonly<Record<string, RegExp>> | undefined;
  /** Instead of one request: this list with every filter and order that upstream's own document names. */
  readonly sweep?: Sweep | undefined;
}

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
  /** The versions of ZenML's server that it is played beside; both unless said. */
  readonly versions?: readonly ZenmlVersion[];
}

export interface Sweep {
  /** The list, below `/api/v1`. */
  readonly path: string;
  /** What narrows it to the rows of the scenario, sent with every request. */
  readonly scope: Query;
  /** Columns whose values are different in all rows: the order is compared, not only what was found. */
  readonly orders?: readonly string[];
}

export const post = (label: string, path: string, json: unknown, save?: Save): Step => ({
  label,
  method: "POST",
  path,
  json,
  save,
});
export const put = (label: string, path: string, json?: unknown, query?: Query): Step => ({
  label,
  method: "PUT",
  path,
  json,
  query,
});
export const get = (label: string, path: string, query?: Query, save?: Save): Step => ({
  label,
  method: "GET",
  path,
  query,
  save,
});
export const del = (label: string, path: string, query?: Query): Step => ({
  label,
  method: "DELETE",
  path,
  query,
});

export const sweepOf = (path: string, sweep: Omit<Sweep, "path">): Step => ({
  label: `every filter of ${path}`,
  method: "GET",
  path,
  sweep: { path, ...sweep },
});

export interface RawAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends one step and keeps what it saves; an id that a server fails to answer goes on as one that exists nowhere. */
export async function perform(step: Step, server: Server, variables: Variables): Promise<RawAnswer> {
  const query = step.query === undefined ? "" : `?${encodeQuery(fill(step.query, variables))}`;
  const written = step.raw ?? (step.json === undefined ? undefined : JSON.stringify(step.json));
  const body = written === undefined ? undefined : fill(written, variables);
  const response = await send({
    base: server.url,
    method: step.method,
    path: `/api/v1${fill(step.path, variables)}${query}`,
    headers: {
      authorization: `Bearer ${server.token}`,
      "user-agent": `zenml/${server.version}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...fill(step.headers ?? {}, variables),
      ...step.sign?.(body ?? ""),
    },
    ...(body === undefined ? {} : { body }),
  });
  const answer = { status: response.status, body: parseBody(response) };
  for (const [name, at] of Object.entries(step.save ?? {})) {
    variables.set(name, pick(answer.body, at) ?? "00000000-0000-4000-8000-000000000bad");
  }
  for (const [name, pattern] of Object.entries(step.find ?? {})) {
    const [, found] = pattern.exec(response.body.toString()) ?? [];
    variables.set(name, found ?? "00000000-0000-4000-8000-000000000bad");
  }
  return answer;
}
