import type { Severity } from "../finding.ts";
import type { Workspace } from "./workspace.ts";

/** What a rule saw. Severity and id come from the rule unless said here. */
export type Problem = {
  file: string;
  line: number;
  message: string;
  /** When it differs from the rule's own. */
  remedy?: string;
  severity?: Severity;
};

/** One check of files. Each has a test with an input that trips it and one that does not. */
export type Rule = {
  /** `family/what-is-wrong`, for example `helm/unknown-value`. Stays for ever. */
  id: string;
  severity: Severity;
  /** The mistakes of the catalogue it covers, `E01` to `E61`; empty for those found since. */
  covers: readonly string[];
  /** One line for `plinth lint --rules`. */
  title: string;
  /** Why it fails, in the words of a colleague, with the source where one is known. */
  why: string;
  remedy: string;
  check(workspace: Workspace): Iterable<Problem>;
};
