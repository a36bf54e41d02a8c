import { namespaces } from "../names.ts";
import type { SpecRule } from "./check.ts";

/** Rules on the policies of the cluster. */

const auditInProduction: SpecRule = {
  id: "policies/audit-in-production",
  severity: "warning",
  covers: ["E18"],
  title: "Policies of production that only take notes",
  why: "With Audit whatever breaks a policy runs all the same: the reports are read after the accident.",
  check: ({ tier, policies }) =>
    tier !== "production" || policies.engine !== "kyverno" || policies.action === "Deny"
      ? []
      : [
          {
            path: ["policies", "action"],
            message: "policies.action is Audit in production: nothing is refused",
            remedy:
              'Set policies.action: "Deny"; or leave it until the reports (kubectl get policyreports -A) are empty.',
          },
        ],
};

const noneInProduction: SpecRule = {
  id: "policies/none-in-production",
  severity: "warning",
  covers: [],
  title: "Production without policies",
  why: "Without policies a pod may take a node's memory or its file system, and an image may change under its tag.",
  check: ({ tier, policies }) =>
    tier !== "production" || policies.engine !== "none"
      ? []
      : [
          {
            path: ["policies", "engine"],
            message: "nothing judges what is applied to the production cluster",
            remedy:
              'Set policies.engine: "kyverno", or leave it where another policy engine of the cluster does the same.',
          },
        ],
};

const OWN: readonly string[] = Object.values(namespaces);

const ownExempt: SpecRule = {
  id: "policies/own-namespace-exempt",
  severity: "warning",
  covers: ["E18"],
  title: "A namespace of the platform exempt from all policies",
  why: "An exempt namespace is exempt for everything in it, for ever. An exception names one policy and the pods that need it, and ends.",
  check: ({ policies, serving, gateway }) => {
    if (policies.engine !== "kyverno") return [];
    const own = new Set([
      ...OWN,
      gateway.namespace,
      ...(serving.engine === "kserve" ? [serving.namespace] : []),
    ]);
    return policies.exempt.flatMap((name, at) =>
      own.has(name)
        ? [
            {
              path: ["policies", "exempt", at],
              message: `the namespace ${name} is the platform's own, and no policy would hold in it`,
              remedy: `Remove it: what the platform's parts need has exceptions; or write a PolicyException for the pods in ${name} that need one.`,
            },
          ]
        : [],
    );
  },
};

const registriesOfOthers: SpecRule = {
  id: "policies/registries-judge-nothing",
  severity: "warning",
  covers: [],
  title: "Registries for namespaces that are not judged",
  why: "In a cluster that is there already the policies hold in the platform's own namespaces only, and what runs in those is named in the repository.",
  check: ({ policies, target }) =>
    policies.engine !== "kyverno" || policies.registries.length === 0 || target.kind !== "kubernetes"
      ? []
      : [
          {
            path: ["policies", "registries"],
            message: `policies.registries names ${policies.registries.join(", ")}, and no policy is made of it`,
            remedy: "Leave it out, or let the cluster's owner make the policy for the other namespaces.",
          },
        ],
};

export const policyRules: readonly SpecRule[] = [
  auditInProduction,
  noneInProduction,
  ownExempt,
  registriesOfOthers,
];
