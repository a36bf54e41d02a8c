/** The phases of an import in their order. */
export const phases = [
  "experiments",
  "datasets",
  "runs",
  "logged_models",
  "registered_models",
  "model_versions",
  "aliases",
  "run_artifacts",
  "model_artifacts",
  "version_artifacts",
  "verification",
] as const;

export type Phase = (typeof phases)[number];

/** Told after every commit: what is done of a phase by now, what was done by an earlier process included. */
export type ImportProgress = {
  phase: Phase;
  /** What is counted: the phase's entities, in `runs` points where they are known. */
  done: number;
  /** Undefined where the source cannot tell. */
  total: number | undefined;
};

export type OnProgress = (progress: ImportProgress) => void;
