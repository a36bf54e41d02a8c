import { connect, type Socket } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { listen } from "../src/kernel/listener.ts";
import { holdTable } from "./database-locks.ts";
import { startTestServer, type Answer, type TestServer } from "./harness.ts";
import { send } from "./raw-http.ts";
import { accepted, API, dataOf, historyOf, invalid, newRun, refusal } from "./runs.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** Sends text as it is, and more when there is more, and collects what comes until the other side closes. */
async function exchange(url: string, text: string, later?: () => Promise<string>): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = await new Promise<Socket>((resolve) => {
    const opened = connect(Number(port), hostname, () => resolve(opened));
  });
  let received = "";
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("data", (part: Buffer) => (received += part.toString()));
  // A reset after the answer is the other side's right.
  socket.on("error", () => undefined);
  socket.write(text);
  if (later !== undefined) socket.write(await later());
  await closed;
  return received;
}

const metric = async (server: TestServer, name: string): Promise<number> => {
  const { text } = await server.get("/metrics");
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
};

/** Waits until so many requests are in work besides the one that asks. */
const inFlight = (server: TestServer, count: number): Promise<void> =>
  vi.waitFor(async () => {
    expect(await metric(server, "plinth_http_requests_in_flight")).toBe(count + 1);
  }, 10_000);

describe("limits on what comes in", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ "max-body-mib": "1", "request-timeout-seconds": "1" });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("a body over the limit is 413", async () => {
    const body = JSON.stringify({ run_id: "x", key: "k", value: "v".repeat(1024 * 1024) });
    for (const headers of [JSON_TYPE, { ...JSON_TYPE, "transfer-encoding": "chunked" }]) {
      const answer = await send(server.url, { method: "POST", path: `${API}/runs/set-tag`, headers, body });
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        413,
        {
          error_code: "INVALID_PARAMETER_VALUE",
          message: "The request's body is larger than this server accepts.",
        },
      ]);
    }
    // One below it is read.
    const small = { run_id: "x", key: "k", value: "v".repeat(1024 * 1024 - 100) };
    expect((await server.post(`${API}/runs/set-tag`, small)).status).toBe(404);
  });

  test("headers over the limit are 431", async () => {
    const text = await exchange(
      server.url,
      `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(40_000)}\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n")))).toEqual({
      error_code: "BAD_REQUEST",
      message: "The request's headers are larger than this server accepts.",
    });
  });

  test.each([
    "GARBAGE\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: ten\r\n\r\n",
    "\0\0\0\0\r\n\r\n",
  ])("malformed HTTP is 400: %j", async (text) => {
    const answer = await exchange(server.url, text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*Content-Type: application\/json/);
    expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toEqual({
      error_code: "BAD_REQUEST",
      message: "Malformed HTTP request.",
    });
  });

  test("a body that comes too slowly is cut off, and holds no place afterwards", async () => {
    const head = `POST ${API}/runs/set-tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    expect(await exchange(server.url, `${head}Content-Length: 100\r\n\r\n{"run_id`)).not.toMatch(
      /^HTTP\/1\.1 2/,
    );
    await inFlight(server, 0);
  });

  test("a client that hangs up half-way harms nobody", async () => {
    const { hostname, port } = new URL(server.url);
    for (let time = 0; time < 5; time += 1) {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => undefined);
      socket.write(
        `POST ${API}/runs/set-tag HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"ru`,
        () => socket.destroy(),
      );
    }
    await inFlight(server, 0);
    expect((await server.get("/ready")).status).toBe(200);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "text/json", ""])(
    "a body of type '%s' is refused: other sites' pages can send those",
    async (type) => {
      const answer = await server.call("POST", `${API}/experiments/create`, '{"name":"forged"}', {
        "content-type": type,
      });
      expect(refusal(answer)).toEqual(
        invalid("Bad Request. Content-Type must be one of ['application/json']."),
      );
      expect((await server.get(`${API}/experiments/get-by-name?experiment_name=forged`)).status).toBe(404);
    },
  );
});

describe("other sites", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ "allowed-hosts": "mlflow.example,Proxy.Example" });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const asked = async (method: string, headers: Record<string, string>): Promise<unknown> => {
    const body = JSON.stringify({ max_results: 1 });
    const path = `${API}/experiments/search?max_results=1`;
    const { status, text } = await send(server.url, {
      method,
      path,
      headers: { ...JSON_TYPE, ...headers },
      body,
    });
    return status === 200 ? 200 : `${status} ${JSON.parse(text).message}`;
  };

  test.each([
    "evil.example",
    "evil.example:5000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "1.2.3",
  ])("a request to the name '%s' is refused", async (host) => {
    const refused = "403 Invalid Host header: this server is not known by that name.";
    expect(await asked("GET", { host })).toBe(refused);
    expect(await asked("POST", { host })).toBe(refused);
  });

  test.each([
    "localhost",
    "LOCALHOST:5000",
    "app.localhost",
    "127.0.0.1:9",
    "[::1]:5000",
    "10.1.2.3",
    "mlflow.example",
    "proxy.example:443",
  ])("a request to %s is served", async (host) => {
    expect(await asked("POST", { host })).toBe(200);
  });

  test.each([
    "https://evil.example",
    "null",
    "http://6.6.6.6",
    "http://localhost.evil.example",
    "http://[::2]",
    "localhost",
    "",
  ])("a change from a page of '%s' is blocked, a read is the browser's to hide", async (origin) => {
    expect(await asked("POST", { origin })).toBe("403 Cross-origin request blocked");
    expect(await asked("GET", { origin })).toBe(200);
  });

  test.each([
    ["http://localhost:3000", "127.0.0.1:5000"],
    ["http://127.0.0.1", "localhost"],
    ["http://[::1]:8080", "localhost"],
    ["https://mlflow.example", "mlflow.example"],
    ["http://10.1.2.3:5000", "10.1.2.3:5000"],
  ])("a change from a page of %s to %s is served", async (origin, host) => {
    expect(await asked("POST", { origin, host })).toBe(200);
  });
});

describe("limits on work", () => {
  test("more requests at once than allowed are 429, and probes are answered still", async () => {
    await using server = await startTestServer({ "max-concurrent-requests": "4" });
    const run = await newRun(server);
    const table = await holdTable(server, "tracking.runs");
    const get = (): Promise<Answer> => server.get(`${API}/runs/get?run_id=${run}`);
    const waiting = [get(), get(), get(), get()];
    await inFlight(server, 4);
    const refused = await get();
    expect(refusal(refused)).toEqual([
      429,
      "REQUEST_LIMIT_EXCEEDED",
      "The server is answering as many requests as it may. Try again.",
    ]);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await server.get("/health")).status).toBe(200);
    expect((await server.get("/ready")).status).toBe(200);
    expect((await server.get("/metrics")).text).toContain(
      'plinth_http_requests_refused_total{reason="concurrency"} 1',
    );
    await table.release();
    for (const answer of await Promise.all(waiting)) accepted(answer);
    accepted(await get());
  });

  test("a statement that takes too long is ended, with an answer that is not retried", async () => {
    await using server = await startTestServer({ "statement-timeout-seconds": "1" });
    const run_id = await newRun(server);
    const table = await holdTable(server, "tracking.runs");
    const answers = await Promise.all([
      server.get(`${API}/runs/get?run_id=${run_id}`),
      server.post(`${API}/runs/search`, { experiment_ids: ["0"] }),
      server.post(`${API}/runs/log-metric`, { run_id, key: "m", value: 1, timestamp: 1 }),
    ]);
    await table.release();
    for (const answer of answers) {
      expect(refusal(answer)).toEqual([
        400,
        "DEADLINE_EXCEEDED",
        "The query took longer than this server allows; narrow it.",
      ]);
    }
    expect((await dataOf(server, run_id)).metrics).toEqual({});
  });

  test("a write whose connection is cut is done again, once; a read may be asked again", async () => {
    await using server = await startTestServer();
    const run_id = await newRun(server);
    const table = await holdTable(server, "tracking.run_metrics");
    const write = server.post(`${API}/runs/log-metric`, { run_id, key: "m", value: 1, timestamp: 1 });
    const read = server.post(`${API}/runs/search`, { experiment_ids: ["0"], order_by: ["metrics.m"] });
    await table.waiters(2);
    const admin = new pg.Client(server.connection);
    await admin.connect();
    const cut = await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    await admin.end();
    expect(cut.rowCount).toBeGreaterThan(0);
    await table.release();
    accepted(await write);
    expect(await historyOf(server, run_id, "m")).toEqual([{ value: 1, timestamp: 1, step: 0 }]);
    const answer = await read;
    if (answer.status === 200) return;
    expect(refusal(answer)).toEqual([
      503,
      "TEMPORARILY_UNAVAILABLE",
      "The database is not reachable right now. Try again.",
    ]);
    expect(answer.headers.get("retry-after")).toBe("1");
  });
});

describe("start and stop", () => {
  test("before it can serve, only /health answers", async () => {
    const listener = await listen("127.0.0.1", 0);
    const url = `http://127.0.0.1:${listener.address.port}`;
    const health = await fetch(`${url}/health?x=1`);
    expect([health.status, await health.text()]).toEqual([200, "OK"]);
    for (const path of ["/ready", "/", `${API}/experiments/get?experiment_id=0`]) {
      const answer = await fetch(url + path);
      expect([answer.status, answer.headers.get("retry-after"), await answer.json()]).toEqual([
        503,
        "1",
        { error_code: "TEMPORARILY_UNAVAILABLE", message: "Plinth is starting. Try again." },
      ]);
    }
    await listener.drain(0);
  });

  test("a port in use and an address that is not ours are named", async () => {
    const listener = await listen("127.0.0.1", 0);
    const { port } = listener.address;
    await expect(listen("127.0.0.1", port)).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use.`);
    await expect(listen("192.0.2.1", 0)).rejects.toThrow("192.0.2.1 is not an address of this machine");
    await listener.drain(0);
  });

  test("a request in work is finished, new ones find nobody", async () => {
    const server = await startTestServer();
    const run_id = await newRun(server);
    const table = await holdTable(server, "tracking.run_metrics");
    const write = server.post(`${API}/runs/log-metric`, { run_id, key: "m", value: 1, timestamp: 1 });
    await inFlight(server, 1);
    let drained = Promise.resolve();
    // On its way when the stop begins: idle connections get only a moment.
    const ready = await exchange(server.url, "GET /ready HTTP/1.1\r\nHost: localhost\r\n", async () => {
      await server.get("/health");
      drained = server.listener.drain(20_000);
      return "\r\n";
    });
    expect(ready).toMatch(
      /^HTTP\/1\.1 503 [^]*\r\nconnection: close\r\n[^]*\{"ready":false,"reason":"stopping"\}$/,
    );
    await vi.waitFor(() => expect(server.get("/health")).rejects.toThrow("fetch failed"), 10_000);
    await table.release();
    const answer = await write;
    accepted(answer);
    await drained;
    const { rows } = await admin(server, "select count(*)::integer as count from tracking.metric_points");
    expect(rows).toEqual([{ count: 1 }]);
    await server[Symbol.asyncDispose]();
  });

  test("one that does not end is cut off when the time is over", async () => {
    const server = await startTestServer();
    const run_id = await newRun(server);
    const table = await holdTable(server, "tracking.run_metrics");
    const write = server.post(`${API}/runs/log-metric`, { run_id, key: "m", value: 1, timestamp: 1 });
    await inFlight(server, 1);
    const [cut] = await Promise.allSettled([write, server.listener.drain(300)]);
    expect(cut).toMatchObject({ status: "rejected", reason: { message: "fetch failed" } });
    await table.release();
    await server[Symbol.asyncDispose]();
  });
});

async function admin(server: TestServer, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client(server.connection);
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
