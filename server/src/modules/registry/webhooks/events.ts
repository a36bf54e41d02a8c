import { invalidParameter } from "../../../kernel/errors.ts";

/** What webhooks can be told of (`mlflow/entities/webhook.py` of 3.17.2): entities and what happens to them. */
const actionsOf = {
  registered_model: ["created"],
  model_version: ["created"],
  model_version_tag: ["deleted", "set"],
  model_version_alias: ["created", "deleted"],
  prompt: ["created"],
  prompt_version: ["created"],
  prompt_tag: ["deleted", "set"],
  prompt_version_tag: ["deleted", "set"],
  prompt_alias: ["created", "deleted"],
  budget_policy: ["exceeded"],
} as const;

type Actions = typeof actionsOf;
type Entity = keyof Actions;

/** Such as `model_version.created`. */
export type WebhookEvent = { [E in Entity]: `${E}.${Actions[E][number]}` }[Entity];

const isEntity = (text: string): text is Entity => Object.hasOwn(actionsOf, text);

/** Throws for an entity or an action that is not known, and for a pair that never happens. */
export function readEvent(entity: string | undefined, action: string | undefined): WebhookEvent {
  if (entity === undefined || action === undefined || !isEntity(entity)) {
    throw invalidParameter(
      "A webhook event needs an entity and an action, such as " +
        '{"entity": "MODEL_VERSION", "action": "CREATED"}; ' +
        `entities are ${Object.keys(actionsOf).join(", ").toUpperCase()}.`,
    );
  }
  const actions: readonly string[] = actionsOf[entity];
  if (!actions.includes(action)) {
    throw invalidParameter(
      `Invalid action '${action}' for entity '${entity}'. ` +
        `Valid actions are: [${actions.map((one) => `'${one}'`).join(", ")}]`,
    );
  }
  return `${entity}.${action}` as WebhookEvent;
}

export function splitEvent(event: WebhookEvent): { entity: string; action: string } {
  const [entity = "", action = ""] = event.split(".");
  return { entity, action };
}
