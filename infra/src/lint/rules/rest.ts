import { mlflowRoutes, zenmlRest } from "../../schemas/client-tables.ts";
import { nearest } from "../../schemas/nearest.ts";
import { fitsRoute, restRequests, type RestRequest } from "../rest-requests.ts";
import type { Problem, Rule } from "../rule.ts";
import { zenmlBodyProblems } from "../zenml-bodies.ts";

const MLFLOW = /^\/(?:ajax-)?api\/[23]\.0\/mlflow\/(?<resource>[\w-]+)/;

/** What used to be there and what came after it. */
const GONE: Readonly<Record<string, string>> = {
  "experiments/list":
    'POST /api/2.0/mlflow/experiments/search with {"max_results": 1}; for a check of health GET /health.',
  "registered-models/list": "GET /api/2.0/mlflow/registered-models/search.",
  "runs/list": "POST /api/2.0/mlflow/runs/search.",
};

export const mlflowRoute: Rule = {
  id: "rest/mlflow-route",
  severity: "error",
  covers: ["E29"],
  title: "a request to a path that MLflow's REST API does not have",
  why: "MLflow answers 404 for paths that were removed: `experiments/list` and `registered-models/list` went with MLflow 2, only `search` is left.",
  remedy: "Use a route of the REST API of the server you run.",
  *check(workspace) {
    const routes = Object.entries(mlflowRoutes());
    for (const request of restRequests(workspace)) {
      const resource = MLFLOW.exec(request.path)?.groups?.["resource"];
      if (resource === undefined || !routes.some(([route]) => route.includes(`/mlflow/${resource}`)))
        continue;
      const problem = routeProblem(request, routes);
      if (problem !== undefined) yield problem;
    }
  },
};

function routeProblem(request: RestRequest, routes: [string, string[]][]): Problem | undefined {
  const { file, line, method, path } = request;
  const fitting = routes.filter(([route]) => fitsRoute(path, route));
  if (fitting.length === 0) {
    const gone = GONE[path.replace(/^.*\/mlflow\//, "")];
    const meant = nearest(
      path,
      routes.map(([route]) => route),
    );
    const remedy = gone ?? (meant === undefined ? undefined : `Did you mean ${meant}?`);
    const message = `MLflow has no ${path}: the answer is 404`;
    return { file, line, message, ...(remedy === undefined ? {} : { remedy }) };
  }
  const methods = new Set(fitting.flatMap(([, own]) => own));
  if (fitting.some(([, own]) => own.length === 0) || methods.has(method) || method === "HEAD")
    return undefined;
  const allowed = [...methods].join(" or ");
  return {
    file,
    line,
    message: `${path} takes ${allowed}, not ${method}: the answer is 405`,
    remedy: `Send ${allowed}.`,
  };
}

type ZenmlRequest = {
  request: RestRequest;
  route: string | undefined;
  paths: Record<string, Record<string, string>>;
};

/** Prometheus, Grafana and Argo CD have an `/api/v1` as well: what tells ZenML's is its name, or its resources. */
const ZENML_ONLY = new Set(["service_connectors", "service_connector_types", "stacks", "code_repositories"]);

function zenmlRequest(request: RestRequest): ZenmlRequest | undefined {
  if (!request.path.startsWith("/api/v1/")) return undefined;
  const resource = (request.path.split("/")[3] ?? "").replaceAll("-", "_");
  if (!/zenml/i.test(request.server) && !ZENML_ONLY.has(resource)) return undefined;
  const newest = Object.values(zenmlRest()).at(-1);
  if (newest === undefined) return undefined;
  // A part of the route that is spelt out wins over one that stands for anything.
  const route = Object.keys(newest.paths)
    .filter((one) => fitsRoute(request.path, one))
    .sort((a, b) => a.split("{").length - b.split("{").length)[0];
  return { request, route, paths: newest.paths };
}

export const zenmlRoute: Rule = {
  id: "rest/zenml-route",
  severity: "error",
  covers: ["E51", "E09"],
  title: "a request to a path that ZenML's REST API does not have",
  why: "Resources of ZenML's API are spelt with underscores, and everything it does not know under /api is answered with 404. Health is /health and /ready, outside of /api.",
  remedy: "Use a path of the server's OpenAPI document, GET /openapi.json.",
  *check(workspace) {
    for (const request of restRequests(workspace)) {
      const found = zenmlRequest(request);
      if (found === undefined || found.route !== undefined) continue;
      const { file, line, path } = request;
      const meant = nearest(path, Object.keys(found.paths));
      const remedy = /\/(?:health|healthz|ready|metrics)$/.test(path)
        ? "Ask /health whether it lives and /ready whether it can work. ZenML has no metrics to scrape."
        : meant === undefined
          ? undefined
          : `Did you mean ${meant}?`;
      const message = `ZenML has no ${path}: the answer is 404`;
      yield { file, line, message, ...(remedy === undefined ? {} : { remedy }) };
    }
  },
};

export const zenmlBody: Rule = {
  id: "rest/zenml-body",
  severity: "error",
  covers: ["E52", "E53", "E54"],
  title: "a request whose body ZenML's REST API does not take",
  why: "The server answers 422 where a field that must be there is missing or has another shape, and ignores fields that it does not know, so that what they say never happens.",
  remedy:
    "See the schema of the body in the server's OpenAPI document, or use the Terraform provider zenml-io/zenml.",
  *check(workspace) {
    const newest = Object.values(zenmlRest()).at(-1);
    for (const request of restRequests(workspace)) {
      // A wrong path is the other rule's matter; what it was meant to be tells the body.
      const meant = { ...request, path: request.path.replace("/service-connectors", "/service_connectors") };
      const found = zenmlRequest(meant);
      if (found?.route === undefined || newest === undefined || request.body === undefined) continue;
      const name = newest.paths[found.route]?.[request.method];
      const fields = name === undefined ? undefined : newest.bodies[name];
      if (name === undefined || fields === undefined) continue;
      yield* zenmlBodyProblems({ body: request.body, name, fields, inCommand: request.inCommand });
    }
  },
};

export const restRules: readonly Rule[] = [mlflowRoute, zenmlRoute, zenmlBody];
