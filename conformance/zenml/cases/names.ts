import type { ZenmlVersion } from "../../src/environment.ts";
import { get, post, type Scenario, type Step } from "../requests.ts";
import { givenOldSnapshot, givenRun, givenSnapshot, missing } from "./given.ts";
import { givenPipeline } from "./pipelines.ts";

const givenNamed = (as: string, name: string): Step =>
  post(`given pipeline ${as}`, "/pipelines", { project: "{project}", name }, { [as]: "id" });

/** What lists are narrowed by that has a name, where the name looks like an id, or is the id of another one. */
const named = (version: ZenmlVersion): Scenario => {
  const plan = version === "0.98.0" ? givenSnapshot : givenOldSnapshot;
  const runOf = (pipeline: string): readonly Step[] => [
    plan(`plan_of_${pipeline}`, { pipeline: `{${pipeline}}` }),
    givenRun(`run_of_${pipeline}`, {
      snapshot: `{plan_of_${pipeline}}`,
      deployment: `{plan_of_${pipeline}}`,
      pipeline: `{${pipeline}}`,
    }),
  ];
  const runsBy = (label: string, query: Readonly<Record<string, string>>): Step =>
    get(label, "/runs", {
      project: "{project}",
      name: "startswith:{unique}",
      sort_by: "asc:created",
      ...query,
    });
  return {
    name: `names like ids of ${version}`,
    versions: [version],
    steps: [
      givenPipeline(),
      givenNamed("disguised", "{pipeline}"),
      givenNamed("unborn", "{uuid}"),
      ...["pipeline", "disguised", "unborn"].flatMap(runOf),
      runsBy("by an id that is another one's name", { pipeline: "{pipeline}" }),
      runsBy("by an id that is nobody's name", { pipeline: "{disguised}" }),
      runsBy("by a name that is nobody's id", { pipeline: "{uuid}" }),
      runsBy("by neither", { pipeline: missing }),
      runsBy("by an id alone", { pipeline_id: "{pipeline}" }),
      runsBy("by one of several", { pipeline: 'oneof:["{pipeline}"]' }),
      runsBy("by what it is not", { pipeline: "notequals:{pipeline}" }),
      runsBy("by a part", { pipeline: "startswith:{unique}" }),
      runsBy("by an id or a name", { pipeline: "{uuid}", logical_operator: "or" }),
      get("one of that name", "/pipelines", { project: "{project}", name: "{uuid}" }),
      runsBy("by who made it", { user: "{admin}" }),
      runsBy("by nobody", { user: missing }),
      runsBy("within what one made", { scope_user: "{admin}" }),
      runsBy("within what nobody made", { scope_user: missing }),
      runsBy("within what a name made", { scope_user: "default" }),
      runsBy("within what an operator says", { scope_user: "equals:{admin}" }),
      runsBy("within nothing", { scope_user: "" }),
      get("stacks within what a name made", "/stacks", { scope_user: "default" }),
    ],
  };
};

export const nameScenarios: readonly Scenario[] = [named("0.98.0"), named("0.84.0")];
