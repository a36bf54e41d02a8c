import { misplacedChart } from "../../schemas/chart-repositories.ts";
import { checkValues, type ValuesProblem } from "../../schemas/charts.ts";
import type { Problem, Rule } from "../rule.ts";
import type { HelmRelease, Workspace } from "../workspace.ts";
import { problemAt } from "./kubernetes-objects.ts";

/** Charts, where they come from, and their values. */

const checked = new WeakMap<HelmRelease, ValuesProblem[]>();

function problemsOf(release: HelmRelease): ValuesProblem[] {
  let problems = checked.get(release);
  if (problems === undefined) checked.set(release, (problems = checkValues(release, release.values?.value)));
  return problems;
}

function* problems(workspace: Workspace, codes: readonly ValuesProblem["code"][]): Iterable<Problem> {
  for (const release of workspace.releases) {
    if (release.values === undefined) continue;
    for (const { code, path, message, certain } of problemsOf(release)) {
      if (!codes.includes(code)) continue;
      const doubt = certain ? {} : { severity: "warning" as const };
      yield problemAt(release.values, { path, message, ...doubt });
    }
  }
}

export const helmRules: readonly Rule[] = [
  {
    id: "helm/unknown-chart",
    severity: "error",
    covers: ["E02"],
    title: "a chart that its repository does not have",
    why: "helm pull answers that the chart or the index is not found.",
    remedy: "Use the chart's name and the repository where its project publishes it.",
    *check(workspace) {
      for (const release of workspace.releases) {
        const misplaced = misplacedChart(release);
        if (misplaced !== undefined) yield { file: release.file, line: release.line, ...misplaced };
      }
    },
  },
  {
    id: "helm/unknown-value",
    severity: "error",
    covers: ["E03", "E04", "E15"],
    title: "a value that the chart does not have",
    why: "Most charts have no JSON Schema: Helm takes any key, and no template reads it. The setting is accepted and has no effect.",
    remedy: "Write the value where the chart reads it, or remove it.",
    check: (workspace) => problems(workspace, ["unknown-value"]),
  },
  {
    id: "helm/invalid-value",
    severity: "error",
    covers: [],
    title: "a chart value of the wrong type, or not among the choices",
    why: 'The chart fails to render, or renders something else: a quoted "false" is true to a template.',
    remedy: "Write a value of the type that the chart's default has.",
    check: (workspace) => problems(workspace, ["invalid-value"]),
  },
  {
    id: "helm/exclusive-values",
    severity: "error",
    covers: ["E20"],
    title: "chart values that exclude each other",
    why: "The chart refuses to render with both, or makes two ways in.",
    remedy: "Switch one of them off in so many words: its default may be on.",
    check: (workspace) => problems(workspace, ["exclusive"]),
  },
  {
    id: "helm/moved-value",
    severity: "warning",
    covers: ["E03"],
    title: "a chart value that has moved",
    why: "The chart merges the old place over the new one for now: it wins where both are set.",
    remedy: "Write it at the new place.",
    check: (workspace) => problems(workspace, ["moved"]),
  },
];
