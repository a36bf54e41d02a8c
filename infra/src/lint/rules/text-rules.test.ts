import { describe, expect, test } from "vitest";
import { lintSnippets } from "../run.ts";
import { snippetsIn } from "../sources.ts";
import { commandRules } from "./commands.ts";
import { imageRules } from "./images.ts";
import { restRules } from "./rest.ts";
import { secretRules } from "./secrets.ts";
import { syntaxRules } from "./syntax.ts";
import { versionRules } from "./versions.ts";
import { zenmlCommandRules } from "./zenml-commands.ts";

type Files = Readonly<Record<string, string>>;

/** For each rule: files that trip it and the lines where, and files much like them that do not. */
type Case = { bad: Files; lines: number[]; good: Files };

const fenced = (label: string, text: string): Files => ({
  "guide.md": `# Guide\n\n\`\`\`${label}\n${text}\n\`\`\`\n`,
});

const restapi = (path: string, data: string): Files => ({
  "main.tf": `provider "restapi" {\n  uri = var.zenml_server_url\n}\nresource "restapi_object" "a" {\n  path = "${path}"\n  data = jsonencode(${data})\n}\n`,
});

const service = (name: string): string => `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n`;
const deployment = (label: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  labels:\n    app: ${label}\nspec: {}\n`;

const cases: Readonly<Record<string, Case>> = {
  "syntax/yaml": {
    bad: { "a.yaml": "a: 1\n- b\n" },
    lines: [2],
    good: { "a.yaml": "a: 1\nb:\n- c\n---\nd: [1, 2]\n" },
  },
  "syntax/duplicate-key": {
    bad: { "a.yaml": "a: 1\nb: 2\na: 3\n" },
    lines: [3],
    good: { "a.yaml": "a: 1\n---\na: 2\n" },
  },
  "syntax/template-in-yaml": {
    bad: fenced("yaml", "kind: a\nname: {{ x }}"),
    lines: [5],
    good: { ...fenced("jinja", "kind: a\nname: {{ x }}"), "a.yaml.j2": "name: {{ x }}\n" },
  },
  "syntax/json": {
    bad: { "a.json": '{"a": 1,}' },
    lines: [1],
    good: { "a.json": '{"a": 1}', "tsconfig.json": "// why\n{}", ...fenced("json", '{"a": ...}') },
  },
  "secret/default-credential": {
    bad: fenced("yaml", "credentials: minioadmin/minioadmin123\n- no yaml"),
    lines: [4],
    good: { "a.yaml": "image: quay.io/minio/minio:1\nadmin: admin\npath: /admin/admin\n" },
  },
  "secret/literal": {
    bad: {
      "a.yaml": "db:\n  password: s3cure_enough\nenv:\n- name: MYSQL_ROOT_PASSWORD\n  value: hunter22\n",
    },
    lines: [2, 5],
    good: {
      "a.yaml":
        "passwordSecretRef: { name: db, key: password }\npassword: ${DB_PASSWORD}\nadminPasswordKey: admin-password\ntoken: {{ token }}\nsecretKey: password\nname: MYSQL_PASSWORD\nvalueFrom: { secretKeyRef: { name: db, key: password } }\n# password: hunter2\ns3: { secretAccessKey: { name: s3, key: SECRET }, password: <from the store> }\n",
      "a.tf":
        'variable "db_password" {\n  type = string\n}\nlocals {\n  password = random_password.db.result\n  token    = var.token\n}\n',
      "sealed.yaml": "kind: SealedSecret\nspec:\n  encryptedData:\n    password: AgBy3i4OJSWK\n",
      "a.sh":
        'export PASSWORD="$1"\nTOKEN=$(cat /run/secrets/token)\nif [[ -n "${KUBE_PASSWORD:-}" && -n "${KUBE_TOKEN:-}" ]]; then true; fi\n',
    },
  },
  "secret/in-address": {
    bad: { "a.yaml": 'uri: "postgresql://mlflow:abc_def@db:5432/mlflow"\n' },
    lines: [1],
    good: {
      "a.yaml":
        "url: mysql://zenml@db:3306/zenml\nuri: 'mysql+pymysql://{{ .user }}:{{ .password | urlquery }}@HOST:3306/mlflow'\nrepo: https://host:443/a@b\nurl: postgresql://user:password@host/db\n",
      "a.sh": 'psql "postgresql://mlflow:${PGPASSWORD}@db/mlflow"\n',
      "a.tf": 'locals {\n  url = "mysql://zenml:${random_password.db.result}@db/zenml"\n}\n',
    },
  },
  "secret/token": {
    bad: { "a.sh": "export AWS_ACCESS_KEY_ID=AKIAABCDEFGHIJKLMNOP\n" },
    lines: [1],
    good: { "a.sh": "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n" },
  },
  "secret/manifest": {
    bad: {
      "a.yaml":
        "apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData:\n  url: x\n  key: hunter2\n",
      "kustomization.yaml": "secretGenerator:\n- name: a\n  literals: [a=b]\n",
    },
    lines: [6, 3],
    good: {
      "a.yaml":
        "apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData:\n  url: x\n  key: ${KEY}\n---\napiVersion: v1\nkind: Secret\nmetadata: { name: b }\ntype: kubernetes.io/service-account-token\n",
      "kustomization.yaml": "secretGenerator:\n- name: a\n  envs: [.env]\n",
    },
  },
  "secret/in-command": {
    bad: {
      "a.sh": "zenml login u --api-key\nmlflow --password hunter2\n",
      "a.tf": 'output "a" {\n  value = "zenml connect --token ${random_password.a.result}"\n}\n',
    },
    lines: [2, 2],
    good: { "a.sh": 'mlflow --password "$PASSWORD"\nzenml login <URL> --api-key\ncurl --token=<TOKEN>\n' },
  },
  "image/ended": {
    bad: { "a.yaml": "image: quay.io/minio/minio:RELEASE.2024-10-02T17-50-41Z\n" },
    lines: [1],
    good: { "a.yaml": "image: example.org/minio/minio:1\n" },
  },
  "image/mlflow-without-drivers": {
    bad: {
      "a.yaml":
        "image: ghcr.io/mlflow/mlflow:v3.12.0\n---\nimage: ghcr.io/mlflow/mlflow:v2.9.2-full\n---\nimage: ghcr.io/mlflow/mlflow:v{{ version }}\n",
      "b.yaml": "version: 2.9.2\n",
    },
    lines: [1, 3, 5],
    good: {
      "a.yaml": "image: ghcr.io/mlflow/mlflow:v3.12.0-full\n---\nimage: ghcr.io/mlflow/mlflow:{{ tag }}\n",
      "a.tf": 'locals {\n  image = "ghcr.io/mlflow/mlflow:${var.tag}"\n}\n',
    },
  },
  "image/floating-tag": {
    bad: {
      "a.yaml": "image: example.org/a:latest\n---\nimage: example.org/a\n",
      Dockerfile: "FROM node:latest\n",
    },
    lines: [1, 1, 3],
    good: {
      "a.yaml":
        "image: example.org:5000/a:1.0\n---\nimage:\n  repository: a\n---\nimage: a@sha256:0\n---\nimage: ${x}\n",
      Dockerfile: "FROM node:24 AS build\nFROM scratch\nFROM build\n",
    },
  },
  "image/old-postgres": {
    bad: { "a.yaml": "image: postgres:15.4\n---\nimage: docker.io/library/postgres:12.1-alpine\n" },
    lines: [1, 3],
    good: {
      "a.yaml": "image: postgres:18.1\n---\nimage: postgres:15\n---\nimage: example.org/postgres:9.1\n",
    },
  },
  "image/not-pinned": {
    bad: { "a.yaml": "image: a:1@sha256:0\n---\nimage: b:2\n" },
    lines: [3],
    good: { "a.yaml": "image: a:1@sha256:0\n", "b.yaml": "image: b:2\n" },
  },
  "version/ended": {
    bad: {
      "main.yml":
        'kserve_version: "0.11.2"\nsrc: https://github.com/cert-manager/cert-manager/releases/download/v1.13.0/a.yaml\n',
      "a.tf":
        'resource "helm_release" "a" {\n  name    = "a"\n  chart   = "cert-manager"\n  version = "v1.13.0"\n}\n',
    },
    lines: [1, 1, 2],
    good: {
      "main.yml": 'kserve_version: "0.20.0"\nother_version: "0.1"\n',
      "a.tf":
        'resource "helm_release" "a" {\n  name    = "a"\n  chart   = "cert-manager"\n  version = "v1.21.1"\n}\n',
    },
  },
  "command/kubectl-target": {
    bad: {
      "a.sh": "kubectl get svc web\nkubectl get pods -l app=b\n",
      "a.yaml": `${service("api")}---\n${deployment("a")}`,
    },
    lines: [1, 2],
    good: {
      "a.sh":
        "kubectl get svc/dev-api\nkubectl get pods -l app=a -n x\nkubectl logs job/other\nkubectl get svc $NAME\nkubectl create service clusterip made\nkubectl get svc made\n",
      "a.yaml": `${service("api")}---\n${deployment("a")}`,
    },
  },
  "command/make-target": {
    bad: { Makefile: ".PHONY: all\nall: b.txt\n\t@true\nb.txt:\n\ttouch b.txt\n", "a.sh": "make al\n" },
    lines: [1],
    good: { Makefile: "all:\n\t@true\n", "a.sh": "make all\nmake -C x other\nmake V=1 all\n" },
  },
  "command/zenml-unknown": {
    bad: { "a.sh": "zenml connect --url https://x --token abc\nzenml stak list\nzenml stack lst\n" },
    lines: [1, 2, 3],
    good: {
      "a.sh":
        "zenml login https://x --api-key\nzenml connect --url=https://x --api-key k\nzenml stack register s -o default -a store\nzenml status\nzenml artifact-store register a --flavor=s3 --path=s3://b\nzenml <command>\n",
    },
  },
  "command/zenml-component": {
    bad: {
      "a.sh":
        "zenml artifact-store register a --flavor=s3 --type=artifact-store\nzenml artifact-store register a -f gcs --path=gs://b\nzenml artifact-store register a -f s3 --path=s3://b --authentication_secret=s3-creds\n",
      "a.yaml": "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: { name: s3-creds }\n",
    },
    lines: [1, 1, 2, 3],
    good: {
      "a.sh":
        'zenml artifact-store register a --flavor=s3 --path=s3://b --authentication_secret=zenml-s3 --client_kwargs=\'{"endpoint_url": "https://o"}\'\nzenml orchestrator register k --flavor=kubernetes --connector c\nzenml orchestrator register k --flavor=our-own --x=1\n',
    },
  },
  "rest/mlflow-route": {
    bad: {
      "a.sh":
        "curl http://h/api/2.0/mlflow/experiments/list\ncurl -X POST http://h/api/2.0/mlflow/experiments/get-by-name\n",
    },
    lines: [1, 2],
    good: {
      "a.sh":
        'curl -d \'{"max_results":1}\' http://h/api/2.0/mlflow/experiments/search\ncurl "$U/api/2.0/mlflow/runs/get?run_id=x"\ncurl http://h/api/2.0/mlflow/runs/$X\ncurl http://h/api/2.0/other\n',
    },
  },
  "rest/zenml-route": {
    bad: {
      "a.sh": "curl https://zenml.example.com/api/v1/health\n",
      ...restapi("/api/v1/service-connectors", "{}"),
    },
    lines: [1, 5],
    good: {
      "a.sh":
        "curl https://zenml.example.com/health\ncurl https://zenml.example.com/api/v1/stacks/$ID\ncurl http://prometheus/api/v1/query\n",
      ...restapi(
        "/api/v1/service_connectors",
        '{ name = "a", connector_type = "gcp", auth_method = "implicit" }',
      ),
    },
  },
  "rest/zenml-body": {
    bad: {
      ...restapi(
        "/api/v1/service_connectors",
        '{\n    name        = "a"\n    type        = "gcp"\n    auth_method = "workload-identity"\n  }',
      ),
      "a.sh": `curl -X POST https://zenml.x/api/v1/stacks -d '{"name": "s", "components": {"artifact_store": {"flavor": "gcs"}}}'\n`,
    },
    // Unknown field, missing field, unknown method; one object for a list, unknown flavor, no orchestrator.
    lines: [1, 1, 1, 6, 8, 9],
    good: {
      ...restapi(
        "/api/v1/stacks",
        '{\n    name = "s"\n    components = {\n      orchestrator   = [var.orchestrator]\n      artifact_store = [{ flavor = "gcp", configuration = { path = "gs://b" } }]\n    }\n  }',
      ),
      "a.sh": `curl -X POST https://zenml.x/api/v1/service_connectors -d '{"name": "a", "connector_type": "gcp", "auth_method": "implicit", "configuration": {"project_id": "p"}}'\n`,
    },
  },
};

function seen(rule: string, files: Files): number[] {
  const snippets = Object.entries(files).flatMap(([file, text]) => snippetsIn(file, text));
  return lintSnippets(snippets, { only: [rule] }).findings.map(({ line }) => line);
}

describe.for(Object.entries(cases))("%s", ([rule, { bad, lines, good }]) => {
  test("finds the mistake where it stands", () => {
    expect(seen(rule, bad).sort((a, b) => a - b)).toEqual([...lines].sort((a, b) => a - b));
  });

  test("finds nothing in files that are right", () => {
    expect(seen(rule, good)).toEqual([]);
  });
});

test("every rule of these families has its case", () => {
  const families = [
    secretRules,
    imageRules,
    versionRules,
    syntaxRules,
    commandRules,
    zenmlCommandRules,
    restRules,
  ];
  const ids = families.flatMap((rules) => rules.map(({ id }) => id));
  expect(ids.sort()).toEqual(Object.keys(cases).sort());
});

test("no message repeats a secret that it found", () => {
  const files = {
    "a.yaml":
      "password: hunter22\nuri: mysql://a:swordfish@h/b\ntoken: ghp_abcdefghijklmnopqrstuvwxyz0123456789\n",
  };
  const snippets = Object.entries(files).flatMap(([file, text]) => snippetsIn(file, text));
  const { findings } = lintSnippets(snippets, { only: ["secret"] });
  expect(findings.length).toBeGreaterThan(2);
  expect(JSON.stringify(findings)).not.toMatch(/hunter22|swordfish|ghp_/);
});
