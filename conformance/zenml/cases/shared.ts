import type { Scenario } from "../requests.ts";
import { entityScenario } from "../entity-cases.ts";
import { del, get, post, put } from "../requests.ts";

/** Tags, projects and code repositories: the kinds that stand alone. */
export const sharedScenarios: readonly Scenario[] = [
  entityScenario({
    name: "tags",
    path: "/tags",
    seeds: {
      red: { name: "{unique}-red", color: "red" },
      plain: { name: "{unique}-plain", color: "magenta" },
      alone: { name: "{unique}-alone", exclusive: true, color: "blue" },
    },
    required: ["name"],
    probed: ["name", "exclusive", "color"],
    variants: { "without a color": { color: undefined } },
    updates: {
      renamed: { name: "{unique}-crimson" },
      "another color": { color: "orange" },
      "made exclusive": { exclusive: true },
      "renamed to a name that is taken": { name: "{unique}-plain" },
      "to itself": { name: "{unique}-crimson" },
    },
    probedUpdates: ["exclusive", "color"],
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name"],
  }),
  entityScenario({
    name: "projects",
    path: "/projects",
    seeds: {
      first: { name: "{unique}-first", display_name: "First", description: "one" },
      second: { name: "{unique}-second" },
      third: { name: "{unique}-third", description: "three" },
    },
    required: ["name"],
    probed: ["name", "display_name", "description"],
    variants: {
      "without a name, but with one to show": { display_name: "{unique} To Show", name: undefined },
      "capital letters": { name: "{unique}-CAPITAL" },
      "a space": { name: "{unique} space" },
      "a dot": { name: "{unique}.dot" },
      "50 letters": { name: `{unique}${"n".repeat(40)}` },
      "60 letters": { name: `{unique}${"n".repeat(50)}` },
      "the name of the default one": { name: "default" },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      described: { description: "another", display_name: "Another" },
      "renamed to a name that is taken": { name: "{unique}-second" },
      "to a name that cannot be": { name: "{unique} With Spaces" },
    },
    probedUpdates: ["display_name", "description", "name"],
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      get("by name", "/projects/{unique}-second"),
      get("statistics", "/projects/{second}/statistics"),
      get("statistics by name", "/projects/{unique}-second/statistics"),
      get("statistics of nothing", "/projects/{unique}-nothing/statistics"),
      get("the default one", "/projects/default"),
      del("the default one is not deleted", "/projects/default"),
      del("deleted by name", "/projects/{unique}-third"),
    ],
  }),
  entityScenario({
    name: "code repositories",
    path: "/code_repositories",
    given: [post("given another project", "/projects", { name: "{unique}-repos" }, { other: "id" })],
    seeds: {
      first: {
        project: "{project}",
        name: "{unique}-first",
        config: { url: "https://example.org/a", depth: 1.0, nested: { list: [1, 2.5, null] } },
        source: { module: "a.b", attribute: "C", type: "user" },
        description: "the first",
      },
      second: {
        project: "{project}",
        name: "{unique}-second",
        config: {},
        source: { module: "zenml.integrations.github", attribute: "G", type: "internal" },
        logo_url: "https://example.org/logo.png",
      },
    },
    required: ["project", "name", "config", "source"],
    probed: ["name", "config", "source", "logo_url", "description", "project"],
    variants: {
      "the same name in another project": { name: "{unique}-first", project: "{other}" },
      "a project that is not there": { project: "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11" },
      "a project by name": { project: "default" },
      "a source without a type": { source: { module: "a", attribute: "b" } },
      "a source of an unknown type": { source: { module: "a", attribute: "b", type: "elsewhere" } },
      "a source of a package": {
        source: {
          module: "a",
          attribute: "b",
          type: "distribution_package",
          package_name: "p",
          version: "1",
        },
      },
      "a source without an attribute": { source: { module: "a", type: "user" } },
      "a source with a null attribute": { source: { module: "a", attribute: null, type: "user" } },
      "a long description": { description: "d".repeat(20_000) },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      described: { description: "another", logo_url: "https://example.org/2.png" },
      configured: { config: { a: 2 } },
      "renamed to a name that is taken": { name: "{unique}-second" },
    },
    probedUpdates: ["config", "logo_url", "description"],
    scope: { project: "{project}", name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      put("another source", "/code_repositories/{second}", {
        source: { module: "m", attribute: "n", type: "user" },
      }),
      get("listed without a project", "/code_repositories"),
      get("listed in another project", "/code_repositories", { project: "{other}" }),
      get("listed by the project's name", "/code_repositories", {
        project: "default",
        name: "startswith:{unique}",
      }),
      get("listed in a project that is not there", "/code_repositories", { project: "nowhere" }),
    ],
  }),
];
