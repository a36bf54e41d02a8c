import { componentLabels, namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { ManifestResource, Reason, Resource } from "../resource.ts";
import { namespacesOf, type NamespaceSpec } from "./namespaces.ts";
import type { Flow, Peer, Workload } from "./part.ts";
import { partsOf } from "./parts.ts";
import { platformBase, platformOverlay } from "./platform-folders.ts";
import { platformParts } from "./platform.ts";
import { proxyPeer } from "./platform-workloads.ts";

/** Nothing talks to anything, except what a workload says it needs. */
export function networkPolicies(plan: Plan): Resource[] {
  const part = "network-policies";
  const specs = namespacesOf(plan);
  const workloads = workloadsOf(plan);
  const files = specs.map(({ name }) => `${name}.yaml`);
  const because: Reason[] = [
    {
      setting: "tracking.engine",
      why: "what each part talks to follows from its engine; the rest is denied",
    },
  ];
  return [
    ...specs.flatMap((spec) => {
      const file = `${platformBase(part)}/${spec.name}.yaml`;
      return [
        ...defaults(plan, spec, file),
        ...workloads
          .filter(({ namespace }) => namespace === spec.name)
          .flatMap((workload) => policyOf(plan, { workload, file, because: spec.because })),
      ];
    }),
    ...platformOverlay(plan, { part, base: files, because }),
  ];
}

/** All pods of the environment. Monitoring's own rules are the other side of everybody's. */
export function workloadsOf(plan: Plan): Workload[] {
  const workloads = [...partsOf(plan), ...platformParts(plan)].flatMap((part) => part.workloads);
  return workloads.map((workload) =>
    workload.namespace === namespaces.monitoring
      ? { ...workload, egress: [...workload.egress, ...scraped(workloads)] }
      : workload,
  );
}

const scraped = (workloads: readonly Workload[]): Flow[] =>
  workloads.flatMap(({ namespace, selector, ingress }) =>
    ingress
      .filter(({ peer }) => peer.kind === "monitoring")
      .map(({ ports, why }) => ({ peer: { kind: "pods" as const, namespace, selector }, ports, why })),
  );

function defaults(plan: Plan, { name, because }: NamespaceSpec, file: string): ManifestResource[] {
  const metadata = (policy: string): ManifestResource["object"]["metadata"] => ({
    name: policy,
    namespace: name,
    labels: componentLabels(plan.environment, name),
  });
  return [
    {
      kind: "manifest",
      file,
      because,
      comment: "Nothing in and nothing out, unless a policy below allows it.",
      object: {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: metadata("default-deny"),
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
      },
    },
    {
      kind: "manifest",
      file,
      because,
      object: {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: metadata("dns"),
        spec: {
          podSelector: {},
          policyTypes: ["Egress"],
          egress: [{ to: dnsPeers(plan), ports: [port(53, "UDP"), port(53, "TCP")] }],
        },
      },
    },
  ];
}

const port = (number: number, protocol: "TCP" | "UDP" = "TCP"): object => ({ protocol, port: number });

const namespaceSelector = (namespace: string): object => ({
  matchLabels: { "kubernetes.io/metadata.name": namespace },
});

/** The cluster's name servers; on GKE also the cache on each node and Cloud DNS. */
function dnsPeers({ environment }: Plan): object[] {
  const cluster = { namespaceSelector: namespaceSelector("kube-system") };
  return environment.target.kind === "gcp"
    ? [cluster, { ipBlock: { cidr: "169.254.20.10/32" } }, { ipBlock: { cidr: "169.254.169.254/32" } }]
    : [cluster];
}

type Subject = { workload: Workload; file: string; because: readonly Reason[] };

function policyOf(plan: Plan, { workload, file, because }: Subject): ManifestResource[] {
  const { name, namespace, selector } = workload;
  const ingress = rulesOf(plan, workload.ingress, "from");
  const egress = rulesOf(plan, workload.egress, "to");
  const types = [
    ...(ingress.rules.length > 0 ? ["Ingress"] : []),
    ...(egress.rules.length > 0 ? ["Egress"] : []),
  ];
  if (types.length === 0) return [];
  return [
    {
      kind: "manifest",
      file,
      because,
      object: {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name, namespace, labels: componentLabels(plan.environment, name) },
        spec: {
          podSelector: Object.keys(selector).length === 0 ? {} : { matchLabels: selector },
          policyTypes: types,
          ...(ingress.rules.length > 0 ? { ingress: ingress.rules } : {}),
          ...(egress.rules.length > 0 ? { egress: egress.rules } : {}),
        },
      },
      notes: {
        ...notesOf("spec.ingress", ingress.reasons),
        ...notesOf("spec.egress", egress.reasons),
      },
    },
  ];
}

const notesOf = (path: string, reasons: readonly string[]): Record<string, string> =>
  Object.fromEntries(reasons.map((why, at) => [`${path}[${at}]`, why]));

type Rules = { rules: object[]; reasons: string[] };

/** One rule for each flow; those with the same ports and reason are one rule with several peers. */
function rulesOf(plan: Plan, flows: readonly Flow[], side: "from" | "to"): Rules {
  const rules = new Map<string, { why: string[]; peers: object[] | undefined; ports: readonly number[] }>();
  for (const flow of flows) {
    const peers = peersOf(plan, flow.peer);
    if (peers !== undefined && peers.length === 0) continue;
    const ports = [...new Set(flow.ports)].sort((a, b) => a - b);
    // Peers that anybody could be do not share a rule with others: an empty list would let everybody in.
    const key = JSON.stringify([
      ports,
      peers === undefined ? flow.why : flow.peer.kind === "networks" ? flow.why : "",
    ]);
    const rule = rules.get(key);
    if (rule === undefined || rule.peers === undefined || peers === undefined) {
      const unique = rule === undefined ? key : `${key}${rules.size}`;
      rules.set(unique, { why: [flow.why], peers, ports });
      continue;
    }
    if (!rule.why.includes(flow.why)) rule.why.push(flow.why);
    for (const peer of peers) {
      if (!rule.peers.some((other) => JSON.stringify(other) === JSON.stringify(peer))) rule.peers.push(peer);
    }
  }
  const all = [...rules.values()];
  return {
    rules: all.map(({ peers, ports }) => ({
      ...(peers === undefined ? {} : { [side]: peers }),
      ...(ports.length === 0 ? {} : { ports: ports.map((number) => port(number)) }),
    })),
    reasons: all.map(({ why }) => sentence(why.join("; "))),
  };
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Networks that are nobody's on the internet: private ones, and the link-local ones of clouds' metadata. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"];

/** Proxies and health checks of Google's load balancers. */
const GOOGLE_LOAD_BALANCERS = ["35.191.0.0/16", "130.211.0.0/22"];

/** Who a peer is for Kubernetes. Undefined: anybody. None: not in this environment. */
function peersOf(plan: Plan, peer: Peer): object[] | undefined {
  switch (peer.kind) {
    case "pods":
      return [podsPeer(peer.namespace, peer.selector)];
    case "namespace":
      return [{ namespaceSelector: namespaceSelector(peer.namespace) }];
    case "labelled-namespaces":
      return [{ namespaceSelector: { matchLabels: peer.labels } }];
    case "gateway": {
      const proxies = proxyPeer(plan);
      return proxies === undefined
        ? GOOGLE_LOAD_BALANCERS.map((cidr) => ({ ipBlock: { cidr } }))
        : [podsPeer(proxies.namespace, proxies.selector)];
    }
    case "monitoring":
      return monitoringPeers(plan);
    case "networks":
      return peer.cidrs.includes("0.0.0.0/0") ? undefined : peer.cidrs.map((cidr) => ({ ipBlock: { cidr } }));
    case "internet":
      return [{ ipBlock: { cidr: "0.0.0.0/0", except: PRIVATE } }];
    case "kubernetes-api":
      // Its address differs by cluster, and is that of no pod.
      return undefined;
    case "metadata-server":
      return ["169.254.169.252/32", "169.254.169.254/32"].map((cidr) => ({ ipBlock: { cidr } }));
  }
}

const podsPeer = (namespace: string, selector: Readonly<Record<string, string>>): object => ({
  namespaceSelector: namespaceSelector(namespace),
  ...(Object.keys(selector).length === 0 ? {} : { podSelector: { matchLabels: selector } }),
});

function monitoringPeers({ environment }: Plan): object[] {
  switch (environment.monitoring.engine) {
    case "prometheus-operator":
      return [podsPeer(namespaces.monitoring, { "app.kubernetes.io/name": "prometheus" })];
    case "managed":
      // The collectors of Google's managed Prometheus.
      return [{ namespaceSelector: namespaceSelector("gmp-system") }];
    case "none":
      return [];
  }
}
