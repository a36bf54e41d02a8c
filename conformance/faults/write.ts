// The writes of the fault tests. Each one is different from all others, so that what became of it can be told.
import { createHash } from "node:crypto";
import { artifactPath, type Run } from "./client.ts";

export type Write =
  | { kind: "metric"; run: Run; step: number }
  | { kind: "batch"; run: Run; first: number }
  | { kind: "param" | "tag"; run: Run; key: string }
  | { kind: "run"; experiment: string; name: string }
  | { kind: "artifact"; run: Run; name: string; size: number };

export const METRIC = "loss";
export const BATCH_METRIC = "batch";
export const BATCH_POINTS = 50;

/** What a value must be follows from its name, so a mix-up shows. */
export const valueOf = (step: number): number => step / 8;
export const textOf = (key: string): string => `value of ${key}`;
export const batchKeys = (first: number): string[] => ["a", "b", "c"].map((part) => `batch-${first}-${part}`);

export function contentOf(name: string, size: number): Buffer {
  const block = createHash("sha512").update(name).digest();
  return Buffer.alloc(size, block);
}

type HttpRequest = { method: string; path: string; body: Buffer | object };

export function requestOf(write: Write): HttpRequest {
  const post = (path: string, body: object): HttpRequest => ({
    method: "POST",
    path: `/api/2.0/mlflow/${path}`,
    body,
  });
  switch (write.kind) {
    case "metric": {
      const { run, step } = write;
      const point = { key: METRIC, value: valueOf(step), timestamp: 1_700_000_000_000 + step, step };
      return post("runs/log-metric", { run_id: run.info.run_id, ...point });
    }
    case "batch": {
      const { run, first } = write;
      const metrics = Array.from({ length: BATCH_POINTS }, (_, i) => ({
        key: BATCH_METRIC,
        value: valueOf(first + i),
        timestamp: 1_700_000_000_000 + first + i,
        step: first + i,
      }));
      const pairs = batchKeys(first).map((key) => ({ key, value: textOf(key) }));
      return post("runs/log-batch", { run_id: run.info.run_id, metrics, params: pairs, tags: pairs });
    }
    case "param":
      return post("runs/log-parameter", pairOf(write.run, write.key));
    case "tag":
      return post("runs/set-tag", pairOf(write.run, write.key));
    case "run":
      return post("runs/create", { experiment_id: write.experiment, run_name: write.name });
    case "artifact": {
      const { run, name, size } = write;
      return { method: "PUT", path: artifactPath(run, name), body: contentOf(name, size) };
    }
  }
}

const pairOf = (run: Run, key: string): object => ({ run_id: run.info.run_id, key, value: textOf(key) });
