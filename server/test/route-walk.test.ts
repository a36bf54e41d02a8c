import { Agent, createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publicAccess } from "../src/kernel/access.ts";
import { anonymous } from "../src/kernel/caller.ts";
import { createHttpServer, type RouteEntry } from "../src/kernel/http.ts";
import { createLog } from "../src/kernel/log.ts";
import { createMetrics } from "../src/kernel/metrics.ts";
import { renderMlflowError } from "../src/protocols/mlflow/errors.ts";
import { startTestServer, type TestServer } from "./harness.ts";
import { send, type RawAnswer } from "./raw-http.ts";

let server: TestServer;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  agent.destroy();
  await server[Symbol.asyncDispose]();
});

describe("every route", () => {
  test("states who may use it and whose protocol it is", () => {
    expect(server.routes.length).toBeGreaterThan(100);
    for (const route of server.routes) {
      expect([route, ["public", "login", "needs"].includes(route.access.kind)]).toEqual([route, true]);
      expect(route.protocol).toMatch(/^[a-z]+$/);
    }
  });

  // Signed addresses carry their right themselves; the others tell how to log in, or are the login.
  test("that needs no principal is one of these", () => {
    const open = server.routes.filter((route) => route.access.kind === "public" && route.method !== "HEAD");
    expect(open.map((route) => `${route.method} ${route.url}`).toSorted()).toEqual([
      "GET /",
      "GET /ajax-api/3.0/mlflow/server-info",
      "GET /api/2.0/mlflow-artifacts/signed/:token",
      "GET /api/3.0/mlflow/server-info",
      "GET /api/v1/artifact_versions/:artifact_version_id/data",
      "GET /api/v1/info",
      "GET /api/v1/logout",
      "GET /api/v1/pipeline_snapshots/:snapshot_id/code",
      "GET /api/v1/supported-events",
      "GET /api/v1/version",
      "GET /health",
      "GET /plinth",
      "GET /plinth/activate",
      "GET /plinth/logged-out",
      "GET /plinth/login",
      "GET /ready",
      "GET /version",
      "POST /api/v1/device_authorization",
      "POST /api/v1/login",
      "POST /api/v1/webhooks/:webhook/:webhook_id/events",
      "POST /plinth/activate",
      "POST /plinth/login",
      "POST /plinth/logout",
      "PUT /api/2.0/mlflow-artifacts/mpu/part/:token",
      "PUT /api/v1/users/:user_name_or_id/activate",
    ]);
  });

  test("cannot be registered without access or protocol", () => {
    const { app } = createHttpServer({
      server: createServer(),
      draining: () => false,
      requestTimeoutMs: 0,
      log: createLog({ level: "fatal" }),
      metrics: createMetrics(),
      maxBodyBytes: 1000,
      maxConcurrentRequests: 10,
      allowedHosts: [],
      authenticate: () => anonymous("127.0.0.1"),
      admit: () => true,
      renderError: () => renderMlflowError,
    });
    const handler = (): string => "";
    const message = "declares no access or no protocol";
    expect(() => app.get("/none", handler)).toThrow(message);
    expect(() => app.get("/half", { config: { access: publicAccess } }, handler)).toThrow(message);
    expect(() => app.get("/other", { config: { protocol: "ops" } }, handler)).toThrow(message);
    app.get("/whole", { config: { access: publicAccess, protocol: "ops" } }, handler);
  });
});

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

const objects = (depth: number): string => `${'{"run_id":'.repeat(depth)}1${"}".repeat(depth)}`;

const bodies: Record<string, string | Buffer> = {
  nothing: "",
  null: "null",
  list: "[]",
  number: "1",
  text: '"x"',
  object: '{"a":1}',
  "broken JSON": '{"run_id":"x',
  "not UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  "nested lists": `{"run_id":${nested(1000)},"experiment_id":${nested(1000)},"name":${nested(1000)},"path":${nested(1000)}}`,
  "nested objects": objects(1000),
  "deeply nested": `{"run_id":${nested(100_000)},"experiment_id":${nested(100_000)}}`,
  "deeply nested numbers": `{"run_id":${"[".repeat(50_000)}12345678901234567890${"]".repeat(50_000)}}`,
  "null characters": JSON.stringify(fields("a\0b")),
  "wrong types": JSON.stringify(fields({ a: [1] })),
  "other wrong types": JSON.stringify(fields([[null]])),
  "huge numbers": JSON.stringify(fields(1e308)),
  "long texts": JSON.stringify(fields("\u{1f600}".repeat(3000))),
  "half a pair": JSON.stringify(fields("\ud800")),
  "dotted paths": JSON.stringify(fields("../../../etc/passwd")),
  "a prototype":
    '{"__proto__":{"run_id":"x"},"constructor":{"prototype":1},"run_id":"__proto__","key":"__proto__"}',
};

/** Every name that an endpoint knows, with one value. */
function fields(value: unknown): Record<string, unknown> {
  const names =
    "run_id run_uuid experiment_id name new_name key value timestamp step status end_time run_name filter order_by " +
    "max_results page_token experiment_ids metrics params tags datasets models model_json model_id metric_key run_ids " +
    "path num_parts upload_id parts expiration artifact_location user_id start_time source_run_id older_than_seconds " +
    "source alias version stage stages archive_existing_versions description run_link url events secret event";
  return Object.fromEntries(names.split(" ").map((name) => [name, value]));
}

/** What stands for a parameter in a path; sent as it is. */
const placeholders = [
  "x",
  "%00",
  "..%2f..%2fetc",
  "%252e%252e",
  "%ff",
  "%zz",
  "%F0%9F%98%80",
  "a".repeat(9000),
  "'%3bdrop",
];

const queries = ["", ...["%00", "%ff%fe", "%zz", "-1", "NaN", "x".repeat(5000)].map(queryOf)];

function queryOf(value: string): string {
  return `?${Object.keys(fields(0))
    .map((name) => `${name}=${value}&${name}=${value}`)
    .join("&")}`;
}

type Walk = { headers?: Record<string, string>; body?: string | Buffer; value?: string; query?: string };

/**
 * Sends one request to each of the routes and says what is wrong with the answers. None may be an accident
 * of ours: those are retried by clients, for minutes.
 */
async function walk(
  routes: readonly RouteEntry[],
  { value = "x", query = "", ...rest }: Walk,
): Promise<string[]> {
  const found = routes.map(async ({ method, url }) => {
    const path = fill(url, value) + query;
    const fault = faultOf(method, path, await send(server.url, { method, path, agent, ...rest }));
    return fault === undefined ? [] : [`${method} ${path.slice(0, 200)}: ${fault}`];
  });
  return (await Promise.all(found)).flat();
}

function faultOf(method: string, path: string, { status, headers, text }: RawAnswer): string | undefined {
  if (!isIntended(status)) return `${status} ${text.slice(0, 300)}`;
  if (status < 400 || method === "HEAD") return undefined;
  const type = String(headers["content-type"]);
  // Pages have rules about `select`, and fields to choose from.
  const inside = type.startsWith("text/html")
    ? /tracking\.|node_modules|at \w+ \(/
    : /\b(?:select|insert|tracking\.|node_modules|at \w+ \()/;
  if (inside.test(text)) return `shows the inside: ${text}`;
  if (/^\/(?:api\/v1|console\/api)\//.test(path)) {
    return type.startsWith("application/json") ? undefined : `an error of type ${type}`;
  }
  // The form at /signup leads a person on to a page.
  if (!/^\/(?:ajax-)?api\//.test(path) || /\/users\/create-ui(?:$|\?)/.test(path)) return undefined;
  if (!type.startsWith("application/json")) return `an error of type ${type}`;
  const { error_code: code, message, ...others } = JSON.parse(text) as Record<string, unknown>;
  const right = /^[A-Z_]+$/.test(String(code)) && typeof message === "string" && message !== "";
  return right && Object.keys(others).length === 0 ? undefined : `not MLflow's shape: ${text.slice(0, 300)}`;
}

/** Not implemented is an answer that MLflow's clients wait for. */
const isIntended = (status: number): boolean => (status >= 200 && status < 500) || status === 501;

const fill = (url: string, value: string): string => url.replaceAll(/:\w+|\*/g, () => value);

describe("whatever is sent to a route, its answer is clear", () => {
  const json = { "content-type": "application/json" };

  test.each(Object.keys(bodies))("body: %s", async (name) => {
    // The largest ones once for each handler.
    const routes = name.startsWith("deeply")
      ? server.routes.filter(({ method, url }) => method !== "HEAD" && !url.startsWith("/ajax-api/"))
      : server.routes;
    expect(await walk(routes, { headers: json, body: bodies[name] as string | Buffer })).toEqual([]);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "",
    "\u00e9",
    "application/json; charset=x",
  ])("content type: %s", async (type) => {
    expect(await walk(server.routes, { headers: { "content-type": type }, body: "{}" })).toEqual([]);
  });

  test.each(placeholders.map((value) => [value.slice(0, 20), value]))("path: %s", async (_name, value) => {
    const routes = server.routes.filter(({ url }) => fill(url, value) !== url);
    expect(routes.length).toBeGreaterThan(10);
    expect(await walk(routes, { headers: json, body: "{}", value })).toEqual([]);
  });

  test.each(queries.map((query) => [query.slice(-20), query]))("query: %s", async (_name, query) => {
    const routes = server.routes.filter(({ method }) => method === "GET");
    expect(await walk(routes, { query })).toEqual([]);
  });

  test("an unknown one is 404, a wrong method 405, in MLflow's shape", async () => {
    for (const [method, path, status] of [
      ["GET", "/api/2.0/mlflow/nothing", 404],
      ["POST", "/ajax-api/9.0/mlflow/runs/create", 404],
      ["GET", "/api/2.0/mlflow/runs/create", 405],
      ["DELETE", "/api/2.0/mlflow/runs/search", 405],
      ["OPTIONS", "/api/2.0/mlflow/runs/search", 405],
    ] as const) {
      const answer = await send(server.url, { method, path });
      expect([path, answer.status]).toEqual([path, status]);
      expect(JSON.parse(answer.text).error_code).toBe("ENDPOINT_NOT_FOUND");
    }
  });

  test("the server is as well as before", async () => {
    expect((await server.get("/ready")).json).toEqual({ ready: true });
    expect((await server.get("/api/2.0/mlflow/experiments/get?experiment_id=0")).status).toBe(200);
  });
});
