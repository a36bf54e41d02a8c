// The little of MLflow's REST API that the bench itself calls.
import { request } from "node:http";
import type { Target } from "./target.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export type Run = {
  info: { run_id: string; run_name: string; artifact_uri: string };
  data: {
    metrics?: { key: string; value: number; step: number | string }[];
    params?: { key: string; value: string }[];
    tags?: { key: string; value: string }[];
  };
};

export async function post(target: Target, path: string, body: Json): Promise<unknown> {
  return parse(path, await send(`${target.url}/api/2.0/mlflow/${path}`, "POST", JSON.stringify(body)));
}

export async function get(target: Target, path: string): Promise<unknown> {
  return parse(path, await send(`${target.url}/api/2.0/mlflow/${path}`, "GET"));
}

export type Answer = { status: number; body: Buffer };

/** On a connection of its own: a kept one may be closed by the server at the moment it is used again. */
export function send(url: string, method: string, body?: string): Promise<Answer> {
  const headers =
    body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
  return new Promise((done, failed) => {
    const outgoing = request(url, { method, headers, agent: false, timeout: 300_000 }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", failed);
      incoming.once("end", () => done({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error(`${method} ${url}: no answer in 5 minutes`)));
    outgoing.once("error", failed);
    outgoing.end(body);
  });
}

function parse(path: string, { status, body }: Answer): unknown {
  const text = body.toString("utf8");
  if (status !== 200) throw new Error(`${path} answered ${status}: ${text.slice(0, 2000)}`);
  return JSON.parse(text);
}

export async function createExperiment(target: Target, name: string): Promise<string> {
  const answer = (await post(target, "experiments/create", { name })) as { experiment_id: string };
  return answer.experiment_id;
}

export async function createRun(target: Target, experiment: string, name: string): Promise<Run> {
  const tags = [
    { key: "mlflow.user", value: "bench" },
    { key: "mlflow.source.name", value: "train.py" },
    { key: "mlflow.source.type", value: "LOCAL" },
    { key: "mlflow.runName", value: name },
  ];
  const body = { experiment_id: experiment, user_id: "bench", run_name: name, start_time: Date.now(), tags };
  const answer = (await post(target, "runs/create", body)) as { run: Run };
  return answer.run;
}

/** Creates runs, eight at a time, and answers their ids. */
export async function createRuns(target: Target, experiment: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const batch = Array.from({ length: Math.min(8, count - ids.length) }, (_, i) =>
      createRun(target, experiment, `run-${ids.length + i}`),
    );
    ids.push(...(await Promise.all(batch)).map((run) => run.info.run_id));
  }
  return ids;
}
