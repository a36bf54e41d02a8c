import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import { invalidState, notFound } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { insertRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import { logs, type LogsRow } from "./run-tables.ts";
import { components } from "./stack-tables.ts";

/** Logs as a request about a run or step names them: those that are there, by their id, or new ones. */
export type GivenLogs =
  | string
  | {
      id?: string | null | undefined;
      uri?: string | null | undefined;
      source?: string | null | undefined;
      artifact_store_id?: string | null | undefined;
      log_store_id?: string | null | undefined;
    };

export type LogsOwner = { pipeline_run_id: string } | { step_run_id: string };

export type AttachLogs = {
  given: GivenLogs | null | undefined;
  owner: LogsOwner;
  /** What the logs are called where that is not said. */
  source: string;
  project: { workspaceId: number; projectId: string };
  userId: string | null;
  ids(): string;
  now: Micros;
};

/** Throws `not_found`, and `invalid_state` for logs of something else. */
export async function attachLogs(transaction: Queryable, options: AttachLogs): Promise<void> {
  const { given } = options;
  if (given === null || given === undefined) return;
  if (typeof given === "string") await linkLogs(transaction, given, options);
  else await createLogs(transaction, given, options);
}

async function createLogs(
  transaction: Queryable,
  given: Exclude<GivenLogs, string>,
  { owner, source, project, userId, ids, now }: AttachLogs,
): Promise<void> {
  const id = given.id ?? ids();
  await requireReferences(
    transaction,
    [
      { table: components, label: "stack component", id: given.artifact_store_id },
      { table: components, label: "stack component", id: given.log_store_id },
    ],
    { label: "logs", operation: "created", project },
  );
  await insertRow(transaction, logs, {
    id,
    workspace_id: project.workspaceId,
    user_id: userId,
    uri: given.uri ?? null,
    source: given.source || source,
    artifact_store_id: given.artifact_store_id ?? null,
    log_store_id: given.log_store_id ?? null,
    ...owner,
    created: now,
    updated: now,
  });
}

const linkText: Prepared = {
  name: "pipelines_link_logs",
  text: `
    update pipelines.logs set pipeline_run_id = $3, step_run_id = $4, updated = $5
    where id = $1 and workspace_id = $2
      and (pipeline_run_id is null or pipeline_run_id = $3) and (step_run_id is null or step_run_id = $4)
    returning id`,
};

const thereText: Prepared = {
  name: "pipelines_select_logs_in",
  text: "select id from pipelines.logs where id = $1 and workspace_id = $2",
};

async function linkLogs(
  transaction: Queryable,
  id: string,
  { owner, project: { workspaceId, projectId }, now }: AttachLogs,
): Promise<void> {
  const run = "pipeline_run_id" in owner ? owner.pipeline_run_id : null;
  const step = "step_run_id" in owner ? owner.step_run_id : null;
  const linked = await transaction.prepared(linkText, [id, workspaceId, run, step, now]);
  if (linked.length > 0) return;
  const there = await transaction.prepared(thereText, [id, workspaceId]);
  if (there.length > 0) {
    throw invalidState("The logs entry is already associated with a different entity.");
  }
  const kind = step === null ? "pipeline run" : "step run";
  throw notFound(
    `The logs with ID ${id} referenced by the ${kind} being created was not found in the '${projectId}' project`,
  );
}

const COLUMNS = Object.keys(logs.columns).join(", ");

const ofText = (column: string): Prepared => ({
  name: `pipelines_select_logs_of_${column}`,
  text: `select ${COLUMNS} from pipelines.logs where ${column} = any ($1::uuid[]) order by created, id`,
});
const texts = {
  pipeline_run_id: ofText("pipeline_run_id"),
  step_run_id: ofText("step_run_id"),
  hook_invocation_id: ofText("hook_invocation_id"),
} as const;

/** Logs by the id of what they are of, the oldest first. */
export async function selectLogsOf(
  database: Queryable,
  owner: keyof typeof texts,
  ids: readonly string[],
): Promise<Map<string, LogsRow[]>> {
  if (ids.length === 0) return new Map();
  const rows = await database.prepared<LogsRow & Row>(texts[owner], [ids]);
  return Map.groupBy(rows, (row) => row[owner] ?? "");
}
