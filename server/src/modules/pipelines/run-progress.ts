import type { Queryable } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import { updateRow } from "./records.ts";
import { selectStepCounts, selectStepGraph, selectStepStates } from "./run-progress.sql.ts";
import {
  goesOn,
  isFinished,
  nextStatus,
  statusChange,
  type AskedStatus,
  type StepCounts,
} from "./run-status.ts";
import { runs, type PipelineRunRow } from "./run-tables.ts";

const nothing: AskedStatus = { status: undefined, reason: undefined };
const noSteps: StepCounts = new Map();

type Options = {
  asked?: AskedStatus;
  /** Of the run's steps, where they were counted in the transaction. */
  counts?: Promise<StepCounts>;
  now: Micros;
};

/**
 * Brings the state of a run into line with its steps and with what was asked for. The transaction holds the run, so
 * that of steps that end at once the last one sees all others. Throws `invalid_state`.
 */
export async function settleRun(
  transaction: Queryable,
  run: PipelineRunRow,
  { asked = nothing, counts, now }: Options,
): Promise<PipelineRunRow> {
  const counted = run.is_dynamic ? noSteps : await (counts ?? selectStepCounts(transaction, run.id));
  const status = nextStatus(run, asked, counted);
  if (status === undefined) return run;
  const inProgress = await isInProgress(transaction, run, { status, now });
  const change = statusChange(run, { status, inProgress, reason: asked.reason, now });
  const isSame =
    change.status === run.status &&
    change.in_progress === run.in_progress &&
    change.end_time === run.end_time &&
    change.status_reason === run.status_reason;
  return isSame ? run : ((await updateRow(transaction, runs, run.id, change)) ?? run);
}

async function isInProgress(
  transaction: Queryable,
  run: PipelineRunRow,
  { status, now }: { status: string; now: Micros },
): Promise<boolean> {
  if (!isFinished(status)) return true;
  if (run.is_dynamic || status !== "failed" || run.execution_mode !== "continue_on_failure") return false;
  const [steps, graph] = await Promise.all([
    selectStepStates(transaction, run.id),
    run.snapshot_id === null ? null : selectStepGraph(transaction, run.snapshot_id),
  ]);
  return goesOn(steps, graph, now);
}
