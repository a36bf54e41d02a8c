import { namespaces, podSelector } from "../../names.ts";
import type { Plan, Store } from "../../plan.ts";
import type { Exposure } from "../../spec/components.ts";

/**
 * What the components need from the rest of the platform, as data: sync waves, NetworkPolicies, routes, monitors and
 * probes are made from it, so that none of them can forget a port or an order.
 */

/** Whom pods talk to, or who talks to them. */
export type Peer =
  | { kind: "pods"; namespace: string; selector: Readonly<Record<string, string>> }
  /** All pods of a namespace. */
  | { kind: "namespace"; namespace: string }
  /** All pods of the namespaces that carry a label. */
  | { kind: "labelled-namespaces"; labels: Readonly<Record<string, string>> }
  /** The proxies that serve the Gateway. */
  | { kind: "gateway" }
  /** Whoever collects metrics. */
  | { kind: "monitoring" }
  | { kind: "networks"; cidrs: readonly string[] }
  /** Any address outside of the cluster. */
  | { kind: "internet" }
  | { kind: "kubernetes-api" }
  /** Google's, which hands out the tokens of Workload Identity. */
  | { kind: "metadata-server" };

export type Flow = {
  peer: Peer;
  /** Ports of the pods, not of Services; none is all of them. */
  ports: readonly number[];
  why: string;
};

/** Pods with the same job. */
export type Workload = {
  name: string;
  namespace: string;
  /** Labels of its pods; none is every pod of the namespace. */
  selector: Readonly<Record<string, string>>;
  ingress: readonly Flow[];
  /** DNS is understood. */
  egress: readonly Flow[];
  metrics?: Metrics;
};

export type Metrics = {
  /** By the endpoints of a Service with the selector's labels, or by the pods themselves. */
  by: "service" | "pods";
  selector: Readonly<Record<string, string>>;
  /** Name of the port. */
  port: string;
  path: string;
};

/** A host of the Gateway. */
export type Route = {
  /** Name of the HTTPRoute. */
  name: string;
  namespace: string;
  host: string;
  service: string;
  port: number;
  exposure: Exposure;
  /** What load balancers ask, those of Google Cloud for example. */
  healthPath: string;
};

export type Part = {
  /** Name of its Application and of its folders. */
  name: string;
  title: string;
  namespace: string;
  /** Folder of its overlay, which Argo CD applies. */
  overlay: string;
  /** A chart of the same Application, with values from the overlay folder and from the base. */
  chart?: { name: ChartName; release: string; valueFiles: readonly string[] };
  /** Parts that are healthy before this one is applied, by name: others of the components, or of the platform. */
  after: readonly string[];
  workloads: readonly Workload[];
  routes: readonly Route[];
};

/** A chart by the name it has in the table of versions. */
export type ChartName = "zenml";

/** Where the base and the overlay of a part are, below the output folder. */
export const baseFolder = (name: string): string => `k8s-manifests/base/mlops/${name}`;
export const overlayFolder = (plan: Plan, name: string): string =>
  `k8s-manifests/overlays/${plan.environment.name}/${name}`;

/** The way to the bucket. */
export function objectStoreFlow(plan: Plan, why: string): Flow {
  const { objectStore } = plan.environment;
  if (objectStore.engine === "minio") {
    return {
      peer: { kind: "pods", namespace: namespaces.objectStore, selector: podSelector("minio") },
      ports: [9000],
      why,
    };
  }
  const { port, protocol } = new URL(plan.store.endpoint);
  return {
    peer: { kind: "internet" },
    ports: [port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)],
    why,
  };
}

/** Tokens of Workload Identity, where Google's storage is reached without keys. */
export const identityFlow = (plan: Plan): Flow[] =>
  plan.environment.target.kind === "gcp"
    ? [{ peer: { kind: "metadata-server" }, ports: [80, 988], why: "tokens of Workload Identity" }]
    : [];

/** Storage class of volumes. */
export const storageClassOf = ({ target }: Plan["environment"]): string => {
  if (target.kind === "kubernetes") return target.storageClass;
  return target.kind === "civo" ? "civo-volume" : "standard-rwo";
};

/** Other stores that speak S3 do not understand the checksums that Amazon's newer clients send. */
export const isAmazon = ({ endpoint }: Store): boolean =>
  new URL(endpoint).hostname.endsWith(".amazonaws.com");
