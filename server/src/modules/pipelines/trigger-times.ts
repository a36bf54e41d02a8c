import { invalidParameter } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { nextOccurrence, parseCron } from "./cron.ts";

/** When a trigger fires by time: by a crontab, every so many seconds, or once. */
export type TriggerTimes = {
  readonly cron_expression: string | null;
  /** Seconds. */
  readonly interval: number | null;
  readonly start_time: Micros | null;
  readonly end_time: Micros | null;
  readonly run_once_start_time: Micros | null;
};

const MS = 1000;
const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;

/** Throws `invalid_parameter` for a crontab that never happens or is none. Of intervals, to the minute. */
export function firstOccurrence(times: TriggerTimes, now: Micros): Micros | null {
  const { cron_expression: cron, interval, start_time: start, run_once_start_time: once } = times;
  const soon = now + SECOND;
  if (cron !== null) {
    const base = start !== null && start > soon ? start : soon;
    const at = nextOccurrence(parseCron(cron), base / MS);
    if (at === undefined) throw invalidParameter(`[${cron}] is no time that ever comes.`);
    return at * MS;
  }
  if (interval !== null && start !== null) {
    if (start > soon) return start;
    const passed = Math.floor((soon - start) / (interval * SECOND));
    return Math.floor((start + (passed + 1) * interval * SECOND) / MINUTE) * MINUTE;
  }
  return once;
}
