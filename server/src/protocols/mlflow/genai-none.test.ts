import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";

let server: TestServer;
const V3 = "/ajax-api/3.0/mlflow";

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("what the web UI asks in passing", () => {
  test.each([
    ["GET", "/ajax-api/2.0/mlflow/gateway-proxy?gateway_path=api/2.0/endpoints/", { endpoints: [] }],
    ["GET", `${V3}/assistant/config`, { providers: {}, projects: {}, remote_access_allowed: false }],
    ["GET", `${V3}/assistant/providers`, { providers: [] }],
    ["GET", `${V3}/gateway/endpoints/list`, {}],
    ["GET", `${V3}/gateway/endpoints/bindings/list`, {}],
    ["GET", `${V3}/gateway/secrets/config`, { secrets_available: false, using_default_passphrase: false }],
    ["GET", `${V3}/mcp-servers?max_results=25`, { mcp_servers: [], next_page_token: null }],
    ["GET", `${V3}/scorers/list?experiment_id=0`, {}],
    ["GET", `${V3}/scorers/online-configs?scorer_ids=a`, { configs: [] }],
    [
      "GET",
      `${V3}/ui-telemetry`,
      { disable_ui_telemetry: true, disable_ui_events: [], ui_rollout_percentage: 0 },
    ],
    ["GET", `${V3}/traces/batchGet?trace_ids=tr-1`, {}],
    ["GET", "/api/2.0/mlflow/traces?experiment_ids=0", {}],
  ])("%s %s: there is nothing", async (method, path, answer) => {
    const found = await server.call(method, path);
    expect([found.status, found.json]).toEqual([200, answer]);
  });

  test.each([
    ["traces/search", { locations: [], filter: "attributes.run_id = 'x'", max_results: 500 }, {}],
    ["traces/delete-traces", { experiment_id: "0", request_ids: ["tr-1"] }, { traces_deleted: 0 }],
    ["datasets/search", { experiment_ids: ["0"], max_results: 50, order_by: ["created_time DESC"] }, {}],
    ["ui-telemetry", { records: [] }, { status: "disabled" }],
    ["demo/delete", {}, { features_deleted: [], status: "deleted" }],
  ])("POST %s: there is nothing", async (path, body, answer) => {
    const found = await server.post(`${V3}/${path}`, body);
    expect([found.status, found.json]).toEqual([200, answer]);
  });

  test("numbers about traces: a count of nothing is 0, the rest is not there", async () => {
    const ask = async (more: object): Promise<unknown> =>
      (
        await server.post(`${V3}/traces/metrics`, {
          experiment_ids: ["0"],
          view_type: "TRACES",
          metric_name: "trace_count",
          aggregations: [{ aggregation_type: "COUNT" }],
          ...more,
        })
      ).json;
    const zero = (name: string) => ({ data_points: [{ metric_name: name, values: { COUNT: 0 } }] });
    expect(await ask({})).toEqual(zero("trace_count"));
    expect(await ask({ view_type: "ASSESSMENTS", metric_name: "assessment_count" })).toEqual(
      zero("assessment_count"),
    );
    expect(await ask({ dimensions: ["trace_status"] })).toEqual({});
    expect(await ask({ time_interval_seconds: 86400, start_time_ms: 1, end_time_ms: 2 })).toEqual({});
    expect(await ask({ metric_name: "latency" })).toEqual({});
  });
});

describe("what is asked wrongly is 400", () => {
  const metrics = { experiment_ids: ["0"], view_type: "TRACES", metric_name: "latency", aggregations: [{}] };
  test.each([
    ["traces/search", { max_results: 501 }, "'max_results'"],
    ["traces/search", { max_results: "many" }, "'max_results'"],
    ["traces/search", { locations: "here" }, "'locations'"],
    ["traces/metrics", {}, "'experiment_ids'"],
    [
      "traces/metrics",
      { ...metrics, metric_name: "nope" },
      "metric_name must be one of ['trace_count', 'session_count'",
    ],
    ["traces/metrics", { ...metrics, view_type: "OTHERS" }, "view_type"],
    [
      "traces/metrics",
      { ...metrics, time_interval_seconds: 60 },
      "start_time_ms and end_time_ms are required",
    ],
    ["traces", {}, "'trace'"],
    ["datasets/search", { max_results: "x" }, "'max_results'"],
    ["datasets/create", {}, "'name'"],
    ["scorers/register", { experiment_id: "0" }, "'name'"],
    ["gateway/secrets/create", {}, "'secret_name'"],
  ])("%s %j", async (path, body, message) => {
    const { status, json } = await server.post(`${V3}/${path}`, body);
    expect([status, json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    expect(json.message).toContain(message);
  });

  test("in an address", async () => {
    expect((await server.get(`${V3}/mcp-servers?max_results=-1`)).json.message).toContain("Invalid value -1");
    expect((await server.get(`${V3}/get-trace-artifact`)).json.error_code).toBe("BAD_REQUEST");
  });
});

describe("one thing by its id is unknown", () => {
  test.each([
    ["GET", "traces/tr-1", "Trace with ID 'tr-1' not found."],
    ["GET", "traces/get?trace_id=tr-1", "'tr-1'"],
    ["GET", "get-trace-artifact?request_id=tr-1", "Trace with ID tr-1 is not found."],
    ["PATCH", "traces/tr-1/tags", "'tr-1'"],
    ["POST", "traces/tr-1/assessments", "'tr-1'"],
    ["GET", "datasets/d-1", "Evaluation dataset with id 'd-1' not found"],
    ["DELETE", "datasets/d-1/tags/k", "'d-1'"],
    ["GET", "scorers/get?experiment_id=0&name=s", "Scorer with name 's' not found for experiment 0."],
    ["GET", "issues/i", "Issue with ID 'i' not found"],
    ["GET", "label-schemas/get?schema_id=l", "'l'"],
    ["POST", "review-queues/delete", "Review queue"],
    ["GET", "jobs/j", "Job with ID j not found"],
    ["PATCH", "jobs/cancel/j", "Job with ID j not found"],
    ["GET", "gateway/endpoints/get?endpoint_id=e", "GatewayEndpoint not found (endpoint_id='e')"],
    ["DELETE", "gateway/secrets/delete", "GatewaySecret not found"],
    ["GET", "mcp-servers/com.example%2Fmaps/versions", "MCP server"],
  ])("%s %s", async (method, path, message) => {
    const { status, json } = await server.call(method, `${V3}/${path}`, method === "GET" ? undefined : {});
    expect([status, json.error_code]).toEqual([404, "RESOURCE_DOES_NOT_EXIST"]);
    expect(json.message).toContain(message);
  });
});

describe("making one is refused with a status that no client repeats", () => {
  test.each([
    ["POST", "/api/3.0/mlflow/traces", { trace: {} }, "traces"],
    ["POST", "/api/2.0/mlflow/traces", { experiment_id: "0" }, "traces"],
    ["POST", `${V3}/datasets/create`, { name: "d" }, "evaluation datasets"],
    ["POST", `${V3}/scorers/register`, { experiment_id: "0", name: "s", serialized_scorer: "{}" }, "scorers"],
    ["POST", `${V3}/gateway/endpoints/create`, { name: "e" }, "AI gateway"],
    ["POST", `${V3}/mcp-servers`, { name: "m" }, "MCP servers"],
    ["POST", `${V3}/mcp-servers/m/versions`, {}, "MCP servers"],
    ["POST", `${V3}/assistant/message`, {}, "an assistant"],
    ["PUT", `${V3}/assistant/config`, {}, "an assistant"],
    ["POST", `${V3}/demo/generate`, {}, "demo data"],
    ["POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run", {}, "prompt engineering"],
  ])("%s %s", async (...[method, path, body, what]) => {
    const { status, json } = await server.call(method, path, body);
    expect([status, json.error_code]).toEqual([501, "NOT_IMPLEMENTED"]);
    expect(json.message).toContain(what);
  });
});
