// The page of MLflow's web UI that lists runs: what it asks, one request after the other as one browser would.
import { Agent, request } from "node:http";
import type { Json, Run } from "./api.ts";
import type { Plan } from "./load-work.ts";
import { median, type Check, type Measurement } from "./measurement.ts";
import { readMemory } from "./memory.ts";
import { settle } from "./settle.ts";
import type { Target } from "./target.ts";

type Call = { method: "GET" | "POST"; path: string; body?: Json; status?: number };

const FIRST_PAGE = 100;

const experimentQuery = `query MlflowGetExperimentQuery($input: MlflowGetExperimentInput!)
  @component(name: "MLflow.ExperimentRunTracking") {
  mlflowGetExperiment(input: $input) {
    apiError { code message __typename }
    experiment {
      artifactLocation creationTime effectiveTraceArchivalRetention experimentId lastUpdateTime lifecycleStage name
      tags { key value __typename } __typename
    }
    __typename
  }
}`;

/** As recorded with a browser on MLflow 3.17.2, all that is no file. */
function callsOf(experiment: string): Call[] {
  const ajax = "/ajax-api/2.0/mlflow";
  const ids = [experiment];
  const newest = "attributes.start_time DESC";
  return [
    { method: "GET", path: "/ajax-api/3.0/mlflow/server-info" },
    // There is no login, and both servers say so.
    { method: "GET", path: `${ajax}/users/current`, status: 404 },
    { method: "GET", path: "/ajax-api/3.0/mlflow/assistant/config" },
    { method: "GET", path: "/ajax-api/3.0/mlflow/assistant/providers" },
    {
      method: "POST",
      path: "/graphql",
      body: {
        operationName: "MlflowGetExperimentQuery",
        variables: { input: { experimentId: experiment } },
        query: experimentQuery,
      },
    },
    {
      method: "POST",
      path: `${ajax}/runs/search`,
      body: {
        experiment_ids: ids,
        order_by: [newest],
        run_view_type: "ACTIVE_ONLY",
        filter: "",
        max_results: 50,
      },
    },
    { method: "POST", path: `${ajax}/experiments/search-datasets`, body: { experiment_ids: ids } },
    {
      method: "POST",
      path: `${ajax}/logged-models/search`,
      body: { experiment_ids: ids, order_by: [{ field_name: "creation_time", ascending: false }] },
    },
    { method: "GET", path: `${ajax}/gateway-proxy?gateway_path=api%2F2.0%2Fendpoints%2F` },
    {
      method: "POST",
      path: `${ajax}/runs/search`,
      body: {
        experiment_ids: ids,
        run_view_type: "ACTIVE_ONLY",
        max_results: FIRST_PAGE,
        order_by: [newest],
      },
    },
  ];
}

/** Milliseconds from the first byte of each request to the last of its answer, all of the page together. */
export async function measureRunList(
  { target, experiment, count }: { target: Target; experiment: string; count: number },
  plan: Plan,
): Promise<Measurement> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const calls = callsOf(experiment);
  try {
    await settle(target.pids, 20);
    const first = await visit(target, calls, agent);
    const check = checkRuns(first.last, count);
    const times = [];
    for (let i = 0; i < Math.max(5, plan.repeat); i++)
      times.push((await visit(target, calls, agent)).milliseconds);
    const memory = readMemory(target.pids);
    return {
      metric: "ui-run-list",
      target: target.name,
      unit: "ms",
      value: median(times, (time) => time),
      serverMemory: memory.server.pss,
      postgresMemory: memory.postgres.pss,
      check,
    };
  } finally {
    agent.destroy();
  }
}

async function visit(
  target: Target,
  calls: readonly Call[],
  agent: Agent,
): Promise<{ milliseconds: number; last: string }> {
  let milliseconds = 0;
  let last = "";
  for (const call of calls) {
    const since = performance.now();
    const { status, text } = await send(target.url, call, agent);
    milliseconds += performance.now() - since;
    if (status !== (call.status ?? 200)) {
      throw new Error(`${call.method} ${call.path} answered ${status}: ${text.slice(0, 500)}`);
    }
    last = text;
  }
  return { milliseconds, last };
}

function send(
  url: string,
  { method, path, body }: Call,
  agent: Agent,
): Promise<{ status: number; text: string }> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers =
    bytes === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(bytes.byteLength) };
  return new Promise((done, failed) => {
    const outgoing = request(url + path, { method, headers, agent, timeout: 300_000 }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", failed);
      incoming.once("end", () =>
        done({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error(`${method} ${path}: no answer in 5 minutes`)));
    outgoing.once("error", failed);
    outgoing.end(bytes);
  });
}

/** The newest runs, each with all it has. */
function checkRuns(text: string, count: number): Check {
  const { runs = [] } = JSON.parse(text) as { runs?: Run[] };
  const expected = Array.from({ length: Math.min(FIRST_PAGE, count) }, (_, i) => `run-${count - i}`);
  const wrong = expected.findIndex((name, i) => runs[i]?.info.run_name !== name);
  const isComplete = runs.every(({ data }) => data.metrics?.length === 20 && data.params?.length === 20);
  const ok = wrong < 0 && runs.length === expected.length && isComplete;
  return { ok, text: `${runs.length} runs${ok ? ", the newest in order" : `, wrong from ${wrong}`}` };
}
