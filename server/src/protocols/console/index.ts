import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { purgeRequest, type PurgeResult, type ServerStatus } from "@plinth/contract";
import { manages, publicAccess, reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { registerLineage, type LineageOptions } from "./lineage.ts";
import { landingPage } from "./landing-page.ts";
import { registerWebhookDeliveries, type WebhookDeliveriesOptions } from "./webhook-deliveries.ts";

export type ConsoleOptions = LineageOptions &
  WebhookDeliveriesOptions & {
    /** Whether the page stands at `/` as well as at `/plinth`: not where MLflow's web UI is served. */
    atRoot: boolean;
    status(): ServerStatus;
    /** Removes for good what was deleted so long ago, and gives back its bytes. */
    purge(olderThanMs: number): Promise<PurgeResult>;
  };

/** Plinth's own API, and its page until the dashboard stands there. */
export function registerConsole(app: FastifyInstance, options: ConsoleOptions): void {
  for (const path of options.atRoot ? ["/", "/plinth"] : ["/plinth"]) {
    app.get(path, { config: { access: publicAccess, protocol: "console" } }, (request, reply) =>
      reply
        .type("text/html; charset=utf-8")
        .header("cache-control", "no-cache")
        .header("x-frame-options", "SAMEORIGIN")
        .header(
          "content-security-policy",
          "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
        )
        .send(landingPage(options.status(), addressOf(request), !options.atRoot)),
    );
  }
  app.get(
    "/console/api/status",
    { config: { access: reads("server"), protocol: "console" } },
    (_request, reply) => reply.send(options.status()),
  );
  app.post(
    "/console/api/purge",
    { config: { access: manages("server"), protocol: "console" } },
    async (request, reply) => {
      const read = purgeRequest.safeParse(request.body ?? {});
      if (!read.success) throw invalidParameter(`purge: ${z.prettifyError(read.error)}`);
      return reply.send(await options.purge(read.data.older_than_seconds * 1000));
    },
  );
  registerLineage(app, options);
  registerWebhookDeliveries(app, options);
}

/** Where the page was asked for; a proxy in front that ends TLS says so in `x-forwarded-proto`. */
function addressOf(request: FastifyRequest): string {
  const scheme = request.headers["x-forwarded-proto"] === "https" ? "https" : "http";
  return `${scheme}://${request.headers.host ?? "127.0.0.1:5000"}`;
}
