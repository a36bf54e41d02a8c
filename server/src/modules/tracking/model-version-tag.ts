import type { Prepared, Queryable } from "../../kernel/database.ts";
import { parseKeepingNumbers, pythonDumps } from "./python-json.ts";

/** A version of the registry, and the logged model that it was made from. */
export type ModelVersionLink = {
  workspaceId: number;
  modelId: string;
  version: { name: string; version: number };
};

export type ModelVersionTag = {
  /** Adds versions of the registry to the lists in the tags of the logged models they were made from. */
  recordModelVersions(transaction: Queryable, links: readonly ModelVersionLink[]): Promise<void>;
};

const VERSIONS_TAG = "mlflow.modelVersions";

// The lock lets two writers add to a list one after the other.
const lockModelsText: Prepared = {
  name: "tracking_lock_logged_models",
  text: `
    select m.model_key, m.model_id, e.workspace_id
    from unnest($1::integer[], $2::text[]) as wanted (workspace_id, model_id)
    join tracking.logged_models as m using (model_id)
    join tracking.experiments as e on e.experiment_id = m.experiment_id and e.workspace_id = wanted.workspace_id
    where m.deleted_at is null
    order by m.model_key for no key update of m`,
};

const selectTagsText: Prepared = {
  name: "tracking_select_logged_model_version_tags",
  text: "select model_key, value from tracking.logged_model_tags where model_key = any($1) and key = $2",
};

const upsertTagsText: Prepared = {
  name: "tracking_upsert_logged_model_version_tags",
  text: `
    insert into tracking.logged_model_tags (model_key, key, value)
    select model_key, $3, value from unnest($1::integer[], $2::text[]) as tag (model_key, value)
    on conflict on constraint logged_model_tags_pkey do update set value = excluded.value
    returning model_key`,
};

export function createModelVersionTag(): ModelVersionTag {
  return {
    async recordModelVersions(transaction, links) {
      const wanted = Map.groupBy(links, placeOf);
      const firsts = [...wanted.values()].flatMap(([first]) => first ?? []);
      // Those deleted since they were looked up are not among them.
      const models = await transaction.prepared<{
        model_key: number;
        model_id: string;
        workspace_id: number;
      }>(lockModelsText, [
        firsts.map(({ workspaceId }) => workspaceId),
        firsts.map(({ modelId }) => modelId),
      ]);
      const keys = models.map((model) => model.model_key);
      const tags = await transaction.prepared<{ model_key: number; value: string }>(selectTagsText, [
        keys,
        VERSIONS_TAG,
      ]);
      const lists = new Map(tags.map((tag) => [tag.model_key, tag.value]));
      const changed = models.flatMap((model) => {
        const place = placeOf({ workspaceId: model.workspace_id, modelId: model.model_id });
        const value = extended(lists.get(model.model_key), wanted.get(place) ?? []);
        return value === undefined ? [] : [{ key: model.model_key, value }];
      });
      await transaction.prepared(upsertTagsText, [
        changed.map(({ key }) => key),
        changed.map(({ value }) => value),
        VERSIONS_TAG,
      ]);
    },
  };
}

const placeOf = ({ workspaceId, modelId }: Pick<ModelVersionLink, "workspaceId" | "modelId">): string =>
  `${workspaceId} ${modelId}`;

/** The list with these versions added; undefined where it stays as it is. */
function extended(list: string | undefined, links: readonly ModelVersionLink[]): string | undefined {
  const entries = list === undefined ? [] : entriesOf(list);
  if (entries === undefined) return undefined;
  const added = links.map(({ version }) => pythonDumps(version)).filter((entry) => !entries.includes(entry));
  return added.length === 0 ? undefined : `[${[...entries, ...added].join(", ")}]`;
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
