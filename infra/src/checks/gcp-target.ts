import type { Environment } from "../spec/platform.ts";
import type { GcpTarget } from "../spec/target.ts";
import type { SpecProblem, SpecRule } from "./check.ts";

type OnGoogle = { environment: Environment; target: GcpTarget };

/** A check of environments on Google Cloud: others have nothing to do with it. */
export const onGoogle =
  (check: (found: OnGoogle) => SpecProblem[]): SpecRule["check"] =>
  (environment) =>
    environment.target.kind === "gcp" ? check({ environment, target: environment.target }) : [];
