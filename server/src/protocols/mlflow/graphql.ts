import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { bodySource, type Endpoint, type Gate } from "./endpoint.ts";
import type { GraphqlCall, RunGraphql } from "./graphql-execution.ts";
import { filtered, requireFor } from "./guard.ts";
import { isObject } from "./wire.ts";

export type GraphqlOptions = Gate & { endpoints: readonly Endpoint[] };

/** `/graphql`, which MLflow's web UI asks for one experiment and for one run. `app` must parse bodies into buffers. */
export function registerGraphql(app: FastifyInstance, { endpoints, scopeOf, guard }: GraphqlOptions): void {
  let loaded: Promise<RunGraphql> | undefined;
  // The library takes 0.1 s and 19 MB, which only who uses the web UI shall pay.
  const load = async (): Promise<RunGraphql> => {
    const { createGraphql } = await import("./graphql-execution.ts");
    return createGraphql(endpoints, guard);
  };

  app.route({
    method: ["GET", "POST"],
    url: "/graphql",
    config: { access: reads("experiment"), protocol: "mlflow" },
    exposeHeadRoute: false,
    async handler(request, reply) {
      const scope = await scopeOf(request);
      // What is asked for is asked by the endpoints behind each field.
      await requireFor(request, guard, { scope, wanted: filtered });
      const given = { ...readRequest(request), scope, request, reply };
      loaded ??= load();
      const answer = await (await loaded)(given);
      return send(reply, answer);
    },
  });
}

const send = (reply: FastifyReply, answer: object): FastifyReply =>
  reply.header("content-type", "application/json").send(JSON.stringify(answer));

function readRequest(
  request: FastifyRequest,
): Pick<GraphqlCall, "query" | "variables" | "operationName" | "onlyQueries"> {
  const onlyQueries = request.method === "GET";
  const source = onlyQueries ? (request.query as Record<string, unknown>) : bodySource(request, false);
  const { query, operationName } = source;
  if (typeof query !== "string" || query === "") {
    throw invalidParameter("A request to /graphql needs 'query', a text, in its JSON body (or its address).");
  }
  return {
    query,
    variables: readVariables(source["variables"]),
    operationName: typeof operationName === "string" && operationName !== "" ? operationName : undefined,
    onlyQueries,
  };
}

function readVariables(given: unknown): Record<string, unknown> {
  if (given === undefined || given === null || given === "") return {};
  let value: unknown = given;
  try {
    if (typeof given === "string") value = JSON.parse(given);
  } catch {
    value = undefined;
  }
  if (isObject(value)) return value;
  throw invalidParameter("'variables' of a request to /graphql must be a JSON object.");
}
