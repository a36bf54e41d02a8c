import { randomBytes } from "node:crypto";
import { sql, type RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { invalidParameter, invalidState, notFound, type PlinthError } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { createCollection, noSuch, taken, type Collection } from "./collection.ts";
import { idFields, userFields, type Fields, type ListQuery, type Page } from "./list.ts";
import { isUuid, selectPage } from "./list.sql.ts";
import { pipelines, snapshots, triggers, webhooks, type TriggerRow } from "./pipeline-tables.ts";
import type { Project } from "./projects.ts";
import { deleteRow, insertRow, lockRow, updateRow } from "./records.ts";
import { requireReferences, type Reference } from "./references.ts";
import { runs } from "./run-tables.ts";
import { attachSnapshot, type Attachment } from "./trigger-attachments.ts";
import { firstOccurrence, type TriggerTimes } from "./trigger-times.ts";
import {
  clearDispatchErrors,
  deleteAttachments,
  selectAttached,
  selectLatestRunIds,
  type AttachedSnapshot,
} from "./triggers.sql.ts";

/** What of an entity triggers, by its type, with what is said of it. */
export const supportedEvents = {
  pipeline: {
    run_completed: "A run of the pipeline has completed.",
    run_failed: "A run of the pipeline has failed.",
  },
  pipeline_run: {
    completed: "The pipeline run has completed.",
    failed: "The pipeline run has failed.",
  },
  pipeline_snapshot: {
    run_completed: "A run of the snapshot has completed.",
    run_failed: "A run of the snapshot has failed.",
  },
} as const;
export type SourceType = keyof typeof supportedEvents;

type InProject = { project: Pick<Project, "workspaceId" | "projectId"> };

/** What a trigger is about, by its type. */
export type TriggerSubject =
  | { type: "schedule"; times: TriggerTimes; next?: Micros | undefined }
  | { type: "platform_event"; source: { type: SourceType; id: string } }
  | { type: "webhook"; webhookId: string | null };

export type NewTrigger = Omit<TriggerRow, "created" | "updated" | "next_occurrence" | "is_archived" | "type">;

/** What holds besides the filters of a list, whatever its operator between them; several of a kind are either of them. */
export type AskedTriggers = {
  isArchived: boolean;
  types: readonly string[];
  flavors: readonly string[];
  /** Of snapshots that are attached. Throws `invalid_parameter` for what is no id. */
  pipelineIds: readonly string[];
  snapshotIds: readonly string[];
};

/**
 * What says when snapshots are to be run. The server keeps triggers and when they are next; like ZenML's own without a
 * workload manager, it runs nothing by itself.
 */
export type Triggers = Pick<Collection<typeof triggers>, "label" | "fields" | "get"> & {
  create(row: NewTrigger, options: InProject & { subject: TriggerSubject }): Promise<TriggerRow>;
  search(
    query: ListQuery,
    options: { where: readonly RawBuilder<unknown>[]; asked: AskedTriggers },
  ): Promise<Page<TriggerRow>>;
  /** Throws `invalid_state` for one that is archived. */
  update(
    id: string,
    changes: Partial<TriggerRow>,
    options: InProject & { subject: TriggerSubject },
  ): Promise<TriggerRow>;
  /** Archived, it keeps its runs and gives its name away. */
  remove(id: string, options: { soft: boolean }): Promise<void>;
  /** See `attachSnapshot`. */
  attach(trigger: TriggerRow, snapshotId: string, attachment: Attachment): Promise<void>;
  detach(triggerId: string, snapshotId: string): Promise<void>;
  clearErrors(triggerId: string, snapshotId: string | null): Promise<void>;
  attachedTo(ids: readonly string[]): Promise<AttachedSnapshot[]>;
  latestRunIds(ids: readonly string[]): Promise<Map<string, string>>;
};

const LABEL = "trigger";

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  active: { kind: "boolean", sql: "t.active" },
  type: { kind: "text", sql: "t.type", orderOnly: true },
  flavor: { kind: "text", sql: "t.flavor", orderOnly: true },
  concurrency: { kind: "text", sql: "t.concurrency" },
  next_occurrence: { kind: "time", sql: "t.next_occurrence" },
  webhook_id: { kind: "uuid", sql: "t.webhook_id" },
  pipeline_id: { kind: "uuid", sql: "t.id", unordered: true, orderOnly: true },
  snapshot_id: { kind: "uuid", sql: "t.id", unordered: true, orderOnly: true },
};

const attached = (condition: RawBuilder<unknown>): RawBuilder<unknown> => sql`exists (
  select from pipelines.trigger_snapshots as l join pipelines.snapshots as s on s.id = l.snapshot_id
  where l.trigger_id = t.id and ${condition})`;

function conditionsOf(asked: AskedTriggers): RawBuilder<unknown>[] {
  const { isArchived, types, flavors, pipelineIds, snapshotIds } = asked;
  for (const id of [...pipelineIds, ...snapshotIds]) {
    if (!isUuid(id)) throw invalidParameter(`'${id}' is no id.`);
  }
  return [
    sql`t.is_archived = ${isArchived}`,
    ...(types.length === 0 ? [] : [sql`t.type = any (${types})`]),
    ...(flavors.length === 0 ? [] : [sql`t.flavor = any (${flavors})`]),
    ...(pipelineIds.length === 0 ? [] : [attached(sql`s.pipeline_id = any (${pipelineIds}::uuid[])`)]),
    ...(snapshotIds.length === 0
      ? []
      : [
          attached(
            sql`(s.id = any (${snapshotIds}::uuid[]) or s.source_snapshot_id = any (${snapshotIds}::uuid[]))`,
          ),
        ]),
  ];
}

const sources = { pipeline: pipelines, pipeline_run: runs, pipeline_snapshot: snapshots } as const;

type Deps = { database: Database; clock(): Micros };

export function createTriggers(deps: Deps): Triggers {
  const { database, clock } = deps;
  const rows = createCollection(deps, { table: triggers, label: LABEL, fields });

  const check = (subject: TriggerSubject, operation: "created" | "updated", project: InProject["project"]) =>
    requireReferences(database, referencesOf(subject), { label: LABEL, operation, project });

  const refuseTaken = (error: unknown, operation: string, name: string): never => {
    throw violates(error, "triggers_name_key") ? taken(operation, LABEL, name) : error;
  };

  return {
    label: LABEL,
    fields,
    get: rows.get,
    async create(row, { subject, project }) {
      await check(subject, "created", project);
      const now = clock();
      const made = {
        ...row,
        type: subject.type,
        is_archived: false,
        next_occurrence: occurrenceOf(subject, now),
        created: now,
        updated: now,
      };
      await insertRow(database, triggers, made).catch((error: unknown) =>
        refuseTaken(error, "create", row.name),
      );
      return rows.get(row.id);
    },
    search: (query, { where, asked }) =>
      selectPage(database, {
        table: triggers,
        fields,
        query,
        where: [...where, ...conditionsOf(asked)],
      }),
    async update(id, changes, { subject, project }) {
      await check(subject, "updated", project);
      const now = clock();
      return database
        .transaction(async (transaction) => {
          const before = await lockRow(transaction, triggers, id);
          if (before === undefined) throw noSuch(LABEL, id);
          if (before.is_archived) throw invalidState("Archived triggers can not be updated.");
          if (before.type !== subject.type) {
            throw invalidState("A trigger can not be updated with a different trigger type.");
          }
          const row = await updateRow(transaction, triggers, id, {
            ...changes,
            next_occurrence: occurrenceOf(subject, now),
            updated: now,
          });
          if (row === undefined) throw noSuch(LABEL, id);
          return row;
        })
        .catch((error: unknown) => refuseTaken(error, "update", changes.name ?? ""));
    },
    async remove(id, { soft }) {
      const hash = randomBytes(4).toString("hex");
      await database.transaction(async (transaction) => {
        const row = await lockRow(transaction, triggers, id);
        if (row === undefined) throw noSuch(LABEL, id);
        if (!soft) {
          await deleteRow(transaction, triggers, id);
          return;
        }
        if (row.is_archived) throw invalidState(`Trigger ${id} is already archived.`);
        await deleteAttachments(transaction, id, null);
        await updateRow(transaction, triggers, id, {
          is_archived: true,
          active: false,
          name: `${row.name.slice(0, MAX_NAME - hash.length - 3)}_(${hash})`,
          updated: clock(),
        });
      });
    },
    attach: (trigger, snapshotId, attachment) =>
      attachSnapshot(deps, { ...attachment, triggerId: trigger.id, snapshotId }),
    async detach(triggerId, snapshotId) {
      if (!(await deleteAttachments(database, triggerId, snapshotId)))
        throw notAttached(triggerId, snapshotId);
    },
    async clearErrors(triggerId, snapshotId) {
      const links = await selectAttached(database, [triggerId]);
      if (snapshotId !== null && !links.some((one) => one.source_snapshot_id === snapshotId)) {
        throw notAttached(triggerId, snapshotId);
      }
      await clearDispatchErrors(database, triggerId, snapshotId);
    },
    attachedTo: (ids) => selectAttached(database, ids),
    latestRunIds: (ids) => selectLatestRunIds(database, ids),
  };
}

const MAX_NAME = 255;

const occurrenceOf = (subject: TriggerSubject, now: Micros): Micros | null =>
  subject.type === "schedule" ? (subject.next ?? firstOccurrence(subject.times, now)) : null;

function referencesOf(subject: TriggerSubject): Reference[] {
  if (subject.type === "platform_event") {
    const { type, id } = subject.source;
    return [{ table: sources[type], label: type.replaceAll("_", " "), id }];
  }
  return subject.type === "webhook" ? [{ table: webhooks, label: "webhook", id: subject.webhookId }] : [];
}

const notAttached = (triggerId: string, snapshotId: string): PlinthError =>
  notFound(`Snapshot ${snapshotId} is not attached to trigger ${triggerId}`);
