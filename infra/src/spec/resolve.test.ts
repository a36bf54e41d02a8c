import { describe, expect, test } from "vitest";
import { resolveEnvironment, environmentsOf, type SettingProblem } from "./resolve.ts";
import type { JsonObject } from "./merge.ts";

const gcp = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://git.example.com/ml/deploy.git" },
  gateway: { contact: "ml@example.com" },
  target: { kind: "gcp", project: "acme-prod", region: "europe-west1" },
  environments: { dev: {}, prod: {} },
} satisfies JsonObject;

const problemsOf = (exported: JsonObject, environment = "prod"): SettingProblem[] =>
  resolveEnvironment(exported, environment).problems;

function resolved(
  exported: JsonObject,
  environment = "prod",
): NonNullable<ReturnType<typeof resolveEnvironment>["environment"]> {
  const { environment: found, problems } = resolveEnvironment(exported, environment);
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return found;
}

describe("an environment", () => {
  test("has defaults by its tier and target", () => {
    expect(resolved(gcp, "prod")).toMatchObject({
      tier: "production",
      tracking: { engine: "plinth", replicas: 2, database: { engine: "cloud-sql", highAvailability: true } },
      objectStore: { engine: "gcs" },
      backup: { enabled: true },
      secrets: { engine: "external-secrets", store: { project: "acme-prod" } },
      policies: { action: "Deny" },
    });
    expect(resolved(gcp, "dev")).toMatchObject({
      tier: "development",
      tracking: { replicas: 1, database: { highAvailability: false } },
      backup: { enabled: false },
      policies: { action: "Audit" },
    });
  });

  test("changes what it says, and keeps the rest of what is said for all", () => {
    const exported = {
      ...gcp,
      tracking: { engine: "plinth", resources: { cpu: "1", memory: "1Gi", memoryLimit: "2Gi" } },
      environments: { prod: { tracking: { resources: { cpu: "4" } } } },
    };
    expect(resolved(exported).tracking.resources).toEqual({ cpu: "4", memory: "1Gi", memoryLimit: "2Gi" });
  });

  test("takes nothing over from another engine", () => {
    const exported = {
      ...gcp,
      tracking: { database: { engine: "cloud-sql", diskGb: 100, tier: "db-custom-4-15360" } },
      environments: { prod: { tracking: { database: { engine: "cloudnative-pg" } } } },
    };
    expect(resolved(exported).tracking.database).toMatchObject({ engine: "cloudnative-pg", instances: 3 });
  });

  test("knows where each value comes from", () => {
    const found = resolveEnvironment(
      { ...gcp, tracking: { replicas: 4 }, environments: { prod: { owner: "other" } } },
      "prod",
    );
    if (found.environment === undefined) throw new Error("not resolved");
    expect(found.sourceOf(["owner"])).toBe("environment");
    expect(found.sourceOf(["tracking", "replicas"])).toBe("platform");
    expect(found.sourceOf(["tracking", "engine"])).toBe("default");
  });

  test("of an unknown name must say its tier", () => {
    expect(problemsOf({ ...gcp, environments: { lab: {} } }, "lab")).toMatchObject([{ path: ["tier"] }]);
    expect(resolved({ ...gcp, environments: { lab: { tier: "staging" } } }, "lab").tier).toBe("staging");
  });
});

describe("a wrong setting", () => {
  const first = (change: JsonObject): SettingProblem => {
    const [problem] = problemsOf({ ...gcp, ...change });
    if (problem === undefined) throw new Error("nothing was said");
    return problem;
  };

  test.each<[string, JsonObject, SettingProblem["path"], RegExp, RegExp]>([
    ["a typo", { traking: {} }, ["traking"], /unknown setting traking/, /Did you mean tracking\?/],
    [
      "a typo further in",
      { target: { ...gcp.target, cluster: { mod: "autopilot" } } },
      ["target", "cluster", "mod"],
      /target\.cluster\.mod/,
      /Did you mean mode\?/,
    ],
    [
      "a typo in an environment",
      { environments: { prod: { tracking: { replica: 2 } } } },
      ["environments", "prod", "tracking", "replica"],
      /tracking\.replica/,
      /Did you mean replicas\?/,
    ],
    [
      "an engine that does not exist",
      { tracking: { database: { engine: "clod-sql" } } },
      ["tracking", "database", "engine"],
      /cannot be "clod-sql"/,
      /Did you mean "cloud-sql"\?/,
    ],
    ["a target that is missing", { target: undefined }, ["target"], /target is missing/, /Set target/],
    [
      "a number as text",
      { tracking: { replicas: "2" } },
      ["tracking", "replicas"],
      /cannot be "2"/,
      /number/,
    ],
    [
      "credentials in an address",
      { gitOps: { repository: "https://me:token@git.example.com/a.git" } },
      ["gitOps", "repository"],
      /cannot be/,
      /without credentials/,
    ],
    [
      "a moving image tag",
      { tracking: { image: "registry.example.com/plinth:latest" } },
      ["tracking", "image"],
      /cannot be/,
      /latest/,
    ],
    [
      "a host with a scheme",
      { domain: "https://x.example.com" },
      ["domain"],
      /cannot be/,
      /without a scheme/,
    ],
    [
      "a network that is none",
      { target: { ...gcp.target, network: { pods: "10.1.0.0/33" } } },
      ["target", "network", "pods"],
      /cannot be/,
      /IPv4 network/,
    ],
  ])("%s is told by its place and with what would be right", (...[, change, path, message, remedy]) => {
    const problem = first(change);
    expect(problem.path).toEqual(path);
    expect(problem.message).toMatch(message);
    expect(problem.remedy).toMatch(remedy);
  });
});

describe("what a file exports", () => {
  test.each<[string, unknown, string[]]>([
    ["nothing", undefined, []],
    ["a list", [], []],
    ["no name", { environments: { dev: {} } }, ["name"]],
    ["a name that others cannot be made of", { name: "Acme_1", environments: { dev: {} } }, ["name"]],
    ["no environments", { name: "acme" }, ["environments"]],
    ["no environment", { name: "acme", environments: {} }, ["environments"]],
    [
      "an environment with a bad name",
      { name: "acme", environments: { "Prod 1": {} } },
      ["environments", "Prod 1"],
    ],
    ["an environment that is no object", { name: "acme", environments: { dev: 1 } }, ["environments", "dev"]],
  ])("%s is refused", (_, exported, path) => {
    expect(environmentsOf(exported)).toMatchObject({ names: [], problems: [{ path }] });
  });
});
