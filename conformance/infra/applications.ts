// What Argo CD would apply of an output, in its order: the Applications by sync wave, and in each the objects by phase and wave.
import { globSync, readFileSync } from "node:fs";
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

/** Each kustomization of an output as YAML; the message of kubectl where one does not build. */
export function buildAll(
  server: ApiServer,
  output: Output,
): { built: ReadonlyMap<string, string>; failed: readonly string[] } {
  const answers = output.kustomizations.map((path) => ({
    path,
    folder: join(output.folder, path),
    answer: server.kubectl(["kustomize", join(output.folder, path)]),
  }));
  return {
    built: new Map(answers.map(({ folder, answer }) => [folder, answer.stdout])),
    failed: answers
      .filter(({ answer }) => answer.code !== 0 || answer.stderr !== "")
      .map(({ path, answer }) => `${path}: ${answer.stderr}`),
  };
}

/** What a folder stands for: a kustomization, or else its files. */
function textOf(folder: string, built: ReadonlyMap<string, string>): string {
  const text = built.get(folder);
  if (text !== undefined) return text;
  const files = globSync("*.yaml", { cwd: folder }).sort();
  return files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n---\n");
}

export function readApplications(
  server: ApiServer,
  output: Output,
  built: ReadonlyMap<string, string>,
): Application[] {
  const all = server.parse(textOf(join(output.folder, "k8s-manifests", "argocd-apps"), built));
  const described = all.filter(({ kind }) => kind === "Application").map((one) => describe(one, output));
  const folders = [...new Set(described.flatMap((one) => one.folders))];
  const objects = new Map(
    server
      .parseAll(folders.map((folder) => textOf(folder, built)))
      .map((some, index) => [folders[index], some]),
  );
  const applications = described.map(({ folders: own, ...application }) => ({
    ...application,
    objects: own
      .flatMap((folder) => objects.get(folder) ?? [])
      .map((object) => server.inNamespace(object, application.namespace))
      .sort((a, b) => phaseOf(a) - phaseOf(b) || waveOf(a) - waveOf(b) || rankOf(a) - rankOf(b)),
  }));
  applications.sort((a, b) => a.wave - b.wave || (a.name < b.name ? -1 : 1));
  // The Applications are objects too; they can be applied when their namespace is there.
  const own = { name: "argocd-apps", wave: Infinity, namespace: "argocd", createsNamespace: false };
  return [...applications, { ...own, namespaceLabels: {}, missing: [], objects: all }];
}

function describe(
  application: KubernetesObject,
  output: Output,
): Omit<Application, "objects"> & { folders: readonly string[] } {
  const { source, sources, destination, syncPolicy } = application["spec"] as Spec;
  const paths = [...(sources ?? []), ...(source === undefined ? [] : [source])].flatMap((one) =>
    one.chart === undefined && one.path?.includes("k8s-manifests") === true ? [one.path] : [],
  );
  const places = paths.map((path) => ({ path, folder: folderOfPath(output, path) }));
  return {
    name: application.metadata.name,
    wave: waveOf(application),
    namespace: destination.namespace ?? "default",
    createsNamespace: syncPolicy?.syncOptions?.includes("CreateNamespace=true") === true,
    namespaceLabels: syncPolicy?.managedNamespaceMetadata?.labels ?? {},
    missing: places.filter(({ folder }) => folder === undefined).map(({ path }) => path),
    folders: places
      .flatMap(({ folder }) => folder ?? [])
      .filter((folder) => !folder.endsWith("/argocd-apps")),
  };
}
