import { Listr, type ListrTaskWrapper } from "listr2";
import { phases, type ImportProgress, type Phase } from "../../../server/src/transfer/import/index.ts";
import type { Output } from "../output.ts";

/** Tells people, or programs, how far an import is. */
export type ProgressDisplay = {
  progress(progress: ImportProgress): void;
  note(line: string): void;
  /** Ends the display; with the error when there was one. */
  end(error?: unknown): Promise<void>;
};

const titles: Readonly<Record<Phase, string>> = {
  experiments: "Experiments",
  datasets: "Datasets",
  runs: "Runs, parameters, tags and metric history",
  logged_models: "Logged models",
  registered_models: "Registered models",
  model_versions: "Model versions",
  aliases: "Aliases",
  run_artifacts: "Files of runs",
  model_artifacts: "Files of logged models",
  version_artifacts: "Files of versions",
  verification: "Verification: both sides compared",
};

export function createProgressDisplay(
  output: Output,
  phasesShown: readonly Phase[] = phases,
): ProgressDisplay {
  const timing = createTiming();
  if (output.json) return jsonLines(timing);
  return process.stderr.isTTY ? taskList(timing, phasesShown) : plainLines(output, timing);
}

type Timing = (progress: ImportProgress) => { perSecond: number; secondsLeft: number | undefined };

/** The rate since a phase began in this process, and from it the rest. */
function createTiming(): Timing {
  const starts = new Map<Phase, { at: number; done: number }>();
  return ({ phase, done, total }) => {
    const now = performance.now();
    const start = starts.get(phase) ?? { at: now, done };
    starts.set(phase, start);
    const seconds = (now - start.at) / 1000;
    const perSecond = seconds > 0 ? (done - start.done) / seconds : 0;
    const secondsLeft =
      total === undefined || perSecond <= 0 || seconds < 2
        ? undefined
        : Math.max(0, total - done) / perSecond;
    return { perSecond, secondsLeft };
  };
}

/** One line of JSON on standard error for each second of a phase, and for its last state. */
function jsonLines(timing: Timing): ProgressDisplay {
  const write = (event: Record<string, unknown>): void =>
    void process.stderr.write(`${JSON.stringify(event)}\n`);
  const due = everySoOften(1000);
  return {
    progress(progress) {
      const { perSecond, secondsLeft } = timing(progress);
      if (!due(progress)) return;
      write({
        event: "progress",
        phase: progress.phase,
        done: progress.done,
        total: progress.total ?? null,
        per_second: Math.round(perSecond),
        seconds_left: secondsLeft === undefined ? null : Math.round(secondsLeft),
      });
    },
    note: (line) => write({ event: "note", message: line }),
    end: () => Promise.resolve(),
  };
}

function plainLines(output: Output, timing: Timing): ProgressDisplay {
  const due = everySoOften(5000);
  return {
    progress(progress) {
      const state = describe(progress, timing(progress));
      if (due(progress)) output.progress(`${titles[progress.phase]}: ${state}`);
    },
    note: (line) => output.progress(line),
    end: () => Promise.resolve(),
  };
}

/** True for the first of a phase, then not more often than so many milliseconds, and for one that ends it. */
function everySoOften(milliseconds: number): (progress: ImportProgress) => boolean {
  let last: Phase | undefined;
  let told = 0;
  return ({ phase, done, total }) => {
    const now = performance.now();
    if (phase === last && now - told < milliseconds && done !== total) return false;
    last = phase;
    told = now;
    return true;
  };
}

function describe({ done, total }: ImportProgress, { perSecond, secondsLeft }: ReturnType<Timing>): string {
  const parts = [total === undefined ? count(done) : `${count(done)} of ${count(total)}`];
  if (total !== undefined && total > 0)
    parts[0] += ` (${Math.floor((Math.min(done, total) / total) * 100)} %)`;
  if (perSecond >= 1) parts.push(`${count(Math.round(perSecond))} a second`);
  if (secondsLeft !== undefined) parts.push(`about ${duration(secondsLeft)} left`);
  return parts.join(", ");
}

const count = (value: number): string => value.toLocaleString("en-US");

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const BAR = 30;

const bar = (done: number, total: number): string => {
  const filled = total === 0 ? BAR : Math.round((Math.min(done, total) / total) * BAR);
  return `${"█".repeat(filled)}${"░".repeat(BAR - filled)} `;
};

type PhaseTask = {
  task?: ListrTaskWrapper<unknown, never, never>;
  shown?: string;
  finish: PromiseWithResolvers<void>;
};

/** A list of the phases, with a bar below the one that is worked on. */
function taskList(timing: Timing, shown: readonly Phase[]): ProgressDisplay {
  const states = new Map<Phase, PhaseTask>(
    shown.map((phase) => [phase, { finish: Promise.withResolvers<void>() }]),
  );
  let current: Phase | undefined;
  const list = new Listr(
    shown.map((phase) => ({
      title: titles[phase],
      task: async (_context: unknown, task: unknown): Promise<void> => {
        const state = states.get(phase);
        if (state === undefined) return;
        state.task = task as ListrTaskWrapper<unknown, never, never>;
        if (state.shown !== undefined) state.task.output = state.shown;
        await state.finish.promise;
      },
    })),
    {
      concurrent: false,
      exitOnError: true,
      rendererOptions: { collapseErrors: false, showErrorMessage: false },
    },
  );
  const run = list.run().catch(() => undefined);
  const finishUpTo = (phase: Phase | undefined): void => {
    for (const [name, state] of states) {
      if (name === phase) return;
      state.finish.resolve();
    }
  };
  return {
    progress(progress) {
      const { phase, done, total } = progress;
      if (phase !== current) finishUpTo(phase);
      current = phase;
      const state = states.get(phase);
      if (state === undefined) return;
      const text = `${total === undefined ? "" : bar(done, total)}${describe(progress, timing(progress))}`;
      state.shown = text;
      if (state.task !== undefined) state.task.output = text;
    },
    note(line) {
      process.stderr.write(`${line}\n`);
    },
    async end(error) {
      if (error === undefined) finishUpTo(undefined);
      else if (current === undefined) states.get(shown[0] as Phase)?.finish.reject(error);
      else states.get(current)?.finish.reject(error);
      await run;
    },
  };
}
