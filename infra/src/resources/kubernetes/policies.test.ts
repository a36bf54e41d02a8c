import { describe, expect, test } from "vitest";
import type { Plan } from "../../plan.ts";
import type { KubernetesObject } from "../resource.ts";
import { planNamed, plans } from "./platform-plans.ts";
import { policies } from "./policies.ts";

const objects = (plan: Plan, kind: string): KubernetesObject[] =>
  policies(plan).flatMap((resource) =>
    resource.kind === "manifest" && resource.object.kind === kind ? [resource.object] : [],
  );

type PolicySpec = {
  validationActions: string[];
  matchConstraints: {
    namespaceSelector: {
      matchLabels?: Record<string, string>;
      matchExpressions: { values: string[] }[];
    };
  };
  validations: { expression: string }[];
};

describe.each(plans)("%s", (_title, plan) => {
  const settings = plan.environment.policies;

  test("policies act as the settings say", () => {
    const actions = objects(plan, "ValidatingPolicy").map(
      ({ spec }) => (spec as PolicySpec).validationActions,
    );
    if (settings.engine === "none") {
      expect(policies(plan)).toEqual([]);
      return;
    }
    expect(actions.length).toBeGreaterThan(2);
    for (const action of actions) expect(action).toEqual([settings.action]);
  });

  test("exceptions are from policies that are there, and end", () => {
    const names = new Set(objects(plan, "ValidatingPolicy").map(({ metadata }) => metadata.name));
    for (const { metadata, spec } of objects(plan, "PolicyException")) {
      const { policyRefs, expiresAt, matchConditions } = spec as {
        policyRefs: { name: string }[];
        expiresAt: string;
        matchConditions: object[];
      };
      expect(metadata.namespace).toBe("kyverno");
      for (const { name } of policyRefs) expect(names).toContain(name);
      expect(Number.isNaN(Date.parse(expiresAt))).toBe(false);
      expect(matchConditions.length).toBeGreaterThan(0);
    }
  });
});

const constraintsOf = (title: string): PolicySpec["matchConstraints"]["namespaceSelector"][] =>
  objects(planNamed(title), "ValidatingPolicy").map(
    ({ spec }) => (spec as PolicySpec).matchConstraints.namespaceSelector,
  );

test("in a cluster of others only the platform's own namespaces are judged", () => {
  for (const { matchLabels } of constraintsOf("bare cluster, upstream engines")) {
    expect(matchLabels).toEqual({ "app.kubernetes.io/part-of": "acme" });
  }
});

test("in a cluster of its own pods are judged where somebody answers for them, and namespaces must say who", () => {
  const plan = planNamed("Google Cloud, production");
  for (const { metadata, spec } of objects(plan, "ValidatingPolicy")) {
    const { matchConstraints, matchConditions } = spec as PolicySpec & { matchConditions?: object[] };
    const isOfNamespaces = metadata.name === "require-owner-of-namespace";
    expect(matchConstraints.namespaceSelector.matchLabels).toBeUndefined();
    expect(JSON.stringify(matchConstraints).includes('{"key":"owner","operator":"Exists"}')).toBe(
      !isOfNamespaces,
    );
    expect(matchConditions === undefined).toBe(!isOfNamespaces);
  }
});

test("exempt namespaces are left alone", () => {
  for (const { matchExpressions } of constraintsOf("bare cluster, Knative and kgateway")) {
    expect(matchExpressions.at(-1)?.values).toEqual(expect.arrayContaining(["kyverno", "notebooks"]));
  }
});

test("registries are a policy for namespaces that are not the platform's own, where some are named", () => {
  const find = (title: string): PolicySpec | undefined =>
    objects(planNamed(title), "ValidatingPolicy").find(
      ({ metadata }) => metadata.name === "allow-known-registries",
    )?.["spec"] as PolicySpec | undefined;
  expect(find("Civo, development")).toBeUndefined();
  const policy = find("Google Cloud, production");
  expect(policy?.validations[0]?.expression).toBe(
    "variables.containers.all(c, c.image.startsWith('europe-west1-docker.pkg.dev/'))",
  );
  const except = policy?.matchConstraints.namespaceSelector.matchExpressions.at(-1);
  expect(except?.values).toEqual(expect.arrayContaining(["tracking", "cert-manager", "kyverno"]));
});
