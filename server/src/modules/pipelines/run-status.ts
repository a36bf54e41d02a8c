import { invalidState } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { PipelineRunRow } from "./run-tables.ts";

/** States of runs and steps, by ZenML's names. */
export const executionStatuses = [
  "initializing",
  "provisioning",
  "queued",
  "running",
  "failed",
  "completed",
  "cached",
  "skipped",
  "retrying",
  "retried",
  "cancelling",
  "cancelled",
  "paused",
  "resuming",
  "stopped",
  "stopping",
] as const;
const finished: ReadonlySet<string> = new Set([
  "failed",
  "completed",
  "cached",
  "skipped",
  "retried",
  "stopped",
  "cancelled",
]);
const successful: ReadonlySet<string> = new Set(["completed", "cached", "skipped"]);
const placeholders: ReadonlySet<string> = new Set(["initializing", "provisioning"]);
const neverOfRuns: ReadonlySet<string> = new Set(["cached", "skipped", "retrying", "retried"]);
const neverAsked: ReadonlySet<string> = new Set(["retrying", "retried", "cancelling", "queued"]);

export const isFinished = (status: string): boolean => finished.has(status);
export const isSuccessful = (status: string): boolean => successful.has(status);
/** Of a run that was announced, and is begun by whoever executes it. */
export const isPlaceholder = (status: string): boolean => placeholders.has(status);

/** How many steps are in each state, without attempts that were followed by others. */
export type StepCounts = ReadonlyMap<string, number>;

export type StatusOfRun = Pick<
  PipelineRunRow,
  "status" | "is_dynamic" | "step_count" | "execution_mode" | "parent_run_id" | "end_time" | "status_reason"
>;

/** What a run's state is after its steps, where those decide. Pure. */
export function statusBySteps(status: string, counts: StepCounts, stepCount: number): string {
  const has = (one: string): boolean => (counts.get(one) ?? 0) > 0;
  const allFinished = [...counts.keys()].every(isFinished);
  if (status === "stopping") return allFinished ? "stopped" : "stopping";
  if (status === "failed" || has("failed")) return "failed";
  if (has("stopped")) return allFinished ? "stopped" : "stopping";
  if (has("running") || has("retrying")) return "running";
  const begun = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (begun < stepCount) return isPlaceholder(status) ? status : "running";
  return "completed";
}

export type AskedStatus = { status: string | undefined; reason: string | undefined };

/**
 * The next state of a run, asked for by a client or because a step changed; undefined where nothing is to change.
 * Throws `invalid_state` for what cannot follow.
 */
export function nextStatus(run: StatusOfRun, asked: AskedStatus, counts: StepCounts): string | undefined {
  const { status: current } = run;
  const { status: requested, reason } = asked;
  if (requested !== undefined && neverOfRuns.has(requested)) {
    throw invalidState(`Execution status \`${requested}\` is not valid for pipeline runs.`);
  }
  if (requested === "resuming") refuseResuming(run);
  // Whoever executes it may have been faster.
  if (requested === "provisioning" && current !== "initializing") return undefined;
  if (run.is_dynamic && requested === undefined && reason === undefined) return undefined;
  const next = run.is_dynamic
    ? dynamicStatus(current, requested ?? current)
    : statusBySteps(requested ?? current, counts, run.step_count);
  const mayLeave = current === "failed" && next === "resuming";
  if (isFinished(current) && next !== current && !mayLeave) {
    throw invalidState("Cannot update the status of a finished run.");
  }
  return next;
}

const dynamicStatus = (current: string, next: string): string =>
  next === "failed" && (current === "stopping" || current === "stopped") ? "stopped" : next;

function refuseResuming({ status, parent_run_id: parent }: StatusOfRun): void {
  if (status !== "paused" && status !== "failed") {
    throw invalidState("Only failed or paused runs can be resumed.");
  }
  if (parent !== null) throw invalidState("Cannot resume a child run. Resume the parent run instead.");
}

/** The fields of a run that follow from its next state. */
export function statusChange(
  run: StatusOfRun,
  {
    status,
    inProgress,
    reason,
    now,
  }: { status: string; inProgress: boolean } & { reason: string | undefined; now: Micros },
): Pick<PipelineRunRow, "status" | "in_progress" | "end_time" | "status_reason"> {
  const keepsReason = run.status === status || (run.status === "stopping" && status === "stopped");
  const endTime = !inProgress ? (run.end_time ?? now) : status === "resuming" ? null : run.end_time;
  return {
    status,
    in_progress: inProgress,
    end_time: endTime,
    status_reason: reason ?? (keepsReason ? run.status_reason : null),
  };
}

/** Throws `invalid_state` for states that a client cannot give to a step, or not after its state as it is. */
export function refuseStepStatus(current: string | undefined, next: string): void {
  if (neverAsked.has(next)) throw invalidState(`Execution status \`${next}\` cannot be set manually.`);
  if (current === undefined) return;
  if (isFinished(current)) throw invalidState("The status of finished steps can not be updated.");
  if (current === "stopping" && next !== "stopped" && next !== "failed") {
    throw invalidState(`Stopping steps can not be transitioned to status \`${next}\`.`);
  }
  if (current === "cancelling" && next !== "cancelled" && next !== "failed") {
    throw invalidState(`Cancelling steps can not be transitioned to status \`${next}\``);
  }
}

/** A step as far as it decides whether a run goes on. */
export type StepState = {
  name: string;
  status: string;
  start_time: Micros | null;
  latest_heartbeat: Micros | null;
  heartbeat_threshold: number | null;
};

/** What each step of a pipeline waits for; null where the pipeline does not say. */
export type StepGraph = ReadonlyMap<string, readonly string[]> | null;

/** Whether a failed run whose other branches go on still has any that does. Pure. */
export function goesOn(steps: readonly StepState[], graph: StepGraph, now: Micros): boolean {
  if (graph === null) return steps.some(({ status }) => !isFinished(status));
  const byName = new Map(steps.map((step) => [step.name, step]));
  const failed = steps.filter(({ status }) => status === "failed" || status === "cancelled");
  const lost = downstreamOf(
    failed.map(({ name }) => name),
    graph,
  );
  return [...graph.keys()].some((name) => {
    if (lost.has(name)) return false;
    const step = byName.get(name);
    if (step === undefined) return true;
    return !isFinished(step.status) && !isLost(step, now);
  });
}

function downstreamOf(names: readonly string[], graph: ReadonlyMap<string, readonly string[]>): Set<string> {
  const followers = new Map<string, string[]>();
  for (const [name, upstream] of graph) {
    for (const one of upstream) followers.set(one, [...(followers.get(one) ?? []), name]);
  }
  const found = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(...(followers.get(name) ?? []));
  }
  return found;
}

const MINUTE = 60_000_000;

/** Nothing was heard of it for longer than it allows. */
function isLost(
  { heartbeat_threshold: minutes, latest_heartbeat: heard, start_time: begun }: StepState,
  now: Micros,
): boolean {
  const last = heard ?? begun;
  return minutes !== null && last !== null && now - last > minutes * MINUTE;
}
