import { sql, type RawBuilder } from "kysely";
import { allows, type Policy, type Scope, type Visible } from "../identity/index.ts";
import type { ModelRow } from "./registered-models.sql.ts";
import { PROMPT_TAG } from "./names.ts";

/** Which names a caller may see, of models and of the prompts among them. */
export type VisibleModels = { readonly models: Visible; readonly prompts: Visible };

/** Those whose models, or whose versions, may be read; undefined where that is all of them. */
export function visibleModels({ policy }: Scope, of: "model" | "version"): VisibleModels | undefined {
  if (policy.uniform !== undefined && allows(policy.uniform, "read")) return undefined;
  const visible =
    of === "model"
      ? { models: policy.visible("registered_model"), prompts: policy.visible("prompt") }
      : {
          models: policy.visibleParts("registered_model_version", "registered_model"),
          prompts: policy.visibleParts("prompt_version", "prompt"),
        };
  return visible.models.kind === "all" && visible.prompts.kind === "all" ? undefined : visible;
}

/** Conditions on `registered_models as m`; none where all may be seen. */
export function isVisible(visible: VisibleModels | undefined): RawBuilder<unknown>[] {
  if (visible === undefined) return [];
  const { models, prompts } = visible;
  const isPrompt = sql`exists (
    select from registry.registered_model_tags as kind
    where kind.model_key = m.model_key and kind.key = ${PROMPT_TAG} and lower(kind.value) = 'true')`;
  const byKind = sql`case when ${isPrompt} then ${among(prompts)} else ${among(models)} end`;
  if (models.kind !== "only" || prompts.kind !== "only") return [byKind];
  // A few names among many are found by their index.
  return [among({ kind: "only", ids: [...models.ids, ...prompts.ids] }), byKind];
}

function among(visible: Visible): RawBuilder<unknown> {
  if (visible.kind === "all") return sql`true`;
  const names = sql`${[...visible.ids]}::text[]`;
  return visible.kind === "only" ? sql`m.name = any(${names})` : sql`m.name <> all(${names})`;
}

const isPrompt = ({ tags }: Pick<ModelRow, "tags">): boolean =>
  tags.some(({ key, value }) => key === PROMPT_TAG && value.toLowerCase() === "true");

/** For a statement with parameters: which of `kind` and `names` in `visibleText` are the policy's. */
export type VisibleParameters = [
  models: Visible["kind"],
  modelNames: readonly string[],
  prompts: Visible["kind"],
  promptNames: readonly string[],
];

export const visibleParameters = ({ models, prompts }: VisibleModels): VisibleParameters => [
  models.kind,
  models.kind === "all" ? [] : models.ids,
  prompts.kind,
  prompts.kind === "all" ? [] : prompts.ids,
];

/** The condition of `isVisible` in a statement whose parameters from `$first` on are `visibleParameters`. */
export function visibleText(first: number): string {
  const of = (at: number): string => `case $${at}::text when 'all' then true
      when 'only' then m.name = any($${at + 1}::text[]) else m.name <> all($${at + 1}::text[]) end`;
  return `case when exists (
      select from registry.registered_model_tags as kind
      where kind.model_key = m.model_key and kind.key = '${PROMPT_TAG}' and lower(kind.value) = 'true'
    ) then ${of(first + 2)} else ${of(first)} end`;
}

/** Whether a model that may be read shows its versions, which may be denied by themselves. */
export function showsVersions(policy: Policy, model: Pick<ModelRow, "name" | "tags">): boolean {
  if (policy.uniform !== undefined) return allows(policy.uniform, "read");
  const { name: id } = model;
  return allows(
    isPrompt(model)
      ? policy.onPart("prompt_version", { type: "prompt", id })
      : policy.onPart("registered_model_version", { type: "registered_model", id }),
    "read",
  );
}
