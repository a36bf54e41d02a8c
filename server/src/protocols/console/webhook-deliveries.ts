import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  repeatDeliveriesRequest,
  webhookDeliveriesRequest,
  type RepeatedDeliveries,
  type WebhookDeliveries,
} from "@plinth/contract";
import { manages } from "../../kernel/access.ts";
import { invalidParameter, permissionDenied } from "../../kernel/errors.ts";
import type { Enter, Scope } from "../../modules/identity/index.ts";
import type { Registry } from "../../modules/registry/index.ts";

export type WebhookDeliveriesOptions = {
  webhooks: Pick<Registry, "listDeliveries" | "repeatDeliveries">;
  enter: Enter;
};

const config = { access: manages("webhook"), protocol: "console" } as const;

type Route = { Params: { webhook_id: string } };

/** What webhooks were not told yet, or could not be told. */
export function registerWebhookDeliveries(
  app: FastifyInstance,
  { webhooks, enter }: WebhookDeliveriesOptions,
): void {
  const enterAsAdmin = async (request: FastifyRequest<Route>, workspace: string): Promise<Scope> => {
    const scope = await enter(request.caller, workspace);
    request.subject = { workspace, resourceType: "webhook", resourceId: request.params.webhook_id };
    if (!scope.policy.isAdmin) throw permissionDenied("Permission denied");
    request.decided = true;
    return scope;
  };

  const path = "/console/api/webhooks/:webhook_id/deliveries";
  app.get<Route>(path, { config }, async (request, reply) => {
    const { workspace, max_results, page_token } = read(webhookDeliveriesRequest, request.query);
    const scope = await enterAsAdmin(request, workspace);
    const { deliveries, nextPageToken } = await webhooks.listDeliveries(scope, request.params.webhook_id, {
      maxResults: max_results,
      pageToken: page_token,
    });
    return reply.send({
      deliveries,
      ...(nextPageToken === undefined ? {} : { next_page_token: nextPageToken }),
    } satisfies WebhookDeliveries);
  });
  app.post<Route>(`${path}/repeat`, { config }, async (request, reply) => {
    const { workspace } = read(repeatDeliveriesRequest, request.body ?? {});
    const scope = await enterAsAdmin(request, workspace);
    const repeated = await webhooks.repeatDeliveries(scope, request.params.webhook_id);
    return reply.send({ repeated } satisfies RepeatedDeliveries);
  });
}

function read<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given);
  if (!result.success) throw invalidParameter(`webhook deliveries: ${z.prettifyError(result.error)}`);
  return result.data;
}
