import { expect, test } from "vitest";
import { merge, type JsonObject } from "../spec/merge.ts";
import type { Environment } from "../spec/platform.ts";
import { resolveEnvironment } from "../spec/resolve.ts";
import { cases, google } from "./gcp-cases.ts";
import { gcpRules } from "./gcp.ts";

function environmentOf(base: JsonObject, change: JsonObject): Environment {
  const { environment, problems } = resolveEnvironment(
    { ...merge(base, change), environments: { prod: {} } },
    "prod",
  );
  if (environment === undefined) throw new Error(JSON.stringify(problems));
  return environment;
}

const problemsOf = (rule: string, environment: Environment): string[] =>
  gcpRules
    .filter(({ id }) => id === rule)
    .flatMap(({ check }) => check(environment))
    .map(({ path }) => path.join("."));

test.each(cases)(
  "$rule is tripped at $path, and not by what is right",
  ({ rule, base = google, wrong, path, right }) => {
    expect(problemsOf(rule, environmentOf(base, wrong))).toContain(path);
    expect(problemsOf(rule, environmentOf(base, right))).toEqual([]);
  },
);

test("every rule has a case, an id of its own and a remedy with two ways out", () => {
  const ids = gcpRules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...new Set(cases.map(({ rule }) => rule))].sort()).toEqual([...ids].sort());
  for (const { rule, base = google, wrong } of cases) {
    const environment = environmentOf(base, wrong);
    for (const { check } of gcpRules.filter(({ id }) => id === rule)) {
      for (const { message, remedy } of check(environment)) {
        expect(message).not.toMatch(/undefined|NaN/);
        expect(remedy).toMatch(/ or |Did you mean/);
      }
    }
  }
});

test("the defaults of every tier trip nothing", () => {
  for (const tier of ["development", "staging", "production"]) {
    const environment = environmentOf(google, { tier });
    expect(gcpRules.flatMap(({ check }) => check(environment))).toEqual([]);
  }
});
