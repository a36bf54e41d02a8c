import { entityScenario } from "../entity-cases.ts";
import { get, post, put, type Scenario } from "../requests.ts";
import { givenProject, givenRun, givenSnapshot, missing } from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

const versions = ["0.98.0"] as const;
const dynamic = { is_dynamic: true, step_configurations: {} };
const of = (run: string, name: string, more: object = {}): Readonly<Record<string, unknown>> => ({
  project: "{project}",
  run: `{${run}}`,
  name,
  type: "external_input",
  ...more,
});
const lease = { poller_instance_id: "poller", poller_lease_expires_at: "2040-01-02T03:04:05" };
const one = (name: string): string => `/run_wait_conditions/{${name}}`;

const conditions = entityScenario({
  name: "wait conditions",
  versions,
  path: "/run_wait_conditions",
  unique: "run",
  given: [
    givenPipeline(),
    givenSnapshot("snapshot", dynamic),
    givenSnapshot("static"),
    givenRun("first_run"),
    givenRun("second_run"),
    givenRun("free_run"),
    givenRun("static_run", { snapshot: "{static}" }),
    givenProject(),
  ],
  seeds: {
    all: {
      ...of("first_run", "approve"),
      question: "May it go on?",
      data_schema: { type: "integer", minimum: 3 },
      metadata: { a: 1, b: 1.0, c: "text", d: [1], e: { f: null } },
    },
    least: of("second_run", "plain"),
  },
  required: ["project", "run", "name", "type"],
  probed: ["name", "type", "question", "data_schema", "metadata"],
  variants: {
    "another one of the same run": { run: "{first_run}", name: "other" },
    "the same with another question": { run: "{first_run}", question: "?" },
    "the same with another schema": { run: "{first_run}", data_schema: { type: "string" } },
    "of a run that is not dynamic": { run: "{static_run}" },
    "of a run that is not there": { run: missing },
    "in another project": { run: "{first_run}", project: "{other}" },
    "of a type that is none": { run: "{first_run}", type: "moon" },
    "a schema that is none": { run: "{free_run}", name: "bad", data_schema: { type: "moon" } },
  },
  updates: {},
  scope: { project: "{project}", pipeline_run: "{first_run}" },
  further: [
    get("of both runs", "/run_wait_conditions", {
      project: "{project}",
      pipeline_run: ["{first_run}"],
      status: "pending",
    }),
    get("by the run's name", "/run_wait_conditions", {
      project: "{project}",
      pipeline_run: "{unique}-first_run",
    }),
    get("the run waits", "/runs/{first_run}"),
    put("polled", one("all"), lease),
    get("read while it is polled", one("all")),
    put("polled without a name", one("all"), { ...lease, poller_instance_id: undefined }),
    put("polled until never", one("all"), { ...lease, poller_lease_expires_at: "never" }),
    put("polled in a mode that is none", one("all"), { ...lease, mode: "stare" }),
    put("polled: what is not there", `/run_wait_conditions/${missing}`, lease),
    put("resolved with too little", `${one("all")}/resolve`, { resolution: "continue", result: 2 }),
    put("resolved with a text", `${one("all")}/resolve`, { resolution: "continue", result: "x" }),
    put("resolved with nothing", `${one("all")}/resolve`, { resolution: "continue" }),
    put("resolved in a way that is none", `${one("all")}/resolve`, { resolution: "perhaps" }),
    put("resolved without a way", `${one("all")}/resolve`, { result: 3 }),
    put("resolved: what is not there", `/run_wait_conditions/${missing}/resolve`, { resolution: "abort" }),
    put("resolved", `${one("all")}/resolve`, { resolution: "continue", result: 7 }),
    get("read when it is resolved", one("all")),
    put("resolved twice", `${one("all")}/resolve`, { resolution: "continue", result: 7 }),
    put("polled when it is resolved", one("all"), lease),
    put("done with polling", one("all"), { ...lease, mode: "finalize" }),
    get("the run goes on", "/runs/{first_run}"),
    post("the same again", "/run_wait_conditions", {
      ...of("first_run", "approve"),
      question: "May it go on?",
      data_schema: { type: "integer", minimum: 3 },
    }),
    put("polling ends", one("least"), { ...lease, mode: "finalize" }),
    get("the run is paused", "/runs/{second_run}"),
    put("a result that nobody asked for", `${one("least")}/resolve`, { resolution: "continue", result: 1 }),
    put("gone on with", `${one("least")}/resolve`, { resolution: "continue" }),
    get("the run can be resumed", "/runs/{second_run}"),
    post(
      "one more",
      "/run_wait_conditions",
      of("second_run", "again", { data_schema: { type: "object", required: ["a"] } }),
      { more: "id" },
    ),
    put("nobody polls any more", one("more"), { ...lease, mode: "abandon" }),
    put("aborted", `${one("more")}/resolve`, { resolution: "abort", result: 5 }),
    get("read when it is aborted", one("more")),
    get("the run is stopped", "/runs/{second_run}"),
    get("resolved ones", "/run_wait_conditions", {
      project: "{project}",
      pipeline_run: "{second_run}",
      resolution: "abort",
      hydrate: "true",
    }),
  ],
});

export const waitScenarios: readonly Scenario[] = [conditions];
