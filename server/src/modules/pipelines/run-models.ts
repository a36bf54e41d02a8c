import type { Queryable } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import { ensureModelVersion, linkRun, type ConfiguredModel } from "./model-versions.ts";
import { formatTemplate } from "./run-configuration.ts";

export type UsedModel = {
  model: ConfiguredModel;
  /** For placeholders in its name and version. */
  substitutions: Readonly<Record<string, string>>;
  /** The run that works on it, or whose step does. */
  runId: string;
  workspaceId: number;
  userId: string | null;
  ids(): string;
  now: Micros;
};

/** The id of the version of a model that a run or step works on, made where there is none, and linked to the run. */
export async function useModelVersion(
  transaction: Queryable,
  { model, substitutions, runId, ...options }: UsedModel,
): Promise<string> {
  const { ids, now } = options;
  const version =
    typeof model.version === "string" ? formatTemplate(model.version, substitutions) : model.version;
  const named = { ...model, name: formatTemplate(model.name, substitutions), version: version ?? null };
  const id = await ensureModelVersion(transaction, named, { ...options, producerRunId: runId });
  await linkRun(transaction, { id: ids(), modelVersionId: id, runId }, now);
  return id;
}
