import { commonLabels } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { printYamlValue } from "../../print/yaml.ts";
import type { DocumentResource, KubernetesObject, ManifestResource, Reason } from "../resource.ts";
import { baseFolder, overlayFolder } from "./part.ts";

/** A part's two folders: the base that all environments share, and the overlay with what is this environment's own. */

/** A manifest of one of the folders, by the name of its file. */
export type FolderFile = Omit<ManifestResource, "kind" | "file"> & { file: string };

export type PartFolders = {
  plan: Plan;
  name: string;
  namespace: string;
  because: readonly Reason[];
  base: readonly FolderFile[];
  overlay: Overlay;
};

export type Overlay = {
  files?: readonly FolderFile[];
  images?: readonly ImageChange[];
  /** Left out where an autoscaler decides. */
  replicas?: { name: string; count: number };
  patches?: readonly Patch[];
};

export type ImageChange = { name: string; image: string };

type PatchTarget = { group?: string; version: string; kind: string; name: string };

export type Patch = {
  target: PatchTarget;
} & (
  | {
      /** What is merged into the object: everything but apiVersion, kind and name. */
      change: Readonly<Record<string, unknown>>;
    }
  | {
      /** For items of lists that have no name to be merged by, those of custom resources (RFC 6902). */
      operations: readonly { op: "add" | "replace"; path: string; value: unknown }[];
    }
);

export function partFolders(part: PartFolders): (DocumentResource | ManifestResource)[] {
  const { plan, name, because, base, overlay } = part;
  const folders = { base: baseFolder(name), overlay: overlayFolder(plan, name) };
  return [
    ...(base.length === 0
      ? []
      : [...manifests(folders.base, base), baseKustomization(plan, folders.base, { base, because })]),
    ...manifests(folders.overlay, overlay.files ?? []),
    overlayKustomization(part, folders),
  ];
}

const manifests = (folder: string, files: readonly FolderFile[]): ManifestResource[] =>
  files.map(({ file, ...rest }) => ({ kind: "manifest", file: `${folder}/${file}`, ...rest }));

const head = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" } as const;

const fileNames = (files: readonly FolderFile[]): string[] => [...new Set(files.map(({ file }) => file))];

function baseKustomization(
  { environment }: Plan,
  folder: string,
  { base, because }: { base: readonly FolderFile[]; because: readonly Reason[] },
): DocumentResource {
  return {
    kind: "document",
    file: `${folder}/kustomization.yaml`,
    because,
    value: {
      ...head,
      resources: fileNames(base),
      labels: [
        {
          pairs: {
            "app.kubernetes.io/part-of": environment.platform,
            "app.kubernetes.io/managed-by": "plinth",
          },
          includeSelectors: false,
          includeTemplates: true,
        },
      ],
    },
  };
}

function overlayKustomization(
  { plan, namespace, because, base, overlay }: PartFolders,
  folders: { base: string; overlay: string },
): DocumentResource {
  const { files = [], images = [], replicas, patches = [] } = overlay;
  const resources = [
    ...(base.length === 0 ? [] : [relative(folders.overlay, folders.base)]),
    ...fileNames(files),
  ];
  return {
    kind: "document",
    file: `${folders.overlay}/kustomization.yaml`,
    because,
    value: {
      ...head,
      resources,
      ...(images.length === 0 ? {} : { images: images.map(changedImage) }),
      ...(replicas === undefined ? {} : { replicas: [replicas] }),
      ...(patches.length === 0 ? {} : { patches: patches.map((patch) => inlinePatch(patch, namespace)) }),
      labels: [{ pairs: commonLabels(plan.environment), includeSelectors: false, includeTemplates: true }],
    },
  };
}

/** The way from one folder to another of the same tree. */
function relative(from: string, to: string): string {
  const a = from.split("/");
  const b = to.split("/");
  while (a.length > 0 && a[0] === b[0]) {
    a.shift();
    b.shift();
  }
  return [...a.map(() => ".."), ...b].join("/");
}

/** `registry/name:tag@digest` as kustomize takes it apart. */
function changedImage({ name, image }: ImageChange): Record<string, string> {
  const [tagged = "", digest] = image.split("@");
  const colon = tagged.lastIndexOf(":");
  const isTag = colon > tagged.lastIndexOf("/");
  return {
    name,
    newName: isTag ? tagged.slice(0, colon) : tagged,
    ...(isTag ? { newTag: tagged.slice(colon + 1) } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Its YAML stands in the kustomization itself: there is no file that looks like a manifest and is none. */
function inlinePatch(patch: Patch, namespace: string): Record<string, unknown> {
  const { group, version, kind, name } = patch.target;
  if ("operations" in patch) return { target: patch.target, patch: printYamlValue(patch.operations) };
  const apiVersion = group === undefined ? version : `${group}/${version}`;
  const { metadata, ...rest } = patch.change as { metadata?: Record<string, unknown> };
  return { patch: printYamlValue({ apiVersion, kind, metadata: { name, namespace, ...metadata }, ...rest }) };
}

/** A file with one manifest, the reasons of its part. */
export const fileOf = (because: readonly Reason[], file: string, object: KubernetesObject): FolderFile => ({
  file,
  because,
  object,
});

/** With remarks where a reader would ask why. */
export const explained = (
  file: FolderFile,
  remarks: Pick<ManifestResource, "comment" | "notes">,
): FolderFile => ({ ...file, ...remarks });
