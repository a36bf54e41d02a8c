import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Workspace } from "../workspace.ts";
import { applicationsOf, chartsOf, syncOptions } from "./argocd-waves.ts";
import { at, fields, list, objectsOf, problemAt, textAt } from "./kubernetes-objects.ts";

/** Argo CD's Applications and the projects they belong to. */

/** Charts with definitions longer than the 256 KiB that the annotation of a client-side apply may hold. */
const LONG = new Set([
  "kserve-crd",
  "kserve-llmisvc-crd",
  "kube-prometheus-stack",
  "cloudnative-pg",
  "kyverno",
]);

function* applications(workspace: Workspace): Iterable<Problem> {
  for (const { application, release } of chartsOf(workspace)) {
    const options = list(at(application.value, "spec", "syncPolicy", "syncOptions"));
    const serverSide =
      options.includes("ServerSideApply=true") || syncOptions(application).includes("ServerSideApply=true");
    if (LONG.has(release.chart) && !serverSide)
      yield problemAt(application, {
        path: ["spec", "syncPolicy"],
        message: `${application.name}: the definitions of the chart ${release.chart} are too long for a client-side apply; ServerSideApply=true is missing`,
      });
  }
  for (const application of applicationsOf(workspace)) {
    const spec = fields(application.value["spec"]);
    for (const [path, source] of [
      [["spec", "source"], spec["source"]] as const,
      ...list(spec["sources"]).map((one, index) => [["spec", "sources", index], one] as const),
    ]) {
      const repository = at(source, "repoURL");
      if (at(source, "chart") === undefined || typeof repository !== "string") continue;
      if (repository.startsWith("oci://"))
        yield problemAt(application, {
          path: [...path, "repoURL"],
          message: `${repository}: with a chart, Argo CD wants the repository without oci://`,
        });
      if (at(source, "targetRevision") === undefined)
        yield problemAt(application, {
          path: [...path, "chart"],
          message: `the chart ${String(at(source, "chart"))} has no targetRevision: whatever is newest is installed`,
        });
    }
  }
}

function* projects(workspace: Workspace): Iterable<Problem> {
  const known = objectsOf(workspace, "AppProject");
  for (const application of applicationsOf(workspace)) {
    const name = textAt(application.value, "spec", "project");
    if (name === undefined || name === "default") continue;
    const project = known.find((one) => one.name === name);
    if (project === undefined) {
      if (known.length > 0)
        yield problemAt(application, {
          path: ["spec", "project"],
          message: `there is no AppProject ${name}`,
        });
      continue;
    }
    const namespace = at(application.value, "spec", "destination", "namespace");
    const places = list(at(project.value, "spec", "destinations")).map((one) => at(one, "namespace"));
    if (typeof namespace === "string" && !isTemplated(namespace) && !admits(places, namespace))
      yield problemAt(application, {
        path: ["spec", "destination", "namespace"],
        message: `the AppProject ${name} does not admit the namespace ${namespace}`,
      });
    for (const source of [
      at(application.value, "spec", "source"),
      ...list(at(application.value, "spec", "sources")),
    ]) {
      const repository = at(source, "repoURL");
      if (
        typeof repository === "string" &&
        !isTemplated(repository) &&
        !admits(list(at(project.value, "spec", "sourceRepos")), repository)
      )
        yield problemAt(application, {
          path: ["spec", "project"],
          message: `the AppProject ${name} does not admit the repository ${repository}`,
        });
    }
  }
}

function admits(patterns: readonly unknown[], value: string): boolean {
  const texts = patterns.filter((pattern) => typeof pattern === "string");
  if (texts.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1), value))) return false;
  return texts.some((pattern) => isTemplated(pattern) || matches(pattern, value));
}

const matches = (pattern: string, value: string): boolean =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll(/\*+/g, ".*")
      .replaceAll("?", ".")}$`,
  ).test(value);

export const argocdApplicationRules: readonly Rule[] = [
  {
    id: "argocd/application",
    severity: "error",
    covers: ["E33", "E02"],
    title: "an Application that cannot sync as it is written",
    why: "Its chart is not found, or its definitions are refused as too long, or it installs another version each time.",
    remedy:
      "Write the repository as Argo CD wants it, pin targetRevision, and set ServerSideApply=true for charts with long definitions.",
    check: applications,
  },
  {
    id: "argocd/project",
    severity: "error",
    covers: [],
    title: "an Application that its project does not admit",
    why: "Argo CD shows InvalidSpecError and syncs nothing.",
    remedy: "Add the repository and the destination to the AppProject, or name another.",
    check: projects,
  },
];
