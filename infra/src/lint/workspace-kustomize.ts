import { posix } from "node:path";
import { kindOf, splitApiVersion } from "../schemas/kubernetes-kinds.ts";
import { isRecord, written } from "./plain-values.ts";
import { mergePatch, strategicPatch, jsonPatch, type Operation } from "./kustomize-patch.ts";
import type { Kustomization, Manifest, Workspace } from "./workspace.ts";
import { readYaml } from "./yaml-documents.ts";

/**
 * Lays overlays over their bases, so that rules judge what is applied and not what it is made from: `replicas`, `images`,
 * `namespace` and patches. An object that several overlays change stands in the workspace once for each.
 */
export function applyKustomizations(workspace: Workspace): void {
  const { kustomizations, manifests } = workspace;
  if (kustomizations.length === 0) return;
  const files = new Map<string, Manifest[]>();
  for (const manifest of manifests) {
    if (manifest.origin !== "file") continue;
    const file = posix.normalize(manifest.file);
    files.set(file, [...(files.get(file) ?? []), manifest]);
  }
  const folders = new Map(kustomizations.map((one) => [posix.normalize(one.folder), one]));
  const build: Build = { files, folders, patchFiles: new Set(), taken: new Map() };
  const used = new Set(kustomizations.flatMap((one) => foldersOf(one, folders)));
  const built = kustomizations
    .filter((one) => !used.has(posix.normalize(one.folder)))
    .flatMap((one) => objectsOf(one, build, new Set()));
  const replaced = new Set(build.taken.values());
  workspace.manifests = [
    ...manifests.filter((one) => !replaced.has(one) && !build.patchFiles.has(posix.normalize(one.file))),
    ...distinct(built),
  ];
}

type Build = {
  files: ReadonlyMap<string, Manifest[]>;
  folders: ReadonlyMap<string, Kustomization>;
  /** Files that are only parts of objects, which were laid over others here. */
  patchFiles: Set<string>;
  /** What an object was made from, by itself. */
  taken: Map<Manifest, Manifest>;
};

const entries = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const pathsOf = ({ folder, value }: Kustomization, key: string): string[] =>
  entries(value[key]).flatMap((entry) =>
    typeof entry === "string" && !/^[a-z+]+:\/\/|^git@|\n/.test(entry)
      ? [posix.normalize(posix.join(folder, entry)).replace(/\/$/, "")]
      : [],
  );

const foldersOf = (one: Kustomization, folders: ReadonlyMap<string, Kustomization>): string[] =>
  ["resources", "bases", "components"]
    .flatMap((key) => pathsOf(one, key))
    .filter((path) => folders.has(path));

/** The objects that a kustomization makes. `above` ends those that lead back to themselves. */
function objectsOf(one: Kustomization, build: Build, above: ReadonlySet<Kustomization>): Manifest[] {
  if (above.has(one)) return [];
  const seen = new Set([...above, one]);
  const objects = ["resources", "bases"]
    .flatMap((key) => pathsOf(one, key))
    .flatMap((path) => {
      const folder = build.folders.get(path);
      if (folder !== undefined) return objectsOf(folder, build, seen);
      return (build.files.get(path) ?? []).map((manifest) => {
        build.taken.set(manifest, manifest);
        return manifest;
      });
    });
  return transformed(one, objects, build);
}

type Change = {
  target: Target;
  file?: string;
  apply(value: Record<string, unknown>): Record<string, unknown>;
};
type Target = { kind?: string | undefined; name?: string | undefined; namespace?: string | undefined };

function transformed(one: Kustomization, objects: readonly Manifest[], build: Build): Manifest[] {
  const patches = patchesOf(one, build);
  const { namespace, images, replicas } = one.value;
  const imagesAndReplicas = (value: Record<string, unknown>): Record<string, unknown> =>
    withReplicas(withImages(value, entries(images)), entries(replicas));
  return objects.map((object) => {
    let { value } = object;
    for (const { target, file, apply } of patches) {
      if (!isTarget(object, target)) continue;
      value = apply(value);
      if (file !== undefined) build.patchFiles.add(file);
    }
    value = imagesAndReplicas(value);
    const isNamespaced = kindOf(splitApiVersion(object.apiVersion).group, object.kind)?.scope !== "Cluster";
    const place = typeof namespace === "string" && isNamespaced ? namespace : object.namespace;
    if (value === object.value && place === object.namespace) return object;
    const metadata = isRecord(value["metadata"]) ? value["metadata"] : {};
    return {
      ...object,
      value: place === undefined ? value : { ...value, metadata: { ...metadata, namespace: place } },
      namespace: place,
    };
  });
}

const isTarget = (object: Manifest, { kind, name, namespace }: Target): boolean =>
  (kind === undefined || matches(kind, object.kind)) &&
  (name === undefined || matches(name, object.name)) &&
  (namespace === undefined || object.namespace === undefined || matches(namespace, object.namespace));

/** Kustomize takes the names of targets for anchored regular expressions. */
function matches(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return false;
  }
}

function patchesOf(one: Kustomization, build: Build): Change[] {
  const inline = (entry: unknown): { text?: string; path?: string; target?: Target } => {
    if (typeof entry === "string") return /\n/.test(entry) ? { text: entry } : { path: entry };
    if (!isRecord(entry)) return {};
    const target = isRecord(entry["target"]) ? (entry["target"] as Target) : undefined;
    return {
      ...(typeof entry["patch"] === "string" ? { text: entry["patch"] } : {}),
      ...(typeof entry["path"] === "string" ? { path: entry["path"] } : {}),
      ...(target === undefined ? {} : { target }),
    };
  };
  const given = ["patches", "patchesStrategicMerge", "patchesJson6902"].flatMap((key) =>
    entries(one.value[key]),
  );
  return given.map(inline).flatMap(({ text, path, target }) => {
    if (text !== undefined)
      return readYaml(text, 1).documents.flatMap(({ value }) => changeOf(value, target));
    if (path === undefined) return [];
    const file = posix.normalize(posix.join(one.folder, path));
    const found = build.files.get(file) ?? [];
    return found.flatMap(({ value }) => changeOf(value, target).map((change) => ({ ...change, file })));
  });
}

function changeOf(patch: unknown, target: Target | undefined): Change[] {
  if (Array.isArray(patch)) {
    const operations = patch.filter(isRecord) as Operation[];
    return target === undefined ? [] : [{ target, apply: (value) => jsonPatch(value, operations) }];
  }
  if (!isRecord(patch)) return [];
  const metadata = isRecord(patch["metadata"]) ? patch["metadata"] : {};
  const own = {
    kind: written(patch["kind"]),
    name: written(metadata["name"]),
    namespace: written(metadata["namespace"]),
  };
  // With a target the patch's own name says nothing.
  const { metadata: _metadata, ...rest } = patch;
  const { name: _name, namespace: _namespace, ...others } = metadata;
  const change = target === undefined ? patch : { ...rest, metadata: others };
  const isBuiltIn = /^(?:v1|apps\/v1|batch\/v1|autoscaling\/|policy\/|networking\.k8s\.io\/|rbac\.)/.test(
    written(patch["apiVersion"]) ?? "v1",
  );
  return [
    {
      target: target ?? own,
      apply: (value) =>
        (isBuiltIn ? strategicPatch(value, change) : mergePatch(value, change)) as Record<string, unknown>,
    },
  ];
}

/** `images` of a kustomization, on every container. */
function withImages(value: Record<string, unknown>, images: readonly unknown[]): Record<string, unknown> {
  const changes = images.filter(isRecord);
  if (changes.length === 0) return value;
  const renamed = (image: string): string => {
    const [, name = image, rest = ""] = /^(.*?)((?::[^:/@]+)?(?:@.*)?)$/.exec(image) ?? [];
    const change = changes.find((one) => one["name"] === name);
    if (change === undefined) return image;
    const tag = written(change["newTag"]);
    const digest = written(change["digest"]);
    const place = written(change["newName"]) ?? name;
    return place + (digest === undefined ? (tag === undefined ? rest : `:${tag}`) : `@${digest}`);
  };
  const walk = (node: unknown, key: string): unknown => {
    if (Array.isArray(node)) return node.map((item) => walk(item, key));
    if (!isRecord(node)) return node;
    const isContainer =
      (key === "containers" || key === "initContainers") && typeof node["image"] === "string";
    const walked = Object.fromEntries(Object.entries(node).map(([name, below]) => [name, walk(below, name)]));
    return isContainer ? { ...walked, image: renamed(node["image"] as string) } : walked;
  };
  return walk(value, "") as Record<string, unknown>;
}

function withReplicas(value: Record<string, unknown>, replicas: readonly unknown[]): Record<string, unknown> {
  const metadata = isRecord(value["metadata"]) ? value["metadata"] : {};
  const change = replicas.find((one) => isRecord(one) && one["name"] === metadata["name"]);
  const isScaled = ["Deployment", "StatefulSet", "ReplicaSet"].includes(String(value["kind"]));
  if (!isRecord(change) || !isScaled) return value;
  return { ...value, spec: { ...(value["spec"] as object), replicas: change["count"] } };
}

function distinct(manifests: readonly Manifest[]): Manifest[] {
  const seen = new Set<string>();
  return manifests.filter(({ file, value }) => {
    const key = `${file} ${JSON.stringify(value)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
