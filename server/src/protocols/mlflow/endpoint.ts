import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { AccessBefore, AccessToObjects } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { noScope, type Scope } from "../../modules/identity/index.ts";
import { parseJson } from "../../kernel/json.ts";
import { subjectOf, type Guard, type Needs } from "./guard.ts";
import type { ScopeOf } from "./scope.ts";
import {
  checkParameters,
  isObject,
  readMessage,
  type Check,
  type Message,
  type ReadMessage,
  type Values,
} from "./wire.ts";

/** One endpoint of MLflow's REST API, all that decides its behaviour on one page. */
export type Endpoint = About & (OfObjects | OfNone);

type OfObjects = {
  access: AccessToObjects;
  /** What the caller must be allowed to do to what the request names; asked before `handle`. */
  needs(values: Values, call: Call): Needs | Promise<Needs>;
  /** The workspace where it is not the one in the header. */
  scoped?: ScopeOf;
};

/** Who may use it is decided before the request is read. */
type OfNone = {
  access: AccessBefore;
  needs?: never;
  /** False: no workspace, so that nothing is allowed in any. */
  scoped?: false | ScopeOf;
};

type About = {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/api` and `/ajax-api`, for example `/2.0/mlflow/runs/create`. */
  path: string;
  request: Message;
  checks?: Readonly<Record<string, readonly Check[]>>;
  /** Gets the request's fields; answers with JSON as text or as a stream of text, or an object to be written as JSON. */
  handle(values: Values, call: Call): Promise<string | object> | string | object;
};

export type Call = {
  /** The workspace of the request: what is not in it is not there. */
  scope: Scope;
  /** Parameters in the path, decoded. */
  path: Readonly<Record<string, string>>;
  /** The JSON body or the query as it came, before it was read as a message. */
  source: Record<string, unknown>;
  request: FastifyRequest;
  reply: FastifyReply;
};

/** What every request passes: who is in which workspace, and may do what there. */
export type Gate = { scopeOf: ScopeOf; guard: Guard };

export const prefixes = ["/api", "/ajax-api"] as const;

/** Registers endpoints under both of MLflow's prefixes. `app` must parse bodies into buffers. */
export function registerEndpoints(
  app: FastifyInstance,
  endpoints: readonly Endpoint[],
  { scopeOf, guard }: Gate,
): void {
  for (const endpoint of endpoints) {
    const { scoped } = endpoint;
    const gate = { guard, scopeOf: scoped === false ? () => noScope : (scoped ?? scopeOf) };
    const handler = answer(endpoint, gate);
    for (const prefix of prefixes) {
      app.route({
        method: endpoint.method,
        url: prefix + endpoint.path,
        config: { access: endpoint.access, protocol: "mlflow" },
        handler,
      });
    }
  }
}

/** Bodies of this scope arrive as one buffer, whatever their content type says. */
export function parseBodiesAsBuffers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
}

function answer(
  endpoint: Endpoint,
  { scopeOf, guard }: Gate,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  const checks = endpoint.checks ?? {};
  return async (request, reply) => {
    const found = scopeOf(request);
    const scope = found instanceof Promise ? await found : found;
    const read = (exact: boolean): ReadMessage & { source: Record<string, unknown> } => {
      const source =
        endpoint.method === "GET" ? querySource(endpoint.request, request) : bodySource(request, exact);
      return { source, ...readMessage(endpoint.request, source) };
    };
    const first = read(false);
    const { source, values, complete } = first.exact ? first : read(true);
    checkParameters(checks, source, complete);
    const path = request.params as Record<string, string>;
    const call = { scope, path, source, request, reply };
    if (!request.decided && endpoint.needs !== undefined) {
      const wanted = endpoint.needs(values, call);
      const known = wanted instanceof Promise ? await wanted : wanted;
      request.subject = subjectOf(scope, known);
      const allowed = guard.require(scope, known);
      if (allowed !== undefined) await allowed;
      request.decided = true;
    }
    const body = await endpoint.handle(values, call);
    reply.header("content-type", "application/json");
    return reply.send(typeof body === "string" || body instanceof Readable ? body : JSON.stringify(body));
  };
}

/** The JSON object that a request has for a body. */
export function bodySource(request: FastifyRequest, exact: boolean): Record<string, unknown> {
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === undefined) {
    // The client deletes without a body. Browsers ask before they send DELETE or PATCH to another site.
    if (request.method !== "POST") return {};
    throw invalidParameter("Bad Request. Content-Type header is missing.");
  }
  if (type !== "application/json") {
    // Also what keeps other sites' forms and simple requests out (CVE-2023-43472).
    throw invalidParameter("Bad Request. Content-Type must be one of ['application/json'].");
  }
  let source = parseJson(request.body as Buffer | undefined, exact);
  // Old clients send JSON within a JSON string.
  if (typeof source === "string") source = parseJson(Buffer.from(source), exact);
  return isObject(source) ? source : {};
}

/** A query as the message's JSON: repeated fields are lists, also when they came once. */
function querySource(shape: Message, request: FastifyRequest): Record<string, unknown> {
  const query = request.query as Record<string, string | string[]>;
  const source: Record<string, unknown> = {};
  for (const [key, field] of shape.fields) {
    if (key !== field.name || !Object.hasOwn(query, key)) continue;
    const value = query[key] as string | string[];
    if (field.type.kind === "repeated") source[key] = [value].flat();
    else source[key] = scalar(field.type.kind, Array.isArray(value) ? (value[0] ?? "") : value);
  }
  return source;
}

function scalar(kind: string, value: string): unknown {
  if (kind !== "bool") return value;
  const lower = value.toLowerCase();
  if (lower !== "true" && lower !== "false") {
    throw invalidParameter(`Invalid boolean value: ${value}, must be 'true' or 'false'.`);
  }
  return lower === "true";
}
