import { attributeOf } from "./terraform-releases.ts";
import { valueOf } from "../hcl/value.ts";
import { written } from "./plain-values.ts";
import type { Workspace } from "./workspace.ts";

/** Kinds of Kubernetes objects by the resource types of Terraform that make them. */
const RESOURCES: Readonly<Record<string, string>> = {
  kubernetes_secret: "Secret",
  kubernetes_secret_v1: "Secret",
  kubernetes_config_map: "ConfigMap",
  kubernetes_config_map_v1: "ConfigMap",
  kubernetes_namespace: "Namespace",
  kubernetes_namespace_v1: "Namespace",
  kubernetes_service: "Service",
  kubernetes_service_v1: "Service",
  kubernetes_deployment: "Deployment",
  kubernetes_deployment_v1: "Deployment",
};

export type DeclaredName = { kind: string; name: string };

/** Objects that the files make, whether written as manifests or as resources of Terraform. */
export function declaredObjects(workspace: Workspace): DeclaredName[] {
  const manifests = workspace.manifests.map(({ kind, name }) => ({ kind, name }));
  const resources = workspace.modules
    .flatMap(({ files }) => files.flatMap(({ body }) => body.blocks))
    .flatMap((block) => {
      const kind = block.type === "resource" ? RESOURCES[block.labels[0] ?? ""] : undefined;
      const metadata = block.body.blocks.find(({ type }) => type === "metadata");
      const expression = metadata === undefined ? undefined : attributeOf(metadata.body, "name");
      const name = expression === undefined ? undefined : written(valueOf(expression));
      return kind === undefined || name === undefined ? [] : [{ kind, name }];
    });
  return [...manifests, ...resources];
}

/** Secrets too that an ExternalSecret or a SealedSecret makes. */
export const hasKubernetesSecret = (workspace: Workspace, name: string): boolean =>
  declaredObjects(workspace).some(
    (one) => one.name === name && ["Secret", "ExternalSecret", "SealedSecret"].includes(one.kind),
  );
