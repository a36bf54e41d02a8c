import { dirname } from "node:path/posix";
import type { HelmRelease, Manifest, Workspace } from "../workspace.ts";
import { at, objectsOf, textAt, perWorkspace } from "./kubernetes-objects.ts";

/** Order in Argo CD: phases of hooks, sync waves, and which Application an object belongs to. */

export const waveOf = (manifest: Manifest): number => {
  const written = textAt(manifest.value, "metadata", "annotations", "argocd.argoproj.io/sync-wave");
  const wave = Number(written ?? 0);
  return Number.isFinite(wave) ? wave : 0;
};

export const hasWave = (manifest: Manifest): boolean =>
  at(manifest.value, "metadata", "annotations", "argocd.argoproj.io/sync-wave") !== undefined;

/** The phases an object is a hook of, by Argo CD's annotation or Helm's. */
export function hooksOf(manifest: Manifest): string[] {
  const annotations = at(manifest.value, "metadata", "annotations");
  const own = textAt(annotations, "argocd.argoproj.io/hook");
  const helm = textAt(annotations, "helm.sh/hook");
  const phases: Readonly<Record<string, string>> = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
  };
  const names =
    own === undefined
      ? (helm ?? "").split(",").map((hook) => phases[hook.trim()] ?? "")
      : own.split(",").map((hook) => hook.trim());
  return names.filter((name) => name !== "");
}

/** Whether files are applied by Argo CD, as far as they tell. */
export const usesArgo = (workspace: Workspace): boolean =>
  objectsOf(workspace, "Application argoproj.io", "ApplicationSet argoproj.io").length > 0 ||
  workspace.manifests.some((manifest) => hasWave(manifest));

export const applicationsOf = (workspace: Workspace): readonly Manifest[] =>
  objectsOf(workspace, "Application argoproj.io");

/** Objects of one folder are one Application: that is how kustomizations and paths are cut. */
export const isSameApplication = (a: Manifest, b: Manifest): boolean => dirname(a.file) === dirname(b.file);

/** The chart of an Application, with its wave. */
export const chartsOf = perWorkspace(
  (workspace: Workspace): { application: Manifest; release: HelmRelease; wave: number }[] =>
    applicationsOf(workspace).flatMap((application) =>
      workspace.releases
        .filter((release) => release.file === application.file && isWithin(release, application))
        .map((release) => ({ application, release, wave: waveOf(application) })),
    ),
);

/** Several Applications may stand in one file: a release belongs to the one that names its chart. */
const isWithin = (release: HelmRelease, application: Manifest): boolean => {
  const line = application.lineOf(["spec"]);
  const sources = application.lineOf(["spec", "source", "chart"]);
  return (
    release.line === sources ||
    (release.line >= line &&
      JSON.stringify(at(application.value, "spec", "sources") ?? []).includes(`"chart":"${release.chart}"`))
  );
};

export const syncOptions = (manifest: Manifest): string =>
  String(at(manifest.value, "metadata", "annotations", "argocd.argoproj.io/sync-options"));
