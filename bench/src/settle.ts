import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { familyOf } from "./memory.ts";

/** Linux counts processor time in hundredths of a second. */
export const TICKS_PER_SECOND = 100;

/**
 * Waits until the processes and all they started use less than 3 % of one core for two seconds: a server
 * may answer while most of its workers are still importing, and autovacuum may still be at the last work.
 */
export async function settle(roots: readonly number[], limitSeconds = 60): Promise<void> {
  let before = ticksOf(roots);
  let calm = 0;
  for (let second = 0; second < limitSeconds && calm < 2; second++) {
    await sleep(1000);
    const now = ticksOf(roots);
    calm = now - before < 0.03 * TICKS_PER_SECOND ? calm + 1 : 0;
    before = now;
  }
}

function ticksOf(roots: readonly number[]): number {
  let total = 0;
  for (const pid of familyOf(roots)) {
    try {
      total += readTicks(pid, [11, 12, 13, 14]);
    } catch {
      // The process is gone.
    }
  }
  return total;
}

/** Of one process, without its children. */
export const ticksOfProcess = (pid: number): number => readTicks(pid, [11, 12]);

/** utime, stime, and those of children that ended (proc(5)), after the name in parentheses. */
function readTicks(pid: number, fields: readonly number[]): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return fields.reduce((sum, at) => sum + Number(stat[at]), 0);
}
