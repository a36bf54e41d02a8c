import { expect, test } from "vitest";
import { checkValues } from "../../schemas/charts.ts";
import { checkManifest } from "../../schemas/kubernetes.ts";
import { isObject, merge, type JsonObject } from "../../spec/merge.ts";
import { partsOf } from "./parts.ts";
import {
  built,
  containerOf,
  kustomizations,
  patchesOf,
  PLATFORMS,
  podOf,
  withPods,
} from "./sample-platforms.ts";

const everywhere = test.each(Object.keys(PLATFORMS));

everywhere("%s: every object has the form of its kind, every value is one of the chart's", (platform) => {
  const { resources, objects } = built(platform);
  expect(objects.length).toBeGreaterThan(3);
  for (const object of objects) expect(checkManifest(object)).toEqual([]);
  const values = resources.flatMap((resource) =>
    resource.kind === "document" && resource.file.endsWith("/values.yaml")
      ? [resource.value as JsonObject]
      : [],
  );
  const merged = values.reduce(merge, {});
  expect(
    checkValues({ chart: "zenml", repository: "public.ecr.aws/zenml", version: "0.98.0" }, merged),
  ).toEqual([]);
});

everywhere(
  "%s: kustomizations name files that are there, patches name objects that are there",
  (platform) => {
    const { plan, resources, objects } = built(platform);
    const files = new Set(resources.map(({ file }) => file));
    for (const { folder, value } of kustomizations(resources)) {
      for (const entry of value["resources"] as string[]) {
        const path = new URL(`${folder}/${entry}`, "file:///").pathname.slice(1);
        expect(files.has(path) || files.has(`${path}/kustomization.yaml`)).toBe(true);
      }
      expect(value["labels"]).toEqual([expect.objectContaining({ includeSelectors: false })]);
    }
    for (const { target } of patchesOf(resources)) {
      expect(
        objects.some(
          ({ kind, metadata: { name, namespace } }) =>
            kind === target["kind"] &&
            name === target["name"] &&
            [namespace, undefined].includes(target["namespace"] as string),
        ),
      ).toBe(true);
    }
    for (const { overlay } of partsOf(plan)) expect(files.has(`${overlay}/kustomization.yaml`)).toBe(true);
  },
);

everywhere("%s: every object says which setting it is for", (platform) => {
  for (const { because } of built(platform).resources) {
    expect(because.length).toBeGreaterThan(0);
    for (const { setting, why } of because) {
      expect(setting).toMatch(/^(tracking|pipelines|serving|objectStore|backup)\b/);
      expect(why).toMatch(/\.$/);
    }
  }
});

everywhere("%s: pods are restricted, sized, and run what was asked for", (platform) => {
  const { resources, objects } = built(platform);
  for (const object of withPods(objects)) {
    const pod = podOf(object);
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    });
    const container = containerOf(resources, object);
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      resources: {
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      },
    });
    expect(container.image).toMatch(/:(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?$/);
    expect(container["volumeMounts"]).toBeDefined();
    if (object.kind === "Deployment") {
      expect(container).toMatchObject({ startupProbe: {}, livenessProbe: {}, readinessProbe: {} });
    } else {
      expect(object.metadata.annotations).toMatchObject({
        "argocd.argoproj.io/hook": expect.stringMatching(/^(Sync|PostSync)$/),
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
      });
    }
    const accounts = objects
      .filter(({ kind }) => kind === "ServiceAccount")
      .map(({ metadata }) => metadata.name);
    if (pod?.["serviceAccountName"] !== undefined) expect(accounts).toContain(pod["serviceAccountName"]);
  }
});

/** Secrets that operators make: CloudNativePG for the owner of the database, KubeBlocks for its accounts. */
const OPERATORS =
  /^(tracking-pg-(app|ca)|zenml-mysql-mysql-account-root|tracking-pg-postgresql-account-postgres)$/;

everywhere("%s: secrets that are used are made, with the keys that are used", (platform) => {
  const { plan, resources, objects } = built(platform);
  const made = new Map(
    plan.secrets.map((secret) => [`${secret.namespace}/${secret.name}`, Object.keys(secret.data)]),
  );
  const uses = withPods(objects).flatMap((object) =>
    (containerOf(resources, object).env ?? []).flatMap(({ valueFrom }) => {
      const reference = valueFrom?.["secretKeyRef"];
      return isObject(reference) ? [{ namespace: object.metadata.namespace, ...reference }] : [];
    }),
  ) as { namespace: string; name: string; key: string }[];
  expect(uses.length).toBeGreaterThan(0);
  for (const { namespace, name, key } of uses) {
    if (!OPERATORS.test(name)) expect(made.get(`${namespace}/${name}`)).toContain(key);
  }
  expect(JSON.stringify(objects)).not.toMatch(/"kind":"Secret"/);
});

everywhere(
  "%s: budgets only for two copies and more, no number of copies beside an autoscaler",
  (platform) => {
    const { plan, resources, objects } = built(platform);
    const { tracking } = plan.environment;
    const least = tracking.autoscaling?.minReplicas ?? tracking.replicas;
    const budgets = objects
      .filter(({ kind }) => kind === "PodDisruptionBudget")
      .map(({ metadata }) => metadata.name);
    expect(budgets.includes(plan.tracking.name)).toBe(least >= 2);
    const scaled = objects.some(({ kind }) => kind === "HorizontalPodAutoscaler");
    expect(scaled).toBe(tracking.autoscaling !== undefined);
    const counts = kustomizations(resources).flatMap(
      ({ value }) => (value["replicas"] ?? []) as JsonObject[],
    );
    expect(counts).toEqual(scaled ? [] : [{ name: plan.tracking.name, count: tracking.replicas }]);
  },
);

everywhere("%s: parts wait for parts that there are, and open ports that they have", (platform) => {
  const { plan } = built(platform);
  const parts = partsOf(plan);
  const known = new Set(
    ["namespaces", "secrets", "gateway", "cloudnative-pg", "barman-cloud", "kubeblocks", "kserve"].concat(
      parts.map(({ name }) => name),
    ),
  );
  for (const { after, workloads } of parts) {
    for (const name of after) expect(known).toContain(name);
    for (const { ingress, egress, namespace } of workloads) {
      expect(namespace).not.toBe("");
      for (const { why } of [...ingress, ...egress]) expect(why).not.toBe("");
    }
  }
});
