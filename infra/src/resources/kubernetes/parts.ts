import { clientLabel, namespaces, podSelector } from "../../names.ts";
import type { Component, Plan } from "../../plan.ts";
import type { Exposure } from "../../spec/components.ts";
import { databaseParts, databasePeer } from "./database-parts.ts";
import { metricsPortOf } from "./model-metrics.ts";
import { METRICS_PORT } from "./plinth.ts";
import {
  baseFolder,
  identityFlow,
  objectStoreFlow,
  overlayFolder,
  type Flow,
  type Part,
  type Route,
  type Workload,
} from "./part.ts";

/** Every part of the components, in the order that a reader expects: state first, what uses it after. */
export function partsOf(plan: Plan): Part[] {
  const { environment, tracking, pipelines } = plan;
  const parts: Part[] = [];
  if (environment.objectStore.engine === "minio") parts.push(minioPart(plan));
  parts.push(...databaseParts(plan, tracking, environment.tracking.database));
  parts.push(trackingPart(plan));
  if (pipelines !== undefined && environment.pipelines.engine === "zenml") {
    parts.push(...databaseParts(plan, pipelines, environment.pipelines.database));
    parts.push(zenmlPart(plan, pipelines));
  }
  if (environment.serving.engine === "kserve") parts.push(modelsPart(plan, environment.serving));
  return parts;
}

function minioPart(plan: Plan): Part {
  const { environment, tracking } = plan;
  const { serving } = environment;
  const namespace = namespaces.objectStore;
  const users: Flow[] = [
    {
      peer: { kind: "pods", namespace: tracking.namespace, selector: podSelector(tracking.name) },
      ports: [9000],
      why: "artifacts",
    },
  ];
  if (serving.engine === "kserve") {
    users.push({
      peer: { kind: "namespace", namespace: serving.namespace },
      ports: [9000],
      why: "models, read by the storage initializer",
    });
  }
  if (plan.pipelines !== undefined && environment.pipelines.engine === "zenml") {
    users.push({
      peer: { kind: "namespace", namespace: plan.pipelines.namespace },
      ports: [9000],
      why: "artifacts of pipelines",
    });
  }
  for (const part of plan.environment.backup.enabled ? databasesInCluster(plan) : []) {
    const [pods] = part.workloads;
    if (pods === undefined) continue;
    users.push({
      peer: { kind: "pods", namespace: pods.namespace, selector: pods.selector },
      ports: [9000],
      why: `backups of ${part.name}`,
    });
  }
  const setUp: Workload = {
    name: "minio-buckets",
    namespace,
    selector: podSelector("minio-buckets"),
    ingress: [],
    egress: [
      {
        peer: { kind: "pods", namespace, selector: podSelector("minio") },
        ports: [9000],
        why: "makes buckets and users",
      },
    ],
  };
  return {
    name: "minio",
    title: "MinIO, the object store of environments that are not production",
    namespace,
    overlay: overlayFolder(plan, "minio"),
    after: ["namespaces", "secrets"],
    workloads: [
      {
        name: "minio",
        namespace,
        selector: podSelector("minio"),
        ingress: [
          ...users,
          {
            peer: { kind: "pods", namespace, selector: podSelector("minio-buckets") },
            ports: [9000],
            why: "set-up of buckets and users",
          },
          { peer: { kind: "monitoring" }, ports: [9000], why: "metrics" },
        ],
        egress: [],
        metrics: {
          by: "service",
          selector: podSelector("minio"),
          port: "api",
          path: "/minio/v2/metrics/cluster",
        },
      },
      setUp,
    ],
    routes: [],
  };
}

/** The parts of databases that run as pods of this cluster. */
function databasesInCluster(plan: Plan): Part[] {
  const { environment, tracking, pipelines } = plan;
  return [
    ...databaseParts(plan, tracking, environment.tracking.database),
    ...(pipelines !== undefined && environment.pipelines.engine === "zenml"
      ? databaseParts(plan, pipelines, environment.pipelines.database)
      : []),
  ];
}

const gatewayFlow = (exposure: Exposure, port: number): Flow[] =>
  exposure.kind === "cluster"
    ? []
    : [{ peer: { kind: "gateway" }, ports: [port], why: "its route at the gateway" }];

function routesOf(component: Component, exposure: Exposure, healthPath: string): Route[] {
  if (exposure.kind === "cluster") return [];
  const { name, namespace, host, port } = component;
  return [{ name, namespace, host, service: name, port, exposure, healthPath }];
}

function trackingPart(plan: Plan): Part {
  const { environment, tracking, pipelines } = plan;
  const { exposure, database } = environment.tracking;
  const { name, namespace, containerPort } = tracking;
  const pods: Workload = {
    name,
    namespace,
    selector: podSelector(name),
    ingress: [
      ...gatewayFlow(exposure, containerPort),
      {
        peer: { kind: "labelled-namespaces", labels: clientLabel("tracking") },
        ports: [containerPort],
        why: "training and notebooks, in namespaces that are given access",
      },
      ...(pipelines === undefined
        ? []
        : [
            {
              peer: { kind: "namespace", namespace: pipelines.namespace } as const,
              ports: [containerPort],
              why: "steps of pipelines log here",
            },
          ]),
      {
        peer: { kind: "monitoring" },
        ports: [name === "plinth" ? METRICS_PORT : containerPort],
        why: "metrics",
      },
    ],
    egress: [
      databasePeer(plan, tracking, database),
      objectStoreFlow(plan, "artifacts"),
      ...(name === "mlflow" ? identityFlow(plan) : []),
    ],
    metrics:
      name === "plinth"
        ? { by: "pods", selector: podSelector(name), port: "metrics", path: "/metrics" }
        : { by: "service", selector: podSelector(name), port: "http", path: "/metrics" },
  };
  const workloads = [pods];
  if (name === "mlflow") {
    workloads.push({
      name: "mlflow-db-upgrade",
      namespace,
      selector: podSelector("mlflow-db-upgrade"),
      ingress: [],
      egress: [databasePeer(plan, tracking, database)],
    });
  }
  return {
    name,
    title: "Experiment tracking and model registry",
    namespace,
    overlay: overlayFolder(plan, name),
    after: [
      "namespaces",
      "secrets",
      ...databaseParts(plan, tracking, database).map((part) => part.name),
      ...(environment.objectStore.engine === "minio" ? ["minio"] : []),
    ],
    workloads,
    routes: routesOf(tracking, exposure, "/health"),
  };
}

function zenmlPart(plan: Plan, zenml: Component): Part {
  const { pipelines } = plan.environment;
  if (pipelines.engine !== "zenml") throw new Error("There is no ZenML in this environment.");
  const { namespace, containerPort } = zenml;
  const database = databasePeer(plan, zenml, pipelines.database);
  return {
    name: "zenml",
    title: "Pipelines, stacks and connectors",
    namespace,
    overlay: overlayFolder(plan, "zenml"),
    chart: {
      name: "zenml",
      release: "zenml",
      valueFiles: [`${baseFolder("zenml")}/values.yaml`, `${overlayFolder(plan, "zenml")}/values.yaml`],
    },
    // The chart migrates the database before anything else of it is applied: all it needs is in earlier parts.
    after: [
      "namespaces",
      "secrets",
      ...databaseParts(plan, zenml, pipelines.database).map((part) => part.name),
    ],
    workloads: [
      {
        name: "zenml",
        namespace,
        // Also the chart's migration Job carries these labels.
        selector: podSelector("zenml"),
        ingress: [
          ...gatewayFlow(pipelines.exposure, containerPort),
          {
            peer: { kind: "namespace", namespace },
            ports: [containerPort],
            why: "steps of pipelines report here",
          },
          {
            peer: { kind: "labelled-namespaces", labels: clientLabel("pipelines") },
            ports: [containerPort],
            why: "clients in namespaces that are given access",
          },
        ],
        egress: [
          database,
          { peer: { kind: "internet" }, ports: [443], why: "service connectors verify clouds" },
          ...identityFlow(plan),
        ],
      },
      pipelineSteps(plan, zenml),
    ],
    routes: routesOf(zenml, pipelines.exposure, "/health"),
  };
}

/** What a pipeline runs: pods that ZenML makes, with labels that differ by its release, so all of the namespace. */
function pipelineSteps(plan: Plan, { namespace, containerPort }: Component): Workload {
  const { tracking } = plan;
  return {
    name: "pipeline-steps",
    namespace,
    selector: {},
    ingress: [],
    egress: [
      {
        peer: { kind: "pods", namespace, selector: podSelector("zenml") },
        ports: [containerPort],
        why: "steps report to the server",
      },
      {
        peer: { kind: "pods", namespace: tracking.namespace, selector: podSelector(tracking.name) },
        ports: [tracking.containerPort],
        why: "steps log metrics and models",
      },
      objectStoreFlow(plan, "artifacts of steps"),
      {
        peer: { kind: "kubernetes-api" },
        ports: [443, 6443],
        why: "the orchestrator starts one pod per step",
      },
      ...identityFlow(plan),
    ],
  };
}

type KServe = Extract<Plan["environment"]["serving"], { engine: "kserve" }>;

function modelsPart(plan: Plan, serving: KServe): Part {
  const { namespace, exposure, mode } = serving;
  // Behind Knative's queue-proxy, which its activator and autoscaler also talk to.
  const ports = mode === "knative" ? [8012, 8013, 8022] : [8080, 9000];
  const metricsPorts = [...new Set(serving.models.flatMap(({ format }) => metricsPortOf(format) ?? []))];
  return {
    name: "models",
    title: "Models served by KServe",
    namespace,
    overlay: overlayFolder(plan, "models"),
    after: [
      "namespaces",
      "secrets",
      "kserve",
      ...(plan.environment.objectStore.engine === "minio" ? ["minio"] : []),
    ],
    workloads: [
      {
        name: "models",
        namespace,
        selector: {},
        ingress: [
          ...(exposure.kind === "cluster"
            ? []
            : [{ peer: { kind: "gateway" } as const, ports, why: "their routes at the gateway" }]),
          ...(mode === "knative"
            ? [
                {
                  peer: { kind: "namespace", namespace: namespaces.knative } as const,
                  ports: [...ports, 9090],
                  why: "Knative's activator and autoscaler",
                },
              ]
            : []),
          {
            peer: { kind: "labelled-namespaces", labels: clientLabel("models") },
            ports,
            why: "clients in namespaces that are given access",
          },
          ...(metricsPorts.length === 0
            ? []
            : [{ peer: { kind: "monitoring" } as const, ports: metricsPorts, why: "metrics" }]),
        ],
        egress: [
          objectStoreFlow(plan, "models, read by the storage initializer"),
          ...identityFlow(plan),
          ...(mode === "knative"
            ? [
                {
                  peer: { kind: "namespace", namespace: namespaces.knative } as const,
                  ports: [8080],
                  why: "queue-proxies report to Knative's autoscaler",
                },
              ]
            : []),
        ],
      },
    ],
    routes: [],
  };
}
