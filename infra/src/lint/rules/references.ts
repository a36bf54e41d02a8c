import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Path, Workspace } from "../workspace.ts";
import { dataKeys, secretName } from "./container-environment.ts";
import {
  at,
  fields,
  known,
  list,
  mayBeSameNamespace,
  objectsOf,
  problemAt,
  workloadsOf,
  type Workload,
} from "./kubernetes-objects.ts";
import {
  configMapTargets,
  dangling,
  releasesIn,
  secretTargets,
  targetsOf,
  type Reference,
  type Target,
} from "./targets.ts";

/** Secrets, maps, accounts, claims, stores and the like: what is referred to is there. */

type Named = { name: unknown; path: Path; key?: unknown; keyPath?: Path };

type Kind = "Secret" | "ConfigMap";

/** Every place of a pod where a secret or map is named; those marked optional are left out. */
function* dataReferences({ template, containers }: Workload, kind: Kind): Iterable<Named> {
  const [from, key] = kind === "Secret" ? ["secretRef", "secretKeyRef"] : ["configMapRef", "configMapKeyRef"];
  for (const { value, path } of containers) {
    for (const [index, item] of list(value["envFrom"]).entries()) {
      const source = fields(at(item, from));
      if (source["optional"] !== true)
        yield { name: source["name"], path: [...path, "envFrom", index, from, "name"] };
    }
    for (const [index, item] of list(value["env"]).entries()) {
      const source = fields(at(item, "valueFrom", key));
      const place = [...path, "env", index, "valueFrom", key];
      if (source["optional"] !== true)
        yield {
          name: source["name"],
          path: [...place, "name"],
          key: source["key"],
          keyPath: [...place, "key"],
        };
    }
  }
  yield* volumeReferences(
    { volumes: list(template.spec["volumes"]), path: [...template.path, "spec", "volumes"] },
    kind,
  );
}

function* volumeReferences(
  { volumes, path }: { volumes: readonly unknown[]; path: Path },
  kind: Kind,
): Iterable<Named> {
  const [volume, field] = kind === "Secret" ? ["secret", "secretName"] : ["configMap", "name"];
  for (const [index, item] of volumes.entries()) {
    const source = fields(at(item, volume));
    if (source["optional"] !== true) yield { name: source[field], path: [...path, index, volume, field] };
    for (const [position, part] of list(at(item, "projected", "sources")).entries()) {
      const projected = fields(at(part, volume));
      const place = [...path, index, "projected", "sources", position, volume, "name"];
      if (projected["optional"] !== true) yield { name: projected["name"], path: place };
    }
  }
}

function* dataProblems(workspace: Workspace, kind: Kind): Iterable<Problem> {
  const targets = kind === "Secret" ? secretTargets(workspace) : configMapTargets(workspace);
  for (const workload of workloadsOf(workspace)) {
    const { manifest } = workload;
    const { namespace } = manifest;
    for (const { name, path, key, keyPath } of dataReferences(workload, kind)) {
      if (!known(name)) continue;
      const reference: Reference = { from: manifest, path, what: kind, name, namespace };
      const missing = dangling(reference, targets, releasesIn(workspace, namespace).length > 0);
      if (missing !== undefined) yield missing;
      else if (keyPath !== undefined && known(key))
        yield* keyProblem(workspace, { ...reference, path: keyPath }, { key, kind });
    }
  }
}

function* keyProblem(
  workspace: Workspace,
  reference: Reference,
  { key, kind }: { key: string; kind: Kind },
): Iterable<Problem> {
  const { from, name, namespace, path } = reference;
  const makers =
    kind === "Secret" ? objectsOf(workspace, "Secret", "ExternalSecret") : objectsOf(workspace, "ConfigMap");
  const found = makers.filter(
    (one) => secretName(one) === name && mayBeSameNamespace(one.namespace, namespace),
  );
  const keys = found.map(dataKeys);
  // A Secret without data is filled by somebody else.
  if (
    found.length === 0 ||
    keys.some((one) => one === undefined || one.length === 0 || one.includes(key) || one.some(isTemplated))
  )
    return;
  yield problemAt(from, {
    path,
    message: `the ${kind} ${name} has no entry ${key}; it has ${keys.flatMap((one) => one ?? []).join(", ")}`,
  });
}

function* accounts(workspace: Workspace): Iterable<Problem> {
  const targets: Target[] = [
    ...targetsOf(workspace, "ServiceAccount"),
    { name: "default", namespace: undefined },
  ];
  for (const { manifest, template } of workloadsOf(workspace)) {
    const name = template.spec["serviceAccountName"];
    const path = [...template.path, "spec", "serviceAccountName"];
    if (known(name))
      yield* orNothing(
        dangling(
          referenceTo("ServiceAccount", { from: manifest, path, name }),
          ownOnly(targets, manifest),
          releasesIn(workspace, manifest.namespace).length > 0,
        ),
      );
  }
  for (const service of objectsOf(workspace, "InferenceService")) {
    const name = at(service.value, "spec", "predictor", "serviceAccountName");
    if (known(name))
      yield* orNothing(
        dangling(
          referenceTo("ServiceAccount", {
            from: service,
            path: ["spec", "predictor", "serviceAccountName"],
            name,
          }),
          ownOnly(targets, service),
          false,
        ),
      );
  }
  for (const binding of objectsOf(workspace, "RoleBinding", "ClusterRoleBinding"))
    for (const [index, subject] of list(at(binding.value, "subjects")).entries()) {
      const [name, namespace] = [at(subject, "name"), at(subject, "namespace") ?? binding.namespace];
      if (at(subject, "kind") !== "ServiceAccount" || !known(name) || !known(namespace)) continue;
      const reference = {
        from: binding,
        path: ["subjects", index, "name"],
        what: "ServiceAccount",
        name,
        namespace,
      };
      yield* orNothing(
        dangling(reference, targets.length > 1 ? targets : [], releasesIn(workspace, namespace).length > 0),
      );
    }
}

/** The account `default` alone does not say that the accounts of a namespace are in the files. */
const ownOnly = (targets: readonly Target[], { namespace }: Manifest): readonly Target[] =>
  targets.some((target) => target.name !== "default" && mayBeSameNamespace(target.namespace, namespace))
    ? targets
    : [];

const referenceTo = (
  what: string,
  { from, path, name }: { from: Manifest; path: Path; name: string },
): Reference => ({ from, path, what, name, namespace: from.namespace });

function* orNothing(problem: Problem | undefined): Iterable<Problem> {
  if (problem !== undefined) yield problem;
}

function* claims(workspace: Workspace): Iterable<Problem> {
  const targets = targetsOf(workspace, "PersistentVolumeClaim");
  for (const { manifest, template } of workloadsOf(workspace))
    for (const [index, volume] of list(template.spec["volumes"]).entries()) {
      const name = at(volume, "persistentVolumeClaim", "claimName");
      const path = [...template.path, "spec", "volumes", index, "persistentVolumeClaim", "claimName"];
      if (known(name))
        yield* orNothing(
          dangling(referenceTo("PersistentVolumeClaim", { from: manifest, path, name }), targets, false),
        );
    }
}

function* roles(workspace: Workspace): Iterable<Problem> {
  const targets = targetsOf(workspace, "Role");
  for (const binding of objectsOf(workspace, "RoleBinding")) {
    const name = at(binding.value, "roleRef", "name");
    if (at(binding.value, "roleRef", "kind") === "Role" && known(name))
      yield* orNothing(
        dangling(referenceTo("Role", { from: binding, path: ["roleRef", "name"], name }), targets, false),
      );
  }
}

function* scaleTargets(workspace: Workspace): Iterable<Problem> {
  for (const scaler of objectsOf(workspace, "HorizontalPodAutoscaler", "ScaledObject")) {
    const target = fields(at(scaler.value, "spec", "scaleTargetRef"));
    const kind = typeof target["kind"] === "string" ? target["kind"] : "Deployment";
    const { name } = target;
    if (!known(name) || !["Deployment", "StatefulSet"].includes(kind)) continue;
    const reference = referenceTo(kind, { from: scaler, path: ["spec", "scaleTargetRef", "name"], name });
    yield* orNothing(
      dangling(reference, targetsOf(workspace, kind), releasesIn(workspace, scaler.namespace).length > 0),
    );
  }
}

/** Kinds that name another object by `name` at a path; those of `clusterScoped` targets have no namespace. */
const LINKS: readonly { from: string; path: Path; to: string }[] = [
  { from: "ScheduledBackup", path: ["spec", "cluster", "name"], to: "Cluster postgresql.cnpg.io" },
  { from: "Backup postgresql.cnpg.io", path: ["spec", "cluster", "name"], to: "Cluster postgresql.cnpg.io" },
  { from: "Pooler", path: ["spec", "cluster", "name"], to: "Cluster postgresql.cnpg.io" },
  {
    from: "Database postgresql.cnpg.io",
    path: ["spec", "cluster", "name"],
    to: "Cluster postgresql.cnpg.io",
  },
  {
    from: "Cluster postgresql.cnpg.io",
    path: ["spec", "plugins", 0, "parameters", "barmanObjectName"],
    to: "ObjectStore",
  },
  { from: "Cluster apps.kubeblocks.io", path: ["spec", "backup", "repoName"], to: "BackupRepo" },
  { from: "Gateway", path: ["spec", "gatewayClassName"], to: "GatewayClass" },
];

function* links(workspace: Workspace): Iterable<Problem> {
  for (const { from, path, to } of LINKS) {
    const targets = targetsOf(workspace, to);
    for (const manifest of objectsOf(workspace, from)) {
      const name = at(manifest.value, ...path);
      // Classes come with their controller more often than with the files.
      const elsewhere = to === "GatewayClass";
      if (known(name))
        yield* orNothing(
          dangling(referenceTo(to.split(" ")[0] ?? to, { from: manifest, path, name }), targets, elsewhere),
        );
    }
  }
}

function* stores(workspace: Workspace): Iterable<Problem> {
  for (const secret of objectsOf(workspace, "ExternalSecret")) {
    const store = fields(at(secret.value, "spec", "secretStoreRef"));
    const kind = typeof store["kind"] === "string" ? store["kind"] : "SecretStore";
    const { name } = store;
    if (!known(name) || isTemplated(kind)) continue;
    const cluster = kind === "ClusterSecretStore";
    const reference = {
      ...referenceTo(kind, { from: secret, path: ["spec", "secretStoreRef", "name"], name }),
      namespace: cluster ? undefined : secret.namespace,
    };
    const targets = targetsOf(workspace, kind);
    const missing = dangling(reference, targets, false);
    const other = targetsOf(workspace, cluster ? "SecretStore" : "ClusterSecretStore").find(
      (one) => one.name === name,
    );
    if (missing !== undefined) yield missing;
    else if (other !== undefined && targets.every((one) => one.name !== name))
      yield problemAt(secret, {
        path: ["spec", "secretStoreRef"],
        message: `there is no ${kind} ${name}, but a ${cluster ? "SecretStore" : "ClusterSecretStore"} of that name: set secretStoreRef.kind`,
      });
  }
}

function* issuers(workspace: Workspace): Iterable<Problem> {
  for (const certificate of objectsOf(workspace, "Certificate cert-manager.io")) {
    const issuer = fields(at(certificate.value, "spec", "issuerRef"));
    const kind = issuer["kind"] === "ClusterIssuer" ? "ClusterIssuer" : "Issuer";
    const { name } = issuer;
    if (known(name))
      yield* orNothing(
        issuerProblem(workspace, kind, { from: certificate, path: ["spec", "issuerRef", "name"], name }),
      );
  }
  for (const from of objectsOf(workspace, "Gateway", "Ingress"))
    for (const [key, kind] of [
      ["cert-manager.io/cluster-issuer", "ClusterIssuer"],
      ["cert-manager.io/issuer", "Issuer"],
    ] as const) {
      const name = at(from.value, "metadata", "annotations", key);
      if (known(name))
        yield* orNothing(
          issuerProblem(workspace, kind, { from, path: ["metadata", "annotations", key], name }),
        );
    }
}

function issuerProblem(
  workspace: Workspace,
  kind: string,
  named: { from: Manifest; path: Path; name: string },
): Problem | undefined {
  const reference = referenceTo(kind, named);
  return dangling(
    kind === "ClusterIssuer" ? { ...reference, namespace: undefined } : reference,
    targetsOf(workspace, kind),
    false,
  );
}

const WHY = "The object is accepted, and waits for ever for what it names.";

export const referenceRules: readonly Rule[] = [
  {
    id: "reference/secret",
    severity: "error",
    covers: ["E17"],
    title: "a secret, or an entry of it, that no file makes",
    why: "The pod stays in CreateContainerConfigError or ContainerCreating.",
    remedy: "Name the secret and the entry as they are made.",
    check: (workspace) => dataProblems(workspace, "Secret"),
  },
  {
    id: "reference/config-map",
    severity: "error",
    covers: [],
    title: "a ConfigMap, or an entry of it, that no file makes",
    why: "The pod stays in CreateContainerConfigError or ContainerCreating.",
    remedy: "Name the map and the entry as they are made.",
    check: (workspace) => dataProblems(workspace, "ConfigMap"),
  },
  {
    id: "reference/service-account",
    severity: "error",
    covers: ["E38"],
    title: "a ServiceAccount that no file makes",
    why: "Pods are refused until the account is there; a binding to it gives rights to nobody.",
    remedy: "Name an account of the same namespace.",
    check: accounts,
  },
  {
    id: "reference/claim",
    severity: "error",
    covers: [],
    title: "a volume claim that no file makes",
    why: WHY,
    remedy: "Name a PersistentVolumeClaim of the same namespace.",
    check: claims,
  },
  {
    id: "reference/role",
    severity: "error",
    covers: [],
    title: "a binding to a role that no file makes",
    why: "The binding is accepted and gives no rights.",
    remedy: "Name a Role of the same namespace.",
    check: roles,
  },
  {
    id: "reference/scale-target",
    severity: "error",
    covers: [],
    title: "an autoscaler of something that is not there",
    why: "It reports FailedGetScale and scales nothing.",
    remedy: "Name the workload.",
    check: scaleTargets,
  },
  {
    id: "reference/object",
    severity: "error",
    covers: [],
    title: "a backup, pooler or cluster that names what is not there",
    why: WHY,
    remedy: "Name the object as it is made.",
    check: links,
  },
  {
    id: "reference/secret-store",
    severity: "error",
    covers: ["E48"],
    title: "an ExternalSecret from a store that is not there",
    why: "The secret is never made, and what mounts it never starts.",
    remedy: "Name a SecretStore of the namespace, or a ClusterSecretStore with kind: ClusterSecretStore.",
    check: stores,
  },
  {
    id: "reference/issuer",
    severity: "error",
    covers: [],
    title: "a certificate from an issuer that is not there",
    why: "The certificate is never issued.",
    remedy: "Name the issuer, and its kind.",
    check: issuers,
  },
];
