import { nearest } from "../../schemas/nearest.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Workspace } from "../workspace.ts";
import { at, known, list, objectsOf, problemAt, workloadsOf, type Container } from "./kubernetes-objects.ts";

/** Health and metrics: which server answers what, where. */

type Endpoints = { image: RegExp; name: string; health: readonly string[] };

const SERVERS: readonly Endpoints[] = [
  {
    image: /(?:^|\/)(?:ghcr\.io\/)?(?:mlflow|burakince)\/mlflow[:@]/,
    name: "MLflow",
    health: ["/health", "/version"],
  },
  { image: /(?:^|\/)zenml-server[:@]/, name: "ZenML's server", health: ["/health", "/ready"] },
  { image: /(?:^|\/)plinth[:@]/, name: "Plinth", health: ["/health", "/ready"] },
  {
    image: /(?:^|\/)minio\/minio[:@]/,
    name: "MinIO",
    health: [
      "/minio/health/live",
      "/minio/health/ready",
      "/minio/health/cluster",
      "/minio/health/cluster/read",
    ],
  },
];

const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"];

function* probePaths(workspace: Workspace): Iterable<Problem> {
  for (const { manifest, containers } of workloadsOf(workspace))
    for (const { value, path } of containers) {
      const server = SERVERS.find(({ image }) => image.test(String(value["image"])));
      if (server === undefined) continue;
      for (const probe of PROBES) {
        const asked = at(value, probe, "httpGet", "path");
        if (!known(asked) || server.health.includes(asked.split("?")[0] ?? "")) continue;
        yield problemAt(manifest, {
          path: [...path, probe, "httpGet", "path"],
          message: `${server.name} has no ${asked} to ask for its health: it has ${server.health.join(" and ")}`,
        });
      }
    }
}

function* probePorts(workspace: Workspace): Iterable<Problem> {
  for (const { manifest, containers } of workloadsOf(workspace))
    for (const container of containers) {
      const names = portNames(container);
      for (const probe of PROBES)
        for (const handler of ["httpGet", "tcpSocket"]) {
          const port = at(container.value, probe, handler, "port");
          if (!known(port) || /^\d+$/.test(port) || names.includes(port)) continue;
          const near = nearest(port, names);
          const hint = near === undefined ? "" : `; the nearest is ${near}`;
          yield problemAt(manifest, {
            path: [...container.path, probe, handler, "port"],
            message: `the container has no port named ${port}${hint}`,
          });
        }
    }
}

const portNames = (container: Container): string[] =>
  list(container.value["ports"]).flatMap((port) =>
    known(at(port, "name")) ? [String(at(port, "name"))] : [],
  );

/** A path by which servers tell that they live, in text or JSON. */
const HEALTH = /(?:^|\/)(?:health|healthz|ready|readyz|live|livez|ping)\/?$/;

function* scrapedHealth(workspace: Workspace): Iterable<Problem> {
  for (const monitor of objectsOf(workspace, "ServiceMonitor", "PodMonitor")) {
    const key = monitor.kind === "ServiceMonitor" ? "endpoints" : "podMetricsEndpoints";
    for (const [index, endpoint] of list(at(monitor.value, "spec", key)).entries()) {
      const path = at(endpoint, "path");
      if (known(path) && HEALTH.test(path))
        yield problemAt(monitor, {
          path: ["spec", key, index, "path"],
          message: `${path} tells health, not metrics: Prometheus cannot read what it answers`,
        });
    }
  }
}

export const probeRules: readonly Rule[] = [
  {
    id: "health/unknown-path",
    severity: "error",
    covers: ["E09"],
    title: "a probe of a path that the server does not answer",
    why: "The pod is restarted or never becomes ready; or the path answers for another reason, and the probe tells nothing.",
    remedy: "Probe the path that the server has for it.",
    check: probePaths,
  },
  {
    id: "health/unknown-port",
    severity: "error",
    covers: [],
    title: "a probe of a port name that the container does not have",
    why: "The kubelet cannot resolve the name, and the probe fails for ever.",
    remedy: "Name one of the container's ports, or write its number.",
    check: probePorts,
  },
  {
    id: "health/scraped-as-metrics",
    severity: "error",
    covers: ["E09"],
    title: "a health path scraped for metrics",
    why: "Prometheus expects its own text format; the target stays down, or delivers nothing.",
    remedy: "Scrape the metrics path, or use a Probe with the blackbox exporter for health.",
    check: scrapedHealth,
  },
];
