import { describe, expect, test } from "vitest";
import { snippetsIn } from "./sources.ts";
import { buildWorkspace } from "./workspace-builder.ts";
import type { Workspace } from "./workspace.ts";

const workspaceOf = (files: Record<string, string>): Workspace =>
  buildWorkspace(Object.entries(files).flatMap(([file, text]) => snippetsIn(file, text)));

describe("manifests", () => {
  test("know the lines of their parts, in files of several documents", () => {
    const { manifests } = workspaceOf({
      "a.yaml":
        "---\n# why\napiVersion: v1\nkind: Service\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    metadata:\n      name: b\n      namespace: n\n",
    });
    expect(manifests.map(({ kind, name, namespace }) => [kind, name, namespace])).toEqual([
      ["Service", "a", undefined],
      ["Pod", "b", "n"],
    ]);
    expect(manifests[0]?.lineOf([])).toBe(3);
    expect(manifests[0]?.lineOf(["metadata", "name"])).toBe(6);
    expect(manifests[0]?.lineOf(["metadata", "labels", "x"])).toBe(5);
    expect(manifests[1]?.lineOf(["metadata", "namespace"])).toBe(15);
  });

  test("may be templates, whose expressions stay as they are", () => {
    const text =
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ app_name }}\n{% if x %}\n  labels:\n    "{{ k }}": v{{ n | default("1") }}\n{% endif %}\nspec: {{ spec | to_json }}\n';
    const { manifests, broken } = workspaceOf({ "pod.yaml.j2": text });
    expect(broken).toEqual([]);
    expect(manifests[0]).toMatchObject({ templated: true, name: "{{ app_name }}" });
    expect(manifests[0]?.value).toMatchObject({
      metadata: { labels: { "{{ k }}": 'v{{ n | default("1") }}' } },
      spec: "{{ spec | to_json }}",
    });
    expect(manifests[0]?.lineOf(["metadata", "labels", "{{ k }}"])).toBe(7);
  });

  test("with expressions only within quotes and texts are none", () => {
    const text =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata:\n  x: '{{ .y }}'\n  z: |\n    {{ $labels.pod }}\n";
    const { manifests, broken } = workspaceOf({ "a.yaml": text });
    expect(manifests[0]?.templated).toBe(false);
    expect(manifests[0]?.value["data"]).toEqual({ x: "{{ .y }}", z: "{{ $labels.pod }}\n" });
    expect(broken).toEqual([]);
  });

  test("within Terraform have the lines of the heredoc and their references", () => {
    const { manifests } = workspaceOf({
      "main.tf":
        'resource "kubectl_manifest" "a" {\n  yaml_body = <<-YAML\n    apiVersion: v1\n    kind: Service\n    metadata:\n      name: ${var.x ? "a" : "b"}\n  YAML\n}\n\nresource "kubernetes_manifest" "b" {\n  manifest = {\n    apiVersion = "v1"\n    kind       = "Pod"\n    metadata   = { name = var.name }\n  }\n}\n',
    });
    expect(manifests.map(({ origin, kind, name }) => [origin, kind, name])).toEqual([
      ["terraform", "Service", '${var.x ? "a" : "b"}'],
      ["terraform", "Pod", "${var.name}"],
    ]);
    expect(manifests[0]?.lineOf(["metadata", "name"])).toBe(6);
    expect(manifests[1]?.lineOf(["kind"])).toBe(13);
  });
});

describe("what cannot be parsed", () => {
  test("is kept with its line, and hides nothing else", () => {
    const { broken, manifests } = workspaceOf({
      "a.yaml": "a: 1\n- b\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: a }\n",
      "b.yaml": "a: 1\nb: 2\na: 3\n",
      "c.json": "{",
    });
    expect(broken.map(({ file, line }) => [file, line])).toEqual([
      ["a.yaml", 2],
      ["b.yaml", 3],
      ["c.json", 1],
    ]);
    expect(manifests).toHaveLength(1);
  });

  test("of Terraform leaves the other blocks", () => {
    const { broken, modules } = workspaceOf({
      "a.tf": 'locals {\n  a = 1 +\n}\n\nvariable "b" {\n  default = 1\n}\n',
    });
    expect(broken).toHaveLength(1);
    expect(modules[0]?.files[0]?.body.blocks.map(({ type }) => type)).toEqual(["variable"]);
  });
});

describe("releases", () => {
  test("are those of Terraform, with set over values and versions from variables", () => {
    const { releases } = workspaceOf({
      "main.tf":
        'variable "v" {\n  default = "1.2.3"\n}\nresource "helm_release" "a" {\n  name  = "r"\n  chart = "oci://host/charts/zenml"\n  version = var.v\n  namespace = var.ns\n  values = [file("${path.module}/values.yaml"), yamlencode({ b = { c = 1 } })]\n  set = [{ name = "b.d\\\\.e", value = "2" }]\n}\n',
      "values.yaml": "a: 1\nb:\n  c: 0\n",
    });
    expect(releases).toHaveLength(1);
    const [release] = releases;
    expect(release).toMatchObject({
      chart: "zenml",
      repository: "oci://host/charts",
      version: "1.2.3",
      releaseName: "r",
      namespace: "${var.ns}",
    });
    expect(release?.values?.value).toEqual({ a: 1, b: { c: 1, "d.e": "2" } });
    expect(release?.values?.lineOf(["b", "c"])).toBe(9);
    expect(release?.values?.fileOf?.(["a"])).toBe("values.yaml");
    expect(release?.values?.lineOf(["b", "d.e"])).toBe(10);
  });

  test("are those of Argo CD and kustomize, with values inline and in files", () => {
    const { releases } = workspaceOf({
      "apps/a.yaml":
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: z }\nspec:\n  destination: { namespace: n }\n  sources:\n    - repoURL: public.ecr.aws/zenml\n      chart: zenml\n      targetRevision: 0.98.0\n      helm:\n        valueFiles: [$values/env/zenml.yaml]\n        values: |\n          server:\n            replicaCount: 2\n",
      "repo/env/zenml.yaml": "server: { debug: true }\n",
      "k/kustomization.yaml":
        "kind: Kustomization\nnamespace: m\nhelmCharts:\n  - name: kyverno\n    version: 3.9.0\n    valuesFile: v.yaml\n",
      "k/v.yaml": "x: 1\n",
    });
    expect(
      releases.map(({ chart, version, namespace, releaseName }) => [chart, version, namespace, releaseName]),
    ).toEqual([
      ["zenml", "0.98.0", "n", "z"],
      ["kyverno", "3.9.0", "m", undefined],
    ]);
    expect(releases[0]?.values?.value).toEqual({ server: { debug: true, replicaCount: 2 } });
    expect(releases[0]?.values?.lineOf(["server", "replicaCount"])).toBe(14);
    expect(releases[1]?.values?.value).toEqual({ x: 1 });
  });

  test("are told by the name of a values file", () => {
    const { releases } = workspaceOf({ "values-zenml.yaml": "a: 1\n", "values-other.yaml": "a: 1\n" });
    expect(releases.map(({ chart, file }) => [chart, file])).toEqual([["zenml", "values-zenml.yaml"]]);
  });
});

describe("commands", () => {
  const commands = (files: Record<string, string>): unknown[] =>
    workspaceOf(files).commands.map(({ line, words }) => [line, words.join(" ")]);

  test("come from scripts, Makefiles, images, sessions and sentences", () => {
    expect(commands({ "a.sh": "x=1\nzenml status\n" })).toEqual([[2, "zenml status"]]);
    expect(commands({ Makefile: "all: b\n\t@kubectl get $$X \\\n\t  pods\n" })).toEqual([
      [2, "kubectl get $X pods"],
    ]);
    expect(commands({ Dockerfile: 'FROM a\nRUN --mount=x pip install b\nCMD ["node", "a b"]\n' })).toEqual([
      [2, "pip install b"],
      [3, "node a b"],
    ]);
    expect(
      commands({ "a.md": "```console\n$ zenml status\nall is well\n```\nThen run `zenml stack list`.\n" }),
    ).toEqual([
      [2, "zenml status"],
      [5, "zenml stack list"],
    ]);
    expect(commands({ "a.md": "Never say `zenml connect --token`.\n" })).toEqual([]);
  });

  test("come from containers, workflows and playbooks", () => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers:\n    - name: a\n      command: [zenml]\n      args:\n        - status\n    - name: b\n      command:\n        - /bin/sh\n        - -ec\n        - |\n          # why\n          mlflow db upgrade "$URL" &&\n            zenml version\n';
    expect(commands({ "pod.yaml": pod })).toEqual([
      [7, "zenml status"],
      [16, "mlflow db upgrade $URL"],
      [17, "zenml version"],
    ]);
    const workflow = "on: push\njobs:\n  a:\n    steps:\n      - uses: x\n      - run: zenml status\n";
    expect(commands({ ".github/workflows/a.yml": workflow })).toEqual([[6, "zenml status"]]);
    expect(commands({ ".gitlab-ci.yml": "a:\n  script:\n    - zenml status\n" })).toEqual([
      [3, "zenml status"],
    ]);
    expect(commands({ "tasks/main.yml": "- name: a\n  ansible.builtin.shell: zenml status\n" })).toEqual([
      [2, "zenml status"],
    ]);
  });

  test("come from the texts of outputs, also where the file cannot be parsed", () => {
    const text =
      'output "a" {\n  value = var.x ? "zenml connect --url \\"${var.u}\\"" : ""\n}\noutput "b" {\n  value = var.x ? <<EOT\nRun this:\n\n  zenml stack set a\nEOT\n  : ""\n}\n';
    expect(commands({ "outputs.tf": text })).toEqual([
      [8, "zenml stack set a"],
      [2, "zenml connect --url ${var.u}"],
    ]);
  });
});
