// The little of MLflow's REST API that the bench itself calls.
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
  return answerOf(
    path,
    await fetch(`${target.url}/api/2.0/mlflow/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(120_000),
    }),
  );
}

export async function get(target: Target, path: string): Promise<unknown> {
  return answerOf(
    path,
    await fetch(`${target.url}/api/2.0/mlflow/${path}`, { signal: AbortSignal.timeout(120_000) }),
  );
}

async function answerOf(path: string, answer: Response): Promise<unknown> {
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 2000)}`);
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
