import type { FastifyInstance } from "fastify";
import { publicAccess, reads } from "../../kernel/access.ts";
import type { Metrics } from "../../kernel/metrics.ts";
import { MLFLOW_API_VERSION, PLINTH_VERSION } from "../../version.ts";

export type OpsOptions = {
  metrics: Metrics;
  /** Resolves when the database answers. */
  probe(): Promise<void>;
  draining(): boolean;
};

const PROBE_MS = 2000;

const rejectAfter = (milliseconds: number): Promise<never> =>
  new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error("no answer")), milliseconds).unref();
  });

/** Liveness, readiness, version and metrics, for people, probes and Prometheus. */
export function registerOps(app: FastifyInstance, options: OpsOptions): void {
  const config = { access: publicAccess, protocol: "ops" };

  app.get("/health", { config }, (_request, reply) => reply.type("text/plain").send("OK"));

  app.get("/ready", { config }, async (_request, reply) => {
    reply.type("application/json");
    if (options.draining()) return reply.code(503).send({ ready: false, reason: "stopping" });
    try {
      // A database that hangs answers nothing, not even an error.
      await Promise.race([options.probe(), rejectAfter(PROBE_MS)]);
      return await reply.send({ ready: true });
    } catch {
      return reply.code(503).send({ ready: false, reason: "the database does not answer" });
    }
  });

  // MLflow's clients parse this text as a version, so it is MLflow's; the header has Plinth's own.
  app.get("/version", { config }, (_request, reply) =>
    reply.type("text/plain").header("x-plinth-version", PLINTH_VERSION).send(MLFLOW_API_VERSION),
  );

  app.get("/metrics", { config: { access: reads("server"), protocol: "ops" } }, async (_request, reply) =>
    reply.type(options.metrics.registry.contentType).send(await options.metrics.registry.metrics()),
  );
}
