import type { Manifest, Workspace } from "../workspace.ts";
import { at, fields, objectsOf, releasesOf, textAt } from "./kubernetes-objects.ts";

/** How KServe runs models: as plain deployments (Standard, once RawDeployment) or through Knative (once Serverless). */
export type Mode = "Standard" | "Knative";

const MODES: Readonly<Record<string, Mode>> = {
  Standard: "Standard",
  RawDeployment: "Standard",
  Knative: "Knative",
  Serverless: "Knative",
};

const ANNOTATION = "serving.kserve.io/deploymentMode";

/** The mode of a service: its annotation, else what the cluster is set to, else KServe's own default. */
export function modeOf(
  workspace: Workspace,
  service: Manifest,
): { mode: Mode; from: "annotation" | "cluster" | "default" } {
  const own = textAt(service.value, "metadata", "annotations", ANNOTATION);
  if (own !== undefined && MODES[own] !== undefined) return { mode: MODES[own], from: "annotation" };
  const cluster = clusterMode(workspace);
  return cluster === undefined ? { mode: "Knative", from: "default" } : { mode: cluster, from: "cluster" };
}

function clusterMode(workspace: Workspace): Mode | undefined {
  for (const release of releasesOf(workspace, "kserve-resources")) {
    const mode = textAt(release.values?.value, "kserve", "controller", "deploymentMode");
    if (mode !== undefined) return MODES[mode];
  }
  for (const config of objectsOf(workspace, "ConfigMap")) {
    if (config.name !== "inferenceservice-config") continue;
    const mode = /"defaultDeploymentMode"\s*:\s*"(\w+)"/.exec(
      String(at(config.value, "data", "deploy")),
    )?.[1];
    if (mode !== undefined) return MODES[mode];
  }
  return undefined;
}

/** Whether the cluster lets Knative pods use a field that is behind a feature flag. */
export function knativeAllows(workspace: Workspace, feature: string): boolean {
  const flag = `kubernetes.podspec-${feature}`;
  const maps = objectsOf(workspace, "ConfigMap")
    .filter(({ name }) => name === "config-features")
    .map(({ value }) => fields(value["data"]));
  const operator = objectsOf(workspace, "KnativeServing").flatMap(({ value }) => [
    fields(at(value, "spec", "config", "features")),
    fields(at(value, "spec", "config", "config-features")),
  ]);
  return [...maps, ...operator].some((features) => /^(?:enabled|allowed)$/i.test(String(features[flag])));
}
