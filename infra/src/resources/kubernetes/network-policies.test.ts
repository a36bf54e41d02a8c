import { describe, expect, test } from "vitest";
import type { Plan } from "../../plan.ts";
import type { KubernetesObject } from "../resource.ts";
import { namespacesOf } from "./namespaces.ts";
import { networkPolicies, workloadsOf } from "./network-policies.ts";
import type { Peer, Workload } from "./part.ts";
import { planNamed, plans } from "./platform-plans.ts";
import { proxyPeer } from "./platform-workloads.ts";

type Rule = { from?: object[]; to?: object[]; ports?: { port: number; protocol: string }[] };
type Spec = { podSelector: object; policyTypes: string[]; ingress?: Rule[]; egress?: Rule[] };

const policiesOf = (plan: Plan): { object: KubernetesObject; spec: Spec }[] =>
  networkPolicies(plan).flatMap((resource) =>
    resource.kind === "manifest" ? [{ object: resource.object, spec: resource.object["spec"] as Spec }] : [],
  );

/** The pods that a peer stands for, where they are the platform's. */
function podsOf(
  plan: Plan,
  peer: Peer,
): { namespace: string; selector: Readonly<Record<string, string>> } | undefined {
  if (peer.kind === "pods") return peer;
  if (peer.kind === "namespace") return { namespace: peer.namespace, selector: {} };
  if (peer.kind === "monitoring" && plan.environment.monitoring.engine === "prometheus-operator") {
    return { namespace: "monitoring", selector: { "app.kubernetes.io/name": "prometheus" } };
  }
  return peer.kind === "gateway" ? proxyPeer(plan) : undefined;
}

type Pods = { namespace: string; selector: Readonly<Record<string, string>> };

/** Whether some pods of one are pods of the other. */
const overlap = (one: Pods, other: Pods): boolean =>
  one.namespace === other.namespace &&
  Object.entries(one.selector).every(([key, value]) => (other.selector[key] ?? value) === value);

const portsMeet = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === 0 || other.length === 0 || one.some((port) => other.includes(port));

/** Peers of a workload on one side that nothing on the other side answers. */
function unanswered(plan: Plan, workloads: readonly Workload[], side: "egress" | "ingress"): string[] {
  const other = side === "egress" ? "ingress" : "egress";
  return workloads.flatMap((workload) =>
    workload[side].flatMap(({ peer, ports, why }) => {
      const target = podsOf(plan, peer);
      if (target === undefined) return [];
      const answered = workloads.some(
        (candidate) =>
          overlap(target, candidate) &&
          candidate[other].some((back) => {
            const pods = podsOf(plan, back.peer);
            const isAnybody = back.peer.kind === "networks" && back.peer.cidrs.includes("0.0.0.0/0");
            return (
              portsMeet(ports, back.ports) && (isAnybody || (pods !== undefined && overlap(pods, workload)))
            );
          }),
      );
      return answered
        ? []
        : [`${workload.namespace}/${workload.name} ${side} ${why}: ${JSON.stringify(peer)}`];
    }),
  );
}

describe.each(plans)("%s", (_title, plan) => {
  const policies = policiesOf(plan);
  const workloads = workloadsOf(plan);

  test("every namespace denies both ways what nothing allows", () => {
    const denied = policies
      .filter(({ object }) => object.metadata.name === "default-deny")
      .map(({ object, spec }) => {
        expect(spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
        return object.metadata.namespace ?? "";
      });
    expect(denied.sort()).toEqual(
      namespacesOf(plan)
        .map(({ name }) => name)
        .sort(),
    );
  });

  test("who may talk to pods of the platform is also let in by them", () => {
    expect(unanswered(plan, workloads, "egress")).toEqual([]);
  });

  test("who is let in by pods of the platform may also talk to them", () => {
    expect(unanswered(plan, workloads, "ingress")).toEqual([]);
  });

  test("no rule lets everybody reach every port", () => {
    for (const { object, spec } of policies) {
      for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
        const isAnybody = rule.from === undefined && rule.to === undefined;
        expect(isAnybody && rule.ports === undefined, object.metadata.name).toBe(false);
        expect(rule.from, object.metadata.name).not.toEqual([]);
        expect(rule.to, object.metadata.name).not.toEqual([]);
      }
    }
  });

  test("what a component serves is not open to everybody", () => {
    const components = new Set(
      namespacesOf(plan)
        .filter(({ isComponent }) => isComponent)
        .map(({ name }) => name),
    );
    for (const { object, spec } of policies) {
      if (!components.has(object.metadata.namespace ?? "")) continue;
      for (const { from } of spec.ingress ?? []) expect(from, object.metadata.name).toBeDefined();
    }
  });

  test("names are unique in a namespace", () => {
    const names = policies.map(({ object }) => `${object.metadata.namespace}/${object.metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("the internet is no private network", () => {
  const tracking = policiesOf(planNamed("Google Cloud, production")).find(
    ({ object }) => object.metadata.name === "plinth",
  );
  expect(tracking?.spec.egress).toContainEqual({
    to: [
      {
        ipBlock: {
          cidr: "0.0.0.0/0",
          except: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"],
        },
      },
    ],
    ports: [{ protocol: "TCP", port: 443 }],
  });
});

test("the proxies reach what routes lead to, and nothing else of the components", () => {
  const plan = planNamed("bare cluster, upstream engines");
  const proxies = workloadsOf(plan).find(({ name }) => name === "gateway-proxies");
  const reached = (proxies?.egress ?? [])
    .map(({ peer }) => podsOf(plan, peer)?.namespace)
    .filter((namespace) => namespace === "tracking" || namespace === "zenml" || namespace === "models");
  expect(reached.sort()).toEqual(["models", "tracking", "zenml"]);
  const closed = planNamed("bare cluster, Knative and kgateway");
  const gateway = workloadsOf(closed).find(({ name }) => name === "gateway-proxies");
  expect(gateway?.egress.map(({ peer }) => podsOf(closed, peer)?.namespace)).not.toContain("tracking");
});
