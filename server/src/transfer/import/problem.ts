/** Something of the source that cannot be taken as it is. Nothing is left out without one. */
export type SourceProblem = {
  /** The file, folder, address or entity. */
  where: string;
  what: string;
  /** What the import does about it, for example `the run is left out`. */
  effect: string;
};

export type OnProblem = (problem: SourceProblem) => void;

/** What was told since it was last asked for: a page's problems are stored with the page. */
export type ProblemLog = { onProblem: OnProblem; take(): SourceProblem[] };

/** A file of a million broken lines is one problem, a folder of a million broken files is this many. */
const MOST = 10_000;

export function createProblemLog(): ProblemLog {
  let told: SourceProblem[] = [];
  return {
    onProblem(problem) {
      if (told.length < MOST) told.push(problem);
    },
    take() {
      const taken = told;
      told = [];
      return taken;
    },
  };
}
