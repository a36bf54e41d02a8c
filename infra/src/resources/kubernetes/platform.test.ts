import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../plan.ts";
import { checkValues } from "../../schemas/charts.ts";
import { checkManifest, scopeOf } from "../../schemas/kubernetes.ts";
import { valueAt } from "../../spec/merge.ts";
import { resourcesOf } from "../../synth.ts";
import type { ManifestResource, Resource } from "../resource.ts";
import { charts } from "../versions.ts";
import { applicationsOf, wavesOf } from "./application.ts";
import { argoCdValues } from "./argocd-settings.ts";
import { platformParts } from "./platform.ts";
import { planNamed, plans } from "./platform-plans.ts";

const output = (plan: Plan): Resource[] =>
  resourcesOf(plan.environment).filter(({ file }) => file.startsWith("k8s-manifests/"));

const manifests = (resources: readonly Resource[]): ManifestResource[] =>
  resources.filter((resource) => resource.kind === "manifest");

const ofKind = (plan: Plan, kind: string): ManifestResource["object"][] =>
  manifests(output(plan))
    .map(({ object }) => object)
    .filter((object) => object.kind === kind);

type Kustomization = {
  resources?: string[];
  configMapGenerator?: { files: string[] }[];
};

/** The App of Apps itself, and what a restore begins with. */
const appliedByHand = (file: string): boolean =>
  file.endsWith("/mlops-stack-app.yaml") || file.includes("/restore/");

describe.each(plans)("%s", (_title, plan) => {
  const resources = output(plan);
  const applications = applicationsOf(plan);

  test("every manifest is one that the API server takes", () => {
    for (const { file, object } of manifests(resources)) {
      expect(checkManifest(object), `${file}: ${object.kind} ${object.metadata.name}`).toEqual([]);
    }
  });

  test("every value of a chart is one that the chart has", () => {
    for (const { name, sources } of applications) {
      for (const source of sources) {
        if (source.kind !== "chart") continue;
        const { chart, values = {} } = source;
        const release = { chart: chart.name, repository: chart.repository, version: chart.version };
        expect(checkValues(release, values), name).toEqual([]);
      }
    }
  });

  test("every file is in a kustomization, and every file of a kustomization is there", () => {
    const files = new Set(resources.map(({ file }) => file));
    const listed = new Set<string>();
    for (const resource of resources) {
      if (resource.kind !== "document" || !resource.file.endsWith("/kustomization.yaml")) continue;
      const folder = posix.dirname(resource.file);
      const { resources: entries = [], configMapGenerator = [] } = resource.value as Kustomization;
      for (const entry of [...entries, ...configMapGenerator.flatMap((generated) => generated.files)]) {
        const path = posix.join(folder, entry);
        listed.add(path);
        expect(files.has(path) || files.has(`${path}/kustomization.yaml`), `${resource.file}: ${entry}`).toBe(
          true,
        );
      }
    }
    const loose = manifests(resources)
      .map(({ file }) => file)
      .filter((file) => !listed.has(file) && !appliedByHand(file));
    expect(loose).toEqual([]);
  });

  test("every folder that Argo CD applies is there", () => {
    const folders = new Set(resources.map(({ file }) => posix.dirname(file)));
    for (const { name, sources } of applications) {
      for (const source of sources) {
        if (source.kind === "folder") expect(folders.has(source.path), `${name}: ${source.path}`).toBe(true);
      }
    }
  });

  test("nothing begins before what it waits for", () => {
    const waves = new Map(applications.map(({ name, wave }) => [name, wave]));
    expect(waves.size).toBe(applications.length);
    for (const { name, after, wave } of applications) {
      for (const other of after) {
        const before = waves.get(other);
        if (before !== undefined) expect(before, `${name} after ${other}`).toBeLessThan(wave);
      }
    }
  });

  test("custom resources are there before what uses them", () => {
    const waves = new Map(applications.map(({ name, wave }) => [name, wave]));
    const operators: Record<string, string> = {
      Cluster: "cloudnative-pg",
      ExternalSecret: "external-secrets",
      Gateway: "gateway-api-crds",
      HTTPRoute: "gateway",
      ClusterIssuer: "cert-manager",
      InferenceService: "kserve",
      ValidatingPolicy: "kyverno",
      ServiceMonitor: "monitoring-stack",
      SecurityPolicy: "envoy-gateway",
      KnativeServing: "knative-operator",
    };
    for (const { file, object } of manifests(resources)) {
      const operator = operators[object.kind];
      const operatorWave = operator === undefined ? undefined : waves.get(operator);
      const part = posix.basename(posix.dirname(file));
      const wave = waves.get(part);
      if (object.apiVersion.startsWith("apps.kubeblocks.io") || operatorWave === undefined) continue;
      if (wave !== undefined && part !== operator) {
        expect(operatorWave, `${object.kind} of ${part} after ${operator}`).toBeLessThan(wave);
      }
    }
  });

  test("the project of Argo CD allows what the Applications need, and no more", () => {
    const project = ofKind(plan, "AppProject").find(({ metadata }) => metadata.name === "acme");
    const spec = project?.["spec"] as {
      sourceRepos: string[];
      destinations: { namespace: string }[];
      clusterResourceWhitelist: { group: string; kind: string }[];
    };
    const used = new Set<string>();
    for (const application of ofKind(plan, "Application")) {
      const {
        project: belongsTo,
        source,
        sources,
        destination,
      } = application["spec"] as {
        project: string;
        source?: { repoURL: string };
        sources?: { repoURL: string }[];
        destination: { namespace: string };
      };
      if (belongsTo !== "acme") continue;
      for (const { repoURL } of sources ?? (source === undefined ? [] : [source])) used.add(repoURL);
      expect(spec.destinations.map(({ namespace }) => namespace)).toContain(destination.namespace);
    }
    expect(spec.sourceRepos).toEqual([...used].sort());
    const allowed = new Set(spec.clusterResourceWhitelist.map(({ group, kind }) => `${group}/${kind}`));
    for (const { object } of manifests(resources)) {
      if (scopeOf(object.apiVersion, object.kind) !== "Cluster") continue;
      const group = object.apiVersion.includes("/") ? object.apiVersion.split("/")[0] : "";
      expect(allowed.has(`${group}/${object.kind}`), object.kind).toBe(true);
    }
    expect(JSON.stringify(spec)).not.toContain('"*"');
  });

  test("no Secret is in the files, and every one that External Secrets makes is", () => {
    expect(ofKind(plan, "Secret")).toEqual([]);
    if (plan.environment.secrets.engine !== "external-secrets") return;
    const made = ofKind(plan, "ExternalSecret").map(
      ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
    );
    const wanted = plan.secrets.filter(({ writer }) => writer === "secrets");
    expect(made.sort()).toEqual(wanted.map(({ namespace, name }) => `${namespace}/${name}`).sort());
  });

  test("every file says which settings it is there for, and why", () => {
    for (const { file, because } of resources) {
      expect(because.length, file).toBeGreaterThan(0);
      for (const { setting, why } of because) {
        const path = setting.split(/[.[\]]+/).filter((step) => step !== "");
        expect(valueAt(plan.environment, path), `${file}: ${setting}`).toBeDefined();
        expect(why.length, file).toBeGreaterThan(5);
      }
    }
  });

  test("every object is in a namespace that is made, with its pod security", () => {
    const spaces = ofKind(plan, "Namespace");
    const names = new Set([...spaces.map(({ metadata }) => metadata.name), "kube-system"]);
    for (const { metadata } of spaces) {
      const { labels = {} } = metadata;
      expect(labels["pod-security.kubernetes.io/warn"]).toBe("restricted");
      expect(["restricted", "baseline", "privileged"]).toContain(
        labels["pod-security.kubernetes.io/enforce"],
      );
    }
    for (const { file, object } of manifests(resources)) {
      const { namespace } = object.metadata;
      if (namespace !== undefined) expect(names.has(namespace), `${file}: ${namespace}`).toBe(true);
    }
  });
});

test("parts wait only for parts that some environment has", () => {
  const known = new Set(plans.flatMap(([, plan]) => applicationsOf(plan).map(({ name }) => name)));
  const waited = new Set(plans.flatMap(([, plan]) => applicationsOf(plan).flatMap(({ after }) => after)));
  expect([...waited].filter((name) => !known.has(name))).toEqual([]);
});

test("parts that wait for each other are an error of ours", () => {
  const round = [
    { name: "a", after: ["b"] },
    { name: "b", after: ["a"] },
  ];
  expect(() => wavesOf(round)).toThrow("wait for each other: a, b, a");
});

test("only monitoring that reads nodes may have privileged pods, and says why", () => {
  for (const [, plan] of plans) {
    const levels = manifests(output(plan)).filter(
      ({ object }) => object.metadata.labels?.["pod-security.kubernetes.io/enforce"] !== undefined,
    );
    for (const { object, comment } of levels) {
      const level = object.metadata.labels?.["pod-security.kubernetes.io/enforce"];
      if (level === "privileged") expect(object.metadata.name).toBe("monitoring");
      expect(comment !== undefined).toBe(level !== "restricted");
    }
  }
});

test("without anything exposed there is no gateway, and no certificate of it", () => {
  const plan = planNamed("nothing but tracking");
  expect(platformParts(plan).map(({ name }) => name)).toEqual([
    "namespaces",
    "network-policies",
    "cloudnative-pg",
  ]);
  expect(ofKind(plan, "Gateway")).toEqual([]);
});

test("External Secrets is not brought to a cluster whose owner has a store", () => {
  const names = (title: string): string[] => applicationsOf(planNamed(title)).map(({ name }) => name);
  expect(names("bare cluster, Knative and kgateway")).not.toContain("external-secrets");
  expect(names("Google Cloud, production")).toContain("external-secrets");
});

test("Argo CD is installed with values that its chart has, and waits for Applications", () => {
  const [, plan] = plans[0] ?? [];
  if (plan === undefined) throw new Error("There are no plans.");
  const values = argoCdValues(plan) as { configs: { cm: Record<string, string> } };
  const { name, repository, version } = charts["argo-cd"];
  expect(checkValues({ chart: name, repository, version }, values)).toEqual([]);
  expect(values.configs.cm["resource.customizations.health.argoproj.io_Application"]).toContain(
    "hs.status = obj.status.health.status",
  );
});

test("what holds data is never pruned", () => {
  const automated = (plan: Plan, name: string): unknown => {
    const found = ofKind(plan, "Application").find(({ metadata }) => metadata.name === name);
    return (found?.["spec"] as { syncPolicy: { automated: unknown } } | undefined)?.syncPolicy.automated;
  };
  const plan = planNamed("bare cluster, upstream engines");
  for (const name of ["namespaces", "tracking-pg", "zenml-mysql", "gateway-api-crds", "kserve-crd"]) {
    expect(automated(plan, name), name).toEqual({ prune: false, selfHeal: true });
  }
  expect(automated(plan, "mlflow")).toEqual({ prune: true, selfHeal: true });
});
