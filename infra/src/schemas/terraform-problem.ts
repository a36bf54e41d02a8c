import type { Severity } from "../finding.ts";

/** What can be wrong with a module by the schemas of its providers and by Terraform's own rules. */
export type TerraformProblemKind =
  | "unknown-type"
  | "unknown-argument"
  | "missing-argument"
  | "block-or-argument"
  | "block-count"
  | "computed-argument"
  | "wrong-type"
  | "value-limit"
  | "argument-conflict"
  | "deprecated"
  | "unresolved-reference"
  | "duplicate"
  | "cycle"
  | "module-argument"
  | "provider-source"
  | "function";

export type TerraformProblem = {
  kind: TerraformProblemKind;
  file: string;
  line: number;
  message: string;
  remedy?: string;
  severity?: Severity;
};

/** Collects problems of one file. */
export type Report = (problem: Omit<TerraformProblem, "file">) => void;
