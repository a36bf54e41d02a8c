import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Workspace } from "../workspace.ts";
import {
  applicationsOf,
  chartsOf,
  hasWave,
  hooksOf,
  isSameApplication,
  syncOptions,
  usesArgo,
  waveOf,
} from "./argocd-waves.ts";
import { secretName } from "./container-environment.ts";
import {
  at,
  known,
  mayBeSameNamespace,
  objectsOf,
  problemAt,
  releasesOf,
  workloadsOf,
  type Workload,
} from "./kubernetes-objects.ts";

/** Argo CD: hooks, waves. */

function* plainJobs(workspace: Workspace): Iterable<Problem> {
  if (usesArgo(workspace))
    for (const job of objectsOf(workspace, "Job batch")) {
      if (
        job.origin === "terraform" ||
        hooksOf(job).length > 0 ||
        /Replace=true|Force=true/.test(syncOptions(job)) ||
        job.name.includes("generate")
      )
        continue;
      if (at(job.value, "metadata", "name") === undefined) continue;
      yield problemAt(job, {
        path: ["kind"],
        message: `the Job ${job.name} is no hook: its pod template cannot be changed, so the next sync that changes it fails`,
      });
    }
  // A tree of files in a document: the job is named, its manifest is not shown.
  for (const { file, firstLine, text, language } of workspace.snippets) {
    if (language !== "text" || !/kustomiz|argo/i.test(text)) continue;
    for (const [index, line] of text.split("\n").entries())
      if (/job\S*\.ya?ml\b.*\bpost-?install\b/i.test(line))
        yield {
          file,
          line: firstLine + index,
          message:
            "post-install is a hook of Helm: applied by Argo CD or kustomize, this Job is a plain one, and fails the sync when it changes",
        };
  }
}

/** Objects that an Application brings itself, and that its hooks before the sync cannot have yet. */
function* earlyHooks(workspace: Workspace): Iterable<Problem> {
  const made = objectsOf(
    workspace,
    "Secret",
    "ExternalSecret",
    "SealedSecret",
    "ConfigMap",
    "ServiceAccount",
    "PersistentVolumeClaim",
  ).filter((one) => hooksOf(one).length === 0);
  for (const workload of workloadsOf(workspace)) {
    const { manifest } = workload;
    if (!hooksOf(manifest).includes("PreSync")) continue;
    for (const { kinds, name } of needsOf(workload)) {
      const object = made.find(
        (one) =>
          kinds.includes(one.kind) &&
          secretName(one) === name &&
          isSameApplication(one, manifest) &&
          mayBeSameNamespace(one.namespace, manifest.namespace),
      );
      if (object === undefined) continue;
      yield problemAt(manifest, {
        path: ["metadata", "annotations"],
        message: `the PreSync hook ${manifest.name} needs ${object.kind} ${name} of the same Application, which is applied only after all PreSync hooks are done`,
      });
    }
  }
}

const SECRETS = ["Secret", "ExternalSecret", "SealedSecret"];

function needsOf({ template, containers }: Workload): { kinds: readonly string[]; name: string }[] {
  const text = JSON.stringify([
    template.spec["volumes"],
    containers.map(({ value }) => [value["env"], value["envFrom"]]),
  ]);
  const names = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? "");
  const account = template.spec["serviceAccountName"];
  return [
    ...names(/"secret(?:Key)?Ref":\{[^{}]*"name":"([^"]+)"/g).map((name) => ({ kinds: SECRETS, name })),
    ...names(/"secretName":"([^"]+)"/g).map((name) => ({ kinds: SECRETS, name })),
    ...names(/"configMap(?:Key)?(?:Ref)?":\{[^{}]*"name":"([^"]+)"/g).map((name) => ({
      kinds: ["ConfigMap"],
      name,
    })),
    ...(known(account) ? [{ kinds: ["ServiceAccount"], name: account }] : []),
  ];
}

const DATABASE = /\b(?:db|database|migrat\w*|alembic|psql|mysql|schema)\b/i;

function* impatientHooks(workspace: Workspace): Iterable<Problem> {
  for (const { manifest, containers } of workloadsOf(workspace)) {
    if (manifest.kind !== "Job" || at(manifest.value, "spec", "backoffLimit") !== 0) continue;
    const commands = containers
      .map(({ value }) => JSON.stringify([value["command"], value["args"], value["name"]]))
      .join(" ");
    if (!DATABASE.test(commands) || containers.some(({ init }) => init)) continue;
    yield problemAt(manifest, {
      path: ["spec", "backoffLimit"],
      message: `the Job ${manifest.name} works on a database and has backoffLimit 0: one refused connection fails it, and the sync or release with it`,
    });
  }
}

const HEALTH = "resource.customizations.health.argoproj.io_Application";

const knowsHealth = (workspace: Workspace): boolean =>
  workspace.snippets.some(
    ({ text }) =>
      text.includes("health.argoproj.io_Application") ||
      /argoproj\.io\/Application:\s*\n\s+health\.lua/.test(text),
  );

function* notAwaited(workspace: Workspace): Iterable<Problem> {
  if (knowsHealth(workspace)) return;
  const applications = applicationsOf(workspace).filter(hasWave);
  const [first] = applications;
  if (first !== undefined && new Set(applications.map(waveOf)).size > 1) {
    const configured =
      releasesOf(workspace, "argo-cd").length > 0 ||
      objectsOf(workspace, "ConfigMap").some(({ name }) => name === "argocd-cm");
    yield problemAt(first, {
      path: ["metadata", "annotations", "argocd.argoproj.io/sync-wave"],
      message: `${applications.length} Applications have sync waves, but nothing sets ${HEALTH}: a parent takes a child for healthy as soon as it is there`,
      severity: configured ? "error" : "warning",
    });
    return;
  }
  for (const { file, firstLine, text, language } of workspace.snippets) {
    if (language !== "text") continue;
    const index = text.split("\n").findIndex((line) => /\.ya?ml\b.*\bapp[- ]of[- ]apps\b/i.test(line));
    if (index >= 0) {
      yield {
        file,
        line: firstLine + index,
        severity: "warning",
        message: `an app of apps waits for its children only when ${HEALTH} is set in argocd-cm`,
      };
      return;
    }
  }
}

/** Charts that need what another chart brings, before they are synced. */
const AFTER: readonly (readonly [chart: string, needs: string])[] = [
  ["kserve-resources", "kserve-crd"],
  ["kserve-runtime-configs", "kserve-resources"],
  ["kserve-resources", "cert-manager"],
  ["kserve-llmisvc-resources", "kserve-llmisvc-crd"],
  ["plugin-barman-cloud", "cloudnative-pg"],
  ["plugin-barman-cloud", "cert-manager"],
  ["kyverno-policies", "kyverno"],
];

function* chartOrder(workspace: Workspace): Iterable<Problem> {
  const charts = chartsOf(workspace);
  for (const [chart, needs] of AFTER)
    for (const user of charts.filter(({ release }) => release.chart === chart)) {
      const before = charts.find(({ release }) => release.chart === needs);
      if (before === undefined || before.wave < user.wave) continue;
      yield problemAt(user.application, {
        path: ["metadata", "annotations", "argocd.argoproj.io/sync-wave"],
        message: `${user.application.name} (chart ${chart}) is in wave ${user.wave}, and ${before.application.name} (chart ${needs}), which it needs, in wave ${before.wave}`,
      });
    }
}

/** Whether one object of an Application is applied before another: by phase, then by wave. */
function isBefore(one: Manifest, other: Manifest): boolean {
  const phase = (manifest: Manifest): number => {
    const hooks = hooksOf(manifest);
    return hooks.includes("PreSync") ? 0 : hooks.some((hook) => /^PostSync|^SyncFail/.test(hook)) ? 2 : 1;
  };
  return phase(one) < phase(other) || (phase(one) === phase(other) && waveOf(one) < waveOf(other));
}

function* namespaceOrder(workspace: Workspace): Iterable<Problem> {
  if (!usesArgo(workspace)) return;
  const inNamespace = Map.groupBy(workspace.manifests, ({ namespace }) => namespace);
  for (const namespace of objectsOf(workspace, "Namespace")) {
    const early = (inNamespace.get(namespace.name) ?? []).find(
      (one) => isSameApplication(one, namespace) && isBefore(one, namespace),
    );
    if (early !== undefined)
      yield problemAt(namespace, {
        path: ["metadata", "name"],
        message: `the namespace ${namespace.name} is made in wave ${waveOf(namespace)}, after ${early.kind} ${early.name} in it`,
      });
  }
  for (const definition of workspace.manifests.filter(({ kind }) => kind === "CustomResourceDefinition")) {
    const [group, kind] = [
      at(definition.value, "spec", "group"),
      at(definition.value, "spec", "names", "kind"),
    ];
    const user = workspace.manifests.find(
      (one) =>
        one.kind === kind &&
        one.apiVersion.startsWith(`${String(group)}/`) &&
        isSameApplication(one, definition) &&
        waveOf(one) < waveOf(definition),
    );
    if (user !== undefined)
      yield problemAt(definition, {
        path: ["metadata", "name"],
        message: `the definition ${definition.name} is made after ${user.kind} ${user.name}, which is of it`,
      });
  }
}

export const argocdRules: readonly Rule[] = [
  {
    id: "argocd/plain-job",
    severity: "error",
    covers: ["E27"],
    title: "a Job that Argo CD applies like any object",
    why: "The template of a Job is immutable: a new image or argument makes the sync fail until somebody deletes the Job.",
    remedy:
      "Make it a hook: argocd.argoproj.io/hook: PostSync (or Sync) and argocd.argoproj.io/hook-delete-policy: BeforeHookCreation.",
    check: plainJobs,
  },
  {
    id: "argocd/early-hook",
    severity: "error",
    covers: ["E30", "E39"],
    title: "a PreSync hook that needs what the sync brings",
    why: "PreSync hooks run before anything of the Application is applied: on the first sync the hook waits for ever.",
    remedy:
      "Bring it in an earlier Application, or make the Job a Sync hook with a wave behind what it needs.",
    check: earlyHooks,
  },
  {
    id: "argocd/impatient-hook",
    severity: "warning",
    covers: ["E17"],
    title: "a migration that gives up at once",
    why: "A database that has just been made is not ready for some seconds or minutes.",
    remedy: "Give the Job a backoffLimit of several tries, or an init container that waits for the database.",
    check: impatientHooks,
  },
  {
    id: "argocd/children-not-awaited",
    severity: "warning",
    covers: ["E39"],
    title: "sync waves of Applications that wait for nothing",
    why: "Argo CD has had no health check for Applications since 1.8: waves between children do not wait for one another.",
    remedy: `Set ${HEALTH} in argocd-cm to the Lua check that reads status.health.`,
    check: notAwaited,
  },
  {
    id: "argocd/chart-order",
    severity: "error",
    covers: ["E39", "E33"],
    title: "a chart before the chart that it needs",
    why: "Its objects are refused until the other chart's definitions and webhooks are there.",
    remedy: "Put the Application into a later wave.",
    check: chartOrder,
  },
  {
    id: "argocd/wave-order",
    severity: "error",
    covers: ["E39"],
    title: "a namespace or definition after what is in it, or of it",
    why: "Within one Application, waves are applied in order: the earlier object is refused.",
    remedy: "Give the namespace or definition the lowest wave.",
    check: namespaceOrder,
  },
];
