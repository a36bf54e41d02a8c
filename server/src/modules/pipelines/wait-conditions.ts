import { isDeepStrictEqual } from "node:util";
import type { RawBuilder } from "kysely";
import type { Queryable } from "../../kernel/database.ts";
import { alreadyExists, invalidParameter, invalidState } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { noSuch, type CollectionDeps } from "./collection.ts";
import { selectPage } from "./list.sql.ts";
import { idFields, userFields, type Fields, type ListQuery, type Page } from "./list.ts";
import type { MetadataValue } from "./metadata-values.ts";
import { insertRow, insertRows, lockRow, selectRow, updateRow } from "./records.ts";
import { touchRun } from "./run-progress.sql.ts";
import { settleRun } from "./run-progress.ts";
import { isFinished } from "./run-status.ts";
import {
  runMetadata,
  runWaitConditions,
  type PipelineRunRow,
  type RunWaitConditionRow,
} from "./run-tables.ts";
import { fitsSchema } from "./wait-schema.ts";
import { linkMetadata, selectRivals, touchRunOfCondition } from "./wait-conditions.sql.ts";

export type NewWaitCondition = {
  runId: string;
  name: string;
  type: string;
  question: string | null;
  dataSchemaJson: string | null;
  metadata: readonly MetadataValue[];
  workspaceId: number;
  userId: string | null;
  /** Ids of what the request makes: the first is that of the condition. */
  ids(): string;
};

export type LeaseUpdate = {
  mode: "refresh" | "finalize" | "abandon";
  pollerId: string;
  expiresAt: Micros;
};

export type Resolution = {
  resolution: "continue" | "abort";
  /** JSON; null where nothing is given. */
  resultJson: string | null;
  userId: string | null;
};

/** What runs of dynamic pipelines wait for: answers that come from outside. */
export type WaitConditions = {
  readonly label: string;
  readonly fields: Fields;
  /** Throws `not_found`. */
  get(id: string): Promise<RunWaitConditionRow>;
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<RunWaitConditionRow>>;
  /**
   * The one of this name that is there, if it is about the same. Throws `already_exists` if it is not, `invalid_state`
   * for a run that waits for another one, or is not of a dynamic pipeline.
   */
  create(condition: NewWaitCondition): Promise<RunWaitConditionRow>;
  /** Who asks for the answer says that it still does, or that it stops: then the run is paused. Answers the status. */
  updateLease(id: string, update: LeaseUpdate): Promise<string>;
  /** Throws `invalid_state` for one that has its answer, `invalid_parameter` for an answer that does not fit. */
  resolve(id: string, resolution: Resolution): Promise<RunWaitConditionRow>;
};

const LABEL = "run wait condition";

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  type: { kind: "text", sql: "t.type" },
  status: { kind: "text", sql: "t.status" },
  resolution: { kind: "text", sql: "t.resolution" },
  resolved_at: { kind: "time", sql: "t.resolved_at" },
  pipeline_run: { kind: "reference", sql: "t.run_id", table: "pipelines.runs" },
  resolved_by: {
    kind: "reference",
    sql: "t.resolved_by_user_id",
    table: "identity.principals",
    key: "uuid",
    names: ["name", "full_name"],
  },
  run_metadata: { kind: "metadata" },
};

export function createWaitConditions(deps: CollectionDeps): WaitConditions {
  const { database } = deps;
  return {
    label: LABEL,
    fields,
    async get(id) {
      const row = await selectRow(database, runWaitConditions, id);
      if (row === undefined) throw noSuch(LABEL, id);
      return row;
    },
    search: (query, where) => selectPage(database, { table: runWaitConditions, fields, query, where }),
    create: (condition) => create(deps, condition),
    updateLease: (id, update) => updateLease(deps, id, update),
    resolve: (id, resolution) => resolve(deps, id, resolution),
  };
}

function create({ database, clock }: CollectionDeps, given: NewWaitCondition): Promise<RunWaitConditionRow> {
  const id = given.ids();
  return database.transaction(async (transaction) => {
    const now = clock();
    const run = await touchRun(transaction, given.runId, now);
    if (run === undefined || run.workspace_id !== given.workspaceId)
      throw noSuch("pipeline run", given.runId);
    if (!run.is_dynamic) {
      throw invalidState("Wait conditions are only supported for dynamic pipelines.");
    }
    const rivals = await selectRivals(transaction, run.id, given.name);
    const same = rivals.find(({ name }) => name === given.name);
    if (same !== undefined) return sameCondition(same, given);
    if (rivals.length > 0) {
      throw invalidState(
        "Only one pending wait condition is allowed per run. Resolve the existing pending wait condition before " +
          "creating a new one.",
      );
    }
    await insertRow(transaction, runWaitConditions, {
      id,
      workspace_id: given.workspaceId,
      user_id: given.userId,
      run_id: run.id,
      name: given.name,
      type: given.type,
      status: "pending",
      question: given.question,
      data_schema_json: given.dataSchemaJson,
      created: now,
      updated: now,
    });
    await logAbout(transaction, id, { given, now });
    const row = await selectRow(transaction, runWaitConditions, id);
    if (row === undefined) throw noSuch(LABEL, id);
    return row;
  });
}

function sameCondition(row: RunWaitConditionRow, given: NewWaitCondition): RunWaitConditionRow {
  const isSame =
    row.type === given.type &&
    row.question === given.question &&
    isDeepStrictEqual(parsed(row.data_schema_json), parsed(given.dataSchemaJson));
  if (isSame) return row;
  throw alreadyExists(
    "A run wait condition with this name already exists for the run, but with different configuration.",
  );
}

const parsed = (text: string | null): unknown => (text === null ? null : (JSON.parse(text) as unknown));

async function logAbout(
  transaction: Queryable,
  id: string,
  { given, now }: { given: NewWaitCondition; now: Micros },
): Promise<void> {
  const values = given.metadata.map((value) => ({
    ...value,
    id: given.ids(),
    workspace_id: given.workspaceId,
    user_id: given.userId,
    created: now,
  }));
  await insertRows(transaction, runMetadata, values);
  await linkMetadata(
    transaction,
    id,
    values.map((value) => value.id),
  );
}

/** The run before the condition, as whoever changes both does it. */
async function lock(
  transaction: Queryable,
  id: string,
  now: Micros,
): Promise<{ run: PipelineRunRow; condition: RunWaitConditionRow }> {
  const [run, condition] = await Promise.all([
    touchRunOfCondition(transaction, id, now),
    lockRow(transaction, runWaitConditions, id),
  ]);
  if (run === undefined || condition === undefined) throw noSuch(LABEL, id);
  return { run, condition };
}

function updateLease(
  { database, clock }: CollectionDeps,
  id: string,
  { mode, pollerId, expiresAt }: LeaseUpdate,
): Promise<string> {
  return database.transaction(async (transaction) => {
    const now = clock();
    const { run, condition } = await lock(transaction, id, now);
    const isPending = condition.status === "pending";
    const polled = { last_polled_at: now, updated: now };
    if (mode === "refresh") {
      const lease = isPending ? { poller_instance_id: pollerId, poller_lease_expires_at: expiresAt } : {};
      await updateRow(transaction, runWaitConditions, id, { ...polled, ...lease });
      return condition.status;
    }
    await updateRow(transaction, runWaitConditions, id, {
      ...polled,
      poller_instance_id: null,
      poller_lease_expires_at: now,
    });
    if (isPending) {
      await settle(transaction, run, { status: "paused", reason: "Waiting for input.", now });
    } else if (mode === "abandon" && condition.resolution === "continue") {
      await settle(transaction, run, { ...resumed, now });
    }
    return condition.status;
  });
}

/** A run that is over stays so. */
async function settle(
  transaction: Queryable,
  run: PipelineRunRow,
  { now, ...asked }: { status: string; reason: string; now: Micros },
): Promise<void> {
  if (!isFinished(run.status)) await settleRun(transaction, run, { asked, now });
}

// Nobody goes on with it by itself: a client has to resume it, and sees that there.
const resumed = { status: "paused", reason: "Waiting for manual resume." } as const;

function resolve(
  { database, clock }: CollectionDeps,
  id: string,
  { resolution, resultJson, userId }: Resolution,
): Promise<RunWaitConditionRow> {
  return database.transaction(async (transaction) => {
    const now = clock();
    const { run, condition } = await lock(transaction, id, now);
    if (condition.status !== "pending") throw invalidState("Wait condition has already been resolved.");
    const result = resultFor(condition, { resolution, resultJson });
    const updated = await updateRow(transaction, runWaitConditions, id, {
      status: "resolved",
      resolution,
      result_json: result,
      resolved_at: now,
      resolved_by_user_id: userId,
      updated: now,
    });
    const isPolled = (condition.poller_lease_expires_at ?? 0) > now;
    if (resolution === "abort") {
      await settle(transaction, run, { status: "stopped", reason: "Wait condition was aborted.", now });
    } else if (!isPolled) {
      const root = run.root_run_id === null ? run : await touchRun(transaction, run.root_run_id, now);
      if (root !== undefined) await settle(transaction, root, { ...resumed, now });
    }
    return updated ?? condition;
  });
}

function resultFor(
  { data_schema_json: schema }: RunWaitConditionRow,
  { resolution, resultJson }: Pick<Resolution, "resolution" | "resultJson">,
): string | null {
  if (resolution !== "continue") return null;
  if (schema === null) {
    if (resultJson !== null) throw invalidState("Wait conditions without a schema do not accept a result.");
    return null;
  }
  if (!fitsSchema(parsed(resultJson), parsed(schema))) {
    throw invalidParameter(`Value \`${resultJson ?? "None"}\` does not match expected schema.`);
  }
  return resultJson === "null" ? null : resultJson;
}
