import { entityScenario } from "../entity-cases.ts";
import { get, post, put, type Scenario } from "../requests.ts";

/** Secrets and service connectors. */
export const secretScenarios: readonly Scenario[] = [
  entityScenario({
    name: "secrets",
    path: "/secrets",
    seeds: {
      first: { name: "{unique}-first", values: { a: "1", b: "zwei" } },
      second: { name: "{unique}-second", private: true, values: { a: "2" } },
      third: { name: "{unique}-third", values: {} },
    },
    required: ["name"],
    probed: ["private", "values"],
    variants: {
      "the same name, but private": { name: "{unique}-first", private: true },
      "values that are no texts": { values: { a: 1 } },
      "a value of nothing": { values: { a: null, b: "" } },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      "other values": { values: { c: "3" } },
      "made private": { private: true },
      "renamed to a name that is taken": { name: "{unique}-third", private: false },
    },
    probedUpdates: ["values", "private"],
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      put("a value added", "/secrets/{third}", { values: { d: "4", e: "5" } }, { patch_values: "true" }),
      get("read with it", "/secrets/{third}"),
      put("a value taken away", "/secrets/{third}", { values: { d: null } }, { patch_values: "true" }),
      get("read without it", "/secrets/{third}"),
      get("private ones", "/secrets", { private: "true", name: "startswith:{unique}" }),
    ],
  }),
  entityScenario({
    name: "service connectors",
    path: "/service_connectors",
    seeds: {
      first: {
        name: "{unique}-first",
        connector_type: "docker",
        auth_method: "password",
        resource_types: ["docker-registry"],
        resource_id: "registry.example.org",
        configuration: { username: "me", password: "hidden", registry: "registry.example.org" },
        labels: { team: "a" },
      },
      second: {
        name: "{unique}-second",
        connector_type: "docker",
        auth_method: "password",
        resource_types: ["docker-registry"],
        configuration: { username: "me", password: "hidden" },
        description: "the second",
      },
    },
    required: ["name", "connector_type", "auth_method"],
    probed: ["description", "labels", "resource_types", "expiration_seconds"],
    variants: {
      "of a type that is none": { connector_type: "nothing" },
      "a way to log in that is none": { auth_method: "nothing" },
      "a resource of another type": { resource_types: ["s3-bucket"] },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      described: { description: "another" },
      labelled: { labels: { b: "2" } },
    },
    scope: { name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      post("verified: a type that is none", "/service_connectors/verify", {
        name: "x",
        connector_type: "nothing",
        auth_method: "y",
      }),
      get("what is known of a type", "/service_connector_types/docker"),
      get("what is known of a type that is none", "/service_connector_types/nothing"),
    ],
  }),
];
