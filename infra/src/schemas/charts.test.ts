import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkValues, chartOf, type ChartRelease } from "./charts.ts";
import { misplacedChart } from "./chart-repositories.ts";
import { pathText } from "./kubernetes.ts";

const zenml: ChartRelease = { chart: "zenml", repository: "oci://public.ecr.aws/zenml", version: "0.98.0" };
const old: ChartRelease = { ...zenml, version: "0.84.0" };

const found = (release: ChartRelease, text: string): string[] =>
  checkValues(release, parse(text)).map(
    ({ code, path, nearest }) => `${code} ${pathText(path)}${nearest === undefined ? "" : ` > ${nearest}`}`,
  );

test("the sample values of ZenML pass", () => {
  const text = readFileSync(new URL("../../samples/zenml-values.yaml", import.meta.url), "utf8");
  expect(found(zenml, text)).toEqual([]);
});

const named = (chart: string, repository?: string, version?: string): ChartRelease => ({
  chart,
  repository,
  version,
});

const CASES: [what: string, release: ChartRelease, values: string, problems: string[]][] = [
  ["a key outside the main key", old, "image: { tag: x }", ["unknown-value image > zenml.image"]],
  ["a key within it", old, "zenml: { server: { admin_token: x } }", ["unknown-value zenml.server"]],
  [
    "a field of the pod in a container's context",
    old,
    "securityContext: { fsGroup: 1000 }",
    ["unknown-value securityContext.fsGroup > podSecurityContext.fsGroup"],
  ],
  [
    "a near miss",
    zenml,
    "server: { serverUrl: x, ingress: { enabled: false } }",
    ["unknown-value server.serverUrl > server.serverURL"],
  ],
  [
    "the old main key in a new chart",
    zenml,
    "zenml: { debugg: 1 }",
    ["moved zenml", "unknown-value zenml.debugg"],
  ],
  [
    "ingress and gateway, one by default",
    zenml,
    "server: { gateway: { enabled: true } }",
    ["exclusive server.gateway.enabled"],
  ],
  [
    "a value outside its choices",
    zenml,
    "server: { logging: { verbosity: loud } }",
    ["invalid-value server.logging.verbosity"],
  ],
  ["quoted false", zenml, "server: { analyticsOptIn: 'false' }", ["invalid-value server.analyticsOptIn"]],
  ["a map where a string stands", zenml, "nameOverride: { a: 1 }", ["invalid-value nameOverride"]],
  [
    "a key of the next release",
    zenml,
    "server: { database: { payloadStorage: { offloadEnabled: true } } }",
    ["unknown-value server.database.payloadStorage"],
  ],
  [
    "keys of list items",
    zenml,
    "server: { environmentSecretKeyRefs: [{ name: A, secretName: b, key: c }] }",
    ["unknown-value server.environmentSecretKeyRefs[0].key"],
  ],
  [
    "keys of the values of a map",
    zenml,
    "workerDeployments: { w: { replicaCount: 1, replica: 2 } }",
    ["unknown-value workerDeployments.w.replica"],
  ],
  [
    "free maps and null",
    zenml,
    "server: { environment: { ANY: x }, image: { tag: 1.0 } }\nnodeSelector: { a: b }\nresources: null\n",
    [],
  ],
  ["templates", zenml, "server: { analyticsOptIn: '${var.optin}', '{{ key }}': 1 }", []],
  [
    "a chart that refuses by its own schema",
    named("cert-manager"),
    "crds: { enabled: true, keeps: 1 }\nreplicaCount: 2\n",
    ["unknown-value crds.keeps > crds.keep"],
  ],
  [
    "correct values of that chart",
    named("cert-manager"),
    "crds: { enabled: true, keep: true }\nconfig: { gatewayAPI: { enabled: true } }\nprometheus: { servicemonitor: { enabled: true } }\n",
    [],
  ],
  [
    "free entries of a ConfigMap",
    named("argo-cd"),
    "configs: { cm: { 'resource.customizations.health.argoproj.io_Application': x } }",
    [],
  ],
  [
    "values of a subchart",
    named("kube-prometheus-stack"),
    "kube-state-metrics: { replicas: 2, replica: 3 }",
    ["unknown-value kube-state-metrics.replica > kube-state-metrics.replicas"],
  ],
  [
    "another publisher's chart of the same name",
    named("external-secrets", "oci://registry-1.docker.io/bitnamicharts"),
    "xyz: 1",
    [],
  ],
  ["a chart that is not known", named("redis"), "xyz: 1", []],
];

test.each(CASES)("%s", (...[, release, text, expected]) => {
  expect(found(release, text)).toEqual(expected);
});

test("a version far from the known one leaves doubt", () => {
  const certain = (version: string): boolean[] =>
    checkValues({ ...zenml, chart: "argo-cd", version }, { xyz: 1 }).map((one) => one.certain);
  expect([certain("10.0.2"), certain("11.0.0"), certain("5.1.0")]).toEqual([[true], [false], [false]]);
});

test("where the version is not told, the main key tells which chart it is", () => {
  const versionFor = (values: unknown): string | undefined =>
    chartOf({ ...zenml, version: undefined }, values)?.version;
  expect([
    versionFor({ zenml: {} }),
    versionFor({ server: {} }),
    versionFor({ zenml: {}, image: {} }),
  ]).toEqual(["0.93.0", "0.98.0", "0.93.0"]);
});

test("charts are looked for where they are published, in the spelling of Helm and of Argo CD", () => {
  const message = (chart: string, repository?: string): string | undefined =>
    misplacedChart({ chart, repository })?.message;
  expect(message("zenml-server", "https://zenml-io.github.io/zenml-helm")).toMatch(/no chart zenml-server/);
  expect(message("zenml", "https://zenml-io.github.io/zenml-helm")).toMatch(/not published at/);
  for (const repository of [
    "oci://public.ecr.aws/zenml",
    "public.ecr.aws/zenml",
    undefined,
    "oci://harbor.example.com/mirror",
    "${var.repository}",
  ])
    expect(message("zenml", repository)).toBeUndefined();
  for (const repository of ["https://charts.jetstack.io", "oci://quay.io/jetstack/charts"])
    expect(message("cert-manager", repository)).toBeUndefined();
  expect(message("redis", "https://example.github.io/charts")).toBeUndefined();
});
