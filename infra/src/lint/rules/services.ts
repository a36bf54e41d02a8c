import { dirname } from "node:path/posix";
import type { Problem, Rule } from "../rule.ts";
import type { HelmRelease, Manifest, Path, Workspace } from "../workspace.ts";
import { chartName, serviceOf } from "./chart-objects.ts";
import { backendsOf, leadsTo, type Backend } from "./exposure.ts";
import {
  at,
  fields,
  known,
  labelsOf,
  list,
  mayBeSameNamespace,
  mayMatch,
  objectsOf,
  problemAt,
  workloadsOf,
  type Fields,
  perWorkspace,
} from "./kubernetes-objects.ts";
import { dangling, isOfCluster, releasesIn } from "./targets.ts";

/** Services: what leads to them, what they lead to, and what scrapes them. */

type Service = {
  name: string;
  namespace: string | undefined;
  file?: string;
  labels: Fields;
  /** Numbers and names; undefined where the chart decides. */
  ports: readonly unknown[] | undefined;
  from: "manifest" | "release" | "operator";
};

export const servicesOf = perWorkspace((workspace: Workspace): Service[] => {
  const written = objectsOf(workspace, "Service").map(
    ({ name, namespace, value, apiVersion, file }): Service => {
      const ports = list(at(value, "spec", "ports")).flatMap((port) => [at(port, "port"), at(port, "name")]);
      return {
        name,
        namespace,
        file,
        labels: fields(at(value, "metadata", "labels")),
        ports: apiVersion === "v1" ? ports : undefined,
        from: "manifest",
      };
    },
  );
  const charts = workspace.releases.flatMap((release): Service[] => {
    const service = serviceOf(release);
    return service === undefined ? [] : [{ ...service, namespace: release.namespace, from: "release" }];
  });
  const operators = objectsOf(workspace, "Cluster postgresql.cnpg.io", "InferenceService", "Pooler").flatMap(
    ({ name, namespace, kind }) => {
      const names =
        kind === "Cluster"
          ? ["rw", "ro", "r"].map((end) => `${name}-${end}`)
          : kind === "Pooler"
            ? [name]
            : [name, `${name}-predictor`, `${name}-transformer`];
      return names.map((one): Service => ({
        name: one,
        namespace,
        labels: {},
        ports: undefined,
        from: "operator",
      }));
    },
  );
  return [...written, ...charts, ...operators];
});

function* backends(workspace: Workspace): Iterable<Problem> {
  const services = servicesOf(workspace);
  const grants = objectsOf(workspace, "ReferenceGrant").flatMap((manifest): Backend[] =>
    list(at(manifest.value, "spec", "to")).flatMap((to, index): Backend[] => {
      const service = at(to, "name");
      if (at(to, "kind") !== "Service" || !known(service)) return [];
      return [
        {
          manifest,
          service,
          port: undefined,
          namespace: manifest.namespace,
          path: ["spec", "to", index, "name"],
        },
      ];
    }),
  );
  for (const backend of [...backendsOf(workspace), ...grants]) {
    const { manifest, service, namespace, path } = backend;
    const here = services.filter(
      (one) => one.name === service && mayBeSameNamespace(one.namespace, namespace),
    );
    if (here.length > 0) {
      yield* portProblem(backend, here);
      continue;
    }
    const release = workspace.releases.find(
      (one) => serviceOf(one) !== undefined && leadsTo(backend, one, chartName(one)),
    );
    if (release !== undefined) {
      const made = serviceOf(release);
      yield problemAt(manifest, {
        path,
        message: `there is no Service ${service}: the release ${release.releaseName ?? ""} of the chart ${chartName(release)} makes the Service ${made?.name ?? ""}, port ${String(made?.ports[0])}`,
      });
      continue;
    }
    const missing = dangling(
      { from: manifest, path, what: "Service", name: service, namespace },
      services,
      releasesIn(workspace, namespace).length > 0,
    );
    if (missing !== undefined) yield missing;
  }
}

function* portProblem(
  { manifest, port, service, path }: Backend,
  here: readonly Service[],
): Iterable<Problem> {
  const ports = here.flatMap((one) => one.ports ?? [port]);
  if ((typeof port !== "number" && !known(port)) || ports.includes(port)) return;
  const named = ports.filter((one) => one !== undefined).join(", ");
  const where: Path = manifest.kind === "Ingress" ? path : [...path.slice(0, -1), "port"];
  yield problemAt(manifest, {
    path: where,
    message: `the Service ${service} has no port ${String(port)}; it has ${named}`,
  });
}

/** Labels that operators and charts put on pods: their pods are in no file. */
const OF_OPERATORS =
  /^(?:cnpg\.io|serving\.kserve\.io|apps\.kubeblocks\.io|serving\.knative\.dev|gateway\.(?:networking\.k8s|envoyproxy)\.io|strimzi\.io|batch\.kubernetes\.io|job-name|statefulset\.kubernetes\.io)/;

type Selector = { from: Manifest; path: Path; wanted: Fields };

const selectorsOf = perWorkspace((workspace: Workspace): Selector[] => {
  const paths: Readonly<Record<string, Path>> = {
    Service: ["spec", "selector"],
    PodDisruptionBudget: ["spec", "selector", "matchLabels"],
    NetworkPolicy: ["spec", "podSelector", "matchLabels"],
    PodMonitor: ["spec", "selector", "matchLabels"],
  };
  return objectsOf(workspace, ...Object.keys(paths)).flatMap((from) => {
    const path = paths[from.kind];
    if (path === undefined || (from.kind === "Service" && from.apiVersion !== "v1")) return [];
    const wanted = fields(at(from.value, ...path));
    return Object.keys(wanted).length === 0 ? [] : [{ from, path, wanted }];
  });
});

/** Charts put their name and the release's on their pods; of charts that are not known, any label may come. */
function mayMakePods(release: HelmRelease, wanted: Fields): boolean {
  const labels = serviceOf(release)?.labels;
  if (labels === undefined) return true;
  return Object.entries(labels).every(([key, value]) => wanted[key] === undefined || wanted[key] === value);
}

function* selectors(workspace: Workspace): Iterable<Problem> {
  const workloads = workloadsOf(workspace);
  for (const { from, path, wanted } of selectorsOf(workspace)) {
    if (from.origin !== "file" || Object.keys(wanted).some((key) => OF_OPERATORS.test(key))) continue;
    const namespaces = namespacesOf(from);
    if (namespaces.some(isOfCluster)) continue;
    const here = workloads.filter(({ manifest }) =>
      namespaces.some((namespace) => mayBeSameNamespace(manifest.namespace, namespace)),
    );
    // Without a namespace, what is in other folders may go anywhere.
    const near = here.some(
      ({ manifest }) =>
        (manifest.namespace !== undefined && namespaces.includes(manifest.namespace)) ||
        dirname(manifest.file) === dirname(from.file),
    );
    const releases = namespaces.flatMap((namespace) => releasesIn(workspace, namespace));
    if (!near && releases.length === 0) continue;
    if (here.some(({ template }) => mayMatch(wanted, labelsOf(template)))) continue;
    // Policies of the network are also for pods that a chart's server makes, and that no file names.
    if (releases.some((release) => from.kind === "NetworkPolicy" || mayMakePods(release, wanted))) continue;
    const labels = Object.entries(wanted)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(", ");
    yield problemAt(from, {
      path,
      message: `${from.kind} ${from.name} selects ${labels}, and no pod of its namespace has that`,
    });
  }
}

/** Where a monitor looks: its own namespace unless it names others; undefined is any. */
function namespacesOf({ value, namespace, kind }: Manifest): (string | undefined)[] {
  if (kind !== "ServiceMonitor" && kind !== "PodMonitor") return [namespace];
  if (at(value, "spec", "namespaceSelector", "any") === true) return [undefined];
  const names = list(at(value, "spec", "namespaceSelector", "matchNames")).filter(
    (name) => typeof name === "string",
  );
  return names.length > 0 ? names : [namespace];
}

function* targetPorts(workspace: Workspace): Iterable<Problem> {
  const workloads = workloadsOf(workspace);
  for (const service of objectsOf(workspace, "Service")) {
    const wanted = fields(at(service.value, "spec", "selector"));
    if (service.apiVersion !== "v1" || Object.keys(wanted).length === 0) continue;
    const pods = workloads.filter(
      ({ manifest, template }) =>
        mayBeSameNamespace(manifest.namespace, service.namespace) && mayMatch(wanted, labelsOf(template)),
    );
    if (pods.length === 0) continue;
    const names = pods.flatMap(({ containers }) =>
      containers.flatMap(({ value }) => list(value["ports"]).map((port) => at(port, "name"))),
    );
    for (const [index, port] of list(at(service.value, "spec", "ports")).entries()) {
      const target = at(port, "targetPort");
      if (
        !known(target) ||
        /^\d+$/.test(target) ||
        names.includes(target) ||
        names.some((name) => name !== undefined && !known(name))
      )
        continue;
      yield problemAt(service, {
        path: ["spec", "ports", index, "targetPort"],
        message: `no container behind the Service ${service.name} has a port named ${target}`,
      });
    }
  }
}

function* monitors(workspace: Workspace): Iterable<Problem> {
  const services = servicesOf(workspace).filter(({ from }) => from !== "operator");
  for (const monitor of objectsOf(workspace, "ServiceMonitor")) {
    const wanted = fields(at(monitor.value, "spec", "selector", "matchLabels"));
    if (Object.keys(wanted).length === 0 || Object.keys(wanted).some((key) => OF_OPERATORS.test(key)))
      continue;
    const namespaces = namespacesOf(monitor);
    const here = services.filter((service) =>
      namespaces.some((namespace) => mayBeSameNamespace(service.namespace, namespace)),
    );
    const matching = here.filter(({ labels }) => mayMatch(wanted, labels));
    if (matching.length > 0) yield* monitorPorts(monitor, matching);
    else yield* withoutTarget(workspace, { monitor, wanted, namespaces, here });
  }
}

type Unmatched = {
  monitor: Manifest;
  wanted: Fields;
  namespaces: (string | undefined)[];
  here: readonly Service[];
};

function* withoutTarget(
  workspace: Workspace,
  { monitor, wanted, namespaces, here }: Unmatched,
): Iterable<Problem> {
  const text = Object.entries(wanted)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(", ");
  const release = workspace.releases.find((one) => {
    const related = Object.values(wanted).some(
      (value) =>
        typeof value === "string" && (value === chartName(one) || value.startsWith(`${chartName(one)}-`)),
    );
    return (
      related &&
      serviceOf(one) !== undefined &&
      namespaces.some((namespace) => mayBeSameNamespace(one.namespace, namespace))
    );
  });
  const made = release === undefined ? undefined : serviceOf(release);
  const unknown = namespaces.some((namespace) =>
    releasesIn(workspace, namespace).some((one) => serviceOf(one) === undefined),
  );
  if (made === undefined && (monitor.origin !== "file" || unknown || here.length === 0)) return;
  const hint =
    made === undefined
      ? ""
      : `; the chart's Service has app.kubernetes.io/name=${made.labels["app.kubernetes.io/name"] ?? ""}`;
  yield problemAt(monitor, {
    path: ["spec", "selector", "matchLabels"],
    message: `ServiceMonitor ${monitor.name} selects ${text}, and no Service has that${hint}`,
  });
}

function* monitorPorts(monitor: Manifest, matching: readonly Service[]): Iterable<Problem> {
  const ports = matching.flatMap((service) => service.ports ?? [undefined]);
  if (matching.some((service) => service.ports === undefined)) return;
  for (const [index, endpoint] of list(at(monitor.value, "spec", "endpoints")).entries()) {
    const port = at(endpoint, "port");
    if (!known(port) || ports.includes(port)) continue;
    const names = ports.filter((one) => typeof one === "string").join(", ") || "no named port";
    yield problemAt(monitor, {
      path: ["spec", "endpoints", index, "port"],
      message: `no Service that ${monitor.name} selects has a port named ${port}; there is ${names}`,
    });
  }
}

export const serviceRules: readonly Rule[] = [
  {
    id: "reference/service",
    severity: "error",
    covers: ["E07"],
    title: "a route, ingress or grant to a Service that is not there",
    why: "The route has ResolvedRefs=False, and every request ends with 500 or 503.",
    remedy: "Name the Service, and a port of it, that the files or the chart make.",
    check: backends,
  },
  {
    id: "reference/monitor",
    severity: "error",
    covers: ["E08"],
    title: "a ServiceMonitor that finds no target",
    why: "Prometheus takes it without complaint and scrapes nothing; alerts on missing series never fire.",
    remedy: "Select labels, and name a port, that the Service has.",
    check: monitors,
  },
  {
    id: "reference/selector",
    severity: "error",
    covers: ["E08"],
    title: "a selector that finds no pod",
    why: "A Service without endpoints, a budget or policy that holds for nothing: none of it is reported by the cluster.",
    remedy: "Select labels that the pod template has.",
    check: selectors,
  },
  {
    id: "reference/target-port",
    severity: "error",
    covers: ["E07"],
    title: "a Service that leads to a port name no container has",
    why: "The Service has no endpoints for that port.",
    remedy: "Name a port of the container, or write its number.",
    check: targetPorts,
  },
];
