import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Access } from "../../kernel/access.ts";
import { parseFaithfulJson, writeJson } from "../../kernel/json-text.ts";
import { createIds } from "./derived-ids.ts";
import { invalidRequest, type Problem } from "./errors.ts";
import type { Parameters } from "./list-query.ts";

/** One endpoint of ZenML's REST API, all that decides its behaviour on one page. */
export type ZenmlEndpoint<Body = unknown> = {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/api/v1`. */
  path: string;
  access: Access;
  /** Fields that are not named are ignored, as ZenML's own models do. */
  body?: z.ZodType<Body>;
  /** Where bodies may be larger than the server takes otherwise. */
  maxBodyBytes?: number;
  /** Forms arrive as an object of texts. */
  form?: true;
  /** The answer is written as JSON: `null` for nothing. `SENT` where `reply` has it already. */
  handle(call: ZenmlCall<Body>): unknown;
};

export type ZenmlCall<Body = unknown> = {
  path: Readonly<Record<string, string>>;
  /** The last one of each, as text. */
  query: Readonly<Record<string, string>>;
  /** Each as often as it was given. */
  parameters: Parameters;
  body: Body;
  /** The client is of ZenML 0.8x, which knows fewer values of enumerations, and other shapes. */
  isOld: boolean;
  /** The id of what this request makes, and of what it makes next: see `createIds`. */
  newId(): string;
  request: FastifyRequest;
  reply: FastifyReply;
};

/** Not the reply itself, which is awaited like a promise. */
export const SENT = Symbol("sent");

const PREFIX = "/api/v1";

/** What the endpoint's own types say is checked where it is written. */
export const endpoint = <Body>(given: ZenmlEndpoint<Body>): ZenmlEndpoint => given;

export async function registerZenmlEndpoints(
  app: FastifyInstance,
  endpoints: readonly ZenmlEndpoint[],
): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => {
      parsed(null, body);
    });
    for (const one of endpoints) {
      scope.route({
        method: one.method,
        url: PREFIX + one.path,
        config: { access: one.access, protocol: "zenml" },
        ...(one.maxBodyBytes === undefined
          ? {}
          : { bodyLimit: Math.max(one.maxBodyBytes, app.initialConfig.bodyLimit ?? 0) }),
        async handler(request, reply) {
          let ids: (() => string) | undefined;
          const parameters = readParameters(request);
          const answer = await one.handle({
            path: readPath(request),
            query: lastOfEach(parameters),
            parameters,
            body: readBody(one, request),
            isOld: isOldClient(request),
            newId: () => (ids ??= createIds(request))(),
            request,
            reply,
          });
          if (answer === SENT) return reply;
          return reply.header("content-type", "application/json").send(writeJson(answer));
        },
      });
    }
    done();
  });
}

/** `User-Agent: zenml/0.84.0` */
const isOldClient = ({ headers }: FastifyRequest): boolean =>
  /^zenml\/0\.[1-8]\d\b/.test(headers["user-agent"] ?? "");

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** Parts of a path that are called ids are ids; those that may be names are called `..._name_or_id`. */
function readPath(request: FastifyRequest): Record<string, string> {
  const path = request.params as Record<string, string>;
  for (const [name, value] of Object.entries(path)) {
    if (!name.endsWith("_id") || name.endsWith("name_or_id") || UUID.test(value)) continue;
    throw invalidRequest([
      { type: "uuid_parsing", loc: ["path", name], msg: "Input should be a valid UUID" },
    ]);
  }
  return path;
}

function readParameters(request: FastifyRequest): Map<string, readonly string[]> {
  const query = request.query as Record<string, string | string[]>;
  return new Map(
    Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value : [value]]),
  );
}

const lastOfEach = (parameters: Parameters): Record<string, string> =>
  Object.fromEntries([...parameters].map(([name, values]) => [name, values.at(-1) ?? ""]));

function readBody(one: ZenmlEndpoint, request: FastifyRequest): unknown {
  if (one.body === undefined) return undefined;
  const given = one.form === true ? readForm(request) : readJson(request);
  const read = one.body.safeParse(given, { reportInput: true });
  if (read.success) return read.data;
  throw invalidRequest(read.error.issues.map(problemOf));
}

const typeOf = (request: FastifyRequest): string | undefined =>
  request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();

/** Only JSON that says so: a form of another site cannot. */
function readJson(request: FastifyRequest): unknown {
  if (typeOf(request) !== "application/json") return undefined;
  const body = request.body as Buffer | undefined;
  const read = parseFaithfulJson(body);
  // What need not be given may still not be nonsense.
  if (read !== undefined || body === undefined || body.length === 0) return read;
  throw invalidRequest([{ type: "json_invalid", loc: ["body", 0], msg: "JSON decode error" }]);
}

function readForm(request: FastifyRequest): Record<string, string> {
  if (typeOf(request) !== "application/x-www-form-urlencoded") return {};
  const body = request.body as Buffer | undefined;
  return Object.fromEntries(new URLSearchParams(body?.toString("utf8") ?? ""));
}

type Issue = z.core.$ZodIssue;

/** As ZenML's models put it, as far as their clients show it. */
function problemOf(issue: Issue): Problem {
  const loc = ["body", ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))];
  const isMissing = issue.code === "invalid_type" && issue.input === undefined;
  return isMissing
    ? { type: "missing", loc, msg: "Field required" }
    : { type: "value_error", loc, msg: issue.message.replaceAll("'", '"') };
}
