import { entityScenario } from "../entity-cases.ts";
import { get, post, type Scenario, type Step } from "../requests.ts";

const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";

export const givenPipeline = (as = "pipeline"): Step =>
  post(
    `given pipeline ${as}`,
    "/pipelines",
    { project: "{project}", name: `{unique}-given-${as}` },
    { [as]: "id" },
  );

/** Pipelines, builds, schedules. */
export const pipelineScenarios: readonly Scenario[] = [
  entityScenario({
    name: "pipelines",
    path: "/pipelines",
    seeds: {
      first: {
        project: "{project}",
        name: "{unique}-first",
        description: "the first",
        tags: ["{unique}-a", "{unique}-b"],
      },
      second: { project: "{project}", name: "{unique}-second" },
    },
    required: ["project", "name"],
    probed: ["description", "tags", "project"],
    variants: { "a project that is not there": { project: missing } },
    updates: {
      described: { description: "another" },
      tagged: { add_tags: ["{unique}-c"], remove_tags: ["{unique}-a"] },
      "without a tag that it has not": { remove_tags: ["{unique}-nothing"] },
    },
    probedUpdates: ["description", "add_tags"],
    scope: { project: "{project}", name: "startswith:{unique}" },
    orders: ["created", "name"],
    further: [get("by a tag", "/pipelines", { project: "{project}", tags: "{unique}-b" })],
  }),
  entityScenario({
    name: "builds",
    path: "/pipeline_builds",
    given: [givenPipeline()],
    unique: "checksum",
    seeds: {
      first: {
        project: "{project}",
        pipeline: "{pipeline}",
        stack: "{stack}",
        is_local: true,
        contains_code: true,
        zenml_version: "0.90.0",
        python_version: "3.11",
        checksum: "{unique}-1",
        stack_checksum: "s",
        images: { orchestrator: { image: "a:1", requirements: "b==1", settings_checksum: "c" } },
      },
      second: {
        project: "{project}",
        is_local: false,
        contains_code: false,
        images: {},
        checksum: "{unique}-2",
        pipeline: "{pipeline}",
      },
    },
    required: ["project", "is_local", "contains_code"],
    probed: ["images", "is_local", "contains_code", "duration"],
    variants: {
      "a pipeline that is not there": { pipeline: missing },
      "a stack that is not there": { stack: missing },
      "an image without a name": { images: { a: {} } },
    },
    updates: {},
    scope: { project: "{project}", pipeline_id: "{pipeline}" },
    orders: ["created"],
  }),
  entityScenario({
    name: "schedules",
    // Those of 0.84 change nothing but their names.
    versions: ["0.98.0"],
    path: "/schedules",
    given: [givenPipeline()],
    seeds: {
      first: {
        project: "{project}",
        name: "{unique}-first",
        active: true,
        cron_expression: "0 3 * * *",
        catchup: true,
        orchestrator_id: "{orchestrator}",
        pipeline_id: "{pipeline}",
        start_time: "2030-01-02T03:04:05",
      },
      second: {
        project: "{project}",
        name: "{unique}-second",
        active: false,
        interval_second: 3600,
        start_time: "2030-01-02T03:04:05.678901",
        end_time: "2031-01-02T03:04:05",
        orchestrator_id: "{orchestrator}",
        pipeline_id: "{pipeline}",
      },
      third: {
        project: "{project}",
        name: "{unique}-third",
        active: true,
        run_once_start_time: "2030-01-02T03:04:05",
        orchestrator_id: "{orchestrator}",
        pipeline_id: "{pipeline}",
      },
    },
    required: ["project", "name", "active"],
    probed: ["active", "catchup", "cron_expression", "start_time", "interval_second"],
    variants: {
      "neither cron nor interval": { cron_expression: null },
      "cron and interval": { interval_second: 60, start_time: "2030-01-02T03:04:05" },
      "an interval without a start": { cron_expression: null, interval_second: 60, start_time: null },
      "an end before the start": { end_time: "2020-01-02T03:04:05" },
      "a time with a zone": { start_time: "2030-01-02T03:04:05+02:00" },
      "a pipeline that is not there": { pipeline_id: missing },
      "an orchestrator that is not there": { orchestrator_id: missing },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      "another time": { cron_expression: "0 4 * * *" },
    },
    probedUpdates: ["cron_expression"],
    scope: { project: "{project}", name: "startswith:{unique}" },
    orders: ["created", "name"],
  }),
];
