import { expect, test } from "vitest";
import { merge, type JsonObject } from "../spec/merge.ts";
import type { Environment } from "../spec/platform.ts";
import { resolveEnvironment } from "../spec/resolve.ts";
import { sharedBetween } from "./environments.ts";
import { google } from "./gcp-cases.ts";
import { cluster } from "./platform-cases.ts";

const environments = (changes: Record<string, JsonObject>, shared: JsonObject = {}): Environment[] =>
  environmentsOn(cluster, changes, shared);

function environmentsOn(
  base: JsonObject,
  changes: Record<string, JsonObject>,
  shared: JsonObject = {},
): Environment[] {
  return Object.keys(changes).map((name) => {
    const { environment, problems } = resolveEnvironment(
      { ...merge(base, shared), environments: changes },
      name,
    );
    if (environment === undefined) throw new Error(JSON.stringify(problems));
    return environment;
  });
}

const rulesOf = (all: Environment[]): string[] =>
  sharedBetween(all).map(({ rule, environment }) => `${environment}: ${rule}`);

test("two environments in one folder, or at one domain, are told of", () => {
  expect(rulesOf(environments({ dev: {}, prod: {} }))).toEqual(["prod: gateway/shared-domain"]);
  const path = { gitOps: { path: "deploy" } };
  expect(rulesOf(environments({ dev: { domain: "dev.example.com" }, prod: {} }, path))).toEqual([
    "prod: gitops/shared-folder",
  ]);
});

test("environments with folders and domains of their own, and a single one, are not", () => {
  expect(rulesOf(environments({ dev: { domain: "dev.example.com" }, prod: {} }))).toEqual([]);
  expect(rulesOf(environments({ prod: {} }, { gitOps: { path: "deploy" } }))).toEqual([]);
});

test("two environments in one project do not make one entry of Secret Manager", () => {
  const shared = { pipelines: { engine: "zenml", activation: {} } };
  const dev = { domain: "dev.example.com" };
  expect(rulesOf(environmentsOn(google, { dev, prod: {} }, shared))).toEqual(["prod: gcp/shared-secret"]);
  const own = { pipelines: { activation: { password: { secret: "dev-zenml-admin" } } } };
  expect(rulesOf(environmentsOn(google, { dev: { ...dev, ...own }, prod: {} }, shared))).toEqual([]);
  const project = { target: { project: "acme-dev" } };
  expect(rulesOf(environmentsOn(google, { dev: { ...dev, ...project }, prod: {} }, shared))).toEqual([]);
  expect(rulesOf(environmentsOn(google, { dev, prod: {} }))).toEqual([]);
});

test("two environments do not write to one bucket of a store that is there already", () => {
  const store = (prefix: string): JsonObject => ({
    objectStore: {
      engine: "s3",
      endpoint: "https://s3.example.com",
      credentials: { secret: "object-store" },
      buckets: { artifacts: `${prefix}-artifacts`, models: `${prefix}-models`, backups: "acme-backups" },
    },
  });
  const dev = { domain: "dev.example.com" };
  expect(rulesOf(environments({ dev: { ...dev, ...store("dev") }, prod: store("prod") }))).toEqual([
    "prod: store/shared-bucket",
  ]);
  const other = {
    objectStore: { ...(store("dev")["objectStore"] as JsonObject), endpoint: "https://s3.example.org" },
  };
  expect(rulesOf(environments({ dev: { ...dev, ...other }, prod: store("prod") }))).toEqual([]);
});
