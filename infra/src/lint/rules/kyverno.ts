import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Path, Workspace } from "../workspace.ts";
import { at, fields, list, objectsOf, problemAt } from "./kubernetes-objects.ts";

/** Kyverno: exceptions that except nothing, or too much. */

const POLICIES = ["ClusterPolicy kyverno.io", "Policy kyverno.io"];

type PolicyRule = { policy: Manifest; rule: unknown; path: Path };

const rulesOf = (workspace: Workspace): PolicyRule[] =>
  objectsOf(workspace, ...POLICIES).flatMap((policy) =>
    list(at(policy.value, "spec", "rules")).map((rule, index) => ({
      policy,
      rule,
      path: ["spec", "rules", index],
    })),
  );

function* failureActions(workspace: Workspace): Iterable<Problem> {
  for (const policy of objectsOf(workspace, ...POLICIES)) {
    const spec = fields(at(policy.value, "spec"));
    for (const field of ["validationFailureAction", "validationFailureActionOverrides"]) {
      if (spec[field] === undefined) continue;
      const lower =
        spec[field] === "enforce" || spec[field] === "audit"
          ? `, and so is the lower-case ${spec[field]}`
          : "";
      yield problemAt(policy, { path: ["spec", field], message: `spec.${field} is deprecated${lower}` });
    }
  }
}

/** What people invent to be let off. Kyverno reads none of these. */
const INVENTED =
  /^(?:[\w-]+\.)*kyverno\.io\/(?:[\w.-]*(?:exempt|skip|ignore|exclude|bypass|disable)[\w.-]*)$/i;

function* inventedAnnotations(workspace: Workspace): Iterable<Problem> {
  for (const manifest of workspace.manifests)
    for (const section of ["annotations", "labels"])
      for (const key of Object.keys(fields(at(manifest.value, "metadata", section))))
        if (
          INVENTED.test(key) &&
          !key.startsWith("policies.kyverno.io/") &&
          key !== "reports.kyverno.io/disabled"
        )
          yield problemAt(manifest, {
            path: ["metadata", section, key],
            message: `${key} is nothing that Kyverno knows: it exempts ${manifest.kind} ${manifest.name} from nothing`,
          });
}

function* selfExemption(workspace: Workspace): Iterable<Problem> {
  for (const { policy, rule, path } of rulesOf(workspace))
    for (const [index, pattern] of list(at(rule, "validate", "anyPattern")).entries()) {
      const keys = Object.keys(fields(pattern));
      const metadata = Object.keys(fields(at(pattern, "metadata")));
      if (
        keys.length !== 1 ||
        metadata.length === 0 ||
        !metadata.every((key) => key === "annotations" || key === "labels")
      )
        continue;
      const own = metadata.flatMap((key) => Object.keys(fields(at(pattern, "metadata", key)))).join(", ");
      yield problemAt(policy, {
        path: [...path, "validate", "anyPattern", index],
        message: `whoever writes a pod can write ${own} on it, and is then exempt from the policy ${policy.name}`,
      });
    }
}

type Filter = { filter: unknown; path: Path };

const excludesOf = ({ rule, path }: PolicyRule): Filter[] => [
  ...["any", "all"].flatMap((key) =>
    list(at(rule, "exclude", key)).map((filter, index) => ({
      filter: at(filter, "resources"),
      path: [...path, "exclude", key, index, "resources"],
    })),
  ),
  ...(at(rule, "exclude", "resources") === undefined
    ? []
    : [{ filter: at(rule, "exclude", "resources"), path: [...path, "exclude", "resources"] }]),
];

const matchesPods = ({ rule }: PolicyRule): boolean =>
  /"kinds":\[[^\]]*"(?:v1\/)?Pod"/.test(JSON.stringify(at(rule, "match") ?? {}));

function* autogen(workspace: Workspace): Iterable<Problem> {
  for (const one of rulesOf(workspace)) {
    if (!matchesPods(one)) continue;
    const excluded = excludesOf(one).find(({ filter }) => at(filter, "selector") !== undefined);
    if (excluded === undefined) continue;
    yield problemAt(one.policy, {
      path: [...excluded.path, "selector"],
      message: `a label selector among the exclusions turns off the rules that Kyverno makes for Deployments and other controllers: ${one.policy.name} refuses their pods only`,
    });
  }
}

/** Namespaces of the cluster itself: what runs in them does not come from application teams. */
const OF_CLUSTER =
  /^(?:kube-(?:system|public|node-lease)|kyverno(?:-.*)?|.*-system|istio-.*|cert-manager|monitoring|argocd|gatekeeper.*|local-path-storage|policy-reporter|external-secrets|flux.*|gke-.*|gmp-.*|cnpg-.*)$/;
const OF_APPLICATIONS = /zenml|mlflow|mlops|plinth|models?\b|kubeflow|seldon|jupyter/i;

const isApplication = (namespace: unknown): boolean =>
  typeof namespace === "string" &&
  (OF_APPLICATIONS.test(namespace) ||
    (!isTemplated(namespace) && !namespace.includes("*") && !OF_CLUSTER.test(namespace)));

function* wideExemption(workspace: Workspace): Iterable<Problem> {
  for (const one of rulesOf(workspace))
    for (const { filter, path } of excludesOf(one))
      for (const [index, namespace] of list(at(filter, "namespaces")).entries())
        if (isApplication(namespace))
          yield problemAt(one.policy, {
            path: [...path, "namespaces", index],
            message: `the policy ${one.policy.name} exempts all of ${String(namespace)}, now and for ever`,
          });
  for (const { variables } of workspace.modules)
    for (const { file, body } of variables)
      for (const { name, value, line } of body.attributes) {
        if (!/kyverno.*(?:exclu|exempt)/i.test(name) || value.kind !== "tuple") continue;
        const wide = value.items.find(
          (item) => item.kind === "literal" && OF_APPLICATIONS.test(String(item.value)),
        );
        if (wide?.kind === "literal")
          yield { file, line, message: `${name} exempts all of ${String(wide.value)}, now and for ever` };
      }
}

/** Rules that check the same, by what they match and validate. */
const identity = ({ rule }: PolicyRule): string =>
  JSON.stringify([
    at(rule, "match"),
    at(rule, "validate", "pattern"),
    at(rule, "validate", "anyPattern"),
    at(rule, "validate", "cel"),
  ]);

const SECOND = /(?:updated|exclusion|exempt|exception|override|relaxed)/i;

function* secondPolicy(workspace: Workspace): Iterable<Problem> {
  const all = rulesOf(workspace);
  const told = new Set<Manifest>();
  for (const one of all) {
    const { policy, rule } = one;
    if (at(rule, "exclude") === undefined || told.has(policy)) continue;
    const first = all.find((other) => other.policy.name !== policy.name && identity(other) === identity(one));
    if (first === undefined && !SECOND.test(policy.name)) continue;
    told.add(policy);
    const which =
      first === undefined
        ? "the policy that it is to relax"
        : `the policy ${first.policy.name}, which checks the same`;
    yield problemAt(policy, {
      path: ["metadata", "name"],
      message: `what ${policy.name} excludes is still refused by ${which}: each policy decides for itself`,
    });
  }
}

export const kyvernoRules: readonly Rule[] = [
  {
    id: "kyverno/failure-action",
    severity: "warning",
    covers: ["E18"],
    title: "the failure action at the place where it is deprecated",
    why: "Kyverno moved it into each rule, and writes it with a capital.",
    remedy:
      "Set rules[].validate.failureAction: Enforce; better, move to ValidatingPolicy of policies.kyverno.io/v1 with validationActions.",
    check: failureActions,
  },
  {
    id: "kyverno/invented-annotation",
    severity: "error",
    covers: ["E18"],
    title: "an annotation that is to exempt from policies",
    why: "Kyverno has no such feature: the object is judged like any other.",
    remedy: "Write a PolicyException that names the policy, the rule and the object.",
    check: inventedAnnotations,
  },
  {
    id: "kyverno/self-exemption",
    severity: "error",
    covers: ["E18"],
    title: "a policy that any pod can exempt itself from",
    why: "anyPattern is fulfilled by one of its patterns; one of them is an annotation of the pod.",
    remedy: "Take the pattern out; write a PolicyException where one is wanted.",
    check: selfExemption,
  },
  {
    id: "kyverno/autogen-off",
    severity: "warning",
    covers: ["E18"],
    title: "an exclusion that turns off the rules for controllers",
    why: "Kyverno derives rules for Deployments, Jobs and so on from a rule on pods, unless the rule excludes by labels, names or annotations. A Deployment is then accepted, and its pods are refused in silence.",
    remedy: "Use a PolicyException instead of a selector.",
    check: autogen,
  },
  {
    id: "kyverno/wide-exemption",
    severity: "warning",
    covers: ["E18"],
    title: "a whole application namespace exempt from a policy",
    why: "Everything that is ever deployed there is exempt.",
    remedy: "Let the workloads fulfil the policy; write a PolicyException for the one that cannot.",
    check: wideExemption,
  },
  {
    id: "kyverno/second-policy",
    severity: "error",
    covers: ["E18"],
    title: "a second policy that is to relax the first",
    why: "All policies apply: an exclusion in one does not reach another.",
    remedy: "Change the first policy, or write a PolicyException for it.",
    check: secondPolicy,
  },
];
