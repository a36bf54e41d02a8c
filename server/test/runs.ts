import { expect } from "vitest";
import type { Answer, Json, TestServer } from "./harness.ts";

/** Short words for what most tests of tracking do. */
export const API = "/api/2.0/mlflow";

let count = 0;

/** A text that nothing else in this process was named by. */
export const fresh = (name: string): string => `${name} ${(count += 1)}`;

export async function newExperiment(server: TestServer): Promise<string> {
  const answer = await server.post(`${API}/experiments/create`, { name: fresh("experiment") });
  return accepted(answer).experiment_id as string;
}

export async function newRun(server: TestServer, fields: Record<string, unknown> = {}): Promise<string> {
  const answer = await server.post(`${API}/runs/create`, { experiment_id: "0", ...fields });
  return accepted(answer).run.info.run_id as string;
}

export const getRun = async (server: TestServer, id: string): Promise<Json> =>
  accepted(await server.get(`${API}/runs/get?run_id=${id}`)).run;

/** The parameters and tags of a run by key, and its metrics as [value, timestamp, step]. */
export async function dataOf(
  server: TestServer,
  id: string,
): Promise<Record<"metrics" | "params" | "tags", Json>> {
  const { metrics = [], params = [], tags = [] } = (await getRun(server, id)).data;
  const texts = (list: Json): Json => Object.fromEntries(list.map((one: Json) => [one.key, one.value]));
  return {
    metrics: Object.fromEntries(
      metrics.map(({ key, value, timestamp, step }: Json) => [key, [value, timestamp, step]]),
    ),
    params: texts(params),
    tags: texts(tags),
  };
}

export type Point = { value: number | string; timestamp: number; step: number };

/** The whole history of a metric as clients get it. */
export async function historyOf(server: TestServer, id: string, key: string): Promise<Point[]> {
  const query = new URLSearchParams({ run_id: id, metric_key: key });
  const { metrics = [] } = accepted(await server.get(`${API}/metrics/get-history?${query.toString()}`));
  return metrics.map(({ value, timestamp, step }: Json) => ({ value, timestamp, step }));
}

/** The JSON of an answer that must be a success. */
export function accepted(answer: Answer): Json {
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.json;
}

/** Status, code and message of an answer that must be an error. */
export const refusal = ({ status, json }: Answer): unknown[] => [status, json?.error_code, json?.message];

export const invalid = (message: unknown): unknown[] => [400, "INVALID_PARAMETER_VALUE", message];
