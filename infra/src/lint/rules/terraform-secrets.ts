import { childrenOf } from "../../hcl/references.ts";
import type { HclExpression } from "../../hcl/syntax.ts";
import { textOf } from "../../hcl/text.ts";
import { calledModule } from "../../schemas/terraform-calls.ts";
import { indexOf, type ModuleIndex } from "../../schemas/terraform-index.ts";
import { bodySchema } from "../../schemas/terraform-providers.ts";
import type { Problem, Rule } from "../rule.ts";
import { argument, blocksOfKind, known, resourcesOf } from "../terraform-view.ts";
import type { Workspace } from "../workspace.ts";

/** Attributes that are secrets by their provider's word, and those it forgot to mark. */
const unmarked: Readonly<Record<string, string>> = {
  civo_object_store_credential: "secret_access_key",
  civo_database: "password",
};

/** Whether a reference reads something secret. Certificates are marked sensitive too, and are none. */
function readsSecret(reference: { root: string; steps: readonly unknown[] }, onlyUnmarked = false): boolean {
  const isData = reference.root === "data" || reference.root === "ephemeral";
  const [type, , ...rest] = isData ? reference.steps : [reference.root, ...reference.steps];
  if (typeof type !== "string") return false;
  const attribute = rest.find((step) => typeof step === "string" && step !== "*");
  if (typeof attribute !== "string") return false;
  if (unmarked[type] === attribute) return true;
  if (onlyUnmarked || /cert/.test(attribute)) return false;
  const schema = bodySchema(isData ? (reference.root as "data" | "ephemeral") : "resource", type)?.schema;
  const known = schema !== undefined && Object.hasOwn(schema, attribute) ? schema[attribute] : undefined;
  return known?.block === undefined && known?.sensitive === true;
}

/** Secret references of an expression, but for those wrapped in `sensitive(...)`; through local values. */
export function secretsIn(
  index: ModuleIndex,
  expression: HclExpression,
  onlyUnmarked = false,
): { text: string; line: number }[] {
  if (expression.kind === "call" && expression.name === "sensitive") return [];
  if (expression.kind === "call" && /^(?:bcrypt|sha256|sha512|md5|nonsensitive)$/.test(expression.name))
    return [];
  if (expression.kind === "reference") {
    const local =
      expression.root === "local" ? index.locals.get(`local.${String(expression.steps[0])}`) : undefined;
    // A whole map of locals is more than what is read of it.
    if (local !== undefined && expression.steps.length === 1 && local.value.kind !== "object")
      return secretsIn(index, local.value, onlyUnmarked).map(({ text }) => ({ text, line: expression.line }));
    return readsSecret(expression, onlyUnmarked) ? [{ text: textOf(expression), line: expression.line }] : [];
  }
  if (expression.kind === "for") return secretsOfFor(expression);
  return childrenOf(expression).flatMap((part) => secretsIn(index, part, onlyUnmarked));
}

/** `{ for k, v in civo_database.main : k => v.password }`: its parts are known by their text alone. */
function secretsOfFor({
  text,
  references,
  line,
}: Extract<HclExpression, { kind: "for" }>): { text: string; line: number }[] {
  return references.flatMap((reference) => {
    const attribute = reference.kind === "reference" ? unmarked[reference.root] : undefined;
    return attribute !== undefined &&
      new RegExp(`\\.${attribute}\\b`).test(text) &&
      !/\bsensitive\(/.test(text)
      ? [{ text: `${textOf(reference)}[*].${attribute}`, line }]
      : [];
  });
}

function* openOutputs(workspace: Workspace): Iterable<Problem> {
  for (const { file, block, index } of blocksOfKind(workspace, "output")) {
    const value = argument(block.body, "value");
    if (value === undefined || known(index, block.body, "sensitive") === true) continue;
    const name = block.labels[0] ?? "";
    const { line } = value;
    const [secret] = secretsIn(index, value.expression, true);
    if (secret !== undefined)
      yield {
        file,
        line,
        message: `output "${name}" prints ${secret.text}: the provider does not mark it as sensitive`,
      };
    const [marked] = isRoot(index) ? markedIn({ workspace, index }, value.expression) : [];
    if (secret === undefined && marked !== undefined)
      yield {
        file,
        line,
        message: `output "${name}" prints ${marked}, which is marked as sensitive: Terraform refuses it`,
      };
  }
}

/** Only the outputs of a root are refused; those of a module stay marked. */
const isRoot = ({ module }: ModuleIndex): boolean =>
  !module.excerpt &&
  module.files.some(({ body }) =>
    body.blocks.some(
      ({ type, body }) =>
        type === "provider" || (type === "terraform" && body.blocks.some(({ type }) => type === "backend")),
    ),
  );

/** Sensitive variables, and sensitive outputs of the modules that are called. */
function markedIn(
  { workspace, index }: { workspace: Workspace; index: ModuleIndex },
  expression: HclExpression,
): string[] {
  if (expression.kind === "call" && /^(?:nonsensitive|length|keys|can|issensitive)$/.test(expression.name))
    return [];
  if (expression.kind !== "reference")
    return childrenOf(expression).flatMap((part) => markedIn({ workspace, index }, part));
  const [name, ...rest] = expression.steps;
  const variable = expression.root === "var" ? index.variables.get(`var.${String(name)}`) : undefined;
  if (variable !== undefined)
    return known(index, variable.block.body, "sensitive") === true ? [textOf(expression)] : [];
  const call = expression.root === "module" ? index.modules.get(`module.${String(name)}`) : undefined;
  const target = call === undefined ? undefined : calledModule(index, call, workspace.modules);
  const output = rest.find((step) => typeof step === "string" && step !== "*");
  const declared = target === undefined ? undefined : indexOf(target).outputs.get(`output.${String(output)}`);
  return declared !== undefined && known(index, declared.block.body, "sensitive") === true
    ? [textOf(expression)]
    : [];
}

function* releaseSecrets(workspace: Workspace): Iterable<Problem> {
  for (const { file, block, index, address } of resourcesOf(workspace, "helm_release"))
    for (const name of ["values", "set", "set_list"]) {
      const written = argument(block.body, name);
      const expressions = [
        ...(written === undefined ? [] : [written.expression]),
        ...block.body.blocks
          .filter(({ type }) => type === name)
          .flatMap(({ body }) => body.attributes.map(({ value }) => value)),
      ];
      for (const secret of expressions.flatMap((expression) => secretsIn(index, expression)))
        yield {
          file,
          line: secret.line,
          message: `${secret.text} goes into the values of ${address}: it then stands in the release's Secret, in \`helm get values\` and in the state`,
        };
    }
}

/** Secrets on their way through Terraform. */
export const terraformSecretRules: readonly Rule[] = [
  {
    id: "terraform/open-output",
    severity: "error",
    covers: ["E19"],
    title: "an output that prints a secret",
    why: "The provider does not mark it, so plans, logs of CI and `terraform output` show it.",
    remedy: "Set sensitive = true on the output, or wrap the value in sensitive(...).",
    check: openOutputs,
  },
  {
    id: "terraform/secret-in-release",
    severity: "error",
    covers: ["E19"],
    title: "a password in the values of a Helm release",
    why: "Values are kept in the cluster and in the state, and are shown to everyone who may read the release.",
    remedy:
      "Put it into a Secret and name that: database.passwordSecretRef for ZenML, an existing secret for others. Where a chart knows no reference, set_wo is not kept in the state.",
    check: releaseSecrets,
  },
];
