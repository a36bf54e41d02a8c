import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const EVERY_MS = 15_000;
/** Of the time between two looks, at most this much was work. */
const QUIET = 0.02;
/** Less is not worth the 40 ms that it takes. */
const WORTH_BYTES = 32 * 2 ** 20;

/**
 * Gives memory back when there is nothing to do: after the start about 40 MiB, after work more. Left alone, V8 keeps
 * what it took until something makes it collect, in a quiet process for hours.
 */
export function returnMemoryAtRest(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") return;
  let before = performance.eventLoopUtilization();
  let atRest = 0;
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > QUIET || process.memoryUsage.rss() - atRest < WORTH_BYTES) return;
    // Only what V8 does as its last resort hands empty pages back to the system at once.
    collect({ type: "major", flavor: "last-resort" });
    atRest = process.memoryUsage.rss();
  }, EVERY_MS).unref();
}
