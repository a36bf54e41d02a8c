import { expect, test } from "vitest";
import { consumerRules as rules } from "./consumers.ts";
import { findingsIn, seenIn, type Files } from "./rule-harness.ts";

const ids = (files: Files | string): string[] =>
  seenIn(rules, files).map((id) => id.replace("database/", ""));

const zenml = (url: string, more = ""): string => `resource "helm_release" "zenml" {
  name    = "zenml"
  chart   = "zenml"
  values  = [yamlencode({
    zenml = { database = {
      url = "${url}"
${more}    } }
  })]
}
`;

test.each([
  ["postgresql://zenml:${random_password.db.result}@pg.${var.namespace}.svc:5432/postgres", /no PostgreSQL/],
  ["mysql+pymysql://zenml@db:3306/zenml", /refuses the driver mysql\+pymysql/],
  ["mysql://zenml@db:3306/zenml-prod", /refuses the database name zenml-prod/],
  ["mysql://zenml@db:3306/zenml?charset=utf8", /parameter charset/],
  ["mysql://zenml@db:3306", /names no database/],
])("ZenML refuses %s", (url, message) => {
  const [finding] = findingsIn(rules, { "main.tf": zenml(url) });
  expect(finding).toMatchObject({ rule: "database/zenml-url", line: 6 });
  expect(finding?.message).toMatch(message);
});

test.each([
  "mysql://zenml@db:3306/zenml",
  "mysql://${var.user}:${var.password}@${module.db.host}/zenml_${var.env}?ssl_ca=x",
  "${var.url}",
])("ZenML takes %s", (url) => {
  expect(ids({ "main.tf": zenml(url) })).toEqual([]);
});

const secret = (name: string, url: string): string => `apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: db }
spec:
  target:
    template:
      data:
        ${name}: '${url}'
`;

test("URLs in secrets, variables and arguments are seen, too", () => {
  expect(ids(secret("ZENML_STORE_URL", "postgresql://{{ .user }}:{{ .password }}@db/zenml"))).toEqual([
    "zenml-url:8",
  ]);
  expect(ids(secret("MLFLOW_BACKEND_STORE_URI", "mysql://{{ .user }}@db/mlflow"))).toEqual(["mlflow-url:8"]);
  expect(ids(secret("MLFLOW_BACKEND_STORE_URI", "mysql+pymysql://{{ .user }}@db/mlflow"))).toEqual([]);
  expect(ids('mlflow_backend_store_uri: "postgres://mlflow@db/mlflow"\n')).toEqual(["mlflow-url:1"]);
  expect(ids('mlflow_backend_store_uri: "postgresql://mlflow@db/mlflow"\n')).toEqual([]);
  const pod =
    "apiVersion: v1\nkind: Pod\nmetadata: { name: m }\nspec:\n  containers:\n    - name: m\n      args: [mlflow, server, --backend-store-uri, mysql://db/m]\n";
  expect(ids(pod)).toEqual(["mlflow-url:7"]);
});

test("one entry of a secret cannot serve both", () => {
  const pod = (name: string, key: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name.toLowerCase().slice(0, 5)}, namespace: a }\nspec:\n  containers:\n    - name: c\n      env:\n        - name: ${name}\n          valueFrom: { secretKeyRef: { name: db, key: ${key} } }\n`;
  expect(ids(`${pod("ZENML_STORE_URL", "url")}---\n${pod("MLFLOW_BACKEND_STORE_URI", "url")}`)).toEqual([
    "shared-url:8",
  ]);
  expect(ids(`${pod("ZENML_STORE_URL", "url")}---\n${pod("MLFLOW_BACKEND_STORE_URI", "uri")}`)).toEqual([]);
});

test("TLS where the database demands it", () => {
  const instance = (mode: string): string => `resource "google_sql_database_instance" "db" {
  settings {
    ip_configuration {
      ssl_mode = "${mode}"
    }
  }
}
`;
  const url = "mysql://zenml@db/zenml";
  expect(ids({ "main.tf": instance("ENCRYPTED_ONLY") + zenml(url) })).toEqual(["no-tls:13"]);
  expect(ids({ "main.tf": instance("ENCRYPTED_ONLY") + zenml(url, "      ssl = true\n") })).toEqual([]);
  expect(ids({ "main.tf": instance("ALLOW_UNENCRYPTED_AND_ENCRYPTED") + zenml(url) })).toEqual([]);
  const pod = (more: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: m }\nspec:\n  containers:\n    - name: m\n      env:\n        - { name: MLFLOW_BACKEND_STORE_URI, value: 'mysql+pymysql://db/m' }\n${more}`;
  expect(ids({ "main.tf": instance("ENCRYPTED_ONLY"), "m.yaml": pod("") })).toEqual(["no-tls:8"]);
  expect(
    ids({
      "main.tf": instance("ENCRYPTED_ONLY"),
      "m.yaml": pod("        - { name: MLFLOW_MYSQL_SSL_CA, value: /ca.pem }\n"),
    }),
  ).toEqual([]);
});
