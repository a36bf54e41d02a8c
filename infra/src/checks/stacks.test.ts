import { expect, test } from "vitest";
import { merge, type JsonObject } from "../spec/merge.ts";
import type { Environment } from "../spec/platform.ts";
import { resolveEnvironment } from "../spec/resolve.ts";
import { stackRules } from "./stacks.ts";

const connector: JsonObject = {
  name: "gcs",
  type: "gcp",
  authMethod: "impersonation",
  resourceType: "gcs-bucket",
  resourceId: "gs://acme-artifacts",
  configuration: { target_principal: "zenml@acme.iam.gserviceaccount.com" },
};
const artifacts: JsonObject = {
  name: "artifacts",
  type: "artifact_store",
  flavor: "gcp",
  configuration: { path: "gs://acme-artifacts" },
  connector: "gcs",
};
const vertex: JsonObject = {
  name: "vertex",
  type: "orchestrator",
  flavor: "vertex",
  configuration: { location: "europe-west1" },
};
const stack: JsonObject = {
  name: "prod",
  components: { artifact_store: "artifacts", orchestrator: "vertex" },
};

const good: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/mlops" },
  gateway: { contact: "ops@example.com" },
  target: { kind: "gcp", project: "acme-mlops", region: "europe-west1" },
  pipelines: { engine: "zenml" },
  stacks: { connectors: [connector], components: [artifacts, vertex], stacks: [stack] },
};

const connectors = (change: JsonObject): JsonObject => ({
  stacks: { connectors: [{ ...connector, ...change }] },
});
const components = (of: JsonObject, change: JsonObject): JsonObject => ({
  stacks: { components: [artifacts, vertex].map((one) => (one === of ? { ...one, ...change } : one)) },
});
const stacks = (change: JsonObject): JsonObject => ({ stacks: { stacks: [{ ...stack, ...change }] } });

type Case = { rule: string; wrong: JsonObject; path: string; remedy?: RegExp };

const cases: Case[] = [
  { rule: "stacks/no-server", wrong: { pipelines: { engine: "none" } }, path: "stacks.stacks" },
  {
    rule: "stacks/unknown-auth-method",
    wrong: connectors({ authMethod: "workload-identity" }),
    path: "stacks.connectors.0.authMethod",
    remedy: /external-account.*impersonation, implicit, oauth2-token, service-account, user-account/,
  },
  {
    rule: "stacks/unknown-auth-method",
    wrong: connectors({ type: "aws", authMethod: "secret-keys", resourceType: "s3-bucket" }),
    path: "stacks.connectors.0.authMethod",
    remedy: /Did you mean "secret-key"/,
  },
  {
    rule: "stacks/unknown-resource-type",
    wrong: connectors({ resourceType: "gcs" }),
    path: "stacks.connectors.0.resourceType",
    remedy: /gcs-bucket/,
  },
  {
    rule: "stacks/implicit-connector",
    wrong: connectors({ authMethod: "implicit", configuration: { project_id: "acme-mlops" } }),
    path: "stacks.connectors.0.authMethod",
  },
  {
    rule: "stacks/unknown-flavor",
    wrong: components(artifacts, { flavor: "gcs" }),
    path: "stacks.components.0.flavor",
    remedy: /"gcp"/,
  },
  {
    rule: "stacks/unknown-configuration-key",
    wrong: components(vertex, { configuration: { location: "europe-west1", machine_type: "n1-standard-8" } }),
    path: "stacks.components.1.configuration.machine_type",
  },
  {
    rule: "stacks/unknown-configuration-key",
    wrong: connectors({ configuration: { target_principal: "a@b.iam.gserviceaccount.com", type: "gcp" } }),
    path: "stacks.connectors.0.configuration.type",
  },
  {
    rule: "stacks/missing-configuration-key",
    wrong: components(artifacts, { configuration: {} }),
    path: "stacks.components.0.configuration",
    remedy: /path/,
  },
  {
    rule: "stacks/missing-configuration-key",
    wrong: connectors({ configuration: {} }),
    path: "stacks.connectors.0.configuration",
    remedy: /target_principal/,
  },
  {
    rule: "stacks/secret-in-clear",
    wrong: connectors({
      configuration: { target_principal: "a@b.iam.gserviceaccount.com", service_account_json: "{}" },
    }),
    path: "stacks.connectors.0.configuration.service_account_json",
  },
  {
    rule: "stacks/secret-in-clear",
    wrong: components(artifacts, { flavor: "s3", configuration: { path: "s3://a", secret: "abc" } }),
    path: "stacks.components.0.configuration.secret",
    remedy: /\{\{NAME\.secret\}\}/,
  },
  {
    rule: "stacks/incomplete",
    wrong: stacks({ components: { artifact_store: "artifacts" } }),
    path: "stacks.stacks.0.components",
    remedy: /orchestrator/,
  },
  {
    rule: "stacks/unknown-reference",
    wrong: stacks({ components: { artifact_store: "artefacts", orchestrator: "vertex" } }),
    path: "stacks.stacks.0.components.artifact_store",
    remedy: /Did you mean "artifacts"/,
  },
  {
    rule: "stacks/unknown-reference",
    wrong: stacks({ components: { artifact_store: "vertex", orchestrator: "vertex" } }),
    path: "stacks.stacks.0.components.artifact_store",
  },
  {
    rule: "stacks/unknown-reference",
    wrong: components(artifacts, { connector: "s3" }),
    path: "stacks.components.0.connector",
  },
  {
    rule: "stacks/duplicate-name",
    wrong: { stacks: { stacks: [stack, stack] } },
    path: "stacks.stacks.1.name",
  },
];

function environmentOf(change: JsonObject): Environment {
  const { environment, problems } = resolveEnvironment(
    { ...merge(good, change), environments: { prod: {} } },
    "prod",
  );
  if (environment === undefined) throw new Error(JSON.stringify(problems));
  return environment;
}

test.each(cases)("$rule is tripped at $path", ({ rule, wrong, path, remedy }) => {
  const found = stackRules
    .filter(({ id }) => id === rule)
    .flatMap(({ check }) => check(environmentOf(wrong)));
  expect(found.map((problem) => problem.path.join("."))).toEqual([path]);
  expect(found[0]?.message).not.toMatch(/undefined|NaN/);
  if (remedy !== undefined) expect(found[0]?.remedy).toMatch(remedy);
});

test("every rule has a case, and good stacks trip none", () => {
  expect([...new Set(cases.map(({ rule }) => rule))].sort()).toEqual(stackRules.map(({ id }) => id).sort());
  expect(stackRules.flatMap(({ check }) => check(environmentOf({})))).toEqual([]);
});

test("values that a component takes from ZenML's secret store are not in clear", () => {
  const referring = components(artifacts, {
    flavor: "s3",
    configuration: { path: "s3://a", secret: "{{store.secret}}", key: "{{ store.key-id }}" },
  });
  expect(stackRules.flatMap(({ check }) => check(environmentOf(referring)))).toEqual([]);
});
