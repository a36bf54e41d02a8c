import { dirname } from "node:path/posix";
import { distance } from "fastest-levenshtein";
import { nearest } from "../../schemas/nearest.ts";
import { isTemplated } from "../../schemas/templated.ts";
import type { Problem } from "../rule.ts";
import type { HelmRelease, Manifest, Path, Workspace } from "../workspace.ts";
import { secretName } from "./container-environment.ts";
import {
  at,
  known,
  list,
  mayBeSameNamespace,
  objectsOf,
  problemAt,
  perWorkspace,
} from "./kubernetes-objects.ts";

/** Names that references lead to, and when it is safe to say that one leads nowhere. */

export type Target = { name: string; namespace: string | undefined; file?: string };

/** Namespaces that the cluster itself fills. */
export const isOfCluster = (namespace: string | undefined): boolean =>
  namespace !== undefined && /^(?:kube-.+|default)$/.test(namespace);

/** Whether two objects belong together: by an explicit namespace, or by their folder where it is set from outside. */
const belongTogether = (reference: Reference, target: Target): boolean =>
  (reference.namespace !== undefined && target.namespace === reference.namespace) ||
  (target.file !== undefined && dirname(target.file) === dirname(reference.from.file));

export type Reference = {
  from: Manifest;
  path: Path;
  /** What is looked for, as a person calls it: `Service`. */
  what: string;
  name: string;
  namespace: string | undefined;
};

/** Letters that differ when a name was only mistyped. */
const SLIP = 1;

/**
 * A reference that leads nowhere. Files rarely hold everything, so it is said only where the files make other such objects in
 * the same namespace and nothing unknown could have made it, or where the name differs from an existing one by a letter.
 */
export function dangling(
  reference: Reference,
  targets: readonly Target[],
  mayBeElsewhere: boolean,
): Problem | undefined {
  const { from, name, namespace, what, path } = reference;
  if (isTemplated(name) || isTemplated(namespace)) return undefined;
  const here = targets.filter((target) => mayBeSameNamespace(target.namespace, namespace));
  if (here.some((target) => target.name === name || isTemplated(target.name))) return undefined;
  const slip = here.find((target) => distance(target.name, name) <= SLIP);
  const described =
    from.origin === "file" &&
    !mayBeElsewhere &&
    !isOfCluster(namespace) &&
    here.some((target) => belongTogether(reference, target));
  if (slip === undefined && !described) return undefined;
  const near =
    slip?.name ??
    nearest(
      name,
      here.map((target) => target.name),
    );
  const where = namespace === undefined ? "" : ` in ${namespace}`;
  const hint = near === undefined ? "" : `; the nearest is ${near}`;
  return problemAt(from, { path, message: `there is no ${what} ${name}${where}${hint}` });
}

export const targetsOf = (workspace: Workspace, ...kinds: readonly string[]): Target[] =>
  objectsOf(workspace, ...kinds).map(({ name, namespace, file }) => ({ name, namespace, file }));

/** Releases of charts in a namespace: what they make there is mostly not known. */
export const releasesIn = (workspace: Workspace, namespace: string | undefined): HelmRelease[] =>
  workspace.releases.filter((release) => mayBeSameNamespace(release.namespace, namespace));

const generated = (workspace: Workspace, generator: "secretGenerator" | "configMapGenerator"): Target[] =>
  workspace.kustomizations.flatMap(({ value }) =>
    list(value[generator]).flatMap((one) => {
      const name = at(one, "name");
      const namespace = at(one, "namespace") ?? value["namespace"];
      return known(name) ? [{ name, namespace: known(namespace) ? namespace : undefined }] : [];
    }),
  );

export const configMapTargets = perWorkspace((workspace: Workspace): Target[] => [
  ...targetsOf(workspace, "ConfigMap"),
  ...generated(workspace, "configMapGenerator"),
  { name: "kube-root-ca.crt", namespace: undefined },
]);

/** Secrets that the files make, those of operators included. */
export const secretTargets = perWorkspace((workspace: Workspace): Target[] => {
  const made = objectsOf(workspace, "Secret", "SealedSecret", "ExternalSecret").map((one) => ({
    name: secretName(one),
    namespace: one.namespace,
    file: one.file,
  }));
  const certificates = objectsOf(workspace, "Certificate").flatMap(({ value, namespace }) => {
    const name = at(value, "spec", "secretName");
    return known(name) ? [{ name, namespace }] : [];
  });
  const postgres = objectsOf(workspace, "Cluster postgresql.cnpg.io").flatMap(({ name, namespace }) =>
    ["app", "superuser", "ca", "server", "replication"].map((ending) => ({
      name: `${name}-${ending}`,
      namespace,
    })),
  );
  const kubeblocks = objectsOf(workspace, "Cluster apps.kubeblocks.io").flatMap(
    ({ name, namespace, value }) =>
      list(at(value, "spec", "componentSpecs")).flatMap((component) =>
        ["root", "postgres", "kbadmin", "kbreplicator", "kbdataprotection", "kbmonitoring", "kbprobe"].map(
          (account) => ({
            name: `${name}-${String(at(component, "name"))}-account-${account}`,
            namespace,
          }),
        ),
      ),
  );
  return [
    ...made,
    ...generated(workspace, "secretGenerator"),
    ...certificates,
    ...listeners(workspace),
    ...postgres,
    ...kubeblocks,
    ...terraform(workspace),
  ];
});

/** cert-manager makes the certificates that a Gateway or Ingress with its annotation names. */
function listeners(workspace: Workspace): Target[] {
  const asks = ({ value }: Manifest): boolean => {
    const annotations = at(value, "metadata", "annotations");
    return (
      at(annotations, "cert-manager.io/cluster-issuer") !== undefined ||
      at(annotations, "cert-manager.io/issuer") !== undefined
    );
  };
  return objectsOf(workspace, "Gateway", "Ingress")
    .filter(asks)
    .flatMap(({ value, namespace }) => {
      const ofGateway = list(at(value, "spec", "listeners")).flatMap((one) =>
        list(at(one, "tls", "certificateRefs")).map((secret) => at(secret, "name")),
      );
      const ofIngress = list(at(value, "spec", "tls")).map((one) => at(one, "secretName"));
      return [...ofGateway, ...ofIngress].filter(known).map((name) => ({ name, namespace }));
    });
}

/** Secrets of Terraform: their namespace is mostly a reference, so it is taken to be any. */
function terraform(workspace: Workspace): Target[] {
  const blocks = workspace.modules.flatMap(({ files }) => files).flatMap(({ body }) => body.blocks);
  return blocks
    .filter(({ labels }) => /^kubernetes_secret(?:_v1)?$/.test(labels[0] ?? ""))
    .flatMap(({ body }) => body.blocks.filter(({ type }) => type === "metadata"))
    .flatMap(({ body }) => {
      const name = body.attributes.find((attribute) => attribute.name === "name")?.value;
      // A name that only Terraform knows may be any.
      return [{ name: name?.kind === "literal" ? String(name.value) : "${unknown}", namespace: undefined }];
    });
}
