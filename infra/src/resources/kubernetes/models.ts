import { googleServiceAccount, gpuPoolLabel, modelReaderAccount } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { Model } from "../../spec/components.ts";
import type { KubernetesObject, ManifestResource, Reason, Resource } from "../resource.ts";
import { gpuPoolsOf } from "./gpu.ts";
import { explained, fileOf, partFolders, type FolderFile, type Patch } from "./kustomize.ts";
import { disruptionBudget } from "./pods.ts";

type KServe = Extract<Plan["environment"]["serving"], { engine: "kserve" }>;

/** What KServe serves: the account that reads the bucket, and an InferenceService per model. */
export function modelResources(plan: Plan): Resource[] {
  const { environment } = plan;
  const { serving } = environment;
  if (serving.engine !== "kserve") return [];
  const because: Reason[] = [{ setting: "serving.engine", why: "KServe serves models." }];
  return partFolders({
    plan,
    name: "models",
    namespace: serving.namespace,
    because,
    base: [fileOf(because, "serviceaccount.yaml", reader(plan, serving))],
    overlay: {
      files: serving.models.flatMap((model, at) => modelFiles(plan, serving, { model, at })),
      patches: googleIdentity(plan),
    },
  });
}

/** How KServe's storage initializer gets at the bucket: keys in a Secret of the account, or Google's identity. */
const reader = ({ environment }: Plan, { namespace }: KServe): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: modelReaderAccount, namespace },
  ...(environment.objectStore.engine === "gcs" ? {} : { secrets: [{ name: "model-storage" }] }),
  automountServiceAccountToken: false,
});

function googleIdentity({ environment }: Plan): Patch[] {
  const account = googleServiceAccount(environment, "models");
  if (environment.objectStore.engine !== "gcs" || account === undefined) return [];
  return [
    {
      target: { version: "v1", kind: "ServiceAccount", name: modelReaderAccount },
      change: { metadata: { annotations: { "iam.gke.io/gcp-service-account": account } } },
    },
  ];
}

type Place = { model: Model; at: number };

function modelFiles(plan: Plan, serving: KServe, { model, at }: Place): FolderFile[] {
  const because: Reason[] = [
    { setting: `serving.models[${at}]`, why: `The model ${model.name} is served by KServe.` },
  ];
  const files = [
    explained(
      fileOf(because, `${model.name}.yaml`, inferenceService(plan, serving, model)),
      remarks(serving, model),
    ),
  ];
  if (model.minReplicas >= 2 && serving.mode === "standard") {
    const budget = disruptionBudget(
      { name: model.name, namespace: serving.namespace },
      { "serving.kserve.io/inferenceservice": model.name, component: "predictor" },
    );
    files.push(
      fileOf(because, `${model.name}.yaml`, {
        ...budget,
        metadata: { name: model.name, namespace: serving.namespace },
      }),
    );
  }
  return files;
}

function remarks(serving: KServe, model: Model): Pick<ManifestResource, "notes"> {
  const notes: Record<string, string> = {
    "spec.predictor.model.resources.limits.cpu":
      "KServe's runtimes limit themselves to one core unless a limit stands here.",
  };
  if (serving.mode === "standard") {
    notes['metadata.annotations["serving.kserve.io/deploymentMode"]'] =
      "Cannot be changed once the service is there.";
  }
  if (model.scaleMetric === "cpu" || model.scaleMetric === "memory") {
    notes["spec.predictor.scaleTarget"] = `Percent of the requested ${model.scaleMetric}.`;
  } else {
    notes["spec.predictor.scaleTarget"] =
      model.scaleMetric === "rps"
        ? "Requests per second of a pod."
        : "Requests that a pod works on at a time.";
  }
  if (model.gpu !== undefined) {
    notes["spec.predictor.tolerations"] = "Nodes with accelerators keep other pods away.";
  }
  return { notes };
}

function inferenceService(plan: Plan, serving: KServe, model: Model): KubernetesObject {
  const standard = serving.mode === "standard";
  const format = FORMATS[model.format];
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: {
      name: model.name,
      namespace: serving.namespace,
      annotations: {
        "serving.kserve.io/deploymentMode": standard ? "Standard" : "Knative",
        ...(standard ? { "serving.kserve.io/autoscalerClass": "hpa" } : {}),
      },
    },
    spec: {
      predictor: {
        serviceAccountName: modelReaderAccount,
        minReplicas: model.minReplicas,
        maxReplicas: model.maxReplicas,
        scaleMetric: model.scaleMetric,
        scaleTarget: model.scaleTarget,
        // Knative refuses a seccomp profile of the pod.
        ...(standard
          ? { securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } }
          : {}),
        ...placement(plan, model),
        model: {
          modelFormat: {
            name: format.name,
            ...(format.version === undefined ? {} : { version: format.version }),
          },
          ...(format.protocol === undefined ? {} : { protocolVersion: format.protocol }),
          storageUri: storageAddress(plan, model),
          resources: modelResourceList(plan, model),
        },
      },
    },
  };
}

/** Formats as KServe's own runtimes name them; `mlflow` is served by its runtime for MLServer (protocol v2 only). */
const FORMATS: Record<Model["format"], { name: string; version?: string; protocol?: "v1" | "v2" }> = {
  mlflow: { name: "mlflow", version: "2", protocol: "v2" },
  sklearn: { name: "sklearn", version: "1", protocol: "v2" },
  xgboost: { name: "xgboost", version: "1", protocol: "v2" },
  lightgbm: { name: "lightgbm", version: "3", protocol: "v2" },
  pytorch: { name: "pytorch", version: "1" },
  onnx: { name: "onnx", version: "1", protocol: "v2" },
  tensorflow: { name: "tensorflow" },
  huggingface: { name: "huggingface" },
};

const storageAddress = ({ store, buckets }: Plan, { storage }: Model): string =>
  /^(s3|gs):\/\//.test(storage) ? storage : `${store.scheme}://${buckets.models}/${storage}`;

function modelResourceList(plan: Plan, { resources, gpu }: Model): Record<string, unknown> {
  const { cpu, memory, memoryLimit } = resources;
  // The limits of the runtime are merged with these: its one core would stay below a larger request.
  const own = { requests: { cpu, memory }, limits: { cpu, memory: memoryLimit } };
  const pool = gpuPoolsOf(plan.environment).find(({ name }) => name === gpu?.pool);
  if (gpu === undefined || pool === undefined) return own;
  // Asked for and limited alike: accelerators cannot be shared.
  const accelerators = { [pool.resource]: String(gpu.count) };
  return { requests: { ...own.requests, ...accelerators }, limits: { ...own.limits, ...accelerators } };
}

function placement(plan: Plan, { gpu }: Model): Record<string, unknown> {
  const pool = gpuPoolsOf(plan.environment).find(({ name }) => name === gpu?.pool);
  if (pool === undefined) return {};
  const { target } = plan.environment;
  // Autopilot makes a node for the accelerator that is asked for; elsewhere the pools carry their name.
  const nodeSelector =
    target.kind === "gcp" && target.cluster.mode === "autopilot" && pool.accelerator !== undefined
      ? { "cloud.google.com/gke-accelerator": pool.accelerator }
      : { [gpuPoolLabel]: pool.name };
  return {
    nodeSelector,
    tolerations: [{ key: pool.resource, operator: "Exists", effect: "NoSchedule" }],
  };
}
