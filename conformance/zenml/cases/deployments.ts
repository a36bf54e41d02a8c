import { entityScenario } from "../entity-cases.ts";
import { del, get, post, put, type Scenario } from "../requests.ts";
import { givenArtifactVersion, givenProject, givenRun, givenSnapshot, missing } from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

const versions = ["0.98.0"] as const;
const deployment = { project: "{project}", snapshot_id: "{snapshot}", deployer_id: "{deployer}" };

/** Snapshots that are served. */
const deployments = entityScenario({
  name: "deployments",
  versions,
  path: "/deployments",
  given: [
    givenPipeline(),
    givenSnapshot("snapshot", { name: "{unique}-plan" }),
    givenSnapshot("second_plan"),
    givenProject(),
    post(
      "given a pipeline elsewhere",
      "/pipelines",
      { project: "{other}", name: "{unique}-elsewhere" },
      { elsewhere: "id" },
    ),
    givenSnapshot("foreign", { project: "{other}", pipeline: "{elsewhere}" }),
    post(
      "given a deployer",
      "/components",
      { name: "{unique}-deployer", type: "deployer", flavor: "local", configuration: {} },
      { deployer: "id" },
    ),
  ],
  seeds: {
    all: { ...deployment, name: "{unique}-all", auth_key: "hidden", tags: ["{unique}-a", "{unique}-b"] },
    least: { ...deployment, name: "{unique}-least" },
    third: {
      ...deployment,
      name: "{unique}-third",
      snapshot_id: "{second_plan}",
      tags: [{ name: "{unique}-own", color: "red" }],
    },
  },
  required: ["project", "name", "snapshot_id", "deployer_id"],
  probed: ["name", "snapshot_id", "deployer_id", "auth_key", "tags"],
  variants: {
    "a snapshot that is not there": { snapshot_id: missing },
    "a snapshot of another project": { snapshot_id: "{foreign}" },
    "a deployer that is not there": { deployer_id: missing },
    "a deployer that is an orchestrator": { deployer_id: "{orchestrator}" },
    "in another project": { project: "{other}" },
    "a name with capitals and spaces": { name: "{unique} My Name" },
  },
  updates: {
    renamed: { name: "{unique}-renamed" },
    "at an address": { url: "http://example.org/x" },
    running: { status: "running" },
    "in a state that is none": { status: "asleep" },
    "with metadata": { deployment_metadata: { a: 1.0, b: { c: [null] } } },
    "with another key": { auth_key: "other" },
    "of another snapshot": { snapshot_id: "{second_plan}" },
    "of a snapshot of another project": { snapshot_id: "{foreign}" },
    "of a snapshot that is not there": { snapshot_id: missing },
    tagged: { add_tags: ["{unique}-c"], remove_tags: ["{unique}-a"] },
    "to a name that is taken": { name: "{unique}-least" },
    "nothing but nulls": { name: null, url: null, status: null, deployment_metadata: null, auth_key: null },
  },
  probedUpdates: ["name", "url", "status", "deployment_metadata", "auth_key", "snapshot_id", "add_tags"],
  scope: { project: "{project}", name: "startswith:{unique}" },
  orders: ["created", "name"],
  further: [
    put("renamed again", "/deployments/{all}", {
      name: "{unique}-all",
      status: "running",
      url: "http://example.org/y",
    }),
    get("by the pipeline's name", "/deployments", {
      project: "{project}",
      pipeline: "{unique}-given-pipeline",
      size: "2",
      sort_by: "asc:created",
    }),
    get("by the pipeline", "/deployments", {
      project: "{project}",
      pipeline: "{pipeline}",
      size: "2",
      sort_by: "asc:created",
    }),
    get("by a tag", "/deployments", { project: "{project}", tags: "{unique}-b" }),
    get("the plan knows it", "/pipeline_snapshots/{snapshot}"),
    get("plans that are served", "/pipeline_snapshots", {
      project: "{project}",
      pipeline: "{pipeline}",
      deployed: "true",
    }),
    del("the plan of some goes", "/pipeline_snapshots/{second_plan}"),
    get("which have none then", "/deployments/{third}"),
    del("the deployer goes", "/components/{deployer}"),
    get("and no deployer", "/deployments/{third}"),
  ],
});

const curated = { project: "{project}", artifact_visualization_id: "{shown}" };

/** Visualizations of artifacts on what people look at. */
const curatedVisualizations = entityScenario({
  name: "curated visualizations",
  versions,
  path: "/curated_visualizations",
  unique: "display_order",
  unlisted: true,
  given: [
    givenPipeline(),
    givenSnapshot(),
    givenRun(),
    givenArtifactVersion(
      "drawn",
      {
        visualizations: [
          { type: "html", uri: "/tmp/{unique}/a.html" },
          { type: "image", uri: "/tmp/{unique}/b.png" },
        ],
      },
      { shown: "metadata.visualizations.0.id", second_shown: "metadata.visualizations.1.id" },
    ),
    post("given a model", "/models", { project: "{project}", name: "{unique}-model" }, { model: "id" }),
    givenProject(),
  ],
  seeds: {
    all: {
      ...curated,
      display_name: "A Plot",
      display_order: 1,
      layout_size: "half_width",
      resource_id: "{pipeline}",
      resource_type: "pipeline",
    },
    least: { ...curated, resource_id: "{model}", resource_type: "model" },
    second: {
      ...curated,
      artifact_visualization_id: "{second_shown}",
      display_order: 2,
      resource_id: "{pipeline}",
      resource_type: "pipeline",
    },
  },
  required: ["project", "artifact_visualization_id", "resource_id", "resource_type"],
  probed: ["display_name", "layout_size", "resource_type", "resource_id", "artifact_visualization_id"],
  variants: {
    "on a run": { resource_id: "{run}", resource_type: "pipeline_run", display_order: 0 },
    "on a snapshot": { resource_id: "{snapshot}", resource_type: "pipeline_snapshot", display_order: null },
    "on a project": { resource_id: "{other}", resource_type: "project", display_order: 3 },
    "on this project": { resource_id: "{project}", resource_type: "project", display_order: -1 },
    "below zero": { resource_id: "{project}", resource_type: "project", display_order: -1 },
    "on the project": {
      resource_id: "{project}",
      resource_type: "project",
      display_order: null,
      display_name: "{unique}",
    },
    "on what is not there": { resource_id: missing },
    "on something of another type": { resource_id: "{model}" },
    "on what cannot have one": { resource_type: "stack", resource_id: "{stack}" },
    "of what is not there": { artifact_visualization_id: missing },
    "the place of another": {
      artifact_visualization_id: "{second_shown}",
      resource_id: "{pipeline}",
      display_order: 1,
    },
    "a size that is none": { layout_size: "huge", display_order: 9 },
    "a long name": {
      display_name: "n".repeat(10_000),
      resource_id: "{snapshot}",
      resource_type: "pipeline_snapshot",
    },
    "in another project": { project: "{other}", display_order: 10 },
  },
  updates: {
    named: { display_name: "Another" },
    unnamed: { display_name: null },
    moved: { display_order: 5 },
    "moved to where another is": { display_order: 2 },
    "moved nowhere": { display_order: null },
    wide: { layout_size: "full_width" },
    everything: { display_name: "Third", display_order: 7, layout_size: "half_width" },
    "nothing but nulls": { display_name: null, display_order: null, layout_size: null },
  },
  probedUpdates: ["display_name", "display_order", "layout_size"],
  scope: {},
  further: [
    get("the pipeline shows both", "/pipelines/{pipeline}"),
    get("the model shows it", "/models/{model}"),
    get("the run shows it", "/runs/{run}"),
    get("the snapshot shows it", "/pipeline_snapshots/{snapshot}"),
  ],
});

export const deploymentScenarios: readonly Scenario[] = [deployments, curatedVisualizations];
