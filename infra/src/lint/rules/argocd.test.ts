import { expect, test } from "vitest";
import { argocdApplicationRules } from "./argocd-applications.ts";
import { argocdRules } from "./argocd.ts";
import { seenIn, type Files } from "./rule-harness.ts";

const ids = (files: Files | string): string[] =>
  seenIn([...argocdRules, ...argocdApplicationRules], files).map((id) => id.replace("argocd/", ""));

const application = (
  name: string,
  source: string,
  more: Readonly<Record<string, string>> = {},
): string => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  annotations: ${more["annotations"] ?? "{}"}
spec:
  project: ${more["project"] ?? "default"}
  source:
    ${source}
  destination: { server: https://kubernetes.default.svc, namespace: ${more["namespace"] ?? "apps"} }
  syncPolicy: { syncOptions: [${more["options"] ?? "CreateNamespace=true"}] }
---
`;
const git = "{ repoURL: https://git.example.com/platform, path: base, targetRevision: main }";
const chart = (name: string): string => `{ repoURL: ghcr.io/x, chart: ${name}, targetRevision: 1.0.0 }`;
const wave = (number: number): string => `{ argocd.argoproj.io/sync-wave: '${number}' }`;

const job = (annotations: string, spec = ""): string => `apiVersion: batch/v1
kind: Job
metadata: { name: buckets, namespace: apps, annotations: ${annotations} }
spec:
${spec}  template:
    spec:
      restartPolicy: Never
      containers: [{ name: c, image: c, command: [sh, -c, 'app db upgrade'], envFrom: [{ secretRef: { name: s3 } }] }]
---
`;

test("a job of Argo CD is a hook", () => {
  const app = application("a", git);
  expect(ids(app + job("{}"))).toEqual(["plain-job:14"]);
  expect(ids(app + job("{ argocd.argoproj.io/hook: PostSync }"))).toEqual([]);
  expect(ids(job("{}"))).toEqual([]);
  expect(
    ids({
      "excerpt:tree.md": "base/\n  bucket-job.yaml   # Post-install bucket job\n  kustomization.yaml\n",
    }),
  ).toEqual(["plain-job:2"]);
});

test("a PreSync hook does not wait for what comes after it", () => {
  const secret =
    "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: { name: s3, namespace: apps }\n";
  expect(
    ids({ "app/job.yaml": job("{ argocd.argoproj.io/hook: PreSync }"), "app/secret.yaml": secret }),
  ).toEqual(["early-hook:3"]);
  expect(
    ids({ "app/job.yaml": job("{ argocd.argoproj.io/hook: Sync }"), "app/secret.yaml": secret }),
  ).toEqual([]);
  expect(
    ids({ "app/job.yaml": job("{ argocd.argoproj.io/hook: PreSync }"), "secrets/secret.yaml": secret }),
  ).toEqual([]);
});

test("a migration tries more than once", () => {
  expect(ids(job("{ helm.sh/hook: pre-install }", "  backoffLimit: 0\n"))).toEqual(["impatient-hook:5"]);
  expect(ids(job("{ helm.sh/hook: pre-install }", "  backoffLimit: 6\n"))).toEqual([]);
});

test("waves of Applications wait when their health is known", () => {
  const two =
    application("a", git, { annotations: wave(1) }) + application("b", git, { annotations: wave(2) });
  expect(ids(two)).toEqual(["children-not-awaited:5"]);
  expect(ids(application("a", git, { annotations: wave(1) }))).toEqual([]);
  const config =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: argocd-cm }\ndata:\n  resource.customizations.health.argoproj.io_Application: |\n    return {}\n";
  expect(ids(two + config)).toEqual([]);
  expect(ids({ "excerpt:tree.md": "apps/\n  stack-app.yaml  # App of Apps (parent)\n" })).toEqual([
    "children-not-awaited:2",
  ]);
});

test("charts come after what they need", () => {
  const pair = (crd: number, resources: number): string =>
    application("crd", chart("kserve-crd"), { annotations: wave(crd), options: "ServerSideApply=true" }) +
    application("kserve", chart("kserve-resources"), { annotations: wave(resources) });
  const found = (text: string): string[] => ids(text).filter((id) => !id.startsWith("children"));
  expect(found(pair(1, 2))).toEqual([]);
  expect(found(pair(2, 2))).toEqual(["chart-order:17"]);
  expect(found(pair(3, 2))).toEqual(["chart-order:17"]);
});

test("namespaces and definitions come first", () => {
  const namespace = (number: number): string =>
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: apps, annotations: ${wave(number)} }\n---\n`;
  const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m, namespace: apps, annotations: ${wave(0)} }\n`;
  expect(ids(namespace(-1) + map)).toEqual([]);
  expect(ids(namespace(1) + map)).toEqual(["wave-order:3"]);
});

test("an Application is written as Argo CD wants it", () => {
  expect(ids(application("a", "{ repoURL: oci://ghcr.io/x, chart: zenml, targetRevision: 1.0.0 }"))).toEqual([
    "application:9",
  ]);
  expect(ids(application("a", "{ repoURL: ghcr.io/x, chart: zenml }"))).toEqual(["application:9"]);
  expect(ids(application("a", chart("kube-prometheus-stack")))).toEqual(["application:11"]);
  expect(ids(application("a", chart("kube-prometheus-stack"), { options: "ServerSideApply=true" }))).toEqual(
    [],
  );
});

test("its project admits it", () => {
  const project =
    "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: { name: platform }\nspec:\n  sourceRepos: ['https://git.example.com/*']\n  destinations: [{ server: '*', namespace: apps }]\n";
  expect(ids(application("a", git, { project: "platform" }) + project)).toEqual([]);
  expect(ids(application("a", git, { project: "platfrm" }) + project)).toEqual(["project:7"]);
  expect(ids(application("a", git, { project: "platform", namespace: "other" }) + project)).toEqual([
    "project:10",
  ]);
  expect(ids(application("a", chart("x"), { project: "platform" }) + project)).toEqual(["project:7"]);
});
