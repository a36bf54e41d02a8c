import { distance } from "fastest-levenshtein";
import { kindsOfGroup } from "../../schemas/kubernetes-kinds.ts";
import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Path, Workspace } from "../workspace.ts";
import { at, known, list, objectsOf, problemAt } from "./kubernetes-objects.ts";
import { servicesOf } from "./services.ts";
import { dangling, releasesIn, targetsOf } from "./targets.ts";

/** Policies and exceptions that name what they hold for. */

function* targets(workspace: Workspace): Iterable<Problem> {
  for (const policy of objectsOf(
    workspace,
    "ClientTrafficPolicy",
    "BackendTrafficPolicy",
    "SecurityPolicy",
    "BackendTLSPolicy",
    "EnvoyExtensionPolicy",
    "HealthCheckPolicy",
    "GCPBackendPolicy",
  )) {
    const references: [unknown, Path][] = [
      [at(policy.value, "spec", "targetRef"), ["spec", "targetRef", "name"]],
      ...list(at(policy.value, "spec", "targetRefs")).map((one, index): [unknown, Path] => [
        one,
        ["spec", "targetRefs", index, "name"],
      ]),
    ];
    for (const [reference, path] of references) {
      const [kind, name] = [at(reference, "kind"), at(reference, "name")];
      if (!known(kind) || !known(name)) continue;
      if (!["Gateway", "HTTPRoute", "GRPCRoute", "Service"].includes(kind)) continue;
      const missing = dangling(
        { from: policy, path, what: kind, name, namespace: policy.namespace },
        kind === "Service" ? servicesOf(workspace) : targetsOf(workspace, kind),
        kind === "Service" && releasesIn(workspace, policy.namespace).length > 0,
      );
      if (missing !== undefined) yield missing;
    }
  }
}

function* exceptions(workspace: Workspace): Iterable<Problem> {
  for (const exception of objectsOf(workspace, "PolicyException policies.kyverno.io"))
    for (const [index, reference] of list(at(exception.value, "spec", "policyRefs")).entries()) {
      const [kind, name] = [at(reference, "kind"), at(reference, "name")];
      const path = ["spec", "policyRefs", index];
      if (!known(kind) || !known(name)) continue;
      const slip = slipOf(kind, kindsOfGroup("policies.kyverno.io"));
      if (slip !== undefined)
        yield problemAt(exception, {
          path: [...path, "kind"],
          message: `there is no kind ${kind} of policy; the nearest is ${slip}`,
        });
      const reach = { from: exception, path: [...path, "name"], what: kind, name, namespace: undefined };
      const missing = dangling(reach, targetsOf(workspace, `${kind} policies.kyverno.io`), false);
      if (missing !== undefined) yield missing;
    }
}

/** The one that was meant, when a name differs from it by a letter. */
const slipOf = (name: string, names: readonly string[]): string | undefined =>
  names.includes(name) ? undefined : names.find((one) => distance(one, name) === 1);

function* projectKinds(workspace: Workspace): Iterable<Problem> {
  for (const project of objectsOf(workspace, "AppProject"))
    for (const field of [
      "clusterResourceWhitelist",
      "clusterResourceBlacklist",
      "namespaceResourceWhitelist",
      "namespaceResourceBlacklist",
    ])
      for (const [index, entry] of list(at(project.value, "spec", field)).entries()) {
        const [group, kind] = [at(entry, "group"), at(entry, "kind")];
        const slip = typeof group === "string" && known(kind) ? slipOf(kind, kindsOfGroup(group)) : undefined;
        if (slip !== undefined)
          yield problemAt(project, {
            path: ["spec", field, index, "kind"],
            message: `${String(group)} has no kind ${String(kind)}; the nearest is ${slip}`,
          });
      }
}

/** Accounts by which stores read, and gateways by which issuers prove that a host is theirs. */
function* readers(workspace: Workspace): Iterable<Problem> {
  for (const store of objectsOf(workspace, "SecretStore", "ClusterSecretStore", "Issuer", "ClusterIssuer"))
    for (const { key, index, name, namespace, path } of namedIn(store)) {
      const what =
        key === "serviceAccountRef" ? "ServiceAccount" : key === "parentRefs" ? "Gateway" : undefined;
      if (what === undefined || (key === "parentRefs") !== (index !== undefined)) continue;
      const own = typeof namespace === "string" ? namespace : store.namespace;
      const missing = dangling(
        { from: store, path, what, name, namespace: own },
        targetsOf(workspace, what),
        what === "ServiceAccount" && releasesIn(workspace, own).length > 0,
      );
      if (missing !== undefined) yield missing;
    }
}

type Named = { key: unknown; index: number | undefined; name: string; namespace: unknown; path: Path };

/** Every place below `spec` that names something, with the field that holds it. */
function namedIn({ value }: Manifest): Named[] {
  const found: Named[] = [];
  const visit = (part: unknown, path: Path): void => {
    if (typeof part !== "object" || part === null) return;
    const [holder, last] = [path.at(-2), path.at(-1)];
    const [key, index] = typeof last === "number" ? [holder, last] : [last, undefined];
    const name = at(part, "name");
    if (known(name))
      found.push({ key, index, name, namespace: at(part, "namespace"), path: [...path, "name"] });
    for (const [step, inner] of Object.entries(part))
      visit(inner, [...path, Array.isArray(part) ? Number(step) : step]);
  };
  visit(at(value, "spec"), ["spec"]);
  return found;
}

const LABEL = "kubernetes.io/metadata.name";

/** Namespaces that are chosen by name: by policies of the network, by monitors, by admission policies. */
function* chosenNamespaces(workspace: Workspace): Iterable<Problem> {
  const defined = objectsOf(workspace, "Namespace").map(({ name }) => name);
  if (defined.length === 0) return;
  const used = new Set([...defined, ...workspace.manifests.flatMap(({ namespace }) => namespace ?? [])]);
  for (const manifest of objectsOf(
    workspace,
    "NetworkPolicy",
    "ServiceMonitor",
    "PodMonitor",
    "Gateway",
    "ReferenceGrant",
  ))
    for (const { name, path } of namespacesIn(manifest)) {
      const slip =
        isTemplated(name) || used.has(name) ? undefined : defined.find((one) => distance(one, name) === 1);
      if (slip !== undefined)
        yield problemAt(manifest, { path, message: `there is no Namespace ${name}; the nearest is ${slip}` });
    }
}

function namespacesIn({ value }: Manifest): { name: string; path: Path }[] {
  const found: { name: string; path: Path }[] = [];
  const visit = (part: unknown, path: Path): void => {
    if (typeof part !== "object" || part === null) return;
    for (const [key, inner] of Object.entries(part)) {
      const here = [...path, Array.isArray(part) ? Number(key) : key];
      const named =
        key === LABEL || path.at(-1) === "matchNames" || (key === "namespace" && path.at(-2) === "from");
      if (named && typeof inner === "string") found.push({ name: inner, path: here });
      visit(inner, here);
    }
  };
  visit(at(value, "spec"), ["spec"]);
  return found;
}

export const policyTargetRules: readonly Rule[] = [
  {
    id: "reference/policy-target",
    severity: "error",
    covers: [],
    title: "a traffic policy for a route or gateway that is not there",
    why: "The policy is accepted and holds for nothing.",
    remedy: "Name the Gateway or route as it is made, in the policy's own namespace.",
    check: targets,
  },
  {
    id: "reference/reader",
    severity: "error",
    covers: ["E48"],
    title: "a store or issuer that names an account or gateway that is not there",
    why: "The store stays not ready, the certificate is never issued.",
    remedy: "Name the ServiceAccount or Gateway as it is made.",
    check: readers,
  },
  {
    id: "kyverno/exception-without-policy",
    severity: "error",
    covers: ["E18"],
    title: "an exception from a policy that is not there",
    why: "The exception is accepted and excepts nothing.",
    remedy: "Name the policy, and its kind, as it is made.",
    check: exceptions,
  },
  {
    id: "argocd/unknown-kind",
    severity: "error",
    covers: [],
    title: "a project that admits or refuses a kind that does not exist",
    why: "The real kind is not admitted, or not refused.",
    remedy: "Correct the kind or its group.",
    check: projectKinds,
  },
  {
    id: "reference/namespace",
    severity: "error",
    covers: ["E08"],
    title: "a namespace chosen by a name that none has",
    why: "The selector finds nothing: traffic is cut off, or nothing is scraped.",
    remedy: "Write the namespace's name as its manifest does.",
    check: chosenNamespaces,
  },
];
