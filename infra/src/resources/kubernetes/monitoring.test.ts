import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { alertsOf } from "./alerts.ts";
import { dashboardJson, dashboardsOf } from "./dashboards.ts";
import { monitoring } from "./monitoring.ts";
import { monitorsOf } from "./monitors.ts";
import { workloadsOf } from "./network-policies.ts";
import { planNamed, plans } from "./platform-plans.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "data", "metrics");

/** Names as Prometheus stores them: a histogram has three, a summary as many. */
const known = new Set(
  readdirSync(folder).flatMap((file) => {
    const { metrics } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
      metrics: Record<string, string>;
    };
    return Object.entries(metrics).flatMap(([name, type]) => {
      if (type === "histogram") return [`${name}_bucket`, `${name}_count`, `${name}_sum`];
      return type === "summary" ? [name, `${name}_count`, `${name}_sum`] : [name];
    });
  }),
);

const WORDS = new Set(["by", "without", "on", "ignoring", "or", "and", "unless", "bool"]);

/** Names of metrics in a query: what is left without strings, labels, ranges, groupings and functions. */
function metricsIn(query: string): string[] {
  const bare = query
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, "")
    .replaceAll(/\{[^}]*\}/g, " ")
    .replaceAll(/\[[^\]]*\]/g, " ")
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, " ");
  return [...bare.matchAll(/[A-Za-z_:][\w:]*(?!\w*\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !WORDS.has(name) && !new RegExp(`\\b${name}\\s*\\(`).test(bare));
}

test("names are found in a query", () => {
  expect(metricsIn('sum by (le) (rate(a_bucket{x="b{c"}[5m])) / max(d_count) > bool 0 or absent(e)')).toEqual(
    ["a_bucket", "d_count", "e"],
  );
});

describe.each(plans)("%s", (_title, plan) => {
  const monitored = monitorsOf(plan);
  const groups = alertsOf(plan, monitored);
  const rules = groups.flatMap((group) => group.rules);

  test("alerts and dashboards use metrics that exist", () => {
    const queries = [
      ...rules.map(({ expr }) => expr),
      ...dashboardsOf(plan).flatMap(({ panels }) =>
        panels.flatMap((panel) => panel.queries.map(({ expr }) => expr)),
      ),
    ];
    for (const query of queries) {
      const names = metricsIn(query);
      expect(names.length, query).toBeGreaterThan(0);
      for (const name of names) expect(known.has(name), `${name} in ${query}`).toBe(true);
    }
  });

  test("every alert has one name, says what happened and where to look", () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    for (const { annotations } of rules) {
      expect(annotations.summary.length).toBeGreaterThan(10);
      expect(annotations.description.length).toBeGreaterThan(20);
    }
  });

  test("monitors carry the label that the Prometheus of this environment looks for", () => {
    const settings = plan.environment.monitoring;
    for (const { object } of monitored) {
      expect(object.metadata.labels?.["release"]).toBe(
        settings.engine === "prometheus-operator" ? settings.release : undefined,
      );
    }
    if (settings.engine === "none") expect(monitoring(plan)).toEqual([]);
  });

  test("who lets monitoring in is scraped, and who is scraped lets it in", () => {
    if (plan.environment.monitoring.engine === "none") return;
    const scraped = new Set(monitored.map(({ workload }) => workload.name));
    for (const { name, metrics, ingress } of workloadsOf(plan)) {
      const isOpen = ingress.some(({ peer }) => peer.kind === "monitoring");
      // Models are scraped one by one: each runtime has a port of its own.
      const isScraped = metrics !== undefined || (name === "models" && scraped.has("model-fraud"));
      expect(isOpen, name).toBe(isScraped);
    }
  });

  test("nothing scrapes ZenML, which has no metrics", () => {
    expect(
      monitored.filter(
        ({ workload }) => workload.namespace === plan.pipelines?.namespace && workload.name === "zenml",
      ),
    ).toEqual([]);
  });
});

test("each engine has monitors of its own kind", () => {
  const kindsOf = (title: string): Set<string> =>
    new Set(monitorsOf(planNamed(title)).map(({ object }) => `${object.apiVersion} ${object.kind}`));
  expect(kindsOf("Google Cloud, production")).toEqual(
    new Set(["monitoring.googleapis.com/v1 PodMonitoring"]),
  );
  expect(kindsOf("bare cluster, upstream engines")).toEqual(
    new Set(["monitoring.coreos.com/v1 PodMonitor", "monitoring.coreos.com/v1 ServiceMonitor"]),
  );
});

test("dashboards are JSON, with panels that do not lie over each other", () => {
  for (const dashboard of dashboardsOf(planNamed("bare cluster, upstream engines"))) {
    const { panels, uid } = JSON.parse(dashboardJson(dashboard, "acme")) as {
      panels: { id: number; gridPos: { x: number; y: number } }[];
      uid: string;
    };
    expect(uid).toBe(`acme-${dashboard.name}`);
    const places = panels.map(({ gridPos }) => `${gridPos.x}/${gridPos.y}`);
    expect(new Set(places).size).toBe(panels.length);
  }
});
