import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { purgeRequest, type PurgeResult, type ServerStatus } from "@plinth/contract";
import { manages, reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { registerLineage, type LineageOptions } from "./lineage.ts";
import { registerPipelineLineage, type PipelineLineageOptions } from "./pipeline-lineage.ts";
import { registerWebhookDeliveries, type WebhookDeliveriesOptions } from "./webhook-deliveries.ts";

export type ConsoleOptions = LineageOptions &
  PipelineLineageOptions &
  WebhookDeliveriesOptions & {
    status(): ServerStatus;
    /** Removes for good what was deleted so long ago, and gives back its bytes. */
    purge(olderThanMs: number): Promise<PurgeResult>;
  };

/** Plinth's own API. */
export function registerConsole(app: FastifyInstance, options: ConsoleOptions): void {
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
  registerPipelineLineage(app, options);
  registerWebhookDeliveries(app, options);
}
