import { entityScenario } from "../entity-cases.ts";
import { get, post, put, type Scenario, type Step } from "../requests.ts";

const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";
const source = { module: "builtins", attribute: "int", type: "builtin" };
const version = {
  project: "{project}",
  artifact_name: "{unique}-named",
  type: "DataArtifact",
  uri: "/tmp/{unique}/first",
  materializer: { module: "zenml.materializers", attribute: "M", type: "internal" },
  data_type: source,
  save_type: "manual",
};

export const givenModel = (as = "model"): Step =>
  post(
    `given model ${as}`,
    "/models",
    { project: "{project}", name: `{unique}-given-${as}` },
    { [as]: "id" },
  );

/** Artifacts, their versions, models, their versions, links, metadata and tags on resources. */
export const artifactScenarios: readonly Scenario[] = [
  entityScenario({
    name: "artifacts",
    path: "/artifacts",
    seeds: {
      first: { project: "{project}", name: "{unique}-first", has_custom_name: true, tags: ["{unique}-a"] },
      second: { project: "{project}", name: "{unique}-second" },
    },
    required: ["project", "name"],
    probed: ["has_custom_name", "tags"],
    updates: {
      renamed: { name: "{unique}-renamed" },
      tagged: { add_tags: ["{unique}-b"], remove_tags: ["{unique}-a"] },
      "named by a person": { has_custom_name: false },
      "renamed to a name that is taken": { name: "{unique}-second" },
    },
    probedUpdates: ["has_custom_name", "add_tags"],
    scope: { project: "{project}", name: "startswith:{unique}" },
    orders: ["created", "name"],
  }),
  entityScenario({
    name: "artifact versions",
    path: "/artifact_versions",
    unique: "uri",
    seeds: {
      first: {
        ...version,
        artifact_store_id: "{artifact_store}",
        content_hash: "abc",
        metadata: { a: 1, b: 1.0, c: "text", d: true, e: [1, 2.5], f: { g: null } },
        visualizations: [{ type: "html", uri: "/tmp/{unique}/v.html" }],
        tags: ["{unique}-a"],
      },
      second: { ...version, uri: "/tmp/{unique}/second", save_type: "step_output", item_count: 3 },
      named: { ...version, uri: "/tmp/{unique}/third", version: "golden", type: "ModelArtifact" },
      tenth: { ...version, uri: "/tmp/{unique}/fourth", version: 10 },
    },
    required: ["project", "type", "uri", "materializer", "data_type", "save_type", "artifact_name"],
    probed: ["version", "type", "save_type", "materializer", "metadata", "tags"],
    variants: {
      "the next one": {},
      "a version that is there": { version: "golden" },
      "a number that is there": { version: 1 },
      "a number in a text": { version: "12" },
      "after that": {},
      "an artifact that is not there": { artifact_name: null, artifact_id: missing },
      "a store that is not there": { artifact_store_id: missing },
      "a long version": { version: "v".repeat(300) },
      "neither artifact nor name": { artifact_name: null },
    },
    updates: {
      tagged: { add_tags: ["{unique}-b"], remove_tags: ["{unique}-a"] },
    },
    probedUpdates: ["add_tags"],
    scope: { project: "{project}", artifact: "{unique}-named" },
    orders: ["created"],
    further: [
      post(
        "two at once",
        "/artifact_versions/batch",
        [
          { ...version, uri: "/tmp/{unique}/b1", artifact_name: "{unique}-batch" },
          { ...version, uri: "/tmp/{unique}/b2", artifact_name: "{unique}-batch" },
        ],
        { one: "0.id", two: "1.id" },
      ),
      post("a batch of nothing", "/artifact_versions/batch", []),
      post("metadata of one", "/run-metadata", {
        project: "{project}",
        resources: [{ id: "{one}", type: "artifact_version" }],
        values: { a: 1, b: "x" },
        types: { a: "int", b: "str" },
      }),
      post("metadata of nothing", "/run-metadata", {
        project: "{project}",
        resources: [{ id: missing, type: "artifact_version" }],
        values: { a: 1 },
        types: { a: "int" },
      }),
      post("metadata of an unknown kind", "/run-metadata", {
        project: "{project}",
        resources: [{ id: "{one}", type: "nothing" }],
        values: { a: 1 },
        types: { a: "int" },
      }),
      get("read with its metadata", "/artifact_versions/{one}"),
      get("found by its metadata", "/artifact_versions", {
        project: "{project}",
        artifact: "{unique}-batch",
        run_metadata: "a:equals:1",
      }),
      get("the whole artifact", "/artifacts", {
        project: "{project}",
        name: "{unique}-batch",
        hydrate: "true",
      }),
      {
        label: "pruned",
        method: "DELETE",
        path: "/artifact_versions",
        query: { project: "{unique}-nowhere" },
      },
    ],
  }),
  entityScenario({
    name: "models",
    path: "/models",
    seeds: {
      first: {
        project: "{project}",
        name: "{unique}-first",
        license: "MIT",
        description: "d",
        audience: "a",
        use_cases: "u",
        limitations: "l",
        trade_offs: "t",
        ethics: "e",
        tags: ["{unique}-a"],
        save_models_to_registry: false,
      },
      second: { project: "{project}", name: "{unique}-second" },
    },
    required: ["project", "name"],
    probed: ["license", "tags", "save_models_to_registry"],
    updates: {
      renamed: { name: "{unique}-renamed" },
      described: { description: "another", audience: "b", save_models_to_registry: true },
      tagged: { add_tags: ["{unique}-b"], remove_tags: ["{unique}-a"] },
      "renamed to a name that is taken": { name: "{unique}-second" },
    },
    probedUpdates: ["description"],
    scope: { project: "{project}", name: "startswith:{unique}" },
    orders: ["created", "name"],
  }),
  entityScenario({
    name: "model versions",
    path: "/model_versions",
    given: [givenModel()],
    seeds: {
      first: {
        project: "{project}",
        model: "{model}",
        name: "first",
        description: "d",
        tags: ["{unique}-a"],
      },
      second: { project: "{project}", model: "{model}", name: "second" },
      numbered: { project: "{project}", model: "{model}" },
    },
    required: ["project", "model"],
    probed: ["name", "description", "tags"],
    variants: {
      "a model that is not there": { model: missing },
      "a stage as name": { name: "production" },
      "a stage in capitals as name": { name: "Staging" },
    },
    updates: {
      renamed: { name: "renamed" },
      described: { description: "another" },
      tagged: { add_tags: ["{unique}-b"], remove_tags: ["{unique}-a"] },
      staged: { stage: "staging" },
      "in a stage that is none": { stage: "nowhere" },
      "renamed to a name that is taken": { name: "second" },
    },
    scope: { project: "{project}", model: "{model}" },
    orders: ["created", "number"],
    further: [
      put("renamed to a number", "/model_versions/{numbered}", { name: "77" }),
      put("another in the same stage", "/model_versions/{second}", { stage: "staging", force: true }),
      get("the first is archived", "/model_versions/{first}"),
      get("by stage", "/model_versions", { project: "{project}", model: "{model}", stage: "staging" }),
      get("through the model's name", "/models/{unique}-given-model/model_versions", {
        project: "{project}",
      }),
      get("through the model's id", "/models/{model}/model_versions", { number: "2" }),
      post(
        "given an artifact version",
        "/artifact_versions",
        { ...version, uri: "/tmp/{unique}/m" },
        { artifact: "id" },
      ),
      post(
        "linked",
        "/model_version_artifacts",
        { model_version: "{first}", artifact_version: "{artifact}" },
        { link: "id" },
      ),
      post("linked twice", "/model_version_artifacts", {
        model_version: "{first}",
        artifact_version: "{artifact}",
      }),
      post("linked with nothing", "/model_version_artifacts", {
        model_version: "{first}",
        artifact_version: missing,
      }),
      get("links", "/model_version_artifacts", { model_version_id: "{first}" }),
      get("read with links", "/model_versions/{first}"),
      { label: "unlinked", method: "DELETE", path: "/model_versions/{first}/artifacts/{link}" },
      { label: "unlinked twice", method: "DELETE", path: "/model_versions/{first}/artifacts/{link}" },
      { label: "all unlinked", method: "DELETE", path: "/model_versions/{first}/artifacts" },
    ],
  }),
  {
    name: "tags on resources",
    steps: [
      givenModel(),
      post("given a tag", "/tags", { name: "{unique}-tag", color: "red" }, { tag: "id" }),
      post("tagged", "/tag_resources", { tag_id: "{tag}", resource_id: "{model}", resource_type: "model" }),
      post("tagged twice", "/tag_resources", {
        tag_id: "{tag}",
        resource_id: "{model}",
        resource_type: "model",
      }),
      get("read with the tag", "/models/{model}"),
      get("counted", "/tags/{tag}"),
      get("tags of a kind", "/tags", { resource_type: "model", name: "{unique}-tag" }),
      post("with a tag that is not there", "/tag_resources", {
        tag_id: missing,
        resource_id: "{model}",
        resource_type: "model",
      }),
      post("a kind that is none", "/tag_resources", {
        tag_id: "{tag}",
        resource_id: "{model}",
        resource_type: "nothing",
      }),
      post("several", "/tag_resources/batch", [
        { tag_id: "{tag}", resource_id: "{model}", resource_type: "model" },
      ]),
      {
        label: "untagged",
        method: "DELETE",
        path: "/tag_resources",
        json: { tag_id: "{tag}", resource_id: "{model}", resource_type: "model" },
      },
      {
        label: "untagged twice",
        method: "DELETE",
        path: "/tag_resources",
        json: { tag_id: "{tag}", resource_id: "{model}", resource_type: "model" },
      },
      get("read without the tag", "/models/{model}"),
    ],
  },
];
