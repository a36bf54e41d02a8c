import { checkManifest, type ManifestProblem } from "../../schemas/kubernetes.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Workspace } from "../workspace.ts";
import { isPatch, problemAt } from "./kubernetes-objects.ts";

/** Manifests against the schemas of their kinds. */

type Code = ManifestProblem["code"];

const checked = new WeakMap<Manifest, ManifestProblem[]>();

function problemsOf(manifest: Manifest): ManifestProblem[] {
  let problems = checked.get(manifest);
  if (problems === undefined) checked.set(manifest, (problems = checkManifest(manifest.value)));
  return problems;
}

/** A patch leaves out what it does not change, and has directives of its own. */
const OF_PATCHES = new Set<Code>([
  "unknown-kind",
  "unknown-version",
  "deprecated-version",
  "unknown-field",
  "invalid-value",
]);

function* problems(workspace: Workspace, codes: readonly Code[]): Iterable<Problem> {
  for (const manifest of workspace.manifests) {
    const patch = isPatch(workspace, manifest);
    for (const { code, path, message } of problemsOf(manifest)) {
      if (!codes.includes(code)) continue;
      if (patch && (!OF_PATCHES.has(code) || String(path.at(-1)).startsWith("$"))) continue;
      // What an excerpt leaves out stands in the part of the file that is not shown.
      if (manifest.origin === "markdown" && code === "missing-field") continue;
      yield problemAt(manifest, { path, message });
    }
  }
}

const DROPPED =
  "The API server drops a field that it does not know, in silence, unless it is asked for strict validation: the setting has no effect.";

export const kubernetesSchemaRules: readonly Rule[] = [
  {
    id: "kubernetes/unknown-field",
    severity: "error",
    covers: ["E10", "E15", "E18", "E35", "E48"],
    title: "a field that the kind does not have",
    why: DROPPED,
    remedy:
      "Write the field as the API of this version calls it, at the place where it belongs, or remove it.",
    check: (workspace) => problems(workspace, ["unknown-field"]),
  },
  {
    id: "kubernetes/invalid-value",
    severity: "error",
    covers: ["E18"],
    title: "a value of the wrong type, out of its bounds, or not among the choices",
    why: "The API server refuses the object.",
    remedy: "Write a value that the field admits; quote numbers and booleans where text is wanted.",
    check: (workspace) => problems(workspace, ["invalid-value"]),
  },
  {
    id: "kubernetes/missing-field",
    severity: "error",
    covers: [],
    title: "a required field that is not there",
    why: "The API server refuses the object.",
    remedy: "Add the field.",
    check: (workspace) => problems(workspace, ["missing-field"]),
  },
  {
    id: "kubernetes/unknown-kind",
    severity: "error",
    covers: [],
    title: "a kind that its API group does not have",
    why: "The API server answers that it has no match for the kind.",
    remedy: "Correct the kind or the apiVersion.",
    check: (workspace) => problems(workspace, ["unknown-kind"]),
  },
  {
    id: "kubernetes/version-not-served",
    severity: "error",
    covers: ["E10", "E48"],
    title: "a version of a kind that is no longer, or was never, served",
    why: "The definition may still list it, for objects that are stored, but the API server answers that it has no match.",
    remedy: "Use the version that is served; compare the fields, they often differ.",
    check: (workspace) => problems(workspace, ["unknown-version"]),
  },
  {
    id: "kubernetes/deprecated-version",
    severity: "warning",
    covers: ["E18"],
    title: "a version of a kind whose end is announced",
    why: "An upgrade of its operator takes it away.",
    remedy: "Move to the version or kind that takes its place.",
    check: (workspace) => problems(workspace, ["deprecated-version"]),
  },
  {
    id: "kubernetes/duplicate-item",
    severity: "error",
    covers: [],
    title: "two items of a keyed list with the same key",
    why: "The API server refuses the object, or the last item wins, depending on how it is applied.",
    remedy: "Remove one of them, or give it another key.",
    check: (workspace) => problems(workspace, ["duplicate"]),
  },
  {
    id: "kubernetes/cluster-scoped",
    severity: "warning",
    covers: [],
    title: "a namespace on an object that is in none",
    why: "The API server drops it, and who reads the file looks for the object in the wrong place; Argo CD may show it as different for ever.",
    remedy: "Remove metadata.namespace.",
    check: (workspace) => problems(workspace, ["cluster-scoped"]),
  },
  {
    id: "kubernetes/syntax",
    severity: "error",
    covers: [],
    title: "names, labels, quantities and selectors that the API server refuses",
    why: "These are checked when an object is applied, beyond its structure.",
    remedy: "Write it in the form that the message names.",
    check: (workspace) => problems(workspace, ["syntax"]),
  },
];
