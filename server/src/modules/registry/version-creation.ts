import { createBatch } from "../../kernel/batch.ts";
import { isConnectionLoss } from "../../kernel/database-errors.ts";
import { unavailable, type PlinthError } from "../../kernel/errors.ts";
import type { ChangeDeps } from "./deps.ts";
import type { VersionRow } from "./model-versions.sql.ts";
import { modelNotFound } from "./names.ts";
import { insertVersions, type NewVersionRow } from "./version-creation.sql.ts";

/** A version to be made, all that a rule may refuse already checked. */
export type CheckedVersion = NewVersionRow & {
  /** The request itself named the logged model, which then lists the version. */
  namesModel: boolean;
};

/**
 * Makes versions; concurrent calls share a commit. Many versions of one model would otherwise come one
 * after the other, each waiting for the disk with the model's row locked.
 */
export function createVersionCreation(deps: ChangeDeps): (version: CheckedVersion) => Promise<VersionRow> {
  const creations = createBatch<CheckedVersion, VersionRow>({
    name: "create_model_version",
    concurrency: 2,
    maxWeight: 1000,
    weight: ({ tags }) => 1 + tags.length,
    lane: ({ workspaceId, name }) => `${workspaceId} ${name}`,
    onBatch: deps.onBatch,
    run: (items) => createBatchOfVersions(deps, items),
  });
  return (version) => creations.add(version);
}

async function createBatchOfVersions(
  deps: ChangeDeps,
  items: readonly CheckedVersion[],
): Promise<(VersionRow | PlinthError)[]> {
  let isSent = false;
  let toTell = 0;
  try {
    const done = await deps.database.transaction(async (transaction) => {
      isSent = false;
      const now = deps.now();
      const { numbered, recorded } = await insertVersions(transaction, items, now);
      toTell = recorded;
      const answers = items.map((item, index) => {
        const added = numbered[index];
        return added === undefined ? modelNotFound(item.name) : { ...versionRow(item, now), ...added };
      });
      const named = items.flatMap(({ namesModel, workspaceId, name, model_id: modelId }, index) => {
        const version = numbered[index]?.version;
        return namesModel && modelId !== null && version !== undefined
          ? [{ workspaceId, modelId, version: { name, version } }]
          : [];
      });
      if (named.length > 0) await deps.tracking.recordModelVersions(transaction, named);
      isSent = true;
      return answers;
    });
    deps.announce(toTell);
    return done;
  } catch (error) {
    // A batch is run again when the connection is lost: not this one once its commit is on its way, since
    // it may be done, and the same versions would be made a second time.
    if (isSent && isConnectionLoss(error)) {
      throw unavailable("The database went away: whether the version was made is unknown.", error);
    }
    throw error;
  }
}

const versionRow = (version: CheckedVersion, now: number): Omit<VersionRow, "model_key" | "version"> => ({
  name: version.name,
  creation_timestamp: now,
  last_updated_timestamp: now,
  stage: "None",
  status: "READY",
  status_message: null,
  description: version.description,
  user_id: null,
  source: version.source,
  storage_location: version.storage_location,
  run_uuid: version.run_uuid,
  run_link: version.run_link,
  model_id: version.model_id,
  tags: version.tags,
  aliases: [],
});
