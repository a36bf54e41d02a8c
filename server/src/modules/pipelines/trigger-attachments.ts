import type { Queryable } from "../../kernel/database.ts";
import { invalidParameter, invalidState, notFound, type PlinthError } from "../../kernel/errors.ts";
import { parseFaithfulJson } from "../../kernel/json-text.ts";
import { noSuch, type CollectionDeps } from "./collection.ts";
import {
  checkUpdate,
  deriveSnapshot,
  type Complete,
  type DerivedSnapshot,
  type RunConfigurationUpdate,
  type SourceSnapshot,
} from "./derived-snapshots.ts";
import { isLocalComponent } from "./local-components.ts";
import { snapshots, triggers, type SnapshotRow } from "./pipeline-tables.ts";
import type { Project } from "./projects.ts";
import { findRow, insertRow, lockRow, selectRow } from "./records.ts";
import { resolveSecrets } from "./secret-references.ts";
import type { SecretReader } from "./secrets.ts";
import { readsLegacyKeys, type SettingsScope } from "./setting-keys.ts";
import { insertSnapshotSteps, selectSnapshotSteps } from "./snapshot-steps.sql.ts";
import { flavors } from "./stack-tables.ts";
import { selectStackMembers } from "./stacks.sql.ts";
import type { JsonObject } from "./step-configuration.ts";
import {
  deleteAttachments,
  insertAttachment,
  selectAttachable,
  selectAttached,
  type AttachableSnapshot,
} from "./triggers.sql.ts";

export type Attachment = {
  project: Pick<Project, "workspaceId" | "projectId">;
  /** Whether one of the same snapshot gives way. */
  replaces: boolean;
  update: RunConfigurationUpdate;
  complete: Complete;
  /** Whoever attaches it, as secrets are asked for. */
  reader: SecretReader;
  /** Of ZenML, that this server is to this client. */
  version: string;
  newId(): string;
};

type Attach = Attachment & { triggerId: string; snapshotId: string };

/**
 * What a trigger runs is a snapshot of its own, without a name, which stays as it is: made of the one that is named, and
 * of what its runs are to do otherwise. Once for a request that is repeated. Throws `not_found`, `invalid_state` for
 * snapshots without name, archived triggers and what is attached, and `invalid_parameter` for what no server could run.
 */
export async function attachSnapshot({ database, clock }: CollectionDeps, given: Attach): Promise<void> {
  const { triggerId, snapshotId, project, replaces, update } = given;
  const copyId = given.newId();
  await database.transaction(async (transaction) => {
    const held = await lockRow(transaction, triggers, triggerId);
    if (held === undefined) throw noSuch("trigger", triggerId);
    const before = await selectAttached(transaction, [triggerId]);
    // A request that is repeated because its answer got lost.
    if (before.some((one) => one.snapshot_id === copyId)) return;
    const snapshot = await selectAttachable(transaction, snapshotId);
    if (snapshot?.workspace_id !== project.workspaceId) throw notFound(`Snapshot ${snapshotId} not found.`);
    if (snapshot.name === null) {
      throw invalidState("Can not attach a snapshot without name to a trigger.");
    }
    const isAttached = before.some(
      (one) => one.snapshot_id === snapshotId || one.source_snapshot_id === snapshotId,
    );
    if (isAttached && !replaces) throw alreadyAttached(triggerId, snapshotId);
    if (held.is_archived) {
      throw invalidState(`Can not attach snapshot ${snapshotId} to archived trigger ${triggerId}.`);
    }
    requireRunnable(snapshot);
    const source = await selectRow(transaction, snapshots, snapshotId);
    if (source === undefined) throw notFound(`Snapshot ${snapshotId} not found.`);
    checkUpdate(update, source.is_dynamic);
    const scope = await selectScope(transaction, source, snapshot);
    const derived = deriveSnapshot(
      await readSource(transaction, source),
      await withSecretIds(transaction, update, given.reader),
      { scope, complete: given.complete },
    );
    if (isAttached) await deleteAttachments(transaction, triggerId, snapshotId);
    const now = clock();
    await insertDerived(transaction, { ...given, source, derived, id: copyId, now });
    await insertAttachment(transaction, { triggerId, snapshotId: copyId, now });
  });
}

const parsed = (text: string): JsonObject => parseFaithfulJson(Buffer.from(text)) as JsonObject;

async function readSource(transaction: Queryable, row: SnapshotRow): Promise<SourceSnapshot> {
  const steps = await selectSnapshotSteps(transaction, [row.id], undefined);
  return {
    isDynamic: row.is_dynamic,
    configuration: parsed(row.pipeline_configuration_json),
    spec: row.pipeline_spec_json === null ? null : parsed(row.pipeline_spec_json),
    steps: steps.map((step) => ({
      name: step.name,
      spec: parsed(step.spec_json) as SourceSnapshot["steps"][number]["spec"],
      overrides: parsed(step.overrides_json),
      config: parsed(step.config_json),
    })),
  };
}

async function selectScope(
  transaction: Queryable,
  row: SnapshotRow,
  { stack_id: builtFor, zenml_version: version }: AttachableSnapshot,
): Promise<SettingsScope> {
  const components = await selectStackMembers(
    transaction,
    [row.stack_id ?? builtFor].flatMap((id) => id ?? []),
  );
  const orchestrator = components.find((one) => one.type === "orchestrator");
  const flavor =
    orchestrator &&
    (await findRow(transaction, flavors, { type: orchestrator.type, name: orchestrator.flavor_name }));
  const schema = JSON.parse(flavor?.config_schema_json ?? "{}") as { properties?: object };
  return {
    components,
    isLegacy: readsLegacyKeys(version ?? row.client_version),
    canWait: Object.hasOwn(schema.properties ?? {}, "synchronous"),
  };
}

/** Secrets may be named; they are kept by their ids. Throws `not_found`. */
async function withSecretIds(
  transaction: Queryable,
  update: RunConfigurationUpdate,
  reader: SecretReader,
): Promise<RunConfigurationUpdate> {
  const resolved = async (fields: JsonObject): Promise<JsonObject> => {
    const { secrets } = fields;
    if (!Array.isArray(secrets) || secrets.length === 0) return fields;
    return { ...fields, secrets: await resolveSecrets(transaction, secrets.map(String), reader) };
  };
  const steps: [string, JsonObject][] = [];
  for (const [name, fields] of Object.entries(update.steps)) steps.push([name, await resolved(fields)]);
  return { ...update, pipeline: await resolved(update.pipeline), steps: Object.fromEntries(steps) };
}

type Derived = Attach & { source: SnapshotRow; derived: DerivedSnapshot; id: string; now: number };

async function insertDerived(
  transaction: Queryable,
  { source, derived, id, now, update, version, reader }: Derived,
): Promise<void> {
  await insertRow(transaction, snapshots, {
    id,
    workspace_id: source.workspace_id,
    user_id: reader.userId,
    pipeline_id: source.pipeline_id,
    stack_id: source.stack_id,
    build_id: source.build_id,
    code_reference_id: source.code_reference_id,
    source_snapshot_id: source.id,
    is_dynamic: source.is_dynamic,
    step_count: derived.steps.length,
    run_name_template: update.runName || source.run_name_template,
    pipeline_configuration_json: JSON.stringify(derived.configuration),
    client_environment_json: "{}",
    client_version: version,
    server_version: version,
    pipeline_version_hash: source.pipeline_version_hash,
    pipeline_spec_json: derived.spec === null ? null : JSON.stringify(derived.spec),
    source_code: source.source_code,
    code_path: source.code_path,
    created: now,
    updated: now,
  });
  await insertSnapshotSteps(transaction, id, derived.steps);
}

type ShownComponent = {
  type: string;
  flavor: string;
  name: string;
  isCustom: boolean;
  configuration: JsonObject;
};

/** What only the machine of its user can reach, no server can run. */
function requireRunnable({ runnable, components_json: text }: AttachableSnapshot): void {
  if (!runnable) {
    throw invalidParameter(
      "This snapshot can not be run via the server because it does not have an associated build that is not local.",
    );
  }
  for (const { type, flavor, name, configuration, isCustom } of JSON.parse(text) as ShownComponent[]) {
    if (!isCustom && !isLocalComponent(type, flavor, configuration)) continue;
    throw invalidParameter(
      `The ${type} '${name}' of the snapshot's stack is ${isCustom ? "of a custom flavor" : "local"}: no server can use it.`,
    );
  }
}

const alreadyAttached = (triggerId: string, snapshotId: string): PlinthError =>
  invalidState(
    `Trigger ${triggerId} is already attached to snapshot ${snapshotId}. To attach ${snapshotId} with a different ` +
      "configuration, please detach the current attachment first or use the `allow_replace` flag.",
  );
