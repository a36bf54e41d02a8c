import { entityScenario } from "../entity-cases.ts";
import { get, post, type Scenario } from "../requests.ts";

const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";

const local = (name: string): Readonly<Record<string, unknown>> => ({
  name: `{unique}-${name}`,
  type: "orchestrator",
  flavor: "local",
  configuration: {},
});

/** Flavors, components, stacks. */
export const stackScenarios: readonly Scenario[] = [
  entityScenario({
    name: "flavors",
    path: "/flavors",
    seeds: {
      first: {
        name: "{unique}-first",
        type: "orchestrator",
        config_schema: { properties: { a: { type: "string", default: 1.0 } }, title: "A" },
        source: "own.flavors.First",
        integration: "custom",
      },
      second: {
        name: "{unique}-second",
        type: "artifact_store",
        config_schema: {},
        source: "own.flavors.Second",
        integration: "custom",
        display_name: "Second",
        connector_type: "aws",
        connector_resource_type: "s3-bucket",
        connector_resource_id_attr: "path",
        logo_url: "https://example.org/logo.svg",
        docs_url: "https://example.org/docs",
        sdk_docs_url: "https://example.org/sdk",
      },
    },
    required: ["name", "type", "config_schema", "source"],
    probed: ["type", "config_schema", "source", "logo_url"],
    variants: {
      "the same name of another type": { name: "{unique}-first", type: "alerter" },
      "an unknown type": { type: "nothing" },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      "shown otherwise": { display_name: "Shown", logo_url: "https://example.org/2.svg" },
      "another schema": { config_schema: { properties: {} }, source: "own.flavors.Third" },
    },
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      get("one that comes with ZenML", "/flavors", { name: "s3", type: "artifact_store" }),
      get("all local ones", "/flavors", { name: "local", sort_by: "asc:type", size: "100" }),
    ],
  }),
  entityScenario({
    name: "components",
    path: "/components",
    seeds: {
      first: local("first"),
      second: {
        name: "{unique}-second",
        type: "artifact_store",
        flavor: "local",
        configuration: { path: "/tmp/{unique}" },
        labels: { team: "a", level: 1.5 },
      },
      third: {
        name: "{unique}-third",
        type: "container_registry",
        flavor: "default",
        configuration: { uri: "localhost:5000" },
      },
    },
    required: ["name", "type", "flavor", "configuration"],
    probed: ["type", "flavor", "configuration", "labels", "connector", "connector_resource_id"],
    variants: {
      "the same name of another type": { name: "{unique}-first", type: "image_builder", flavor: "local" },
      "a flavor that is not there": { flavor: "{unique}" },
      "a flavor of another type": { flavor: "s3" },
      "a connector that is not there": { connector: missing },
      "settings that the flavor does not know": { configuration: { nonsense: [1, { a: 2.0 }] } },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      configured: { configuration: { synchronous: true } },
      labelled: { labels: { a: 1, b: null } },
      "connected to nothing": { connector: null },
      "connected to what is not there": { connector: missing },
    },
    probedUpdates: ["configuration", "labels"],
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      get("the default orchestrator", "/components/{orchestrator}"),
      {
        label: "the default orchestrator is not changed",
        method: "PUT",
        path: "/components/{orchestrator}",
        json: { name: "x" },
      },
      {
        label: "the default orchestrator is not deleted",
        method: "DELETE",
        path: "/components/{orchestrator}",
      },
      get("of the default stack", "/components", { stack_id: "{stack}", type: "orchestrator" }),
      get("of a kind", "/components", { type: "orchestrator", name: "startswith:{unique}" }),
    ],
  }),
  entityScenario({
    name: "stacks",
    path: "/stacks",
    given: [
      post("given an orchestrator", "/components", local("given"), { given: "id" }),
      post("given another one", "/components", local("other"), { other: "id" }),
      post(
        "given a store",
        "/components",
        { name: "{unique}-store", type: "artifact_store", flavor: "local", configuration: { path: "" } },
        { store: "id" },
      ),
    ],
    seeds: {
      first: {
        name: "{unique}-first",
        components: { orchestrator: ["{given}"], artifact_store: ["{store}"] },
        description: "the first",
        labels: { a: 1, b: [1.0] },
      },
      second: {
        name: "{unique}-second",
        components: { orchestrator: ["{other}"], artifact_store: ["{store}"] },
        stack_spec_path: "a/b.yaml",
      },
    },
    required: ["name", "components"],
    probed: ["components", "description", "labels", "stack_spec_path"],
    variants: {
      "an orchestrator only": { components: { orchestrator: ["{given}"] } },
      "no component at all": { components: {} },
      "an empty list of components": { components: { orchestrator: [], artifact_store: ["{store}"] } },
      "a component that is not there": {
        components: { orchestrator: [missing], artifact_store: ["{store}"] },
      },
      "a component of another type": {
        components: { orchestrator: ["{store}"], artifact_store: ["{store}"] },
      },
      "two orchestrators": {
        components: { orchestrator: ["{given}", "{other}"], artifact_store: ["{store}"] },
      },
      "a kind that is none": { components: { nothing: ["{given}"], artifact_store: ["{store}"] } },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      described: { description: "another", labels: { a: 2 } },
      "another orchestrator": { components: { orchestrator: ["{other}"], artifact_store: ["{store}"] } },
      "without a store": { components: { orchestrator: ["{other}"] } },
      "renamed to a name that is taken": { name: "{unique}-second" },
    },
    probedUpdates: ["description", "labels"],
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      get("the default stack", "/stacks/{stack}"),
      {
        label: "the default stack is not changed",
        method: "PUT",
        path: "/stacks/{stack}",
        json: { name: "x" },
      },
      { label: "the default stack is not deleted", method: "DELETE", path: "/stacks/{stack}" },
      get("with a component", "/stacks", { component_id: "{other}", name: "startswith:{unique}" }),
      { label: "a component in use is not deleted", method: "DELETE", path: "/components/{other}" },
    ],
  }),
];
