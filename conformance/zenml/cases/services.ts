import { entityScenario } from "../entity-cases.ts";
import type { ZenmlVersion } from "../../src/environment.ts";
import { get, post, put, type Scenario } from "../requests.ts";
import {
  givenModelVersion,
  givenOldSnapshot,
  givenProject,
  givenRun,
  givenSnapshot,
  missing,
} from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

const type = { type: "model-serving", flavor: "bento" };

/** What clients serve models with. Both versions have it; they plan the run that it came of in their own way. */
const serviceScenario = (version: ZenmlVersion): Scenario =>
  entityScenario({
    name: `services of ${version}`,
    versions: [version],
    path: "/services",
    given: [
      givenPipeline(),
      version === "0.98.0" ? givenSnapshot() : givenOldSnapshot(),
      givenRun(),
      ...givenModelVersion(),
      givenProject(),
      ...givenModelVersion("foreign", "{other}"),
    ],
    seeds: {
      all: {
        project: "{project}",
        name: "{unique}-all",
        service_type: { ...type, name: "A Type", description: "d", logo_url: "https://example.org/l.png" },
        service_source: "a.b.C",
        admin_state: "active",
        config: {
          name: "{unique}",
          pipeline_name: "train",
          pipeline_step_name: "deploy",
          model_name: "m",
          n: 1.0,
        },
        labels: { a: "1", b: "2" },
        status: { state: "inactive", last_state: "inactive", last_error: "", extra: [1.5, null] },
        endpoint: { config: { port: 1 }, type: "e" },
        prediction_url: "http://example.org/predict",
        health_check_url: "http://example.org/health",
        model_version_id: "{version}",
        pipeline_run_id: "{run}",
      },
      least: { project: "{project}", name: "{unique}-least", service_type: type, config: { u: "{unique}" } },
      third: {
        project: "{project}",
        name: "{unique}-third",
        service_type: { ...type, flavor: "mlflow" },
        config: { a: "{unique}", model_name: 7 },
        labels: { a: "2" },
        status: { state: "active" },
      },
    },
    required: ["project", "name", "service_type", "config"],
    probed: [
      "name",
      "service_type",
      "service_source",
      "admin_state",
      "config",
      "labels",
      "status",
      "endpoint",
      "prediction_url",
      "model_version_id",
      "pipeline_run_id",
    ],
    variants: {
      "another configuration": { config: { own: "{unique}" } },
      "a type without a flavor": { service_type: { type: "x" }, config: { own: 2, u: "{unique}" } },
      "a state that is none": { admin_state: "resting", config: { own: 3, u: "{unique}" } },
      // In another project, whose lists upstream cannot answer afterwards.
      "a status of a state that is none": {
        project: "{other}",
        status: { state: "resting" },
        config: { own: 4, u: "{unique}" },
        model_version_id: null,
        pipeline_run_id: null,
      },
      "a status without a state": { status: { last_error: "e" }, config: { own: 5, u: "{unique}" } },
      "a model version that is not there": { model_version_id: missing, config: { own: 6, u: "{unique}" } },
      "a model version of another project": {
        model_version_id: "{foreign}",
        config: { own: 7, u: "{unique}" },
      },
      "a run that is not there": { pipeline_run_id: missing, config: { own: 8, u: "{unique}" } },
      "in a project that is not there": { project: missing, config: { own: 9, u: "{unique}" } },
      "the name of another": { name: "{unique}-least", config: { own: 10, u: "{unique}" } },
      "labels that are no texts": { labels: { a: 1 }, config: { own: 11, u: "{unique}" } },
      "a name and a configuration that are both taken": { name: "{unique}-all" },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      "its state": { status: { state: "active", last_error: "no" }, admin_state: "inactive" },
      "its addresses": { prediction_url: "http://example.org/p2", health_check_url: "http://example.org/h2" },
      "its endpoint": { endpoint: { config: { port: 2 } } },
      labelled: { labels: { c: "3" } },
      "its source": { service_source: "x.y.Z" },
      "of the same model version": { model_version_id: "{version}" },
      "of a model version that is not there": { model_version_id: missing },
      "nothing but nulls": {
        name: null,
        status: null,
        endpoint: null,
        labels: null,
        model_version_id: null,
        prediction_url: null,
      },
      "to a name that is taken": { name: "{unique}-least" },
    },
    probedUpdates: [
      "name",
      "status",
      "labels",
      "admin_state",
      "service_source",
      "endpoint",
      "prediction_url",
    ],
    scope: { project: "{project}", name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [
      put("renamed again", "/services/{all}", { name: "{unique}-all" }),
      get("by labels", "/services", { project: "{project}", name: "startswith:{unique}", config: "x" }),
      get("by the model version", "/services", { project: "{project}", model_version_id: "{version}" }),
      get("by the run", "/services", { project: "{project}", pipeline_run_id: "{run}" }),
      get("by what it serves", "/services", {
        project: "{project}",
        pipeline_name: "train",
        pipeline_step_name: "deploy",
        name: "startswith:{unique}",
      }),
      get("that run", "/services", { project: "{project}", running: "true", name: "startswith:{unique}" }),
      get("the model version knows it", "/model_versions/{version}"),
      post(
        "after its model version",
        "/services",
        {
          project: "{project}",
          name: "{unique}-after",
          service_type: type,
          config: { after: "{unique}" },
          model_version_id: "{version}",
        },
        { after: "id" },
      ),
      { label: "the model version goes", method: "DELETE", path: "/model_versions/{version}" },
      get("it has none then", "/services/{after}"),
      { label: "the run goes", method: "DELETE", path: "/runs/{run}" },
      get("and no run", "/services/{all}"),
    ],
  });

export const serviceScenarios: readonly Scenario[] = [serviceScenario("0.98.0"), serviceScenario("0.84.0")];
