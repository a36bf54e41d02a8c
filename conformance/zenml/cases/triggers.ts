import { entityScenario } from "../entity-cases.ts";
import { del, get, post, put, type Scenario, type Step } from "../requests.ts";
import { attachmentScenarios } from "./attachments.ts";
import { givenProject, givenRun, givenSnapshot, missing } from "./given.ts";
import { givenPipeline } from "./pipelines.ts";
import { givenRunnable } from "./templates.ts";

const versions = ["0.98.0"] as const;
const scope = { project: "{project}", name: "startswith:{unique}" };
const start = "2030-01-02T03:04:05";

const schedule = { project: "{project}", type: "schedule" };

const scheduleTriggers = entityScenario({
  name: "triggers by schedule",
  versions,
  path: "/triggers",
  given: [givenProject()],
  seeds: {
    all: {
      ...schedule,
      name: "{unique}-all",
      flavor: "native schedule",
      active: true,
      concurrency: "submit",
      interval: 3600,
      start_time: start,
      end_time: "2031-01-02T03:04:05.000006",
      max_runs: 3,
    },
    least: { ...schedule, name: "{unique}-least", run_once_start_time: "2030-05-06T07:08:09" },
    off: { ...schedule, name: "{unique}-off", active: false, cron_expression: "0 3 1 1 *" },
  },
  required: ["project", "name", "type", "interval", "start_time"],
  probed: ["name", "active", "concurrency", "interval", "cron_expression", "type"],
  variants: {
    "cron and interval": { cron_expression: "0 3 * * *" },
    "nothing that says when": { interval: null },
    "an end before the start": { end_time: "2020-01-02T03:04:05" },
    "an end at the start": { end_time: start },
    "an interval of 59": { interval: 59 },
    "an interval of 60": { interval: 60 },
    "no runs": { max_runs: 0 },
    "a flavor that is none": { flavor: "sundial" },
    "the flavor of another type": { flavor: "webhook" },
    "a type that is none": { type: "moon" },
    "a concurrency that is none": { concurrency: "wait" },
    "a cron expression that is none": { interval: null, start_time: null, cron_expression: "every day" },
    "a cron expression of seconds": { interval: null, start_time: null, cron_expression: "0 0 3 * * *" },
    "a cron expression of a word": { interval: null, start_time: null, cron_expression: "@daily" },
    "a cron expression that never comes": { interval: null, start_time: null, cron_expression: "0 0 30 2 *" },
    "with a zone": { start_time: "2030-01-02T03:04:05+02:00", end_time: null },
    "an interval that began long ago": { start_time: "2020-01-01T00:00:00", end_time: null, active: false },
    "once, long ago": {
      interval: null,
      run_once_start_time: "2020-01-01T00:00:00",
      start_time: null,
      end_time: null,
    },
    "in another project": { project: "{other}" },
    "in a project that is not there": { project: missing },
    "a next time": { next_occurrence: "2040-01-01T00:00:00" },
  },
  updateBase: { type: "schedule", name: "{unique}-all", interval: 7200, start_time: start },
  updates: {
    renamed: { name: "{unique}-renamed" },
    off: { active: false },
    "on, with a next time": { next_occurrence: "2035-01-01T00:00:00" },
    "another way": { interval: null, start_time: null, cron_expression: "0 4 1 1 *" },
    "no way": { interval: null },
    "of another type": { type: "webhook", configuration: {}, active: true, concurrency: "skip" },
    "to a type that is none": { type: "moon" },
    "to a name that is taken": { name: "{unique}-least" },
    "to an end before the start": { end_time: "2020-01-02T03:04:05" },
    "its concurrency": { concurrency: "submit", max_runs: 7 },
    "without a name": { name: undefined },
    "without a type": { type: undefined },
  },
  probedUpdates: ["name", "active", "concurrency", "interval"],
  scope,
  orders: ["created", "name"],
  deletion: { soft: "false" },
  further: [
    get("inactive ones", "/triggers", { ...scope, active: "false", sort_by: "asc:created", size: "2" }),
    get("those of a type", "/triggers", { ...scope, type: "webhook" }),
    get("those of several types", "/triggers", { ...scope, type: ["webhook", "platform_event"] }),
    get("of a type that is none", "/triggers", { ...scope, type: "moon" }),
    get("by a list of types", "/triggers", { ...scope, type: 'oneof:["webhook"]' }),
    get("those of another project", "/triggers", { project: "{other}" }),
    del("archived", "/triggers/{off}"),
    get("read when archived", "/triggers", { ...scope, is_archived: "true" }),
    put("archived ones are not changed", "/triggers/{off}", {
      type: "schedule",
      name: "{unique}-x",
      cron_expression: "0 3 * * *",
    }),
    del("archived twice", "/triggers/{off}", { soft: "true" }),
    post("its name is free", "/triggers", {
      ...schedule,
      name: "{unique}-off",
      cron_expression: "0 3 1 1 *",
    }),
    del("a flag that is none", "/triggers/{off}", { soft: "perhaps" }),
    del("the archived one is deleted", "/triggers/{off}", { soft: "false" }),
  ],
});

const event = { project: "{project}", type: "platform_event" };

const eventTriggers = entityScenario({
  name: "triggers by event",
  versions,
  path: "/triggers",
  given: [
    givenPipeline(),
    givenSnapshot(),
    givenRun(),
    givenProject(),
    post(
      "given a pipeline elsewhere",
      "/pipelines",
      { project: "{other}", name: "{unique}-elsewhere" },
      { elsewhere: "id" },
    ),
  ],
  seeds: {
    all: {
      ...event,
      name: "{unique}-all",
      flavor: "platform event",
      active: false,
      concurrency: "submit",
      source_entity: { type: "pipeline", id: "{pipeline}" },
      target_events: ["run_completed", "run_failed"],
    },
    least: {
      ...event,
      name: "{unique}-least",
      source_entity: { type: "pipeline_run", id: "{run}" },
      target_events: ["completed"],
    },
    third: {
      ...event,
      name: "{unique}-third",
      source_entity: { type: "pipeline_snapshot", id: "{snapshot}" },
      target_events: ["run_failed"],
    },
  },
  required: ["project", "name", "source_entity", "target_events"],
  probed: ["source_entity", "target_events"],
  variants: {
    "no events": { target_events: [] },
    "an event twice": { target_events: ["run_failed", "run_failed"] },
    "an event of another source": { target_events: ["completed"] },
    "an event that is none": { target_events: ["run_completed", "exploded"] },
    "a source that is none": { source_entity: { type: "stack", id: "{stack}" } },
    "a source without an id": { source_entity: { type: "pipeline" } },
    "a source that is no id": { source_entity: { type: "pipeline", id: "x" } },
    "a source that is not there": { source_entity: { type: "pipeline", id: missing } },
    "a source of another project": { source_entity: { type: "pipeline", id: "{elsewhere}" } },
    "a source of another type": { source_entity: { type: "pipeline", id: "{run}" } },
  },
  updateBase: {
    type: "platform_event",
    name: "{unique}-all",
    source_entity: { type: "pipeline", id: "{pipeline}" },
    target_events: ["run_failed"],
  },
  updates: {
    "the same": {},
    "another source": { source_entity: { type: "pipeline_run", id: "{run}" }, target_events: ["failed"] },
    "to an event that is none": { target_events: ["failed"] },
    "without events": { target_events: undefined },
    "of another type": { type: "schedule", cron_expression: "0 3 * * *" },
  },
  probedUpdates: ["target_events"],
  scope,
  orders: ["created", "name"],
  deletion: { soft: "false" },
  further: [
    get("events of pipelines", "/supported-events", { source_type: "pipeline" }),
    get("events of runs", "/supported-events", { source_type: "pipeline_run" }),
    get("events of snapshots", "/supported-events", { source_type: "pipeline_snapshot" }),
    get("events of nothing", "/supported-events", { source_type: "stack" }),
    get("events of what is not said", "/supported-events"),
  ],
});

const link = (trigger: string, snapshot: string): string =>
  `/triggers/{${trigger}}/pipeline_snapshots/${snapshot}`;
const planned = { stack: "{remote}", build: "{build}" };
const attach = (label: string, trigger: string, snapshot: string, query?: Record<string, string>): Step => ({
  label,
  method: "PUT",
  path: link(trigger, snapshot),
  query,
});

const attached: Scenario = {
  name: "snapshots of triggers",
  versions,
  steps: [
    ...givenRunnable,
    givenSnapshot("snapshot", { ...planned, name: "{unique}-first" }),
    givenSnapshot("second_plan", { ...planned, name: "{unique}-second" }),
    givenSnapshot("unnamed", planned),
    givenSnapshot("unbuilt", { name: "{unique}-unbuilt" }),
    givenProject(),
    post(
      "given trigger",
      "/triggers",
      { ...schedule, name: "{unique}-t", cron_expression: "0 3 1 1 *" },
      { trigger: "id" },
    ),
    post(
      "given idle",
      "/triggers",
      { ...schedule, name: "{unique}-i", cron_expression: "0 3 1 1 *" },
      { idle: "id" },
    ),
    post(
      "given elsewhere",
      "/triggers",
      { ...schedule, project: "{other}", name: "{unique}-e", cron_expression: "0 3 1 1 *" },
      { foreign: "id" },
    ),
    attach("attached", "trigger", "{snapshot}"),
    get("read", "/triggers/{trigger}"),
    get("read without metadata", "/triggers/{trigger}", { hydrate: "false" }),
    get("the snapshot knows it", "/pipeline_snapshots/{snapshot}"),
    attach("attached twice", "trigger", "{snapshot}"),
    attach("attached again", "trigger", "{snapshot}", { allow_replace: "true" }),
    attach("with a flag that is none", "trigger", "{snapshot}", { allow_replace: "perhaps" }),
    attach("another one", "trigger", "{second_plan}"),
    get("read with both", "/triggers/{trigger}"),
    attach("one without a name", "trigger", "{unnamed}"),
    attach("one without a build", "trigger", "{unbuilt}"),
    attach("one that is not there", "trigger", missing),
    attach("what is no id", "trigger", "no-id"),
    attach("to another project's trigger", "foreign", "{snapshot}"),
    {
      label: "to what is not there",
      method: "PUT",
      path: `/triggers/${missing}/pipeline_snapshots/{snapshot}`,
    },
    { label: "by POST", method: "POST", path: link("trigger", "{snapshot}") },
    { label: "with a list as body", method: "PUT", path: link("idle", "{snapshot}"), json: [] },
    { label: "with no JSON", method: "PUT", path: link("idle", "{snapshot}"), raw: "{" },
    get("by the snapshot", "/triggers", { project: "{project}", snapshot_id: "{snapshot}" }),
    get("by several snapshots", "/triggers", {
      project: "{project}",
      snapshot_id: ["{snapshot}", "{second_plan}"],
    }),
    get("by what is no id", "/triggers", { project: "{project}", snapshot_id: "x" }),
    get("by the pipeline", "/triggers", { project: "{project}", pipeline_id: "{pipeline}" }),
    get("by another pipeline", "/triggers", { project: "{project}", pipeline_id: missing }),
    get("snapshots by trigger", "/pipeline_snapshots", { project: "{project}", trigger_id: "{trigger}" }),
    get("snapshots, named ones", "/pipeline_snapshots", {
      project: "{project}",
      pipeline: "{pipeline}",
      named_only: "true",
      sort_by: "asc:created",
    }),
    del("its errors are forgotten", "/triggers/{trigger}/dispatch_state"),
    del("those with one snapshot", "/triggers/{trigger}/dispatch_state", { snapshot_id: "{snapshot}" }),
    del("those with what is not attached", "/triggers/{trigger}/dispatch_state", { snapshot_id: missing }),
    del("those with what is no id", "/triggers/{trigger}/dispatch_state", { snapshot_id: "x" }),
    del("those of what is not there", `/triggers/${missing}/dispatch_state`),
    del("detached", link("trigger", "{second_plan}")),
    del("detached twice", link("trigger", "{second_plan}")),
    del("what is not there is detached", link("trigger", missing)),
    del("what is no id is detached", link("trigger", "no-id")),
    get("read with the first", "/triggers/{trigger}"),
    get("the plan is still there", "/pipeline_snapshots/{second_plan}"),
    del("an attached plan is deleted", "/pipeline_snapshots/{snapshot}"),
    get("read after that", "/triggers/{trigger}"),
    attach("attached to the other", "idle", "{second_plan}"),
    del("archived", "/triggers/{idle}"),
    get("archived, it has none", "/triggers", {
      project: "{project}",
      name: "startswith:{unique}-i",
      is_archived: "true",
    }),
    attach("not when it is archived", "idle", "{second_plan}"),
    del("deleted", "/triggers/{trigger}", { soft: "false" }),
    get("read after it was deleted", "/triggers/{trigger}"),
  ],
};

/** Triggers of 0.84 are another thing of the same name, with actions and event sources, which 0.98 has no more. */
const oldTriggers: Scenario = {
  name: "triggers of 0.84.0",
  versions: ["0.84.0"],
  steps: [
    get("triggers", "/triggers", { project: "{project}" }),
    get("actions", "/actions", { project: "{project}" }),
    get("event sources", "/event-sources", { project: "{project}" }),
    get("what event sources there are", "/plugin-flavors", { type: "event_source", subtype: "webhook" }),
    get("what actions there are", "/plugin-flavors", { type: "action", subtype: "pipeline_run" }),
    post("an event source", "/event-sources", {
      project: "{project}",
      name: "{unique}",
      flavor: "github",
      plugin_subtype: "webhook",
      configuration: { repo: "a/b" },
    }),
  ],
};

/** What says when snapshots are to be run. */
export const triggerScenarios: readonly Scenario[] = [
  scheduleTriggers,
  eventTriggers,
  attached,
  ...attachmentScenarios,
  oldTriggers,
];
