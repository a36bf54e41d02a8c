import type { HclExpression } from "../../hcl/syntax.ts";
import { textOf } from "../../hcl/text.ts";
import { valueOf } from "../../hcl/value.ts";
import { isMadeAfter } from "../../schemas/terraform-graph.ts";
import type { Problem, Rule } from "../rule.ts";
import {
  argument,
  blocksOfKind,
  known,
  mayBe,
  resourcesIn,
  resourcesOf,
  type TerraformObject,
} from "../terraform-view.ts";
import type { TerraformModule, Workspace } from "../workspace.ts";

type Namespace = TerraformObject & { written: string };

function* missingDependencies(workspace: Workspace): Iterable<Problem> {
  for (const module of workspace.modules) {
    const namespaces = namespacesIn(module);
    if (namespaces.length === 0) continue;
    for (const object of resourcesIn(module)) {
      const place = namespaceOf(object);
      if (place === undefined) continue;
      const namespace = namespaces.find(({ written }) => written === textOf(place.expression));
      if (namespace === undefined) continue;
      if (isMadeAfter(object.index, { from: object.address, to: namespace.address })) continue;
      yield {
        file: object.file,
        line: place.line,
        message: `${object.address} is made in the namespace of ${namespace.address}, but nothing says that the namespace comes first`,
        remedy: `Write namespace = ${referenceTo(namespace)}, or depends_on = [${namespace.address}].`,
      };
    }
  }
}

const referenceTo = ({ address, block }: Namespace): string =>
  `${address}${argument(block.body, "count") === undefined ? "" : "[0]"}.metadata[0].name`;

function namespacesIn(module: TerraformModule): Namespace[] {
  return resourcesIn(module, "kubernetes_namespace", "kubernetes_namespace_v1").flatMap((object) => {
    const name = argument(object.block.body, "metadata", "name");
    return name === undefined ? [] : [{ ...object, written: textOf(name.expression) }];
  });
}

/** Where a resource says which namespace it goes to; undefined when it makes it itself. */
function namespaceOf(object: TerraformObject): { expression: HclExpression; line: number } | undefined {
  const { type, index, block } = object;
  if (type === "helm_release")
    return mayBe(known(index, block.body, "create_namespace"), true)
      ? undefined
      : argument(block.body, "namespace");
  if (type === "kubectl_manifest") {
    const body = argument(block.body, "yaml_body");
    return body === undefined ? undefined : namespaceInYaml(body.expression);
  }
  return type.startsWith("kubernetes_") ? argument(block.body, "metadata", "namespace") : undefined;
}

/** `namespace: ${...}` of the metadata in a manifest written as a template. */
function namespaceInYaml(expression: HclExpression): { expression: HclExpression; line: number } | undefined {
  if (expression.kind !== "template") return undefined;
  const at = expression.parts.findIndex(
    (part) => typeof part === "string" && /^metadata:\n(?: .*\n)*? {1,4}namespace: *"?$/m.test(part),
  );
  const found = at < 0 ? undefined : expression.parts[at + 1];
  return found === undefined || typeof found === "string"
    ? undefined
    : { expression: found, line: found.line };
}

/** Things that are there before they work. */
const slow = /^(?:kubectl_|helm_|kubernetes_)/;

function* sleeps(workspace: Workspace): Iterable<Problem> {
  for (const sleep of resourcesOf(workspace, "time_sleep")) {
    const { index, file, line, block, address } = sleep;
    if (argument(block.body, "create_duration") === undefined) continue;
    const waitedFor = [...index.objects.values()].find(
      ({ address: other, block }) => slow.test(block.labels[0] ?? "") && isDirect(sleep, other),
    );
    if (waitedFor === undefined) continue;
    const duration = valueOf(
      argument(block.body, "create_duration")?.expression ?? { kind: "literal", value: "", line },
    );
    yield {
      file,
      line,
      message: `${address} waits ${typeof duration === "string" ? duration : "some time"} after ${waitedFor.address}, whether that works by then or not`,
      remedy: remedyFor(waitedFor.block.labels[0] ?? ""),
    };
  }
}

const isDirect = ({ block }: TerraformObject, other: string): boolean =>
  ["depends_on", "triggers"].some((name) => {
    const written = argument(block.body, name);
    return written !== undefined && textOf(written.expression).includes(other);
  });

const remedyFor = (type: string): string =>
  type === "kubectl_manifest"
    ? 'Let kubectl_manifest itself wait: wait_for { field { key = "status.phase", value = ... } } or a condition.'
    : type === "helm_release"
      ? "helm_release waits by itself unless wait = false: depend on it directly."
      : "Depend on something that shows readiness: wait_for_rollout, wait_until_bound, a condition.";

const successors: Readonly<Record<string, string>> = { "gavinbunney/kubectl": "alekc/kubectl" };

function* endedProviders(workspace: Workspace): Iterable<Problem> {
  for (const { file, block } of blocksOfKind(workspace, "terraform"))
    for (const providers of block.body.blocks.filter(({ type }) => type === "required_providers"))
      for (const { value, line } of providers.body.attributes) {
        const told = valueOf(value);
        const source =
          typeof told === "object" && told !== null && "source" in told ? String(told.source) : "";
        const successor = successors[source.toLowerCase().replace(/^registry\.terraform\.io\//, "")];
        if (successor === undefined) continue;
        yield {
          file,
          line,
          message: `The provider ${source} has had no release since February 2025`,
          remedy: `Use ${successor}, which has the same resources: \`terraform state replace-provider\` moves the state.`,
        };
      }
}

/** Order of creation, and providers that have ended. */
export const terraformOrderRules: readonly Rule[] = [
  {
    id: "terraform/missing-dependency",
    severity: "error",
    covers: ["E17"],
    title: "an object that may be made before its namespace",
    why: "Two resources that read the same variable have no order: Terraform makes both at once, and the API answers that the namespace is not found.",
    remedy: "Refer to the namespace resource, or name it in depends_on.",
    check: missingDependencies,
  },
  {
    id: "terraform/sleep-for-readiness",
    severity: "warning",
    covers: ["E17"],
    title: "a fixed time instead of a check for readiness",
    why: "On a slow day the time is too short, on all others too long; what comes after fails, and a failed Helm hook does not run again.",
    remedy: "Wait for a condition.",
    check: sleeps,
  },
  {
    id: "terraform/ended-provider",
    severity: "warning",
    covers: ["E22"],
    title: "a provider that nobody maintains any more",
    why: "It will not learn new versions of Terraform or Kubernetes.",
    remedy: "Use its successor.",
    check: endedProviders,
  },
];
