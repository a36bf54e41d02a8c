import { nearest } from "../../schemas/nearest.ts";
import { isRecord } from "../plain-values.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Command, Manifest, Workspace } from "../workspace.ts";

/** Words of kubectl for the kinds that people ask for by name. */
const KINDS: Readonly<Record<string, string>> = {
  deploy: "Deployment",
  deployment: "Deployment",
  deployments: "Deployment",
  sts: "StatefulSet",
  statefulset: "StatefulSet",
  statefulsets: "StatefulSet",
  ds: "DaemonSet",
  daemonset: "DaemonSet",
  svc: "Service",
  service: "Service",
  services: "Service",
  job: "Job",
  jobs: "Job",
  cronjob: "CronJob",
  cm: "ConfigMap",
  configmap: "ConfigMap",
  ing: "Ingress",
  ingress: "Ingress",
  isvc: "InferenceService",
  inferenceservice: "InferenceService",
  inferenceservices: "InferenceService",
  application: "Application",
  applications: "Application",
};

/** Options whose value is the next word. */
const WITH_VALUE = new Set([
  "-n",
  "--namespace",
  "-o",
  "--output",
  "-c",
  "--container",
  "--context",
  "--timeout",
  "--for",
  "--replicas",
  "--tail",
  "--since",
  "-f",
  "--kubeconfig",
]);

const MAKING = new Set(["create", "run", "expose", "autoscale"]);

const VERBS = new Set([
  "get",
  "describe",
  "logs",
  "port-forward",
  "rollout",
  "wait",
  "exec",
  "scale",
  "delete",
]);

type Asked = { kind: string; name: string } | { label: string; value: string };

function askedFor(words: readonly string[]): Asked[] {
  if (!VERBS.has(words[1] ?? "")) return [];
  const plain: string[] = [];
  const found: Asked[] = [];
  for (let index = words[1] === "rollout" ? 3 : 2; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") break;
    const selector = /^(?:-l|--selector)(?:=(?<value>.*))?$/.exec(word);
    if (selector !== null) {
      const value = selector.groups?.["value"] ?? words[(index += 1)] ?? "";
      const equal = /^(?<label>[\w./-]+)==?(?<value>[\w.-]+)$/.exec(value)?.groups;
      if (equal !== undefined) found.push({ label: equal["label"] ?? "", value: equal["value"] ?? "" });
    } else if (WITH_VALUE.has(word)) index += 1;
    else if (!word.startsWith("-")) plain.push(word);
  }
  const [first = "", second] = plain;
  const slashed = /^(?<kind>[a-z]+)\/(?<name>[a-z0-9.-]+)$/.exec(first)?.groups;
  const kind = KINDS[(slashed?.["kind"] ?? first).replace(/\..*$/, "")];
  const name = slashed?.["name"] ?? second;
  if (kind !== undefined && name !== undefined && /^[a-z0-9.-]+$/.test(name)) found.push({ kind, name });
  return found;
}

export const kubectlTarget: Rule = {
  id: "command/kubectl-target",
  severity: "warning",
  covers: [],
  title: "kubectl asks for a name or label that nothing in the files has",
  why: "The command answers that nothing was found, and a check of health that looks for nothing is always content.",
  remedy: "Use the name or label of the manifests.",
  *check(workspace) {
    const manifests = workspace.manifests.filter(({ origin }) => origin === "file");
    // What a chart or an operator makes is not in the files.
    if (workspace.releases.length > 0) return;
    let labels: Labels | undefined;
    const kubectl = workspace.commands.filter(({ words }) => words[0] === "kubectl");
    // What a script makes itself is in no file.
    const made = new Set(
      kubectl.filter(({ words }) => MAKING.has(words[1] ?? "")).flatMap(({ words }) => words),
    );
    for (const command of kubectl) {
      for (const asked of askedFor(command.words)) {
        if ("kind" in asked && made.has(asked.name)) continue;
        const problem =
          "kind" in asked
            ? nameProblem(asked, manifests)
            : labelProblem(asked, (labels ??= labelsOf(workspace, manifests)));
        if (problem !== undefined) yield { file: command.file, line: command.line, ...problem };
      }
    }
  },
};

type Complaint = Pick<Problem, "message" | "remedy">;

function nameProblem(
  { kind, name }: { kind: string; name: string },
  manifests: readonly Manifest[],
): Complaint | undefined {
  const names = manifests.filter((one) => one.kind === kind).map((one) => one.name);
  // Prefixes and suffixes of kustomize make longer names.
  if (names.length === 0 || names.some((one) => name.includes(one) || /[{$]/.test(one))) return undefined;
  const meant = nearest(name, names);
  return {
    message: `The files have no ${kind} ${name}`,
    remedy: meant === undefined ? `They have ${names.slice(0, 5).join(", ")}.` : `Did you mean ${meant}?`,
  };
}

/** The values of each label in the files; undefined where they hold no workloads whose pods could be meant. */
type Labels = Map<string, Set<string>> | "no workloads";

function labelsOf({ kustomizations }: Workspace, manifests: readonly Manifest[]): Labels {
  const isWorkload = ({ kind }: Manifest): boolean =>
    ["Deployment", "StatefulSet", "DaemonSet", "Job"].includes(kind);
  if (!manifests.some(isWorkload)) return "no workloads";
  const labels = new Map<string, Set<string>>();
  for (const object of [...manifests, ...kustomizations]) {
    for (const [label, value] of labelsIn(object.value).flatMap((one) => Object.entries(one))) {
      labels.set(label, (labels.get(label) ?? new Set()).add(String(value)));
    }
  }
  return labels;
}

function labelProblem(
  { label, value }: { label: string; value: string },
  labels: Labels,
): Complaint | undefined {
  if (labels === "no workloads") return undefined;
  const values = [...(labels.get(label) ?? [])];
  if (values.includes(value) || values.some((one) => /[{$]/.test(one))) return undefined;
  return {
    message: `Nothing in the files has the label ${label}=${value}`,
    ...(values.length === 0 ? {} : { remedy: `${label} is ${values.slice(0, 5).join(", ")} there.` }),
  };
}

/** Every map that stands under `labels`, `matchLabels`, `commonLabels` or `pairs`. */
function labelsIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(labelsIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = /^(?:labels|commonLabels|pairs)$/.test(key) && isRecord(inner) ? [inner] : [];
    return [...own, ...labelsIn(inner)];
  });
}

export const makeTarget: Rule = {
  id: "command/make-target",
  severity: "warning",
  covers: [],
  title: "a make target that no Makefile has",
  why: 'make stops with "No rule to make target".',
  remedy: "Add the target, or call the one that is there.",
  *check({ snippets, commands }) {
    const makefiles = snippets.filter(({ language, excerpt }) => language === "makefile" && !excerpt);
    if (makefiles.length === 0 || makefiles.some(({ text }) => /^-?include\b|^[^\t#\n]*%[^\n]*:/m.test(text)))
      return;
    const targets = new Set(
      makefiles.flatMap(({ text }) =>
        [...text.matchAll(/^(?<names>[\w./ -]+?)\s*::?(?!=)/gm)].flatMap(({ groups }) =>
          (groups?.["names"] ?? "").split(/\s+/),
        ),
      ),
    );
    for (const { file, line, words } of commands.filter(isPlainMake)) {
      for (const target of words.slice(1).filter((word) => /^[a-z][\w-]*$/.test(word))) {
        if (targets.has(target)) continue;
        const meant = nearest(target, targets);
        const remedy = meant === undefined ? undefined : `Did you mean ${meant}?`;
        const message = `No Makefile here has the target ${target}`;
        yield { file, line, message, ...(remedy === undefined ? {} : { remedy }) };
      }
    }
  },
};

const isPlainMake = ({ words }: Command): boolean =>
  words[0] === "make" && !words.some((word) => /^-[Cf]|^--(?:directory|file)/.test(word));

export const commandRules: readonly Rule[] = [kubectlTarget, makeTarget];
