import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { familyOf } from "./memory.ts";

/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

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
      // utime, stime, and those of children that ended (proc(5)), after the name in parentheses.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      total += [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    } catch {
      // The process is gone.
    }
  }
  return total;
}
