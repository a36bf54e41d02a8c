import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Workspace } from "../workspace.ts";
import { isTemplated } from "../../schemas/templated.ts";
import {
  at,
  fields,
  labelsOf,
  list,
  mayBeSameNamespace,
  mayMatch,
  objectsOf,
  problemAt,
  textAt,
  workloadsOf,
  type Workload,
} from "./kubernetes-objects.ts";

/** Replicas, budgets, autoscalers and volumes of workloads. */

/** Autoscalers of a workload. */
const scalersOf = (workspace: Workspace, manifest: Manifest): Manifest[] =>
  objectsOf(workspace, "HorizontalPodAutoscaler", "ScaledObject").filter(
    ({ value, namespace }) =>
      at(value, "spec", "scaleTargetRef", "name") === manifest.name &&
      (at(value, "spec", "scaleTargetRef", "kind") ?? "Deployment") === manifest.kind &&
      mayBeSameNamespace(namespace, manifest.namespace),
  );

function* budgets(workspace: Workspace): Iterable<Problem> {
  const workloads = workloadsOf(workspace);
  for (const budget of objectsOf(workspace, "PodDisruptionBudget")) {
    const spec = fields(budget.value["spec"]);
    if (spec["maxUnavailable"] === 0 || spec["maxUnavailable"] === "0%" || spec["minAvailable"] === "100%") {
      const field = spec["minAvailable"] === undefined ? "maxUnavailable" : "minAvailable";
      yield problemAt(budget, {
        path: ["spec", field],
        message: `the budget ${budget.name} allows no disruption at all: nodes cannot be drained`,
      });
      continue;
    }
    const least = spec["minAvailable"];
    if (typeof least !== "number") continue;
    const wanted = fields(at(spec, "selector", "matchLabels"));
    const guarded = workloads.find(
      ({ manifest, template }) =>
        mayBeSameNamespace(manifest.namespace, budget.namespace) &&
        Object.keys(wanted).length > 0 &&
        mayMatch(wanted, labelsOf(template)),
    );
    if (guarded === undefined) continue;
    const [scaler] = scalersOf(workspace, guarded.manifest);
    const replicas =
      scaler === undefined
        ? (at(guarded.manifest.value, "spec", "replicas") ?? 1)
        : (at(scaler.value, "spec", "minReplicas") ?? at(scaler.value, "spec", "minReplicaCount") ?? 1);
    if (typeof replicas === "number" && replicas > 0 && least >= replicas)
      yield problemAt(budget, {
        path: ["spec", "minAvailable"],
        message: `the budget ${budget.name} wants ${least} of ${replicas} replicas of ${guarded.manifest.name} at any time: nodes cannot be drained`,
      });
  }
}

function* fixedReplicas(workspace: Workspace): Iterable<Problem> {
  for (const { manifest } of workloadsOf(workspace)) {
    const [scaler] = scalersOf(workspace, manifest);
    if (scaler === undefined || at(manifest.value, "spec", "replicas") === undefined) continue;
    yield problemAt(manifest, {
      path: ["spec", "replicas"],
      message: `${manifest.kind} ${manifest.name} sets replicas, and ${scaler.kind} ${scaler.name} scales it: each apply undoes what the autoscaler did`,
    });
  }
}

function* scaledWithoutRequests(workspace: Workspace): Iterable<Problem> {
  const workloads = workloadsOf(workspace);
  for (const scaler of objectsOf(workspace, "HorizontalPodAutoscaler")) {
    const workload = workloads.find(({ manifest }) => scalersOf(workspace, manifest).includes(scaler));
    if (workload === undefined) continue;
    for (const [index, metric] of list(at(scaler.value, "spec", "metrics")).entries()) {
      const resource = textAt(metric, "resource", "name");
      if (resource === undefined || at(metric, "resource", "target", "type") !== "Utilization") continue;
      const lacking = workload.containers.find(
        ({ init, value }) =>
          !init &&
          at(value, "resources", "requests", resource) === undefined &&
          at(value, "resources", "limits", resource) === undefined &&
          !isTemplated(value["resources"]),
      );
      if (lacking !== undefined)
        yield problemAt(scaler, {
          path: ["spec", "metrics", index],
          message: `the utilization of ${resource} is a share of the request, and the container ${String(lacking.value["name"])} of ${workload.manifest.name} has none: the autoscaler does nothing`,
        });
    }
  }
}

function* scaleBounds(workspace: Workspace): Iterable<Problem> {
  for (const scaler of objectsOf(workspace, "HorizontalPodAutoscaler")) {
    const { minReplicas, maxReplicas } = fields(scaler.value["spec"]);
    if (typeof minReplicas === "number" && typeof maxReplicas === "number" && minReplicas > maxReplicas)
      yield problemAt(scaler, {
        path: ["spec", "minReplicas"],
        message: `minReplicas ${minReplicas} is above maxReplicas ${maxReplicas}`,
      });
  }
}

const claimsOf = (workspace: Workspace, { manifest, template }: Workload): Manifest[] => {
  const names = new Set(
    list(template.spec["volumes"]).map((volume) => at(volume, "persistentVolumeClaim", "claimName")),
  );
  return objectsOf(workspace, "PersistentVolumeClaim").filter(
    (claim) => names.has(claim.name) && mayBeSameNamespace(claim.namespace, manifest.namespace),
  );
};

const isSingleWriter = (claim: unknown): boolean => {
  const modes = list(at(claim, "spec", "accessModes"));
  return modes.includes("ReadWriteOnce") || modes.includes("ReadWriteOncePod");
};

function* rollingSingleWriter(workspace: Workspace): Iterable<Problem> {
  for (const workload of workloadsOf(workspace)) {
    const { manifest } = workload;
    const strategy = at(manifest.value, "spec", "strategy", "type");
    if (manifest.kind !== "Deployment" || strategy === "Recreate" || isTemplated(strategy)) continue;
    const claim = claimsOf(workspace, workload).find(({ value }) => isSingleWriter(value));
    if (claim === undefined) continue;
    yield problemAt(manifest, {
      path: ["spec", strategy === undefined ? "template" : "strategy"],
      message: `${manifest.name} mounts the claim ${claim.name}, which one node may write, and is replaced by a rolling update: the new pod waits for the volume of the old one`,
    });
  }
}

const DATABASE = /(?:^|\/)(?:postgres|postgresql|mysql|mariadb|minio|mongo|redis|valkey)(?:[:@]|$)/;

const hasBackup = (workspace: Workspace): boolean =>
  workloadsOf(workspace).some(
    ({ manifest, containers }) =>
      manifest.kind === "CronJob" &&
      /dump|backup|restic|wal-g|mirror|rclone/i.test(
        JSON.stringify([
          manifest.name,
          containers.map(({ value }) => [value["image"], value["command"], value["args"]]),
        ]),
      ),
  ) || objectsOf(workspace, "Schedule", "ScheduledBackup", "VolumeSnapshot", "ReplicationSource").length > 0;

function* singleCopies(workspace: Workspace): Iterable<Problem> {
  if (!hasBackup(workspace))
    for (const workload of workloadsOf(workspace)) {
      const { manifest, containers } = workload;
      const database = containers.find(({ value }) => DATABASE.test(String(value["image"])));
      if (database === undefined || (at(manifest.value, "spec", "replicas") ?? 1) !== 1) continue;
      const claims = [
        ...claimsOf(workspace, workload).map(({ value }) => value),
        ...list(at(manifest.value, "spec", "volumeClaimTemplates")),
      ];
      const local = claims.find((claim) =>
        /^local|hostpath/i.test(String(at(claim, "spec", "storageClassName"))),
      );
      if (local !== undefined)
        yield problemAt(manifest, {
          path: ["spec", "replicas"],
          message: `${manifest.name} has one replica on ${String(at(local, "spec", "storageClassName"))} and no backup: when its node is lost, the data is lost`,
        });
    }
  for (const { file, firstLine, text, language, excerpt } of workspace.snippets) {
    // A summary of a manifest in a document: no manifest, but it says the same.
    if (language !== "yaml" || !excerpt || !/local-path|hostPath/.test(text) || /^kind:/m.test(text))
      continue;
    const index = text.split("\n").findIndex((line) => /^\s*replicas:\s*1\b/.test(line));
    if (index >= 0)
      yield {
        file,
        line: firstLine + index,
        message: "one replica on storage of one node: when the node is lost, the data is lost",
      };
  }
}

function* statStatements(workspace: Workspace): Iterable<Problem> {
  if (workspace.snippets.some(({ text }) => /shared_preload_libraries/.test(text))) return;
  for (const map of objectsOf(workspace, "ConfigMap"))
    for (const [key, script] of Object.entries(fields(map.value["data"])))
      if (/create\s+extension[^;]*pg_stat_statements/i.test(String(script)))
        yield problemAt(map, {
          path: ["data", key],
          message:
            "pg_stat_statements is created, but no file sets shared_preload_libraries: reading it fails",
        });
}

export const workloadRules: readonly Rule[] = [
  {
    id: "workload/blocking-budget",
    severity: "error",
    covers: [],
    title: "a disruption budget that blocks drains",
    why: "Upgrades of nodes wait for it until they time out, or are forced.",
    remedy: "Use maxUnavailable: 1, and only where there are two replicas or more.",
    check: budgets,
  },
  {
    id: "workload/replicas-and-autoscaler",
    severity: "warning",
    covers: [],
    title: "a fixed number of replicas under an autoscaler",
    why: "Each sync sets the number back.",
    remedy: "Leave spec.replicas out.",
    check: fixedReplicas,
  },
  {
    id: "workload/utilization-without-request",
    severity: "error",
    covers: [],
    title: "autoscaling by utilization without requests",
    why: "The autoscaler reports FailedGetResourceMetric.",
    remedy: "Set resources.requests in every container of the pod.",
    check: scaledWithoutRequests,
  },
  {
    id: "workload/autoscaler-bounds",
    severity: "error",
    covers: [],
    title: "more replicas at least than at most",
    why: "The API server refuses the autoscaler.",
    remedy: "Raise maxReplicas or lower minReplicas.",
    check: scaleBounds,
  },
  {
    id: "workload/rolling-single-writer",
    severity: "error",
    covers: ["E26"],
    title: "a rolling update of a volume that one node may write",
    why: "The new pod starts before the old one ends; on another node it can never mount the volume, and on the same one two processes write the same files.",
    remedy: "Set strategy.type: Recreate, or use a StatefulSet.",
    check: rollingSingleWriter,
  },
  {
    id: "workload/single-copy",
    severity: "warning",
    covers: ["E26"],
    title: "data on one node, in one replica, without backup",
    why: "local-path and hostPath volumes are folders of a node.",
    remedy:
      "Use an operator with replicas and backups (CloudNativePG), a managed database, or at least network storage and a backup job.",
    check: singleCopies,
  },
  {
    id: "database/extension-not-loaded",
    severity: "error",
    covers: ["E26"],
    title: "pg_stat_statements without the library",
    why: "The extension works only when PostgreSQL loads its library at start.",
    remedy: "Set shared_preload_libraries = 'pg_stat_statements' in postgresql.conf.",
    check: statStatements,
  },
];
