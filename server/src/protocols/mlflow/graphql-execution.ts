import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  execute,
  GraphQLError,
  GraphQLObjectType,
  parse,
  validate,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLFieldResolver,
} from "graphql";
import { invalidParameter, PlinthError } from "../../kernel/errors.ts";
import { asPlinthError } from "../../kernel/http.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import type { Guard } from "./guard.ts";
import { checkLimits } from "./graphql-limits.ts";
import { createSchema, snakeCase } from "./graphql-schema.ts";
import { parseJson } from "../../kernel/json.ts";
import { checkParameters, isObject, readMessage } from "./wire.ts";

/** A request at `/graphql`, and what is asked on its behalf. */
export type GraphqlCall = Omit<Call, "path" | "source"> & {
  query: string;
  variables: Record<string, unknown>;
  operationName: string | undefined;
  /** A query that came as a GET changes nothing, and neither may its mutations run. */
  onlyQueries: boolean;
};

export type GraphqlAnswer = { data: unknown; errors: string[] | null };

/** Which endpoint of the REST API answers a root field. */
const operations = {
  Query: {
    mlflowGetExperiment: "GET /2.0/mlflow/experiments/get",
    mlflowGetRun: "GET /2.0/mlflow/runs/get",
    mlflowGetMetricHistoryBulkInterval: "GET /2.0/mlflow/metrics/get-history-bulk-interval",
    mlflowListArtifacts: "GET /2.0/mlflow/artifacts/list",
    mlflowSearchModelVersions: "GET /2.0/mlflow/model-versions/search",
    mlflowSearchRuns: "POST /2.0/mlflow/runs/search",
  },
  Mutation: {
    mlflowSearchDatasets: "POST /2.0/mlflow/experiments/search-datasets",
    mlflowSearchRuns: "POST /2.0/mlflow/runs/search",
  },
} as const;

type Operation = (typeof operations)[keyof typeof operations];
type EndpointName = { [K in keyof typeof operations]: (typeof operations)[K][keyof (typeof operations)[K]] }[
  | "Query"
  | "Mutation"];

/** Answers are built whole: a page of runs ends here, and its token leads on. */
const MAX_RUNS = 1000;
/** The UI's longest query has 300 tokens; GraphQL's own way to look at a schema some 600. */
const MAX_TOKENS = 10_000;

type Ask = (name: EndpointName, input: object) => Promise<Record<string, unknown>>;
type Context = {
  ask: Ask;
  experiment(id: string): Promise<unknown>;
  versions(runId: string): Promise<unknown[]>;
};

export type RunGraphql = (call: GraphqlCall) => Promise<GraphqlAnswer>;

/** GraphQL over the endpoints of the REST API: what one of these answers is what a field has. */
export function createGraphql(endpoints: readonly Endpoint[], guard: Guard): RunGraphql {
  const byName = new Map(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]));
  const schema = createSchema();
  for (const [typeName, fields] of Object.entries(operations)) {
    const type = schema.getType(typeName);
    if (!(type instanceof GraphQLObjectType)) throw new Error(`the schema has no type ${typeName}`);
    for (const [name, field] of Object.entries(type.getFields())) {
      field.resolve = Object.hasOwn(fields, name) ? askFor(fields[name as keyof Operation]) : echo;
    }
  }
  const run = schema.getType("MlflowRunExtension");
  if (!(run instanceof GraphQLObjectType)) throw new Error("the schema has no runs");
  for (const [name, resolve] of Object.entries(ofRun)) {
    const field = run.getFields()[name];
    if (field !== undefined) field.resolve = resolve;
  }

  return async (call) => {
    const ask: Ask = (name, input) => {
      const endpoint = byName.get(name);
      if (endpoint === undefined) throw new Error(`no endpoint ${name}`);
      return askEndpoint(endpoint, input, { ...call, guard });
    };
    const document = read(call);
    const failed = check(document, () => validate(schema, document, undefined, { maxErrors: 10 }));
    if (failed !== undefined) return failed;
    const result = await execute({
      schema,
      document,
      contextValue: contextOf(ask),
      variableValues: call.variables,
      operationName: call.operationName,
    });
    return shown(result);
  };
}

function read({ query, onlyQueries }: GraphqlCall): DocumentNode {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: MAX_TOKENS, noLocation: true });
  } catch (error) {
    throw invalidParameter(error instanceof Error ? error.message : "The query is no GraphQL.");
  }
  if (onlyQueries && document.definitions.some((one) => "operation" in one && one.operation !== "query")) {
    throw new PlinthError("method_not_allowed", "A mutation needs POST.");
  }
  return document;
}

function check(document: DocumentNode, validated: () => readonly GraphQLError[]): GraphqlAnswer | undefined {
  try {
    checkLimits(document);
  } catch (error) {
    if (error instanceof GraphQLError) return { data: null, errors: [error.message] };
    throw error;
  }
  const errors = validated();
  return errors.length === 0 ? undefined : { data: null, errors: errors.map(({ message }) => message) };
}

/** What the caller did wrong stands beside the data. What went wrong here is an answer of its own. */
function shown({ data, errors }: ExecutionResult): GraphqlAnswer {
  const messages = (errors ?? []).map((error) => {
    if (error.originalError === undefined || error.originalError instanceof GraphQLError)
      return error.message;
    const known = asPlinthError(error.originalError);
    if (["internal", "unavailable", "statement_timeout", "no_space"].includes(known.code)) throw known;
    return known.message;
  });
  return { data: data ?? null, errors: messages.length === 0 ? null : messages };
}

const askFor =
  (name: EndpointName): GraphQLFieldResolver<unknown, Context> =>
  (_source, { input }, { ask }) =>
    ask(name, isObject(input) ? input : {});

const echo: GraphQLFieldResolver<unknown, Context> = (_source, { inputString }) => ({
  output: inputString as unknown,
});

const infoOf = (run: unknown): Record<string, unknown> =>
  (run as { info?: Record<string, unknown> }).info ?? {};

const ofRun: Record<string, GraphQLFieldResolver<unknown, Context>> = {
  experiment: (run, _args, { experiment }) => experiment(String(infoOf(run)["experiment_id"])),
  modelVersions: (run, _args, { versions }) => versions(String(infoOf(run)["run_id"])),
};

/** Experiments and versions of many runs are asked for once, however many runs of the answer name them. */
function contextOf(ask: Ask): Context {
  const experiments = new Map<string, Promise<unknown>>();
  let waiting: Map<string, PromiseWithResolvers<unknown[]>> | undefined;
  const found = new Map<string, Promise<unknown[]>>();
  const flush = async (batch: Map<string, PromiseWithResolvers<unknown[]>>): Promise<void> => {
    try {
      const ids = [...batch.keys()].filter((id) => /^[\w-]+$/.test(id));
      const filter = `run_id IN (${ids.map((id) => `'${id}'`).join(",")})`;
      const answer =
        ids.length === 0 ? {} : await ask(operations.Query.mlflowSearchModelVersions, { filter });
      const versions = Map.groupBy(
        (answer["model_versions"] ?? []) as { run_id?: string }[],
        (one) => one.run_id,
      );
      for (const [id, { resolve }] of batch) resolve(versions.get(id) ?? []);
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
  };
  return {
    ask,
    experiment(id) {
      const known = experiments.get(id);
      if (known !== undefined) return known;
      const asked = ask(operations.Query.mlflowGetExperiment, { experimentId: id }).then(
        (answer) => answer["experiment"],
      );
      experiments.set(id, asked);
      return asked;
    },
    versions(runId) {
      const known = found.get(runId);
      if (known !== undefined) return known;
      if (waiting === undefined) {
        const batch = new Map<string, PromiseWithResolvers<unknown[]>>();
        waiting = batch;
        setImmediate(() => {
          waiting = undefined;
          void flush(batch);
        });
      }
      const promised = Promise.withResolvers<unknown[]>();
      waiting.set(runId, promised);
      found.set(runId, promised.promise);
      return promised.promise;
    },
  };
}

async function askEndpoint(
  endpoint: Endpoint,
  input: object,
  { scope, request, reply, guard }: GraphqlCall & { guard: Guard },
): Promise<Record<string, unknown>> {
  const source: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    if (value !== null && value !== undefined) source[snakeCase(name)] = value;
  }
  if (endpoint.path.endsWith("/runs/search")) {
    source["max_results"] = Math.min(MAX_RUNS, Number(source["max_results"] ?? MAX_RUNS));
  }
  const { values, complete } = readMessage(endpoint.request, source);
  checkParameters(endpoint.checks ?? {}, source, complete);
  const call = { scope, path: {}, source, request, reply };
  const { needs } = endpoint;
  if (needs === undefined) throw new Error(`${endpoint.path} does not say what it needs`);
  await guard.require(scope, await needs(values, call));
  const answer = await endpoint.handle(values, call);
  if (typeof answer === "object" && !(answer instanceof Readable)) return answer as Record<string, unknown>;
  const json = typeof answer === "string" ? answer : await text(answer);
  return parseJson(Buffer.from(json), true) as Record<string, unknown>;
}
