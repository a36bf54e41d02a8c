import type { WebhookEvent } from "./events.ts";

const model = { name: "example_model" };
const version = { name: "example_model", version: "1" };
const prompt = { name: "example_prompt" };
const promptVersion = { name: "example_prompt", version: "1" };
const tags = { example_key: "example_value" };
const tag = { key: "example_key", value: "example_value" };

/** What a test call sends as `data`: the values that MLflow's receivers know from it. */
export const exampleData: Readonly<Record<WebhookEvent, object>> = {
  "registered_model.created": { ...model, tags, description: "An example registered model" },
  "model_version.created": {
    ...version,
    source: "models:/123",
    run_id: "abcd1234abcd5678",
    tags,
    description: "An example model version",
  },
  "model_version_tag.set": { ...version, ...tag },
  "model_version_tag.deleted": { ...version, key: tag.key },
  "model_version_alias.created": { ...model, alias: "example_alias", version: "1" },
  "model_version_alias.deleted": { ...model, alias: "example_alias" },
  "prompt.created": { ...prompt, tags, description: "An example prompt" },
  "prompt_version.created": {
    ...promptVersion,
    template: "Hello {{name}}!",
    tags,
    description: "An example prompt version",
  },
  "prompt_tag.set": { ...prompt, ...tag },
  "prompt_tag.deleted": { ...prompt, key: tag.key },
  "prompt_version_tag.set": { ...promptVersion, ...tag },
  "prompt_version_tag.deleted": { ...promptVersion, key: tag.key },
  "prompt_alias.created": { ...prompt, alias: "example_alias", version: "1" },
  "prompt_alias.deleted": { ...prompt, alias: "example_alias" },
  "budget_policy.exceeded": {
    budget_policy_id: "bp-abc123",
    budget_unit: "USD",
    budget_amount: 100,
    current_spend: 105.5,
    duration_unit: "MONTHS",
    duration_value: 1,
    target_scope: "ENDPOINT",
    workspace: "default",
    target_value: "ep-abc123",
    window_start: 1_704_067_200_000,
  },
};
