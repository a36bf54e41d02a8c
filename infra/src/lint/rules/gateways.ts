import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Path, Workspace } from "../workspace.ts";
import { backendsOf } from "./exposure.ts";
import {
  at,
  fields,
  known,
  list,
  mayBeSameNamespace,
  mayMatch,
  objectsOf,
  problemAt,
  textAt,
} from "./kubernetes-objects.ts";
import { dangling, targetsOf } from "./targets.ts";

/** Gateway API: which listener takes a route, and which namespaces let one another in. */

const ROUTES = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"];

type Parent = { route: Manifest; name: string; namespace: string | undefined; section: unknown; path: Path };

const parentsOf = (workspace: Workspace): Parent[] =>
  objectsOf(workspace, ...ROUTES).flatMap((route) =>
    list(at(route.value, "spec", "parentRefs")).flatMap((parent, index): Parent[] => {
      const name = at(parent, "name");
      const kind = at(parent, "kind") ?? "Gateway";
      if (kind !== "Gateway" || !known(name)) return [];
      const namespace =
        textAt(parent, "namespace") ?? (at(parent, "namespace") === undefined ? route.namespace : undefined);
      return [
        { route, name, namespace, section: at(parent, "sectionName"), path: ["spec", "parentRefs", index] },
      ];
    }),
  );

function* parents(workspace: Workspace): Iterable<Problem> {
  const targets = targetsOf(workspace, "Gateway");
  for (const { route, name, namespace, section, path } of parentsOf(workspace)) {
    const gateway = gatewayOf(workspace, { name, namespace });
    if (gateway === undefined) {
      const missing = dangling(
        { from: route, path: [...path, "name"], what: "Gateway", name, namespace },
        targets,
        false,
      );
      const elsewhere = targets.find((target) => target.name === name);
      if (missing !== undefined) yield missing;
      else if (elsewhere !== undefined && known(namespace) && route.origin === "file")
        yield problemAt(route, {
          path: [...path, at(route.value, ...path, "namespace") === undefined ? "name" : "namespace"],
          message: `the Gateway ${name} is not in ${namespace}, but in ${elsewhere.namespace ?? ""}`,
        });
      continue;
    }
    const listeners = list(at(gateway.value, "spec", "listeners"));
    const named = known(section) ? listeners.filter((one) => at(one, "name") === section) : listeners;
    if (named.length === 0 && !listeners.some((one) => isTemplated(at(one, "name")))) {
      const names = listeners.map((one) => String(at(one, "name"))).join(", ");
      yield problemAt(route, {
        path: [...path, "sectionName"],
        message: `the Gateway ${name} has no listener ${String(section)}; it has ${names}`,
      });
      continue;
    }
    if (!named.some((listener) => admits(workspace, { gateway, listener }, route))) {
      const message = `no listener of the Gateway ${name}${namespace === undefined ? "" : ` in ${namespace}`} admits routes from the namespace ${route.namespace ?? ""}: see allowedRoutes.namespaces`;
      yield problemAt(route, { path, message });
    } else if (!named.some((listener) => sharesHost(listener, route))) {
      yield problemAt(route, {
        path: ["spec", "hostnames"],
        message: `no hostname of the route fits a listener of the Gateway ${name}`,
      });
    }
  }
}

const gatewayOf = (
  workspace: Workspace,
  { name, namespace }: { name: string; namespace: string | undefined },
): Manifest | undefined =>
  objectsOf(workspace, "Gateway").find(
    (one) => one.name === name && mayBeSameNamespace(one.namespace, namespace),
  );

/** A listener takes routes of its own namespace, unless it says otherwise. */
function admits(
  workspace: Workspace,
  { gateway, listener }: { gateway: Manifest; listener: unknown },
  route: Manifest,
): boolean {
  if (mayBeSameNamespace(gateway.namespace, route.namespace)) return true;
  const namespaces = fields(at(listener, "allowedRoutes", "namespaces"));
  if (namespaces["from"] === "All" || isTemplated(namespaces["from"])) return true;
  if (namespaces["from"] !== "Selector") return false;
  const own = objectsOf(workspace, "Namespace").find(({ name }) => name === route.namespace);
  if (own === undefined) return true;
  const labels = { ...fields(at(own.value, "metadata", "labels")), "kubernetes.io/metadata.name": own.name };
  return mayMatch(fields(at(namespaces["selector"], "matchLabels")), labels);
}

function sharesHost(listener: unknown, route: Manifest): boolean {
  const own = at(listener, "hostname");
  const asked = list(at(route.value, "spec", "hostnames"));
  if (own === undefined || asked.length === 0 || isTemplated(own)) return true;
  return asked.some(
    (host) => isTemplated(host) || fits(String(own), String(host)) || fits(String(host), String(own)),
  );
}

const fits = (pattern: string, host: string): boolean =>
  pattern === host ||
  (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1);

function* crossings(workspace: Workspace): Iterable<Problem> {
  const grants = objectsOf(workspace, "ReferenceGrant");
  for (const { manifest, service, namespace, path } of backendsOf(workspace)) {
    const own = manifest.namespace;
    if (
      manifest.kind === "Ingress" ||
      !known(namespace) ||
      !known(own) ||
      namespace === own ||
      manifest.origin !== "file"
    )
      continue;
    const granted = grants.some(
      (grant) =>
        mayBeSameNamespace(grant.namespace, namespace) &&
        list(at(grant.value, "spec", "from")).some(
          (from) =>
            at(from, "kind") === manifest.kind &&
            (at(from, "namespace") === own || isTemplated(at(from, "namespace"))),
        ) &&
        list(at(grant.value, "spec", "to")).some(
          (to) =>
            at(to, "kind") === "Service" && (at(to, "name") === undefined || at(to, "name") === service),
        ),
    );
    if (!granted)
      yield problemAt(manifest, {
        path,
        message: `${manifest.kind} ${manifest.name} in ${own} leads to the Service ${service} in ${namespace}, and no ReferenceGrant there admits it`,
      });
  }
}

function* distantRoutes(workspace: Workspace): Iterable<Problem> {
  for (const grant of objectsOf(workspace, "ReferenceGrant"))
    for (const [index, from] of list(at(grant.value, "spec", "from")).entries()) {
      if (!ROUTES.includes(String(at(from, "kind")))) continue;
      yield problemAt(grant, {
        path: ["spec", "from", index],
        message: `routes of ${String(at(from, "namespace"))} lead into the namespace ${grant.namespace ?? ""} by this grant`,
      });
    }
}

export const gatewayRules: readonly Rule[] = [
  {
    id: "gateway/route-not-admitted",
    severity: "error",
    covers: ["E21"],
    title: "a route that no listener takes",
    why: "The route is accepted by the API server and attached to nothing: its hosts answer 404.",
    remedy:
      "Name a Gateway and listener that are there, and let the listener's allowedRoutes admit the route's namespace.",
    check: parents,
  },
  {
    id: "gateway/no-grant",
    severity: "error",
    covers: ["E07", "E21"],
    title: "a route into another namespace without its consent",
    why: "References across namespaces need a ReferenceGrant in the target's namespace.",
    remedy: "Put the route into the application's namespace; or add a ReferenceGrant there.",
    check: crossings,
  },
  {
    id: "gateway/distant-route",
    severity: "info",
    covers: ["E21"],
    title: "a ReferenceGrant where a route beside the application would do",
    why: "It works, but who may change routes in the other namespace decides about this application's traffic.",
    remedy:
      "Put the route into the application's namespace and restrict listeners[].allowedRoutes: then no grant is needed.",
    check: distantRoutes,
  },
];
