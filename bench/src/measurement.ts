import type { TargetName } from "./target.ts";

/** What is measured, in the order of the report. */
export const workNames = [
  "runs-get",
  "log-metric",
  "log-parameter",
  "log-batch-10",
  "log-batch-500",
  "log-batch-1000",
  "log-batch-1000-keys",
  "runs-create",
  "search-filtered",
  "search-ordered",
  "ui-run-list",
  "metric-history",
  "registry",
  "artifact",
  "start",
  "memory",
] as const;
export type WorkName = (typeof workNames)[number];

/** The parts of a work that have numbers of their own. */
export type MetricName =
  | Exclude<WorkName, "registry" | "artifact" | "start" | "memory">
  | "bare-insert"
  | "search-ordered-250k"
  | "register-versions"
  | "register-versions-one"
  | "latest-versions"
  | "alias"
  | "search-models"
  | "search-versions"
  | "artifact-up"
  | "artifact-copy"
  | "artifact-down"
  | "artifact-memory"
  | "first-start"
  | "warm-start"
  | "idle-memory";

export type Unit = "requests/s" | "points/s" | "ms" | "s" | "MiB";

export type Measurement = {
  metric: MetricName;
  /** nginx stands beside the servers for the download alone. */
  target: TargetName | "nginx";
  unit: Unit;
  /** The median of the repetitions. */
  value: number;
  /** Milliseconds, of the repetition that is the median. */
  p50?: number;
  p99?: number;
  /** Of all repetitions together: answers of 400 or more, broken connections, timeouts. */
  errors?: number;
  /** MiB of PSS right after the work. */
  serverMemory?: number;
  postgresMemory?: number;
  check?: Check;
};

/** Whether what was acknowledged is there; or, for reading, whether the answer is the right one. */
export type Check = { ok: boolean; text: string };

/** The element in the middle by `valueOf`; of two in the middle the smaller. */
export function median<T>(items: readonly T[], valueOf: (item: T) => number): T {
  const sorted = items.toSorted((a, b) => valueOf(a) - valueOf(b));
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error("the median of nothing");
  return middle;
}

export const isRate = (unit: Unit): boolean => unit.endsWith("/s");
