import { nearest } from "../../schemas/nearest.ts";
import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Path, Workspace } from "../workspace.ts";
import { variablesNamed } from "./jinja-variables.ts";
import { knativeAllows, modeOf } from "./kserve-mode.ts";
import {
  at,
  fields,
  known,
  list,
  mayBeSameNamespace,
  objectsOf,
  problemAt,
  textAt,
  type Fields,
  perWorkspace,
} from "./kubernetes-objects.ts";

/** InferenceServices: mode, autoscaling, placement, credentials. */

type Component = { service: Manifest; value: Fields; path: Path };

const componentsOf = perWorkspace((workspace: Workspace): Component[] =>
  objectsOf(workspace, "InferenceService serving.kserve.io").flatMap((service) =>
    ["predictor", "transformer", "explainer"].flatMap((name) => {
      const value = at(service.value, "spec", name);
      return value === undefined || isTemplated(value)
        ? []
        : [{ service, value: fields(value), path: ["spec", name] }];
    }),
  ),
);

const annotation = (service: Manifest, name: string): string | undefined =>
  textAt(service.value, "metadata", "annotations", name);

const HPA_CLASS = "hpa.autoscaling.knative.dev";

function* scaleMetrics(workspace: Workspace): Iterable<Problem> {
  for (const { service, value, path } of componentsOf(workspace)) {
    const metric = value["scaleMetric"];
    if (!known(metric)) continue;
    const { mode, from } = modeOf(workspace, service);
    const autoscaler = annotation(service, "serving.kserve.io/autoscalerClass");
    const where = [...path, "scaleMetric"];
    const resource = metric === "cpu" || metric === "memory";
    if (autoscaler === "keda") {
      yield problemAt(service, {
        path: where,
        message:
          "KServe refuses scaleMetric together with the autoscaler class keda; KEDA takes spec.predictor.autoScaling",
      });
    } else if (
      mode === "Knative" &&
      resource &&
      annotation(service, "autoscaling.knative.dev/class") !== HPA_CLASS
    ) {
      const why =
        from === "default"
          ? "KServe's default mode is Knative, whose autoscaler"
          : "the autoscaler of Knative mode";
      yield problemAt(service, {
        path: where,
        message: `scaleMetric ${metric}: ${why} admits only concurrency and rps`,
      });
    } else if (mode === "Standard" && !resource) {
      yield problemAt(service, {
        path: where,
        message: `scaleMetric ${metric}: the HPA of Standard mode admits only cpu and memory`,
      });
    }
  }
}

function* scaleToZero(workspace: Workspace): Iterable<Problem> {
  for (const { service, value, path } of componentsOf(workspace)) {
    if (value["minReplicas"] !== 0 || annotation(service, "serving.kserve.io/autoscalerClass") === "keda")
      continue;
    if (modeOf(workspace, service).mode === "Standard")
      yield problemAt(service, {
        path: [...path, "minReplicas"],
        message: "minReplicas 0: an HPA in Standard mode cannot scale to zero",
      });
  }
}

function* replicaBounds(workspace: Workspace): Iterable<Problem> {
  for (const { service, value, path } of componentsOf(workspace)) {
    const { minReplicas, maxReplicas } = value;
    if (
      typeof minReplicas === "number" &&
      typeof maxReplicas === "number" &&
      maxReplicas !== 0 &&
      minReplicas > maxReplicas
    )
      yield problemAt(service, {
        path: [...path, "minReplicas"],
        message: `minReplicas ${minReplicas} is above maxReplicas ${maxReplicas}`,
      });
  }
}

const FEATURES: Readonly<Record<string, string>> = {
  nodeSelector: "nodeselector",
  tolerations: "tolerations",
  affinity: "affinity",
};

function* placement(workspace: Workspace): Iterable<Problem> {
  for (const { service, value, path } of componentsOf(workspace)) {
    if (modeOf(workspace, service).mode !== "Knative") continue;
    const fieldsSet = Object.keys(FEATURES).filter(
      (field) => value[field] !== undefined && !knativeAllows(workspace, FEATURES[field] ?? ""),
    );
    const [first] = fieldsSet;
    if (first === undefined) continue;
    const flags = fieldsSet.map((field) => `kubernetes.podspec-${FEATURES[field]}`).join(", ");
    yield problemAt(service, {
      path: [...path, first],
      message: `${fieldsSet.join(" and ")} of a model in Knative mode: Knative refuses them, as the feature flags ${flags} are disabled by default`,
    });
  }
}

function* credentials(workspace: Workspace): Iterable<Problem> {
  for (const { service, value, path } of componentsOf(workspace)) {
    const uri = textAt(value, "model", "storageUri");
    if (uri === undefined || !uri.startsWith("s3://")) continue;
    const storageUri = [...path, "model", "storageUri"];
    const account = value["serviceAccountName"];
    if (account === undefined) {
      if (!hasStorageConfig(workspace, service))
        yield problemAt(service, {
          path: storageUri,
          message: `${uri} is fetched without credentials: the predictor has no serviceAccountName`,
        });
    } else if (known(account)) {
      yield* accountProblems(workspace, service, { account, path: [...path, "serviceAccountName"] });
    }
  }
}

const hasStorageConfig = (workspace: Workspace, service: Manifest): boolean =>
  objectsOf(workspace, "Secret", "ExternalSecret", "SealedSecret").some(
    ({ name, namespace }) => name === "storage-config" && mayBeSameNamespace(namespace, service.namespace),
  );

type Account = { account: string; path: Path };

function* accountProblems(
  workspace: Workspace,
  service: Manifest,
  { account, path }: Account,
): Iterable<Problem> {
  const found = objectsOf(workspace, "ServiceAccount").find(
    ({ name, namespace }) => name === account && mayBeSameNamespace(namespace, service.namespace),
  );
  if (found === undefined) return;
  const cloud = Object.keys(fields(at(found.value, "metadata", "annotations"))).some(
    (key) => key.startsWith("eks.amazonaws.com/") || isTemplated(key),
  );
  const secrets = list(found.value["secrets"]).map((secret) => at(secret, "name"));
  if (secrets.length === 0 && !cloud) {
    const message = `the ServiceAccount ${account} names no secret, so the storage initializer has no key for s3://`;
    yield problemAt(service, { path, message });
  }
}

/** https://kserve.github.io/website: annotations of services and of storage secrets. */
const ANNOTATIONS = [
  "deploymentMode",
  "autoscalerClass",
  "metric",
  "targetUtilizationPercentage",
  "minScale",
  "maxScale",
  "s3-endpoint",
  "s3-usehttps",
  "s3-region",
  "s3-useanoncredential",
  "s3-verifyssl",
  "s3-usevirtualbucket",
  "s3-useaccelerate",
  "s3-cabundle",
  "s3-cabundle-configmap",
  "server-type",
  "enable-prometheus-scraping",
  "enable-metric-aggregation",
  "enable-auth",
  "storage-initializer-uid",
  "disable-istio-virtual-host",
  "enable-tag-routing",
  "canary-traffic",
  "localmodel",
  "localmodel-pvc-name",
  "modelcache",
];

function* annotations(workspace: Workspace): Iterable<Problem> {
  const PREFIX = "serving.kserve.io/";
  for (const manifest of objectsOf(
    workspace,
    "InferenceService",
    "Secret",
    "ServingRuntime",
    "ClusterServingRuntime",
  )) {
    for (const key of Object.keys(fields(at(manifest.value, "metadata", "annotations")))) {
      if (!key.startsWith(PREFIX) || isTemplated(key) || ANNOTATIONS.includes(key.slice(PREFIX.length)))
        continue;
      const near = nearest(key.slice(PREFIX.length), ANNOTATIONS);
      if (near === undefined) continue;
      yield problemAt(manifest, {
        path: ["metadata", "annotations", key],
        message: `KServe does not read the annotation ${key}; the nearest is ${PREFIX}${near}`,
      });
    }
    const mode = annotation(manifest, `${PREFIX}deploymentMode`);
    if (
      mode !== undefined &&
      !["Standard", "Knative", "RawDeployment", "Serverless", "ModelMesh"].includes(mode)
    )
      yield problemAt(manifest, {
        path: ["metadata", "annotations", `${PREFIX}deploymentMode`],
        message: `there is no deployment mode ${mode}; there are Standard and Knative`,
      });
  }
}

function* contradiction(workspace: Workspace): Iterable<Problem> {
  for (const { document, name, value } of variablesNamed(workspace, /^kserve_.*raw_?deployment/i)) {
    const istio = Object.entries(fields(document.value)).find(
      ([key, on]) => /^kserve_.*istio/i.test(key) && on === true,
    );
    const knative = Object.keys(fields(document.value)).some((key) => key.startsWith("knative_"));
    if (value === true && istio !== undefined)
      yield problemAt(document, {
        path: [name],
        message: `${name} and ${istio[0]} are both true${knative ? ", and Knative is set up as well" : ""}: plain deployments use neither Istio nor Knative`,
      });
  }
}

function* wrongNamespace(workspace: Workspace): Iterable<Problem> {
  const message =
    "KServe's manifest installs into the namespace kserve; what waits for it or looks for it in kserve-system never finds it";
  for (const { document, name, value } of variablesNamed(workspace, /kserve.*namespace/i))
    if (value === "kserve-system") yield problemAt(document, { path: [name], message });
  for (const manifest of objectsOf(
    workspace,
    "Deployment",
    "ServingRuntime",
    "ServiceMonitor",
    "Certificate",
    "NetworkPolicy",
  ))
    if (manifest.namespace === "kserve-system")
      yield problemAt(manifest, { path: ["metadata", "namespace"], message });
  for (const { file, line, words } of workspace.commands)
    if (words.some((word) => /^(?:--namespace=|-n)?kserve-system$/.test(word))) yield { file, line, message };
}

function* clientSideApply(workspace: Workspace): Iterable<Problem> {
  for (const { file, line, words } of workspace.commands) {
    const applies = words.includes("kubectl") && words.includes("apply");
    const crds = words.find(
      (word) => /kserve(?:[-\w]*crds?)?\.yaml$/.test(word) && /kserve\/kserve\/releases|crd/.test(word),
    );
    if (applies && crds !== undefined && !words.some((word) => word.startsWith("--server-side")))
      yield {
        file,
        line,
        message: `kubectl apply of ${crds}: the definition of InferenceService is longer than the annotation that a client-side apply writes`,
      };
  }
}

export const kserveRules: readonly Rule[] = [
  {
    id: "kserve/scale-metric",
    severity: "error",
    covers: ["E36"],
    title: "a scale metric that the autoscaler of the mode does not have",
    why: "KServe's webhook refuses the InferenceService: Knative's autoscaler knows concurrency and rps, the HPA of Standard mode knows cpu and memory.",
    remedy:
      "Set the annotation serving.kserve.io/deploymentMode: Standard and serving.kserve.io/autoscalerClass: hpa, or scale by concurrency.",
    check: scaleMetrics,
  },
  {
    id: "kserve/scale-to-zero",
    severity: "error",
    covers: ["E36"],
    title: "scale to zero in Standard mode",
    why: "A HorizontalPodAutoscaler keeps at least one replica.",
    remedy: "Use minReplicas 1, or Knative mode, or the autoscaler class keda.",
    check: scaleToZero,
  },
  {
    id: "kserve/replica-bounds",
    severity: "error",
    covers: ["E36"],
    title: "more replicas at least than at most",
    why: "KServe's webhook refuses the InferenceService.",
    remedy: "Raise maxReplicas or lower minReplicas.",
    check: replicaBounds,
  },
  {
    id: "kserve/placement-in-knative",
    severity: "error",
    covers: ["E37"],
    title: "node selection that Knative does not let through",
    why: "Knative's webhook refuses pod fields whose feature flag is off, and the flags for node selectors, tolerations and affinity are off by default (1.11 to 1.23).",
    remedy: "Use Standard mode, or enable the flags in the ConfigMap config-features of knative-serving.",
    check: placement,
  },
  {
    id: "kserve/contradicting-modes",
    severity: "error",
    covers: ["E37"],
    title: "plain deployments and Istio or Knative at once",
    why: "Raw deployment (Standard) mode goes around Istio and Knative; which one serves is left to chance.",
    remedy: "Decide for Standard (no Istio, no Knative) or Knative.",
    check: contradiction,
  },
  {
    id: "kserve/no-storage-credentials",
    severity: "error",
    covers: ["E38"],
    title: "a model in S3 without credentials",
    why: "The storage initializer takes its keys from a secret of the pod's ServiceAccount; without one it is refused by the object store.",
    remedy:
      "Set spec.predictor.serviceAccountName to a ServiceAccount whose secrets name a Secret with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the annotations serving.kserve.io/s3-endpoint, s3-usehttps and s3-region.",
    check: credentials,
  },
  {
    id: "kserve/unknown-annotation",
    severity: "error",
    covers: ["E38"],
    title: "an annotation that KServe does not read",
    why: "Annotations are free text to the API server: a misspelt one has no effect.",
    remedy: "Write the annotation as KServe calls it.",
    check: annotations,
  },
  {
    id: "kserve/wrong-namespace",
    severity: "error",
    covers: ["E33"],
    title: "KServe looked for in kserve-system",
    why: "The release manifest has the namespace kserve in it.",
    remedy: "Use the namespace kserve.",
    check: wrongNamespace,
  },
  {
    id: "kserve/client-side-apply",
    severity: "error",
    covers: ["E33"],
    title: "KServe's definitions applied on the client's side",
    why: "kubectl apply keeps the whole object in an annotation, which may hold 256 KiB; the definition of InferenceService is longer.",
    remedy: "Add --server-side; in Argo CD the sync option ServerSideApply=true.",
    check: clientSideApply,
  },
];
