import { checkModule } from "../../schemas/terraform.ts";
import type { TerraformProblemKind } from "../../schemas/terraform-problem.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Workspace } from "../workspace.ts";

function* problemsOf(workspace: Workspace, kind: TerraformProblemKind): Iterable<Problem> {
  for (const module of workspace.modules)
    for (const { kind: seen, file, line, message, remedy, severity } of checkModule(
      module,
      workspace.modules,
    )) {
      if (seen !== kind) continue;
      if (kind === "missing-argument" && module.excerpt && isShortened(workspace, { file, line })) continue;
      yield {
        file,
        line,
        message,
        ...(remedy === undefined ? {} : { remedy }),
        ...(severity === undefined ? {} : { severity }),
      };
    }
}

/** A document that writes `# ...` leaves things out on purpose. */
function isShortened(workspace: Workspace, { file, line }: { file: string; line: number }): boolean {
  const snippet = workspace.snippets.find(
    ({ file: of, firstLine, text }) =>
      of === file && firstLine <= line && line < firstLine + text.split("\n").length,
  );
  if (snippet === undefined) return false;
  const rest = snippet.text.split("\n").slice(line - snippet.firstLine);
  const end = rest.findIndex((one, at) => at > 0 && /^\s{0,2}\}/.test(one));
  return rest.slice(0, end < 0 ? undefined : end + 1).some((one) => /(?:#|\/\/).*(?:\.\.\.|…)/.test(one));
}

const syntax: Rule = {
  id: "terraform/syntax",
  severity: "error",
  covers: ["E16", "E42"],
  title: "HCL that Terraform cannot read",
  why: "Terraform reads all files of a folder before it does anything: one that it cannot read stops everything.",
  remedy:
    "Correct it. A conditional over several lines needs parentheses; two environments need two variable files.",
  *check({ broken }) {
    for (const { file, line, language, message } of broken) {
      const isTerraform =
        language === "hcl" ||
        language === "tfvars" ||
        (language === "json" && /\.tf(?:vars)?\.json$/.test(file));
      if (isTerraform) yield { file, line, message };
    }
  },
};

type Described = Omit<Rule, "check"> & { kind: TerraformProblemKind };

const described: readonly Described[] = [
  {
    id: "terraform/unknown-type",
    kind: "unknown-type",
    severity: "error",
    covers: [],
    title: "a resource or data source that the provider does not have",
    why: "`terraform validate` refuses the type.",
    remedy: "Correct the name.",
  },
  {
    id: "terraform/unknown-argument",
    kind: "unknown-argument",
    severity: "error",
    covers: ["E55"],
    title: "an argument or block that the provider does not have",
    why: "`terraform validate` refuses it: the schema of a resource is closed.",
    remedy: "Correct the name, or take it out.",
  },
  {
    id: "terraform/missing-argument",
    kind: "missing-argument",
    severity: "error",
    covers: ["E58"],
    title: "an argument or block that the provider demands is not there",
    why: "`terraform validate` refuses the resource.",
    remedy: "Set it.",
  },
  {
    id: "terraform/block-or-argument",
    kind: "block-or-argument",
    severity: "error",
    covers: [],
    title: "a block written as an argument, or an argument written as a block",
    why: "HCL knows them apart by the equals sign, and `terraform validate` refuses the one for the other. Helm's provider changed `set` from one to the other in version 3.",
    remedy: "Write `name { ... }` for a block, `name = ...` for an argument.",
  },
  {
    id: "terraform/block-count",
    kind: "block-count",
    severity: "error",
    covers: [],
    title: "more or fewer blocks than the provider admits",
    why: "`terraform validate` refuses the resource.",
    remedy: "Write as many as are admitted.",
  },
  {
    id: "terraform/computed-argument",
    kind: "computed-argument",
    severity: "error",
    covers: [],
    title: "an argument set that only the provider sets",
    why: "`terraform validate` answers that its value cannot be configured.",
    remedy: "Take it out.",
  },
  {
    id: "terraform/wrong-type",
    kind: "wrong-type",
    severity: "error",
    covers: ["E55"],
    title: "a value of the wrong type",
    why: "`terraform validate` refuses what it cannot convert: an object for a text, a list for a map.",
    remedy: "Write a value of the type that is asked for; for a text that holds JSON, jsonencode(...).",
  },
  {
    id: "terraform/invalid-value",
    kind: "value-limit",
    severity: "error",
    covers: ["E54"],
    title: "a value that the provider does not admit",
    why: "The provider checks allowed values, lengths, ranges and forms in `terraform validate`.",
    remedy: "Take one of the values that are admitted.",
  },
  {
    id: "terraform/argument-conflict",
    kind: "argument-conflict",
    severity: "error",
    covers: ["E41"],
    title: "arguments that exclude one another, or one without the other it needs",
    why: "`terraform validate` refuses them together: an Autopilot cluster, for one, manages its nodes itself.",
    remedy: "Keep those that belong together.",
  },
  {
    id: "terraform/deprecated",
    kind: "deprecated",
    severity: "warning",
    covers: ["E22"],
    title: "a deprecated resource, block or argument",
    why: "It works and warns now; a coming major version of the provider removes it.",
    remedy: "Use its successor.",
  },
  {
    id: "terraform/unresolved-reference",
    kind: "unresolved-reference",
    severity: "error",
    covers: ["E58"],
    title: "a reference to something that is not declared, or has no such attribute",
    why: "`terraform validate` refuses the module.",
    remedy: "Declare it, or correct the name.",
  },
  {
    id: "terraform/function",
    kind: "function",
    severity: "error",
    covers: [],
    title: "a function that Terraform does not have, or with too few or too many arguments",
    why: "`terraform validate` refuses the call: functions cannot be declared.",
    remedy: "Use a function that there is.",
  },
  {
    id: "terraform/duplicate",
    kind: "duplicate",
    severity: "error",
    covers: ["E58"],
    title: "one name declared twice in a module",
    why: "All files of a folder are one module: names of one kind must differ. In a document, whoever copies both blocks gets the error.",
    remedy: "Give one of them another name, or make one of the two.",
  },
  {
    id: "terraform/cycle",
    kind: "cycle",
    severity: "error",
    covers: ["E59"],
    title: "resources that need one another in a ring",
    why: 'Terraform cannot tell which to create first and stops with "Error: Cycle".',
    remedy: "Take one of the references out.",
  },
  {
    id: "terraform/module-argument",
    kind: "module-argument",
    severity: "error",
    covers: [],
    title: "an argument that a module of the same repository does not declare, or needs",
    why: "`terraform validate` refuses the call of the module; what the type of a variable does not have is dropped without a word.",
    remedy: "Let the call and the variables of the module agree.",
  },
  {
    id: "terraform/provider-source",
    kind: "provider-source",
    severity: "error",
    covers: [],
    title: "a provider whose source is not told, or is wrong",
    why: "Terraform looks for a provider without a source under hashicorp/, where only HashiCorp's own are: `terraform init` fails. Each module says for itself.",
    remedy: "Name it with its source in required_providers of the module.",
  },
];

/** What Terraform and the schemas of the providers say of a module. */
export const terraformSchemaRules: readonly Rule[] = [
  syntax,
  ...described.map(({ kind, ...rule }): Rule => ({
    ...rule,
    check: (workspace) => problemsOf(workspace, kind),
  })),
];
