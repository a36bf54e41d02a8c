import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

const table = join(import.meta.dirname, "..", "..", "..", "infra", "data", "metrics", "plinth.json");

/** Those of the process differ by operating system; those of the database are there with a pool only. */
const isEverywhere = (name: string): boolean => !/^plinth_(process|nodejs|database)_/.test(name);

test("alerts and dashboards know the metrics by the names they have here", () => {
  const { metrics } = JSON.parse(readFileSync(table, "utf8")) as { metrics: Record<string, string> };
  const names = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  expect(names.filter((name) => isEverywhere(name)).sort()).toEqual(
    Object.keys(metrics).filter((name) => isEverywhere(name)),
  );
});
