import type { Problem, Rule } from "../rule.ts";
import type { Located, Workspace } from "../workspace.ts";
import { applicationsOf } from "./argocd-waves.ts";
import { at, list, problemAt } from "./kubernetes-objects.ts";

/** Who applies what: Argo CD and Ansible side by side. */

type Task = { document: Located; task: unknown; index: number };

const MODULE = /^(?:kubernetes\.core\.)?(?:k8s|helm)$/;

/** Tasks of Ansible that apply something to a cluster. */
const tasksOf = (workspace: Workspace): Task[] =>
  workspace.documents.flatMap((document) =>
    list(document.value)
      .map((task, index) => ({ document, task, index }))
      .filter(
        ({ task }) =>
          typeof task === "object" && task !== null && Object.keys(task).some((key) => MODULE.test(key)),
      ),
  );

const usesArgo = (workspace: Workspace): boolean =>
  applicationsOf(workspace).length > 0 ||
  workspace.commands.some(
    ({ words }) =>
      words[0] === "argocd" ||
      (words[0] === "kubectl" && words.some((word) => /^applications?(?:\.argoproj\.io)?$/.test(word))),
  );

function* mixed(workspace: Workspace): Iterable<Problem> {
  const [first] = tasksOf(workspace);
  if (first !== undefined && usesArgo(workspace))
    yield problemAt(first.document, {
      path: [first.index],
      message:
        "these tasks apply to a cluster that Argo CD manages: one half of the platform is in Git, the other is whatever the last run of Ansible left",
    });
}

const KINDS: readonly (readonly [kind: string, file: RegExp])[] = [
  ["InferenceService", /inference-?service|isvc/i],
  ["ServingRuntime", /serving-?runtime/i],
  ["Deployment", /deployment/i],
  ["Ingress", /ingress/i],
];

function* misnamed(workspace: Workspace): Iterable<Problem> {
  for (const { document, task, index } of tasksOf(workspace)) {
    const name = String(at(task, "name"));
    const template = /lookup\(\s*['"]template['"]\s*,\s*['"]([^'"]+)/.exec(
      JSON.stringify(task).replaceAll(String.raw`\"`, '"'),
    )?.[1];
    const told = KINDS.find(([kind]) => name.includes(kind));
    const made = KINDS.find(([, file]) => file.test(template ?? ""));
    if (template === undefined || told === undefined || made === undefined || told[0] === made[0]) continue;
    yield problemAt(document, {
      path: [index, "name"],
      message: `the task "${name}" applies ${template}, a ${made[0]}`,
    });
  }
}

export const ownershipRules: readonly Rule[] = [
  {
    id: "gitops/mixed-ownership",
    severity: "warning",
    covers: ["E40"],
    title: "Argo CD and Ansible on one cluster",
    why: "Nothing shows what the cluster should be, drift of one half is never corrected, and order between the halves is by hand.",
    remedy:
      "Bring everything in by Argo CD; let Ansible, or Terraform, end where the cluster and Argo CD stand.",
    check: mixed,
  },
  {
    id: "gitops/misnamed-task",
    severity: "warning",
    covers: ["E40"],
    title: "a task that does something else than it says",
    why: "Who reads the log looks for an object that was never made.",
    remedy: "Name the task by what it applies, or apply what it names.",
    check: misnamed,
  },
];
