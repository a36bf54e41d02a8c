import { entityScenario } from "../entity-cases.ts";
import type { ZenmlVersion } from "../../src/environment.ts";
import { del, get, post, put, type Scenario } from "../requests.ts";
import { givenBuild, givenOldSnapshot, givenProject, givenSnapshot, missing } from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

/** A stack that a server could run, as far as it is known here. */
const remoteStack = [
  post(
    "given an orchestrator",
    "/components",
    {
      name: "{unique}-orchestrator",
      type: "orchestrator",
      flavor: "kubernetes",
      configuration: { kubernetes_context: "c" },
    },
    { remote_orchestrator: "id" },
  ),
  post(
    "given an artifact store",
    "/components",
    {
      name: "{unique}-store",
      type: "artifact_store",
      flavor: "s3",
      configuration: { path: "s3://{unique}" },
    },
    { remote_store: "id" },
  ),
  post(
    "given a registry",
    "/components",
    {
      name: "{unique}-registry",
      type: "container_registry",
      flavor: "default",
      configuration: { uri: "registry.example.org" },
    },
    { registry: "id" },
  ),
  post(
    "given a remote stack",
    "/stacks",
    {
      name: "{unique}-remote",
      components: {
        orchestrator: ["{remote_orchestrator}"],
        artifact_store: ["{remote_store}"],
        container_registry: ["{registry}"],
      },
    },
    { remote: "id" },
  ),
];

export const givenRunnable = [givenPipeline(), ...remoteStack, givenBuild("build", { stack: "{remote}" })];

const planned = { stack: "{remote}", build: "{build}" };

/** Templates by which runs were begun from elsewhere. */
const templateScenario = (version: ZenmlVersion): Scenario => {
  const isNew = version === "0.98.0";
  const plan = isNew ? givenSnapshot : givenOldSnapshot;
  const source = isNew ? "source_snapshot_id" : "source_deployment_id";
  return entityScenario({
    name: `run templates of ${version}`,
    versions: [version],
    path: "/run_templates",
    given: [
      ...givenRunnable,
      plan("snapshot", planned),
      plan("second_plan", planned),
      plan("third_plan", planned),
      plan("unbuilt"),
      givenProject(),
    ],
    seeds: {
      all: {
        project: "{project}",
        name: "{unique}-all",
        description: "what it does",
        [source]: "{snapshot}",
        hidden: false,
        tags: ["{unique}-a", "{unique}-b"],
      },
      least: { project: "{project}", name: "{unique}-least", [source]: "{second_plan}" },
      hidden: { project: "{project}", name: "{unique}-hidden", [source]: "{third_plan}", hidden: true },
    },
    required: ["project", "name", source],
    probed: ["name", "description", "hidden", "tags", source],
    variants: {
      "of a plan without a build": { [source]: "{unbuilt}" },
      "of a plan that is not there": { [source]: missing },
      "of a plan of another project": { project: "{other}" },
      "a long description": { description: "d".repeat(70_000) },
      "hidden, of a plan that has one": { hidden: true },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      described: { description: "another" },
      hidden: { hidden: true },
      tagged: { add_tags: ["{unique}-c"], remove_tags: ["{unique}-a"] },
      "to a name that is taken": { name: "{unique}-least" },
      everything: { name: "{unique}-all", description: "", hidden: false, add_tags: [], remove_tags: [] },
    },
    probedUpdates: ["name", "description", "hidden", "add_tags", "remove_tags"],
    scope: { project: "{project}", name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      get("hidden ones", "/run_templates", {
        project: "{project}",
        name: "startswith:{unique}",
        hidden: "true",
      }),
      get("by the pipeline", "/run_templates", {
        project: "{project}",
        pipeline_id: "{pipeline}",
        sort_by: "asc:created",
        size: "3",
      }),
      get("by the stack", "/run_templates", {
        project: "{project}",
        stack_id: "{remote}",
        sort_by: "asc:created",
        size: "3",
      }),
      get("by the pipeline's name", "/run_templates", {
        project: "{project}",
        pipeline: "{unique}-given-pipeline",
        sort_by: "asc:created",
        size: "3",
      }),
      get("by a tag", "/run_templates", { project: "{project}", [isNew ? "tags" : "tag"]: "{unique}-b" }),
      get("the plan", `${isNew ? "/pipeline_snapshots" : "/pipeline_deployments"}/{snapshot}`),
      post("run by the server", "/run_templates/{all}/runs", {}),
      del("the plan of one goes", `${isNew ? "/pipeline_snapshots" : "/pipeline_deployments"}/{second_plan}`),
      get("which has none then", "/run_templates/{least}"),
      put("and is described", "/run_templates/{least}", { description: "still" }),
    ],
  });
};

export const templateScenarios: readonly Scenario[] = [
  templateScenario("0.98.0"),
  templateScenario("0.84.0"),
];
