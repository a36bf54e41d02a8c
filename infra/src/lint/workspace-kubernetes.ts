import { dirname, posix } from "node:path";
import { chartOfValuesFile } from "./chart-names.ts";
import { isRecord, text, written } from "./plain-values.ts";
import type { HelmRelease, Kustomization, Located, Manifest, Origin, Path, Workspace } from "./workspace.ts";
import { readYaml } from "./yaml-documents.ts";

type Place = { origin: Origin; templated: boolean };

/** Sorts one document in: manifests, the members of a List, kustomizations, or plain data. */
export function addDocument(workspace: Workspace, document: Located, place: Place): void {
  const { value, file } = document;
  if (!isRecord(value)) {
    workspace.documents.push(document);
    return;
  }
  const { apiVersion, kind } = value;
  if (isKustomization(file, value)) {
    workspace.kustomizations.push({ ...document, value, folder: dirname(file) });
    return;
  }
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !VERSION.test(apiVersion)) {
    workspace.documents.push(document);
    return;
  }
  const { items } = value;
  if (kind.endsWith("List") && Array.isArray(items)) {
    for (const index of items.keys()) addDocument(workspace, part(document, ["items", index]), place);
    return;
  }
  const metadata = isRecord(value["metadata"]) ? value["metadata"] : {};
  const manifest: Manifest = {
    ...document,
    ...place,
    value,
    apiVersion,
    kind,
    name: written(metadata["name"]) ?? written(metadata["generateName"]) ?? "",
    namespace: written(metadata["namespace"]),
  };
  workspace.manifests.push(manifest);
}

/** `v1`, `apps/v1`, or what a template makes of it; `0.0.2` is the version of something else. */
const VERSION = /^v\d|\/|[{$]/;

function isKustomization(file: string, value: Record<string, unknown>): boolean {
  const { kind, apiVersion } = value;
  if (kind === "Kustomization" || kind === "Component") {
    return typeof apiVersion !== "string" || apiVersion.startsWith("kustomize.config.k8s.io/");
  }
  return kind === undefined && /(?:^|\/)kustomization\.ya?ml$|(?:^|\/)Kustomization$/.test(file);
}

/** What stands below `at`, with its own paths. */
export const part = (of: Located, at: Path): Located => ({
  file: of.file,
  value: at.reduce<unknown>((value, step) => {
    if (Array.isArray(value)) return (value as unknown[])[Number(step)];
    return isRecord(value) ? value[String(step)] : undefined;
  }, of.value),
  lineOf: (path) => of.lineOf([...at, ...path]),
});

/** Releases that Argo CD, kustomize or the name of a file make. Run it when all documents are there. */
export function addReleases(workspace: Workspace): void {
  const taken = new Set<string>();
  for (const manifest of workspace.manifests) {
    if (!manifest.apiVersion.startsWith("argoproj.io/")) continue;
    if (manifest.kind === "Application") addSources({ workspace, taken }, manifest, []);
    if (manifest.kind === "ApplicationSet") addSources({ workspace, taken }, manifest, ["spec", "template"]);
  }
  for (const kustomization of workspace.kustomizations) addHelmCharts(workspace, kustomization, taken);
  for (const document of workspace.documents) {
    if (taken.has(document.file) || !isRecord(document.value)) continue;
    const chart = chartOfValuesFile(document.file);
    if (chart !== undefined) workspace.releases.push({ ...nameless(chart, document), values: document });
  }
}

const nameless = (chart: string, at: Located): HelmRelease => ({
  file: at.file,
  line: at.lineOf([]),
  origin: "file",
  chart,
  repository: undefined,
  version: undefined,
  releaseName: undefined,
  namespace: undefined,
  values: undefined,
});

/** What is known so far, and the values files that some release uses. */
type Known = { workspace: Workspace; taken: Set<string> };

function addSources({ workspace, taken }: Known, manifest: Manifest, at: Path): void {
  const spec = part(manifest, [...at, "spec"]).value;
  if (!isRecord(spec)) return;
  const namespace = isRecord(spec["destination"]) ? text(spec["destination"]["namespace"]) : undefined;
  const places: Path[] = [
    [...at, "spec", "source"],
    ...(Array.isArray(spec["sources"])
      ? spec["sources"].map((_, index): Path => [...at, "spec", "sources", index])
      : []),
  ];
  for (const place of places) {
    const source = part(manifest, place);
    if (!isRecord(source.value)) continue;
    const chart = text(source.value["chart"]);
    if (chart === undefined) continue;
    const helm = isRecord(source.value["helm"]) ? source.value["helm"] : {};
    const files = Array.isArray(helm["valueFiles"])
      ? helm["valueFiles"].filter((v) => typeof v === "string")
      : [];
    const values = [
      ...files.flatMap(
        (name) => findDocument(workspace.documents, name.replace(/^\$[\w-]+\//, ""), taken) ?? [],
      ),
      ...inlineValues(source, helm),
    ];
    workspace.releases.push({
      file: manifest.file,
      line: source.lineOf(["chart"]),
      origin: manifest.origin,
      chart: chart.split("/").at(-1) ?? chart,
      repository: text(source.value["repoURL"]),
      version: text(source.value["targetRevision"]),
      releaseName: text(helm["releaseName"]) ?? manifest.name,
      namespace,
      values: merged(values),
    });
  }
}

function inlineValues(source: Located, helm: Record<string, unknown>): Located[] {
  const found: Located[] = [];
  const { values, valuesObject, parameters } = helm;
  if (typeof values === "string") {
    const read = readYaml(values, source.lineOf(["helm", "values"]) + 1).documents[0];
    if (read !== undefined) found.push({ file: source.file, ...read });
  }
  if (isRecord(valuesObject)) found.push(part(source, ["helm", "valuesObject"]));
  for (const [index, item] of (Array.isArray(parameters) ? parameters : []).entries()) {
    if (!isRecord(item) || typeof item["name"] !== "string") continue;
    const line = source.lineOf(["helm", "parameters", index]);
    found.push({ file: source.file, value: setValue(item["name"], item["value"]), lineOf: () => line });
  }
  return found;
}

function addHelmCharts(workspace: Workspace, kustomization: Kustomization, taken: Set<string>): void {
  const charts = kustomization.value["helmCharts"];
  for (const [index, chart] of (Array.isArray(charts) ? charts : []).entries()) {
    if (!isRecord(chart) || typeof chart["name"] !== "string") continue;
    const additional = Array.isArray(chart["additionalValuesFiles"]) ? chart["additionalValuesFiles"] : [];
    const values = [chart["valuesFile"], ...additional].flatMap((name) =>
      typeof name === "string"
        ? (findDocument(workspace.documents, posix.join(kustomization.folder, name), taken) ?? [])
        : [],
    );
    const inline = part(kustomization, ["helmCharts", index, "valuesInline"]);
    if (isRecord(inline.value)) values.push(inline);
    workspace.releases.push({
      file: kustomization.file,
      line: kustomization.lineOf(["helmCharts", index]),
      origin: "file",
      chart: chart["name"],
      repository: text(chart["repo"]),
      version: text(chart["version"]),
      releaseName: text(chart["releaseName"]),
      namespace: text(chart["namespace"]) ?? text(kustomization.value["namespace"]),
      values: merged(values),
    });
  }
}

/** The document whose path is `path`, or ends with it: a repository may be checked out anywhere. */
export function findDocument(
  documents: readonly Located[],
  path: string,
  taken: Set<string>,
): Located | undefined {
  const wanted = posix.normalize(path);
  const found =
    documents.find(({ file }) => posix.normalize(file) === wanted) ??
    documents.find(({ file }) => file.endsWith(`/${wanted}`));
  if (found !== undefined) taken.add(found.file);
  return found;
}

/** `a.b\.c` of a `set` as nested values. */
export function setValue(name: string, value: unknown): Record<string, unknown> {
  const steps = name.split(/(?<!\\)\./).map((step) => step.replaceAll("\\.", "."));
  return steps.reduceRight<Record<string, unknown>>(
    (inner, step, index) => ({ [step]: index === steps.length - 1 ? value : inner }),
    {},
  );
}

/** Helm merges values in order: later ones win, maps are joined. Lines are of the last part that has the path. */
export function merged(parts: readonly Located[]): Located | undefined {
  const last = parts.at(-1);
  if (last === undefined || parts.length === 1) return last;
  const holder = (path: Path): Located =>
    parts.findLast((one) => part(one, path).value !== undefined) ?? last;
  return {
    file: last.file,
    value: parts.reduce<unknown>((all, { value }) => join(all, value), {}),
    lineOf: (path) => holder(path).lineOf(path),
    fileOf: (path) => holder(path).file,
  };
}

function join(a: unknown, b: unknown): unknown {
  if (!(isRecord(a) && isRecord(b))) return b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...keys].map((key) => [key, key in b ? join(a[key], b[key]) : a[key]]));
}
