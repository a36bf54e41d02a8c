import type { ZenmlVersion } from "../../src/environment.ts";
import { entityScenario } from "../entity-cases.ts";
import { del, get, post, put, sweepOf, type Scenario } from "../requests.ts";
import { givenProject, givenRun, givenSnapshot, missing } from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

const base = {
  project: "{project}",
  active: true,
  cron_expression: "0 3 * * *",
  orchestrator_id: "{orchestrator}",
  pipeline_id: "{pipeline}",
};

const one = "/schedules/{kept}";

const timesChanged = {
  "another time": { cron_expression: "0 4 * * *" },
  "a crontab that is none": { cron_expression: "never" },
  off: { active: false },
  everything: { name: "{unique}-again", cron_expression: "0 5 * * *", active: true },
};

/** Clients of 0.84 change nothing but names. */
const scheduleScenario = (version: ZenmlVersion): Scenario =>
  entityScenario({
    name: `schedules of ${version}`,
    versions: [version],
    path: "/schedules",
    given: [
      givenPipeline(),
      givenProject(),
      post(
        "given a pipeline elsewhere",
        "/pipelines",
        { project: "{other}", name: "{unique}-elsewhere" },
        { elsewhere: "id" },
      ),
    ],
    seeds: {
      least: {
        project: "{project}",
        name: "{unique}-least",
        active: true,
        cron_expression: "0 3 * * *",
        orchestrator_id: null,
        pipeline_id: null,
      },
      all: {
        ...base,
        name: "{unique}-all",
        active: false,
        start_time: "2030-01-02T03:04:05",
        end_time: "2031-01-02T03:04:05",
        interval_second: "PT1H30M",
        catchup: true,
      },
      once: {
        ...base,
        name: "{unique}-once",
        cron_expression: null,
        run_once_start_time: "2030-01-02T03:04:05.000007",
      },
    },
    required: ["project", "name", "active", "orchestrator_id", "pipeline_id"],
    probed: ["name", "orchestrator_id", "pipeline_id", "project"],
    variants: {
      "a pipeline of another project": { pipeline_id: "{elsewhere}" },
      "in another project": { project: "{other}" },
      "the name of another project's": { project: "{other}", name: "{unique}-least" },
      "an orchestrator that is an artifact store": { orchestrator_id: "{artifact_store}" },
      "a cron expression that is none": { cron_expression: "every day" },
      "a cron expression of six parts": { cron_expression: "0 0 3 * * *" },
      "an interval of a number": {
        cron_expression: null,
        interval_second: 90,
        start_time: "2030-01-02T03:04:05",
      },
      "an interval of a fraction": { interval_second: 1.5, start_time: "2030-01-02T03:04:05" },
      "an interval below zero": { interval_second: -5, start_time: "2030-01-02T03:04:05" },
      "an interval of no time": {
        cron_expression: null,
        interval_second: 0,
        start_time: "2030-01-02T03:04:05",
      },
      "an interval in days": { interval_second: "P2DT3H", start_time: "2030-01-02T03:04:05" },
      "an interval that is none": { interval_second: "soon", start_time: "2030-01-02T03:04:05" },
      "a time that is none": { start_time: "tomorrow" },
      "a day": { start_time: "2030-01-02" },
      "a time in Z": { start_time: "2030-01-02T03:04:05Z" },
      "a user of one's own": { user: missing },
    },
    updates: {
      renamed: { name: "{unique}-renamed" },
      "to a name that is taken": { name: "{unique}-all" },
      "to itself": { name: "{unique}-renamed" },
      ...(version === "0.84.0" ? {} : timesChanged),
    },
    probedUpdates: version === "0.84.0" ? ["name"] : ["name", "cron_expression", "active"],
    scope: { project: "{project}", name: "startswith:{unique}" },
    orders: ["created", "name"],
    deletion: { soft: "false" },
    further: [
      get("by the pipeline", "/schedules", { project: "{project}", pipeline_id: "{pipeline}" }),
      get("those of another project", "/schedules", { project: "{other}" }),
    ],
  });

/** How orchestrators are to run pipelines by themselves. */
export const scheduleScenarios: readonly Scenario[] = [
  scheduleScenario("0.98.0"),
  scheduleScenario("0.84.0"),
  {
    name: "schedules that are kept",
    versions: ["0.98.0"],
    steps: [
      givenPipeline(),
      post("given one", "/schedules", { ...base, name: "{unique}-kept" }, { kept: "id" }),
      post("given two", "/schedules", { ...base, name: "{unique}-gone" }, { gone: "id" }),
      givenSnapshot("snapshot", { schedule: "{kept}" }),
      givenRun(),
      get("its run", "/runs/{run}"),
      get("runs by schedule", "/runs", { project: "{project}", schedule_id: "{kept}" }),
      get("its plan", "/pipeline_snapshots/{snapshot}"),
      post("metadata of it", "/run-metadata", {
        project: "{project}",
        resources: [{ id: "{kept}", type: "schedule" }],
        values: { a: 1 },
        types: { a: "int" },
      }),
      get("with metadata", one),
      del("archived", one, { soft: "true" }),
      get("read", "/schedules", { project: "{project}", pipeline_id: "{pipeline}", is_archived: "true" }),
      get("those that count", "/schedules", {
        project: "{project}",
        pipeline_id: "{pipeline}",
        is_archived: "false",
      }),
      get("all", "/schedules", { project: "{project}", pipeline_id: "{pipeline}", sort_by: "asc:created" }),
      put("archived ones are not changed", one, { name: "{unique}-x" }),
      put("nor are they switched on", one, { active: true }),
      del("archived twice", one, { soft: "true" }),
      post("its name is free", "/schedules", { ...base, name: "{unique}-kept" }, { again: "id" }),
      get("its run is still there", "/runs/{run}"),
      del("a flag that is none", "/schedules/{gone}", { soft: "perhaps" }),
      del("with an empty flag", "/schedules/{gone}", { soft: "" }),
      put("switched off", "/schedules/{gone}", { active: false }),
      get("active ones", "/schedules", {
        project: "{project}",
        pipeline_id: "{pipeline}",
        active: "true",
        is_archived: "false",
      }),
      put("switched on", "/schedules/{gone}", { active: true }),
      del("deleted", "/schedules/{gone}", { soft: "0" }),
      get("read after it was deleted", "/schedules/{gone}"),
      del("the archived one is deleted", one, { soft: "false" }),
      get("the run has none", "/runs/{run}"),
      sweepOf("/schedules", { scope: { project: "{project}", pipeline_id: "{pipeline}" } }),
    ],
  },
];
