import { expect, test } from "vitest";
import { merge, type JsonObject } from "../spec/merge.ts";
import type { Environment } from "../spec/platform.ts";
import { resolveEnvironment } from "../spec/resolve.ts";
import { cases, cluster } from "./platform-cases.ts";
import { platformRules } from "./platform.ts";

function environmentOf(change: JsonObject): Environment {
  const { environment, problems } = resolveEnvironment(
    { ...merge(cluster, change), environments: { prod: {} } },
    "prod",
  );
  if (environment === undefined) throw new Error(JSON.stringify(problems));
  return environment;
}

const problemsOf = (rule: string, change: JsonObject): { path: string; message: string; remedy: string }[] =>
  platformRules
    .filter(({ id }) => id === rule)
    .flatMap(({ check }) => check(environmentOf(change)))
    .map(({ path, ...said }) => ({ path: path.join("."), ...said }));

test.each(cases)("$rule is tripped at $path, and not by what is right", ({ rule, wrong, path, right }) => {
  expect(problemsOf(rule, wrong).map((problem) => problem.path)).toContain(path);
  expect(problemsOf(rule, right)).toEqual([]);
});

test("every rule has a case, an id of its own and a remedy with two ways out", () => {
  const ids = platformRules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...new Set(cases.map(({ rule }) => rule))].sort()).toEqual([...ids].sort());
  for (const { rule, wrong } of cases) {
    for (const { message, remedy } of problemsOf(rule, wrong)) {
      expect(message).not.toMatch(/undefined|NaN/);
      expect(remedy).toMatch(/,? or /);
    }
  }
});
