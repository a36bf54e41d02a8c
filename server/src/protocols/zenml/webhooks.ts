import { z } from "zod";
import { publicAccess, reads, uses } from "../../kernel/access.ts";
import { PlinthError } from "../../kernel/errors.ts";
import { webhookTypes, type PipelineWebhookRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { readUuid } from "./devices.ts";
import { endpoint, SENT, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json } from "./envelope.ts";
import { invalidRequest, ZenmlError } from "./errors.ts";
import { entityName, flag, hyphenated, shortText, uuid } from "./fields.ts";
import { webhookBody, webhookStats } from "./webhook-views.ts";
import { listInProject, readOne, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const secret = z.string().min(1, "Value should have at least 1 item after validation, not 0").nullish();

const request = z.object({
  project: uuid,
  name: entityName,
  webhook_type: shortText.min(1, "String should have at least 1 character"),
  active: flag.default(true),
  secret,
});

const update = z.object({ name: entityName.nullish(), active: flag.nullish() });
const rotation = z.object({ secret });

/** A route must name a part of the path the same everywhere; where events arrive, it is the type. */
const ONE = "/webhooks/:webhook";

export function webhookEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { webhooks } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly PipelineWebhookRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const users = await context.relatedFor(call).users(rows.map((row) => row.user_id));
    return rows.map((row) =>
      entity(row, {
        body: webhookBody(row, shown, call.request.site),
        metadata: hydrate ? { stats: webhookStats(row) } : null,
        resources: { user: users.get(row.user_id ?? "") ?? null },
      }),
    );
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<PipelineWebhookRow> =>
    context.getInProject(call, { collection: webhooks, id: idOf(call), action });

  return [
    listInProject(context, "/webhooks", { collection: webhooks, views }),
    endpoint({
      method: "POST",
      path: "/webhooks",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        if (!webhookTypes.includes(body.webhook_type)) throw unsupported(body.webhook_type);
        const { workspaceId } = await access.enterProject(call.request, body.project, "use");
        const made = await webhooks.create(
          {
            id: call.newId(),
            workspace_id: workspaceId,
            user_id: userIdOf(call.request),
            name: body.name,
            webhook_type: body.webhook_type,
            active: body.active,
          },
          body.secret ?? undefined,
        );
        return { ...(await view(call, made.row)), secret: made.secret };
      },
    }),
    readOne(ONE, { get, view }),
    endpoint({
      method: "PUT",
      path: ONE,
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const row = await get(call, "edit");
        const { name, active } = call.body;
        const changed = await webhooks.update(row.id, {
          ...(name == null ? {} : { name }),
          ...(active == null ? {} : { active }),
        });
        return view(call, changed);
      },
    }),
    removeOne(ONE, { collection: webhooks, get }),
    endpoint({
      method: "PUT",
      path: `${ONE}/secret`,
      access: uses("pipeline"),
      body: rotation,
      async handle(call) {
        const row = await get(call, "edit");
        call.request.subject = {
          ...call.request.subject,
          resourceType: "webhook",
          resourceId: row.id,
          reveals: true,
        };
        return { secret: await webhooks.rotateSecret(row.id, call.body.secret ?? undefined) };
      },
    }),
    endpoint({
      method: "GET",
      path: `${ONE}/events/raw`,
      access: reads("pipeline"),
      async handle(call) {
        const row = await get(call, "read");
        const deliveryId = call.query["delivery_id"];
        if (deliveryId === undefined) {
          throw invalidRequest([{ type: "missing", loc: ["query", "delivery_id"], msg: "Field required" }]);
        }
        return { body: json(await webhooks.rawEvent(row.id, deliveryId)) };
      },
    }),
    endpoint({
      method: "POST",
      path: `${ONE}/:webhook_id/events`,
      // The signature is the credential.
      access: publicAccess,
      async handle({ path, request: { headers, body }, reply }) {
        const delivery = { headers, body: Buffer.isBuffer(body) ? body : Buffer.alloc(0) };
        const answer = await webhooks
          .receive(path["webhook"] ?? "", hyphenated(path["webhook_id"] ?? ""), delivery)
          .catch((error: unknown) => {
            throw error instanceof PlinthError ? plain(error) : error;
          });
        void reply.code(answer.status);
        await (answer.text === undefined ? reply.send() : reply.type("text/plain").send(answer.text));
        return SENT;
      },
    }),
  ];
}

const idOf = ({ path }: ZenmlCall): string => hyphenated(readUuid(path["webhook"] ?? "", "webhook_id"));

/** What the services that send events are told: a sentence, and nothing of why a signature is wrong. */
function plain(error: PlinthError): PlinthError {
  const answers: Readonly<Record<string, readonly [number, string]>> = {
    not_found: [404, "Not Found"],
    unauthenticated: [401, "Invalid webhook authentication."],
    already_exists: [409, error.message],
    invalid_parameter: [400, error.message],
  };
  const found = answers[error.code];
  if (found === undefined) return error;
  const [status, detail] = found;
  return new ZenmlError(error.code, error.message, { status, body: { detail } });
}

const unsupported = (type: string): ZenmlError => {
  const detail = `Unsupported webhook type: ${type}.`;
  return new ZenmlError("invalid_parameter", detail, { status: 422, body: { detail } });
};
