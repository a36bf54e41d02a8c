import { get, post, put, type Scenario, type Step } from "../requests.ts";
import { givenSnapshot } from "./given.ts";
import { givenRunnable } from "./templates.ts";

const versions = ["0.98.0"] as const;

/** What is said of a step `make`, which has the parameter `number`. */
const ofStep = (step: object): object => ({ steps: { make: step } });

const taken: Readonly<Record<string, unknown>> = {
  nothing: {},
  "what is unknown": { unknown: 1, steps: { other: {}, make: { name: "x", unknown: 1 } } },
  "a name of runs": { run_name: "other-{time}" },
  "an empty name": { run_name: "" },
  "what holds for the pipeline": {
    enable_cache: true,
    execution_mode: "fail_fast",
    retry: { max_retries: 3 },
    substitutions: { a: "b" },
    environment: { A: "1" },
    extra: { b: { c: null }, d: [1, 2.5] },
    settings: { resources: { cpu_count: 2 } },
  },
  "what holds for a step": ofStep({
    enable_cache: true,
    parameters: { number: 2 },
    heartbeat_healthy_threshold: 12,
    retry: { max_retries: 2 },
    extra: { own: 1 },
    settings: { resources: { gpu_count: 1 } },
    failure_hook_source: "builtins.print",
  }),
  "settings of the orchestrator": { settings: { orchestrator: { timeout: 9 } } },
  "settings by its flavor": { settings: { "orchestrator.kubernetes": { timeout: 9 } } },
  "settings of what is not there": { settings: { "orchestrator:other": { timeout: 9 } } },
  "no value of a parameter": ofStep({ parameters: { number: null } }),
};

const refused: Readonly<Record<string, unknown>> = {
  "settings of a missing type": { settings: { step_operator: {} } },
  "parameters of a static pipeline": { parameters: { a: 1 } },
  "another parameter of a step": ofStep({ parameters: { other: 1 } }),
  "another build": { build: "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11" },
  "a schedule": { schedule: { cron_expression: "* * * * *" } },
  "another image": { settings: { docker: { requirements: ["a"] } } },
  "another image of a step": ofStep({ settings: { docker: { requirements: ["a"] } } }),
  "a secret that is not there": { secrets: ["{unique}-none"] },
  "what is no flag": { enable_cache: "perhaps" },
  "no steps": { steps: [] },
};

const trigger = (name: string): Step =>
  post(
    `given trigger for ${name}`,
    "/triggers",
    { project: "{project}", type: "schedule", name: `{unique}-${name}`, cron_expression: "0 3 1 1 *" },
    { trigger: "id" },
  );

const attach = (name: string, update: unknown): Step =>
  put(name, "/triggers/{trigger}/pipeline_snapshots/{snapshot}", update);

/** Snapshots that triggers run otherwise than they say themselves. */
export const attachmentScenarios: readonly Scenario[] = [
  {
    name: "configurations of triggers",
    versions,
    steps: [
      ...givenRunnable,
      givenSnapshot("snapshot", { stack: "{remote}", build: "{build}", name: "{unique}-plan" }),
      ...Object.entries(taken).flatMap(([name, update]) => [
        trigger(name),
        attach(name, update),
        get(`the trigger with ${name}`, "/triggers/{trigger}", undefined, {
          executable: "resources.executable_snapshots.0.id",
        }),
        get(`what is run with ${name}`, "/pipeline_snapshots/{executable}"),
      ]),
      trigger("what is refused"),
      ...Object.entries(refused).map(([name, update]) => attach(name, update)),
      get("the trigger after all that", "/triggers/{trigger}"),
    ],
  },
];
