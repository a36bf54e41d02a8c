// What Argo CD would apply of an output, in its order: the Applications by sync wave, and in each the objects by phase and wave.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiServer, KubernetesObject } from "./api-server.ts";
import { folderOfPath, type Output } from "./outputs.ts";

export interface Application {
  readonly name: string;
  readonly wave: number;
  /** Where its objects go that name no namespace; made first when the Application says so. */
  readonly namespace: string;
  readonly createsNamespace: boolean;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Paths of its sources in the repository that lead nowhere. */
  readonly missing: readonly string[];
  /** In the order in which they are applied. Charts are not rendered. */
  readonly objects: readonly KubernetesObject[];
}

type Source = { path?: string; chart?: string; repoURL: string };
type Spec = {
  source?: Source;
  sources?: Source[];
  destination: { namespace?: string };
  syncPolicy?: { syncOptions?: string[]; managedNamespaceMetadata?: { labels?: Record<string, string> } };
};

const waveOf = ({ metadata }: KubernetesObject): number =>
  Number(metadata.annotations?.["argocd.argoproj.io/sync-wave"] ?? 0);

const phases = ["PreSync", "Sync", "PostSync"];
const phaseOf = ({ metadata }: KubernetesObject): number =>
  phases.indexOf(metadata.annotations?.["argocd.argoproj.io/hook"] ?? "Sync");

/** Kinds that others need come first within a wave, as in Argo CD. */
const first = ["Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "Secret", "ConfigMap"];
const rankOf = ({ kind }: KubernetesObject): number => {
  const place = first.indexOf(kind);
  return place < 0 ? first.length : place;
};

/** What a folder stands for: a kustomization, or else its files. */
export function build(server: ApiServer, folder: string): KubernetesObject[] {
  if (!existsSync(join(folder, "kustomization.yaml"))) {
    return globSync("*.yaml", { cwd: folder })
      .sort()
      .flatMap((name) => server.parse(readFileSync(join(folder, name), "utf8")));
  }
  const built = server.kubectl(["kustomize", folder]);
  if (built.code !== 0) throw new Error(`kubectl kustomize ${folder}: ${built.stderr}`);
  return server.parse(built.stdout);
}

export function readApplications(server: ApiServer, output: Output): Application[] {
  const apps = build(server, join(output.folder, "k8s-manifests", "argocd-apps"));
  return apps
    .filter(({ kind }) => kind === "Application")
    .map((application) => {
      const { source, sources, destination, syncPolicy } = application["spec"] as Spec;
      const paths = [...(sources ?? []), ...(source === undefined ? [] : [source])].flatMap((one) =>
        one.chart === undefined && one.path?.includes("k8s-manifests") === true ? [one.path] : [],
      );
      const namespace = destination.namespace ?? "default";
      const objects = paths
        .map((path) => folderOfPath(output, path))
        .flatMap((folder) => (folder === undefined ? [] : build(server, folder)))
        .map((object) => server.inNamespace(object, namespace));
      return {
        name: application.metadata.name,
        wave: waveOf(application),
        namespace,
        createsNamespace: syncPolicy?.syncOptions?.includes("CreateNamespace=true") === true,
        namespaceLabels: syncPolicy?.managedNamespaceMetadata?.labels ?? {},
        missing: paths.filter((path) => folderOfPath(output, path) === undefined),
        objects: objects.sort(
          (a, b) => phaseOf(a) - phaseOf(b) || waveOf(a) - waveOf(b) || rankOf(a) - rankOf(b),
        ),
      };
    })
    .sort((a, b) => a.wave - b.wave || (a.name < b.name ? -1 : 1));
}
