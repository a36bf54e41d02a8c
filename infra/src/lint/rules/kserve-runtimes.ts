import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Path, Workspace } from "../workspace.ts";
import { filledIn } from "./jinja-variables.ts";
import {
  at,
  environment,
  fields,
  list,
  objectsOf,
  problemAt,
  textAt,
  workloadsOf,
  type Container,
} from "./kubernetes-objects.ts";

/** Serving runtimes: image, reach, and what MLServer needs to be told. */

const RUNTIMES = ["ServingRuntime serving.kserve.io", "ClusterServingRuntime serving.kserve.io"];

const containersOf = (runtime: Manifest): Container[] =>
  list(at(runtime.value, "spec", "containers")).map((value, index) => ({
    value: fields(value),
    path: ["spec", "containers", index],
    init: false,
  }));

const isMlserver = (container: Container): boolean => /\bmlserver\b/.test(String(container.value["image"]));

function* images(workspace: Workspace): Iterable<Problem> {
  const places = [
    ...objectsOf(workspace, ...RUNTIMES).map((manifest) => ({
      manifest,
      containers: containersOf(manifest),
    })),
    ...workloadsOf(workspace),
  ];
  for (const { manifest, containers } of places)
    for (const { value, path } of containers) {
      const image = value["image"];
      if (typeof image === "string" && image.startsWith("ghcr.io/kserve/mlserver"))
        yield problemAt(manifest, {
          path: [...path, "image"],
          message: `${image}: KServe publishes no image of this name`,
        });
    }
}

function* reach(workspace: Workspace): Iterable<Problem> {
  const services = objectsOf(workspace, "InferenceService serving.kserve.io");
  for (const runtime of objectsOf(workspace, "ServingRuntime serving.kserve.io")) {
    const namespace = filledIn(workspace, runtime.namespace);
    if (namespace === undefined) continue;
    const users = services.filter((service) => wants(service, runtime));
    const strangers = users.filter((service) => filledIn(workspace, service.namespace) !== namespace);
    const [stranger] = strangers;
    if (stranger === undefined || strangers.length < users.length || stranger.namespace === undefined)
      continue;
    yield problemAt(runtime, {
      path: ["kind"],
      message: `the ServingRuntime ${runtime.name} in ${namespace} is not seen by the InferenceService ${stranger.name} in ${stranger.namespace}: a ServingRuntime serves its own namespace only`,
    });
  }
}

/** Whether a service asks for the runtime by name, or leaves the choice and has a model of one of its formats. */
function wants(service: Manifest, runtime: Manifest): boolean {
  const named = at(service.value, "spec", "predictor", "model", "runtime");
  if (named !== undefined) return named === runtime.name;
  const format = textAt(service.value, "spec", "predictor", "model", "modelFormat", "name");
  return list(at(runtime.value, "spec", "supportedModelFormats")).some(
    (one) => at(one, "name") === format && at(one, "autoSelect") === true,
  );
}

const NEEDED: readonly (readonly [name: string, value: string])[] = [
  ["MLSERVER_MODEL_IMPLEMENTATION", "{{.Labels.modelClass}}"],
  ["MLSERVER_HTTP_PORT", "8080"],
  ["MLSERVER_GRPC_PORT", "9000"],
];

function* mlserver(workspace: Workspace): Iterable<Problem> {
  for (const runtime of objectsOf(workspace, ...RUNTIMES)) {
    const container = containersOf(runtime).find(isMlserver);
    if (container === undefined) continue;
    const protocols = list(at(runtime.value, "spec", "protocolVersions"));
    const lacks = [
      ...(protocols.includes("v2") || protocols.some(isTemplated) ? [] : ["protocolVersions: [v2]"]),
      ...(at(runtime.value, "metadata", "annotations", "serving.kserve.io/server-type") === "mlserver"
        ? []
        : ["the annotation serving.kserve.io/server-type: mlserver"]),
      ...NEEDED.filter(([name]) => environment(container, name) === undefined).map(
        ([name, value]) => `the variable ${name}=${value}`,
      ),
    ];
    if (lacks.length === 0) continue;
    yield problemAt(runtime, {
      path: ["spec"],
      message: `the MLServer runtime ${runtime.name} lacks ${lacks.join(", ")}`,
    });
  }
}

function* withoutEffect(workspace: Workspace): Iterable<Problem> {
  for (const runtime of objectsOf(workspace, ...RUNTIMES))
    for (const container of containersOf(runtime)) {
      const uri = environment(container, "MLFLOW_TRACKING_URI");
      if (uri !== undefined)
        yield problemAt(runtime, {
          path: uri.path,
          message: "MLFLOW_TRACKING_URI has no effect in a runtime: the model comes from storageUri",
        });
    }
}

const GPU = /(?:^|\/|_)gpu(?:_|$)|nvidia\.com\//;

function* gpus(workspace: Workspace): Iterable<Problem> {
  for (const runtime of objectsOf(workspace, ...RUNTIMES))
    for (const { value, path } of containersOf(runtime))
      for (const section of ["limits", "requests"]) {
        const names = Object.keys(fields(at(value, "resources", section)));
        const gpu = names.find((name) => GPU.test(filledIn(workspace, name) ?? name));
        if (gpu === undefined) continue;
        const where: Path = [...path, "resources", section, gpu];
        yield problemAt(runtime, {
          path: where,
          message: `a GPU in the runtime ${runtime.name} is asked for by every model that it serves`,
        });
      }
}

export const kserveRuntimeRules: readonly Rule[] = [
  {
    id: "kserve/unpublished-image",
    severity: "error",
    covers: ["E34"],
    title: "an MLServer image that KServe does not publish",
    why: "The image of MLServer is published by Seldon; a pod with another name stays in ImagePullBackOff.",
    remedy: "Use docker.io/seldonio/mlserver with a tag of MLServer, for example 1.7.1.",
    check: images,
  },
  {
    id: "kserve/runtime-out-of-reach",
    severity: "error",
    covers: ["E35"],
    title: "a ServingRuntime in another namespace than its models",
    why: "KServe looks for runtimes in the namespace of the InferenceService, then among the ClusterServingRuntimes.",
    remedy:
      "Make it a ClusterServingRuntime, or put it into the namespace of the models. KServe's own kserve-mlserver serves mlflow models already.",
    check: reach,
  },
  {
    id: "kserve/incomplete-mlserver",
    severity: "error",
    covers: ["E35"],
    title: "an MLServer runtime that does not say what MLServer needs",
    why: "Without the model class MLServer does not know what to load; on other ports KServe's probes and agent do not find it; without protocolVersions v2 no service that asks for v2 selects it.",
    remedy: "Take over these settings from KServe's own runtime kserve-mlserver.",
    check: mlserver,
  },
  {
    id: "kserve/tracking-uri-in-runtime",
    severity: "warning",
    covers: ["E35"],
    title: "a tracking server in a serving runtime",
    why: "The storage initializer downloads the model from storageUri; nothing in the runtime asks the tracking server.",
    remedy: "Remove the variable; point storageUri at the model's files.",
    check: withoutEffect,
  },
  {
    id: "kserve/gpu-in-runtime",
    severity: "warning",
    covers: ["E35"],
    title: "a GPU in a serving runtime",
    why: "Every model of the runtime takes a GPU, the small ones too.",
    remedy: "Ask for the GPU in the InferenceService that needs it.",
    check: gpus,
  },
];
