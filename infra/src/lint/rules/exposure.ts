import { isTemplated } from "../../schemas/templated.ts";
import type { HelmRelease, Manifest, Path, Workspace } from "../workspace.ts";
import { at, list, mayBeSameNamespace, objectsOf, perWorkspace } from "./kubernetes-objects.ts";

/** A way in from outside: a route or an ingress, with the services it leads to. */
export type Backend = {
  manifest: Manifest;
  service: string;
  port: unknown;
  namespace: string | undefined;
  path: Path;
};

const ROUTES = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"];

export const backendsOf = perWorkspace((workspace: Workspace): Backend[] => {
  return [
    ...objectsOf(workspace, ...ROUTES).flatMap(routeBackends),
    ...objectsOf(workspace, "Ingress networking.k8s.io").flatMap(ingressBackends),
  ];
});

function routeBackends(manifest: Manifest): Backend[] {
  return list(at(manifest.value, "spec", "rules")).flatMap((rule, index) =>
    list(at(rule, "backendRefs")).flatMap((reference, position): Backend[] => {
      const kind = at(reference, "kind") ?? "Service";
      const group = at(reference, "group") ?? "";
      const service = at(reference, "name");
      if (kind !== "Service" || group !== "" || typeof service !== "string" || isTemplated(service))
        return [];
      const namespace = at(reference, "namespace");
      const own = typeof namespace === "string" ? namespace : manifest.namespace;
      const path = ["spec", "rules", index, "backendRefs", position, "name"];
      return [{ manifest, service, port: at(reference, "port"), namespace: own, path }];
    }),
  );
}

function ingressBackends(manifest: Manifest): Backend[] {
  const places: Path[] = [["spec", "defaultBackend"]];
  for (const [index, rule] of list(at(manifest.value, "spec", "rules")).entries())
    for (const position of list(at(rule, "http", "paths")).keys())
      places.push(["spec", "rules", index, "http", "paths", position, "backend"]);
  return places.flatMap((place): Backend[] => {
    const service = at(manifest.value, ...place, "service", "name");
    if (typeof service !== "string" || isTemplated(service)) return [];
    const port =
      at(manifest.value, ...place, "service", "port", "number") ??
      at(manifest.value, ...place, "service", "port", "name");
    return [{ manifest, service, port, namespace: manifest.namespace, path: [...place, "service", "name"] }];
  });
}

/** Whether a service may be the one of a release: its name, or the name somebody took it to have. */
export function leadsTo({ service, namespace }: Backend, release: HelmRelease, chart: string): boolean {
  const name = release.releaseName ?? chart;
  const related =
    service === name ||
    service === chart ||
    service.startsWith(`${name}-`) ||
    service.startsWith(`${chart}-`);
  return related && mayBeSameNamespace(namespace, release.namespace);
}
