import type { ZenmlVersion } from "../../src/environment.ts";
import { del, get, post, sweepOf, type Scenario, type Step } from "../requests.ts";
import {
  givenArtifactVersion,
  givenModelVersion,
  givenOldSnapshot,
  givenRun,
  givenSnapshot,
  givenStepRun,
  missing,
} from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

const plan = (version: ZenmlVersion): readonly Step[] => [
  givenPipeline(),
  version === "0.98.0" ? givenSnapshot() : givenOldSnapshot(),
  givenRun(),
];

/** Artifacts and runs that versions of models have to do with. */
const modelLinks = (version: ZenmlVersion): Scenario => ({
  name: `links of models of ${version}`,
  versions: [version],
  steps: [
    ...plan(version),
    ...givenModelVersion("version"),
    ...givenModelVersion("other"),
    givenArtifactVersion("data"),
    givenArtifactVersion("net", { type: "ModelArtifact" }),
    givenArtifactVersion("service", { type: "ServiceArtifact" }),
    ...["data", "net", "service"].map((name) =>
      post(
        `given a link with ${name}`,
        "/model_version_artifacts",
        { model_version: "{version}", artifact_version: `{${name}}` },
        { [`to_${name}`]: "id" },
      ),
    ),
    post(
      "given a link with a run",
      "/model_version_pipeline_runs",
      { model_version: "{version}", pipeline_run: "{run}" },
      { to_run: "id" },
    ),
    post("a run twice", "/model_version_pipeline_runs", {
      model_version: "{version}",
      pipeline_run: "{run}",
    }),
    post("a run that is not there", "/model_version_pipeline_runs", {
      model_version: "{version}",
      pipeline_run: missing,
    }),
    post("a run of a version that is not there", "/model_version_pipeline_runs", {
      model_version: missing,
      pipeline_run: "{run}",
    }),
    post("an artifact of a version that is not there", "/model_version_artifacts", {
      model_version: missing,
      artifact_version: "{data}",
    }),
    post("an artifact that is no id", "/model_version_artifacts", {
      model_version: "{version}",
      artifact_version: "data",
    }),
    post("neither", "/model_version_artifacts", {}),
    post("no run", "/model_version_pipeline_runs", { model_version: "{version}" }),
    sweepOf("/model_version_artifacts", { scope: { model_version_id: "{version}" }, orders: ["created"] }),
    sweepOf("/model_version_pipeline_runs", { scope: { model_version_id: "{version}" } }),
    get("artifacts", "/model_version_artifacts", { model_version_id: "{version}", hydrate: "true" }),
    get("runs", "/model_version_pipeline_runs", { model_version_id: "{version}", hydrate: "true" }),
    get("runs without metadata", "/model_version_pipeline_runs", { model_version_id: "{version}" }),
    get("data alone", "/model_version_artifacts", {
      model_version_id: "{version}",
      only_data_artifacts: "true",
    }),
    get("models alone", "/model_version_artifacts", {
      model_version_id: "{version}",
      only_model_artifacts: "true",
    }),
    get("services alone", "/model_version_artifacts", {
      model_version_id: "{version}",
      only_deployment_artifacts: "true",
    }),
    get("of another version", "/model_version_artifacts", { model_version_id: "{other}" }),
    get("the version knows them", "/model_versions/{version}"),
    get("versions of the model", "/model_versions", { project: "{project}", model: "{model_of_version}" }),
    del("the run's link through another version", "/model_versions/{other}/runs/{to_run}"),
    del("the run's link by the name of the run", "/model_versions/{version}/runs/{unique}-run"),
    del("the run's link twice", "/model_versions/{version}/runs/{to_run}"),
    del("an artifact's link through another version", "/model_versions/{other}/artifacts/{to_data}"),
    del("an artifact's link", "/model_versions/{version}/artifacts/{to_data}"),
    del("an artifact's link that is not there", `/model_versions/{version}/artifacts/${missing}`),
    del("links of a version that is not there", `/model_versions/${missing}/artifacts`),
    del("all links with artifacts", "/model_versions/{version}/artifacts"),
    get("no artifacts are left", "/model_version_artifacts", { model_version_id: "{version}" }),
    get("no runs are left", "/model_version_pipeline_runs", { model_version_id: "{version}" }),
  ],
});

const link = (tag: string, resource: string, type: string): object => ({
  tag_id: `{${tag}}`,
  resource_id: `{${resource}}`,
  resource_type: type,
});

/** Several tags on several resources in one request. */
const tagLinks: Scenario = {
  name: "many tags on resources",
  steps: [
    post("given a tag", "/tags", { name: "{unique}-tag", color: "red" }, { tag: "id" }),
    post("given another one", "/tags", { name: "{unique}-more", color: "blue" }, { more: "id" }),
    post(
      "given an exclusive one",
      "/tags",
      { name: "{unique}-only", color: "green", exclusive: true },
      { only: "id" },
    ),
    ...givenModelVersion("version"),
    givenPipeline(),
    givenArtifactVersion("data"),
    post("put on", "/tag_resources/batch", [
      link("tag", "pipeline", "pipeline"),
      link("more", "pipeline", "pipeline"),
      link("tag", "data", "artifact_version"),
      link("tag", "version", "model_version"),
    ]),
    post("put on once more", "/tag_resources/batch", [
      link("tag", "pipeline", "pipeline"),
      link("more", "data", "artifact_version"),
    ]),
    post("none at all", "/tag_resources/batch", []),
    post("no list", "/tag_resources/batch", link("tag", "pipeline", "pipeline")),
    post("one that is not there among them", "/tag_resources/batch", [
      link("more", "version", "model_version"),
      { ...link("tag", "data", "artifact_version"), tag_id: missing },
    ]),
    post("on what is not there", "/tag_resources", {
      ...link("tag", "data", "artifact_version"),
      resource_id: missing,
    }),
    post("of another kind than it is", "/tag_resources", link("more", "data", "model")),
    post("an exclusive one on an artifact", "/tag_resources", link("only", "data", "artifact_version")),
    post("an exclusive one on a version", "/tag_resources", link("only", "version", "model_version")),
    post("without a resource", "/tag_resources", { tag_id: "{tag}", resource_type: "pipeline" }),
    get("the pipeline has them", "/pipelines/{pipeline}"),
    get("the artifact has them", "/artifact_versions/{data}"),
    get("they are counted", "/tags/{tag}"),
    sweepOf("/tags", { scope: { name: "startswith:{unique}" }, orders: ["name"] }),
    {
      ...del("taken off", "/tag_resources/batch"),
      json: [link("tag", "pipeline", "pipeline"), link("more", "data", "artifact_version")],
    },
    { ...del("taken off twice", "/tag_resources/batch"), json: [link("tag", "pipeline", "pipeline")] },
    { ...del("none taken off", "/tag_resources/batch"), json: [] },
    { ...del("no list taken off", "/tag_resources/batch"), json: {} },
    get("what is left on the pipeline", "/pipelines/{pipeline}"),
    del("a tag is deleted", "/tags/{tag}"),
    get("and is on nothing", "/artifact_versions/{data}"),
  ],
};

const about = (resources: unknown, values: object, types: object, more: object = {}): object => ({
  project: "{project}",
  resources,
  values,
  types,
  ...more,
});

/** What is logged about runs, steps, artifacts, models and schedules. */
const metadata = (version: ZenmlVersion): Scenario => {
  const of = (id: string, type: string): object => ({ id: `{${id}}`, type });
  const write = (label: string, body: object): Step => post(label, "/run-metadata", body);
  return {
    name: `run metadata of ${version}`,
    versions: [version],
    steps: [
      ...plan(version),
      givenStepRun(),
      ...givenModelVersion("version"),
      givenArtifactVersion("data"),
      write(
        "values of every type",
        about(
          [
            of("run", "pipeline_run"),
            of("made", "step_run"),
            of("version", "model_version"),
            of("data", "artifact_version"),
          ],
          { text: "t", whole: 7, part: 0.5, one: 1.0, yes: true, list: [1, 2.0], object: { a: { b: null } } },
          {
            text: "str",
            whole: "int",
            part: "float",
            one: "float",
            yes: "bool",
            list: "list",
            object: "dict",
          },
        ),
      ),
      write(
        "written over",
        about([of("run", "pipeline_run")], { text: "u", whole: 8 }, { text: "str", whole: "int" }),
      ),
      write(
        "of the stack",
        about(
          [of("run", "pipeline_run")],
          { uri: "http://x" },
          { uri: "Uri" },
          { stack_component_id: "{orchestrator}" },
        ),
      ),
      write(
        "of a component that is not there",
        about([of("run", "pipeline_run")], { a: 1 }, { a: "int" }, { stack_component_id: missing }),
      ),
      write(
        "by a step for others",
        about([of("run", "pipeline_run")], { by: 1 }, { by: "int" }, { publisher_step_id: "{made}" }),
      ),
      write("about nothing", about([], { a: 1 }, { a: "int" })),
      write("no values", about([of("run", "pipeline_run")], {}, {})),
      write("values without types", about([of("run", "pipeline_run")], { untyped: 1 }, {})),
      write("a type that is none", about([of("run", "pipeline_run")], { a: 1 }, { a: "complex" })),
      write("another type than it has", about([of("run", "pipeline_run")], { odd: "text" }, { odd: "int" })),
      write("values that are a list", about([of("run", "pipeline_run")], [], {})),
      write("without resources", { project: "{project}", values: { a: 1 }, types: { a: "int" } }),
      write(
        "without a project",
        about([of("run", "pipeline_run")], { a: 1 }, { a: "int" }, { project: undefined }),
      ),
      write(
        "in a project that is not there",
        about([of("run", "pipeline_run")], { a: 1 }, { a: "int" }, { project: missing }),
      ),
      write("an empty name", about([of("run", "pipeline_run")], { "": 1 }, { "": "int" })),
      write(
        "a name of 300 letters",
        about([of("run", "pipeline_run")], { ["n".repeat(300)]: 1 }, { ["n".repeat(300)]: "int" }),
      ),
      get("the run with it", "/runs/{run}"),
      get("the step with it", "/steps/{made}"),
      get("the version with it", "/model_versions/{version}"),
      get("the artifact with it", "/artifact_versions/{data}"),
      ...["text:u", "whole:gte:8", "text:startswith:u", "nothing:1", "whole"].map((run_metadata) =>
        get(`runs by ${run_metadata}`, "/runs", {
          project: "{project}",
          pipeline_id: "{pipeline}",
          run_metadata,
        }),
      ),
    ],
  };
};

export const linkScenarios: readonly Scenario[] = [
  modelLinks("0.98.0"),
  modelLinks("0.84.0"),
  tagLinks,
  metadata("0.98.0"),
  metadata("0.84.0"),
];
