import type { Prepared } from "../../kernel/database.ts";
import type { Scope } from "../identity/index.ts";
import type { TrackingDeps } from "./deps.ts";
import { upsertLoggedModelTags } from "./logged-models.sql.ts";
import { parseKeepingNumbers, pythonDumps } from "./python-json.ts";

export type ModelVersionTag = {
  /** Adds a version of the registry to the list in the tag of the logged model it was made from. */
  recordModelVersion(
    scope: Scope,
    modelId: string,
    version: { name: string; version: number },
  ): Promise<void>;
};

const VERSIONS_TAG = "mlflow.modelVersions";

// The lock lets two writers add to the list one after the other.
const lockModelText: Prepared = {
  name: "tracking_lock_logged_model",
  text: `
    select m.model_key from tracking.logged_models as m join tracking.experiments as e using (experiment_id)
    where m.model_id = $1 and e.workspace_id = $2 and m.deleted_at is null for no key update of m`,
};

const selectTagText: Prepared = {
  name: "tracking_select_logged_model_tag",
  text: "select value from tracking.logged_model_tags where model_key = $1 and key = $2",
};

export function createModelVersionTag({ database }: TrackingDeps): ModelVersionTag {
  return {
    async recordModelVersion({ workspaceId }, modelId, version) {
      const entry = pythonDumps(version);
      await database.transaction(async (transaction) => {
        const [model] = await transaction.prepared<{ model_key: number }>(lockModelText, [
          modelId,
          workspaceId,
        ]);
        // Deleted since it was looked up.
        if (model === undefined) return;
        const values = [model.model_key, VERSIONS_TAG];
        const [tag] = await transaction.prepared<{ value: string }>(selectTagText, values);
        const entries = tag === undefined ? [] : entriesOf(tag.value);
        if (entries === undefined || entries.includes(entry)) return;
        const value = `[${[...entries, entry].join(", ")}]`;
        const place = { workspaceId, id: modelId };
        await upsertLoggedModelTags(transaction, place, [{ key: VERSIONS_TAG, value }]);
      });
    },
  };
}

/** Undefined for what is no list: a client's own text, which stays as it is. */
function entriesOf(list: string): string[] | undefined {
  try {
    const parsed = parseKeepingNumbers(list);
    return Array.isArray(parsed) ? parsed.map(pythonDumps) : undefined;
  } catch {
    return undefined;
  }
}
