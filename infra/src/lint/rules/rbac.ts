import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Workspace } from "../workspace.ts";
import {
  at,
  list,
  mayBeSameNamespace,
  objectsOf,
  problemAt,
  workloadsOf,
  type Workload,
} from "./kubernetes-objects.ts";

/** Rights that nobody needs. */

const READS = new Set(["get", "list", "watch", "*"]);

const includesOne = (values: unknown, wanted: ReadonlySet<string>): boolean =>
  list(values).some((value) => wanted.has(String(value)));

/** Index of the rule of a role that lets read secrets. */
function secretRule(role: Manifest): number | undefined {
  const index = list(role.value["rules"]).findIndex(
    (rule) =>
      includesOne(at(rule, "apiGroups"), new Set(["", "*"])) &&
      includesOne(at(rule, "resources"), new Set(["secrets", "*"])) &&
      includesOne(at(rule, "verbs"), READS),
  );
  return index < 0 ? undefined : index;
}

type Account = { name: string; namespace: string | undefined };

function holdersOf(workspace: Workspace, role: Manifest): Account[] {
  return objectsOf(workspace, "RoleBinding", "ClusterRoleBinding")
    .filter(
      ({ value, namespace }) =>
        at(value, "roleRef", "kind") === role.kind &&
        at(value, "roleRef", "name") === role.name &&
        (role.kind === "ClusterRole" || mayBeSameNamespace(namespace, role.namespace)),
    )
    .flatMap(({ value, namespace }) =>
      list(value["subjects"]).flatMap((subject) => {
        const [name, own] = [at(subject, "name"), at(subject, "namespace")];
        return at(subject, "kind") === "ServiceAccount" && typeof name === "string"
          ? [{ name, namespace: typeof own === "string" ? own : namespace }]
          : [];
      }),
    );
}

/** Servers that take their secrets from the kubelet, as files and variables. */
const SERVER = /(?:^|[-/])(?:mlflow|zenml(?:-server)?|plinth)(?:$|[-:@/])/;

const isServer = (account: Account, workloads: readonly Workload[]): boolean =>
  SERVER.test(account.name) ||
  workloads.some(
    ({ manifest, template, containers }) =>
      template.spec["serviceAccountName"] === account.name &&
      mayBeSameNamespace(manifest.namespace, account.namespace) &&
      containers.some(({ value }) => SERVER.test(String(value["image"]))),
  );

/** External Secrets' Kubernetes store reads secrets with such an account; that is its work. */
const usedByStore = (workspace: Workspace, account: Account): boolean =>
  objectsOf(workspace, "SecretStore", "ClusterSecretStore").some(({ value }) =>
    JSON.stringify(at(value, "spec", "provider", "kubernetes") ?? {}).includes(`"name":"${account.name}"`),
  );

function* needless(workspace: Workspace): Iterable<Problem> {
  const workloads = workloadsOf(workspace);
  for (const role of objectsOf(workspace, "Role", "ClusterRole")) {
    const index = secretRule(role);
    if (index === undefined) continue;
    const holder = holdersOf(workspace, role).find(
      (account) => isServer(account, workloads) && !usedByStore(workspace, account),
    );
    const named =
      holder === undefined &&
      role.kind === "Role" &&
      SERVER.test(role.name) &&
      objectsOf(workspace, "RoleBinding").length === 0;
    if (holder === undefined && !named) continue;
    yield problemAt(role, {
      path: ["rules", index],
      message: `${role.kind} ${role.name} lets ${holder?.name ?? role.name} read secrets through the API; the kubelet mounts them without that`,
    });
  }
}

const WILDCARD = new Set(["*"]);

function* wildcards(workspace: Workspace): Iterable<Problem> {
  for (const role of objectsOf(workspace, "Role", "ClusterRole"))
    for (const [index, rule] of list(role.value["rules"]).entries())
      if (includesOne(at(rule, "verbs"), WILDCARD) && includesOne(at(rule, "resources"), WILDCARD))
        yield problemAt(role, {
          path: ["rules", index],
          message: `${role.kind} ${role.name} may do everything to everything`,
        });
}

export const rbacRules: readonly Rule[] = [
  {
    id: "rbac/needless-secret-access",
    severity: "warning",
    covers: ["E49"],
    title: "a server that may read secrets through the API",
    why: "Secrets in env, envFrom and volumes are fetched by the kubelet: the pod needs no right for them. With it, whoever gets into the server reads every secret of the namespace.",
    remedy:
      "Remove the role and its binding; set automountServiceAccountToken: false where the API is not used.",
    check: needless,
  },
  {
    id: "rbac/wildcard",
    severity: "warning",
    covers: ["E49"],
    title: "a role that may do everything",
    why: "It is cluster-admin by another name, at least in its namespace.",
    remedy: "Name the resources and verbs.",
    check: wildcards,
  },
];
