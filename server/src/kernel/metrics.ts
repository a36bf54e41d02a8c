import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Database } from "./database.ts";

export type Metrics = {
  registry: Registry;
  requestDuration: Histogram<"protocol" | "method" | "route" | "status">;
  requestsInFlight: Gauge;
  requestsRefused: Counter<"reason">;
  batchSize: Histogram<"batch">;
  webhookDeliveries: Counter<"outcome">;
  observePool(database: Database): void;
};

/** The metrics of one process, in Prometheus' naming: seconds, bytes, counters ending in `_total`. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // Event-loop lag, heap, open handles, process CPU and memory.
  collectDefaultMetrics({ register: registry, prefix: "plinth_" });
  return {
    registry,
    requestDuration: new Histogram({
      name: "plinth_http_request_duration_seconds",
      help: "Time from the request's head to the end of its answer, by route template",
      labelNames: ["protocol", "method", "route", "status"] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
      registers,
    }),
    requestsInFlight: new Gauge({
      name: "plinth_http_requests_in_flight",
      help: "Requests being answered",
      registers,
    }),
    requestsRefused: new Counter({
      name: "plinth_http_requests_refused_total",
      help: "Requests refused before their handler ran",
      labelNames: ["reason"] as const,
      registers,
    }),
    batchSize: new Histogram({
      name: "plinth_commit_batch_size",
      help: "Requests that shared one statement and one commit",
      labelNames: ["batch"] as const,
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
      registers,
    }),
    webhookDeliveries: new Counter({
      name: "plinth_webhook_deliveries_total",
      help: "Attempts to deliver an event to a webhook, by outcome",
      labelNames: ["outcome"] as const,
      registers,
    }),
    observePool(database) {
      const gauge = (name: string, help: string, read: () => number): void => {
        new Gauge({
          name,
          help,
          registers,
          collect() {
            this.set(read());
          },
        });
      };
      gauge("plinth_database_connections", "Open connections to PostgreSQL", () => database.pool.total);
      gauge(
        "plinth_database_connections_idle",
        "Open connections that wait for work",
        () => database.pool.idle,
      );
      gauge("plinth_database_waiting", "Callers that wait for a connection", () => database.pool.waiting);
    },
  };
}
