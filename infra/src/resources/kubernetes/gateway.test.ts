import { describe, expect, test } from "vitest";
import type { Plan } from "../../plan.ts";
import { resourcesOf } from "../../synth.ts";
import type { KubernetesObject } from "../resource.ts";
import { planNamed, plans } from "./platform-plans.ts";

function objects(plan: Plan, kind: string): KubernetesObject[] {
  return resourcesOf(plan.environment).flatMap((resource) =>
    resource.kind === "manifest" && resource.object.kind === kind ? [resource.object] : [],
  );
}

type Listener = {
  name: string;
  hostname?: string;
  port: number;
  tls?: { certificateRefs: { name: string }[] };
  allowedRoutes: { namespaces: { from: string; selector?: { matchLabels: Record<string, string> } } };
};
type RouteSpec = {
  parentRefs: { name: string; namespace?: string; sectionName: string }[];
  hostnames?: string[];
  rules: { backendRefs?: { name: string; port: number }[]; timeouts?: { request: string } }[];
};

const listenersOf = (plan: Plan): Map<string, Listener> =>
  new Map(
    objects(plan, "Gateway").flatMap(({ metadata, spec }) =>
      (spec as { listeners: Listener[] }).listeners.map((listener): [string, Listener] => [
        `${metadata.name}/${listener.name}`,
        listener,
      ]),
    ),
  );

describe.each(plans)("%s", (_title, plan) => {
  const listeners = listenersOf(plan);
  const routes = objects(plan, "HTTPRoute");

  test("every route attaches to a listener that is there and admits its namespace", () => {
    for (const { metadata, spec } of routes) {
      const { parentRefs, hostnames } = spec as RouteSpec;
      for (const { name, sectionName } of parentRefs) {
        const listener = listeners.get(`${name}/${sectionName}`);
        const { from, selector } = listener?.allowedRoutes.namespaces ?? {};
        if (from === "Selector") {
          expect(selector?.matchLabels).toEqual({ "kubernetes.io/metadata.name": metadata.namespace });
          expect(hostnames).toEqual([listener?.hostname]);
        } else {
          expect(from).toBe("Same");
          expect(metadata.namespace).toBe(plan.environment.gateway.namespace);
        }
      }
    }
  });

  test("every listener has a route, and its own certificate when it has a host", () => {
    const used = new Set(
      routes.flatMap(({ spec }) =>
        (spec as RouteSpec).parentRefs.map(({ name, sectionName }) => `${name}/${sectionName}`),
      ),
    );
    expect([...listeners.keys()].filter((listener) => !used.has(listener))).toEqual([]);
    for (const { hostname, port, tls, name } of listeners.values()) {
      expect(port).toBe(hostname === undefined ? 80 : 443);
      expect(tls?.certificateRefs).toEqual(
        hostname === undefined ? undefined : [{ kind: "Secret", name: `${name}-tls` }],
      );
    }
  });

  test("every backend of a route is a Service of this output, or of a chart's or operator's known name", () => {
    const services = new Set(
      objects(plan, "Service").map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    );
    services.add("zenml/zenml");
    for (const { metadata } of objects(plan, "InferenceService")) {
      services.add(`${metadata.namespace}/${metadata.name}-predictor`);
    }
    for (const { metadata, spec } of routes) {
      for (const { backendRefs = [] } of (spec as RouteSpec).rules) {
        for (const { name } of backendRefs) expect(services).toContain(`${metadata.namespace}/${name}`);
      }
    }
  });

  test("a route that is not for everybody has a policy that comes first, and its Secret is planned", () => {
    const { tracking, pipelines, serving } = plan.environment;
    const limited = [
      { name: plan.tracking.name as string, exposure: tracking.exposure },
      ...(pipelines.engine === "zenml" ? [{ name: "zenml", exposure: pipelines.exposure }] : []),
      ...(serving.engine === "kserve" ? [{ name: "models", exposure: serving.exposure }] : []),
    ].filter(({ exposure }) => exposure.kind === "gateway-login" || exposure.kind === "networks");
    const policies = objects(plan, "SecurityPolicy");
    expect(policies.map(({ metadata }) => metadata.name).sort()).toEqual(
      limited.map(({ name }) => name).sort(),
    );
    for (const { metadata, spec } of policies) {
      expect(metadata.annotations?.["argocd.argoproj.io/sync-wave"]).toBe("-1");
      const { basicAuth } = spec as { basicAuth?: { users: { name: string } } };
      if (basicAuth === undefined) continue;
      const secret = plan.secrets.find(
        ({ name, namespace }) => name === basicAuth.users.name && namespace === metadata.namespace,
      );
      expect(Object.keys(secret?.data ?? {})).toEqual([".htpasswd"]);
    }
  });
});

test("on Google Cloud HTTP has a Gateway of its own, at the same address", () => {
  const plan = planNamed("Google Cloud, production");
  const addresses = objects(plan, "Gateway").map(({ spec }) => (spec as { addresses: unknown }).addresses);
  expect(addresses).toHaveLength(2);
  expect(addresses[0]).toEqual(addresses[1]);
  expect([...listenersOf(plan).keys()]).toContain("platform-http/http");
  const health = objects(plan, "HealthCheckPolicy").map(({ spec }) => JSON.stringify(spec));
  expect(health.some((spec) => spec.includes('"/health"') && spec.includes('"zenml"'))).toBe(true);
});

test("uploads of gigabytes are not cut off", () => {
  const envoy = objects(planNamed("bare cluster, upstream engines"), "HTTPRoute").find(
    ({ metadata }) => metadata.name === "mlflow",
  );
  const spec = envoy?.["spec"] as RouteSpec | undefined;
  expect(spec?.rules[0]?.timeouts).toEqual({ request: "3600s" });
  const google = objects(planNamed("Google Cloud, production"), "GCPBackendPolicy");
  expect(google.length).toBeGreaterThan(0);
  for (const { spec } of google) expect((spec as { default: object }).default).toEqual({ timeoutSec: 3600 });
});
