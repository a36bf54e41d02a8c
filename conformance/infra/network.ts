// Who may talk to whom by a set of NetworkPolicies. No node runs here that would enforce them, so this does what the API's
// reference says: a pod that a policy selects accepts only what one of its policies allows, in each direction that they name.
import type { KubernetesObject } from "./api-server.ts";

type Labels = Readonly<Record<string, string>>;

export interface Pod {
  readonly namespace: string;
  readonly labels: Labels;
}

type Expression = { key: string; operator: "In" | "NotIn" | "Exists" | "DoesNotExist"; values?: string[] };
export type Selector = { matchLabels?: Labels; matchExpressions?: Expression[] };
export type Peer = { podSelector?: Selector; namespaceSelector?: Selector; ipBlock?: object };
type Port = { protocol?: string; port?: number | string; endPort?: number };
export type Rule = { from?: Peer[]; to?: Peer[]; ports?: Port[] };
type Direction = "Ingress" | "Egress";

export interface Policy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: Selector;
  readonly policyTypes: readonly Direction[];
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

export function policiesIn(objects: readonly KubernetesObject[]): Policy[] {
  return objects
    .filter(({ kind }) => kind === "NetworkPolicy")
    .map(({ metadata, ...object }) => {
      const spec = object["spec"] as {
        podSelector?: Selector;
        policyTypes?: Direction[];
        ingress?: Rule[];
        egress?: Rule[];
      };
      const implied: Direction[] = spec.egress === undefined ? ["Ingress"] : ["Ingress", "Egress"];
      return {
        namespace: metadata.namespace ?? "default",
        name: metadata.name,
        podSelector: spec.podSelector ?? {},
        policyTypes: spec.policyTypes ?? implied,
        ingress: spec.ingress ?? [],
        egress: spec.egress ?? [],
      };
    });
}

export class Network {
  readonly #policies: readonly Policy[];
  readonly #namespaces: ReadonlyMap<string, Labels>;

  constructor(objects: readonly KubernetesObject[]) {
    this.#policies = policiesIn(objects);
    const namespaces = objects.filter(({ kind }) => kind === "Namespace");
    this.#namespaces = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  }

  allows(from: Pod, to: Pod, port: number | string): boolean {
    return (
      this.#isOpen("Egress", from, { other: to, port }) && this.#isOpen("Ingress", to, { other: from, port })
    );
  }

  /** Whether the policies of `pod` let it talk in this direction with the other. */
  #isOpen(direction: Direction, pod: Pod, { other, port }: { other: Pod; port: number | string }): boolean {
    const own = this.#policies.filter(
      (policy) =>
        policy.namespace === pod.namespace &&
        policy.policyTypes.includes(direction) &&
        selects(policy.podSelector, pod.labels),
    );
    const rules = own.flatMap((policy) => (direction === "Ingress" ? policy.ingress : policy.egress));
    return (
      own.length === 0 ||
      rules.some((rule) => {
        const peers = direction === "Ingress" ? rule.from : rule.to;
        const isPeer =
          peers === undefined ||
          peers.length === 0 ||
          peers.some((peer) => this.#isPeer(peer, { pod: other, home: pod.namespace }));
        return isPeer && opens(rule.ports, port);
      })
    );
  }

  #isPeer(
    { podSelector, namespaceSelector, ipBlock }: Peer,
    { pod, home }: { pod: Pod; home: string },
  ): boolean {
    if (ipBlock !== undefined) return false;
    const labels = {
      ...this.#namespaces.get(pod.namespace),
      "kubernetes.io/metadata.name": pod.namespace,
    };
    const isNear =
      namespaceSelector === undefined ? pod.namespace === home : selects(namespaceSelector, labels);
    return isNear && (podSelector === undefined || selects(podSelector, pod.labels));
  }
}

function opens(ports: readonly Port[] | undefined, wanted: number | string): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some(({ port, endPort }) => {
    if (port === undefined || port === wanted) return true;
    return endPort !== undefined && Number(port) <= Number(wanted) && Number(wanted) <= endPort;
  });
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  const isEqual = Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
  return (
    isEqual &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === "In" ? isIn : !isIn;
    })
  );
}
