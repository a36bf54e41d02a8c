import type { Severity } from "../finding.ts";
import type { Environment } from "../spec/platform.ts";
import type { SettingPath } from "../spec/resolve.ts";

/** What a rule saw in a resolved environment. The path is within the environment: `["tracking", "replicas"]`. */
export type SpecProblem = {
  path: SettingPath;
  /** What was seen, with its value, and why it fails. */
  message: string;
  /** Two ways out. */
  remedy: string;
};

/** One rule over the settings of an environment. Each has a test with settings that trip it and some that do not. */
export type SpecRule = {
  /** `family/what-is-wrong`, for example `gcp/autopilot-node-pools`. Stays for ever. */
  id: string;
  severity: Severity;
  /** The mistakes of the catalogue it covers, `E01` to `E61`. */
  covers: readonly string[];
  /** One line for `plinth lint --rules`. */
  title: string;
  why: string;
  check(environment: Environment): SpecProblem[];
};
