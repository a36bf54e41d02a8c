// What is below the endpoints: bodies that are not JSON, content types, methods, routes, both spellings of a field.
import { get, newExperiment, newRun, post, postRaw, type Scenario, type Step } from "../scenario.ts";

const typed = (label: string, contentType: string | undefined, raw: string | Uint8Array): Step => ({
  label,
  method: "POST",
  path: "/api/2.0/mlflow/experiments/create",
  raw,
  headers: contentType === undefined ? {} : { "content-type": contentType },
});

const call = (
  label: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Step => ({
  label,
  method,
  path,
  headers,
});

const unknownModel = `/api/2.0/mlflow/logged-models/m-${"0".repeat(32)}`;
const route: Readonly<Record<string, string>> = {
  POST: "/api/2.0/mlflow/runs/delete",
  PATCH: unknownModel,
  DELETE: unknownModel,
};

const named = (name: string) => `{"name": "{unique} wire ${name}"}`;

export const wire: readonly Scenario[] = [
  {
    name: "wire: bodies",
    steps: [
      newExperiment(),
      newRun(),
      postRaw("an empty body", "experiments/create", ""),
      postRaw("not JSON", "experiments/create", "{not json"),
      postRaw("half of a JSON", "experiments/create", '{"name": "{unique} half"'),
      postRaw("a list", "experiments/create", "[]"),
      postRaw("a text", "experiments/create", '"name"'),
      postRaw("a number", "experiments/create", "5"),
      postRaw("null", "experiments/create", "null"),
      postRaw("true", "experiments/create", "true"),
      postRaw("JSON inside JSON", "experiments/create", '"{\\"name\\": \\"{unique} twice\\"}"'),
      postRaw(
        "bytes that are not UTF-8",
        "experiments/create",
        Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
      ),
      postRaw("a name that is not UTF-8", "experiments/create", Buffer.from('{"name": "caf\xe9"}', "latin1")),
      postRaw("a byte-order mark", "experiments/create", '\ufeff{"name": "{unique} bom"}'),
      postRaw("a field twice", "experiments/create", '{"name": "{unique} x1", "name": "{unique} x2"}'),
      postRaw("a lone surrogate", "experiments/create", '{"name": "{unique} \\ud800"}'),
      postRaw("a null character", "experiments/create", '{"name": "{unique} a\\u0000b"}'),
      postRaw("a comment in JSON", "experiments/create", '{"name": "{unique} c" /* c */}'),
      postRaw("a trailing comma", "experiments/create", '{"name": "{unique} comma",}'),
      postRaw(
        "deep nesting",
        "experiments/create",
        `{"name": "{unique} deep", "x": ${"[".repeat(200)}${"]".repeat(200)}}`,
      ),
      postRaw("a prototype", "experiments/create", '{"__proto__": {"name": "polluted"}}'),
      postRaw("a constructor", "experiments/create", '{"constructor": {"prototype": {"name": "polluted"}}}'),
    ],
  },
  {
    name: "wire: content types",
    steps: [
      typed("JSON with a charset", "application/json; charset=utf-8", named("charset")),
      typed("JSON in capitals", "Application/JSON", named("capitals")),
      typed("none", undefined, named("none")),
      typed("text", "text/plain", named("text")),
      typed("a form", "application/x-www-form-urlencoded", "name=x"),
      typed("multipart", "multipart/form-data; boundary=x", "--x--"),
      typed("bytes", "application/octet-stream", named("bytes")),
      typed("a JSON suffix", "application/problem+json", named("suffix")),
      typed("garbage", "garbage", named("garbage")),
      typed("an empty body of text", "text/plain", ""),
      ...["POST", "PATCH", "DELETE"].flatMap((method) => [
        call(`${method} without body and type`, method, route[method] ?? ""),
        call(`${method} with a type and no body`, method, route[method] ?? "", {
          "content-type": "application/json",
        }),
      ]),
    ],
  },
  {
    name: "wire: spellings",
    steps: [
      newExperiment(),
      newRun(),
      post("camel case", "runs/log-parameter", { runId: "{run}", key: "camel", value: "1" }),
      post("both spellings", "runs/log-parameter", {
        run_id: "{run}",
        runId: "{run}",
        key: "both",
        value: "1",
      }),
      post("both spellings deep down", "runs/log-batch", {
        run_id: "{run}",
        metrics: [{ key: "m", value: 1, timestamp: 1, model_id: "", modelId: "" }],
      }),
      post("camel case of a list", "runs/search", { experimentIds: ["{experiment}"], maxResults: 5 }),
      post("camel case of create", "runs/create", {
        experimentId: "{experiment}",
        runName: "camel",
        startTime: 5,
      }),
      get("camel case in a query", "runs/get", { runId: "{run}" }),
      post("capitals", "runs/log-parameter", { RUN_ID: "{run}", key: "capitals", value: "1" }),
      get("the run", "runs/get", { run_id: "{run}" }),
    ],
  },
  {
    name: "wire: methods and routes",
    steps: [
      newExperiment(),
      newRun(),
      call("GET where POST is", "GET", "/api/2.0/mlflow/experiments/create"),
      call("PUT where POST is", "PUT", "/api/2.0/mlflow/experiments/create"),
      call("DELETE where POST is", "DELETE", "/api/2.0/mlflow/runs/delete"),
      call("PATCH where POST is", "PATCH", "/api/2.0/mlflow/runs/update"),
      post("POST where GET is", "experiments/get", { experiment_id: "{experiment}" }),
      post("POST where GET is, runs", "runs/get", { run_id: "{run}" }),
      call("an unknown route", "GET", "/api/2.0/mlflow/nothing"),
      post("an unknown POST route", "nothing", {}),
      call("an unknown version", "GET", "/api/9.0/mlflow/experiments/get?experiment_id=0"),
      call("a 2.0 route under 3.0", "GET", "/api/3.0/mlflow/experiments/get?experiment_id=0"),
      call("an old preview route", "GET", "/api/2.0/preview/mlflow/experiments/get?experiment_id=0"),
      call("a slash at the end", "GET", "/api/2.0/mlflow/experiments/get/?experiment_id=0"),
      call("a double slash", "GET", "/api/2.0//mlflow/experiments/get?experiment_id=0"),
      call("capitals in the route", "GET", "/api/2.0/mlflow/Experiments/Get?experiment_id=0"),
      call("an encoded route", "GET", "/api/2.0/mlflow/experiments%2Fget?experiment_id=0"),
      call("a route that climbs", "GET", "/api/2.0/mlflow/../../../etc/passwd"),
      call("a route that climbs, encoded", "GET", "/api/2.0/mlflow/%2e%2e/%2e%2e/etc/passwd"),
      call("a bad percent sign", "GET", "/api/2.0/mlflow/%zz"),
      call("a bad percent sign in a query", "GET", "/api/2.0/mlflow/experiments/get?experiment_id=%zz"),
      call("a query that is not UTF-8", "GET", "/api/2.0/mlflow/experiments/get?experiment_id=%ff%fe"),
      call("HEAD of a GET", "HEAD", "/api/2.0/mlflow/experiments/get?experiment_id=0"),
      call("OPTIONS", "OPTIONS", "/api/2.0/mlflow/experiments/get?experiment_id=0"),
      call("health", "GET", "/health"),
      get("body and query on a GET", "experiments/get", { experiment_id: "0", name: "x" }),
    ],
  },
];
