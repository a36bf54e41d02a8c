/** Something of the source that cannot be taken as it is. Nothing is left out without one. */
export type SourceProblem = {
  /** The file, folder, address or entity. */
  where: string;
  what: string;
  /** What the import does about it, for example `the run is left out`. */
  effect: string;
};

export type OnProblem = (problem: SourceProblem) => void;
