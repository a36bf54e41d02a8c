import type { ZenmlVersion } from "../../src/environment.ts";
import { del, get, post, put, sweepOf, type Scenario, type Step } from "../requests.ts";
import { givenOldSnapshot, givenProject, givenRun, givenSnapshot, missing } from "./given.ts";
import { givenPipeline } from "./pipelines.ts";
import { snapshotOf } from "./runs.ts";

const repository = (as: string, project = "{project}"): Step =>
  post(
    `given repository ${as}`,
    "/code_repositories",
    {
      project,
      name: `{unique}-${as}`,
      config: { owner: "o", repository: as },
      source: { module: "zenml.integrations.github.code_repositories", attribute: "G", type: "internal" },
    },
    { [as]: "id" },
  );

const reference = (more: object = {}): object => ({
  commit: "0123456789abcdef",
  subdirectory: "src/flows",
  code_repository: "{repository}",
  ...more,
});

/** Where the code of a plan is: a commit and a folder of a repository. */
const referenceScenario = (version: ZenmlVersion): Scenario => {
  const isNew = version === "0.98.0";
  const base = isNew ? "/pipeline_snapshots" : "/pipeline_deployments";
  const plan = isNew ? givenSnapshot : givenOldSnapshot;
  const refused = (label: string, more: unknown): Step =>
    post(label, base, snapshotOf(isNew, { code_reference: more }));
  const scope = { project: "{project}", [isNew ? "pipeline" : "pipeline_id"]: "{pipeline}" };
  return {
    name: `code references of ${version}`,
    versions: [version],
    steps: [
      givenPipeline(),
      givenProject(),
      repository("repository"),
      repository("foreign", "{other}"),
      plan("snapshot", { code_reference: reference() }),
      plan("same", { code_reference: reference() }),
      plan("later", { code_reference: reference({ commit: "fedcba9876543210" }) }),
      plan("elsewhere", { code_reference: reference({ subdirectory: "" }) }),
      plan("none", { code_reference: null }),
      get("the plan", `${base}/{snapshot}`),
      get("the plan without metadata", `${base}/{snapshot}`, { hydrate: "false" }),
      get("the plan without code", `${base}/{none}`),
      get("plans", base, { ...scope, hydrate: "true", sort_by: "asc:created" }),
      refused("a repository that is not there", reference({ code_repository: missing })),
      refused("a repository of another project", reference({ code_repository: "{foreign}" })),
      refused("a repository that is no id", reference({ code_repository: "mine" })),
      refused("no repository", reference({ code_repository: undefined })),
      refused("no commit", reference({ commit: undefined })),
      refused("no folder", reference({ subdirectory: undefined })),
      refused("a folder of null", reference({ subdirectory: null })),
      refused("a commit that is a number", reference({ commit: 7 })),
      refused("a list", [reference()]),
      refused("a text", "main"),
      givenRun(),
      get("the run", "/runs/{run}"),
      get("runs by repository", "/runs", { project: "{project}", code_repository_id: "{repository}" }),
      get("runs by the repository's name", "/runs", {
        project: "{project}",
        code_repository: "{unique}-repository",
      }),
      get("runs by another repository", "/runs", { project: "{project}", code_repository_id: missing }),
      sweepOf("/code_repositories", { scope: { project: "{project}", name: "startswith:{unique}" } }),
      put("the repository moves", "/code_repositories/{repository}", {
        name: "{unique}-moved",
        config: { owner: "p" },
        logo_url: "https://example.org/logo",
        description: "d",
      }),
      get("the plan follows", `${base}/{snapshot}`),
      del("the repository is deleted", "/code_repositories/{repository}"),
      get("the plan is still there", `${base}/{snapshot}`),
      get("so is its run", "/runs/{run}"),
      get("runs by what was deleted", "/runs", { project: "{project}", code_repository_id: "{repository}" }),
      post("a plan of what was deleted", base, snapshotOf(isNew, { code_reference: reference() })),
      get("the other project's is still there", "/code_repositories/{foreign}"),
    ],
  };
};

export const referenceScenarios: readonly Scenario[] = [
  referenceScenario("0.98.0"),
  referenceScenario("0.84.0"),
];
