import type { Log } from "./log.ts";

export type Job = { name: string; everyMs: number; run(): Promise<void> };

export type Jobs = { stop(): Promise<void> };

/**
 * Runs each job again and again, with a pause between the end of one run and the start of the next. Every
 * process runs them all: jobs claim their work with `for update skip locked`.
 */
export function startJobs(jobs: readonly Job[], log: Log): Jobs {
  let stopped = false;
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Map<string, Promise<void>>();
  const schedule = (job: Job): void => {
    if (stopped) return;
    const timer = setTimeout(() => {
      const run = job
        .run()
        .catch((error: unknown) => log.warn({ err: error, job: job.name }, "job failed"))
        .finally(() => schedule(job));
      running.set(job.name, run);
    }, job.everyMs);
    timers.set(job.name, timer.unref());
  };
  for (const job of jobs) schedule(job);
  return {
    async stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
