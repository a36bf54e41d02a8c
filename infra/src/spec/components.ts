import { z } from "zod";
import { database } from "./state.ts";
import {
  autoscaling,
  cidr,
  dnsLabel,
  email,
  labels,
  replicas,
  resources,
  secretReference,
} from "./values.ts";

/** The parts of the platform, and which engine serves each. */

/** Who reaches a component from outside of the cluster. */
const exposure = z.discriminatedUnion("kind", [
  /** Nobody: from within the cluster, or by port-forward. */
  z.strictObject({ kind: z.literal("cluster") }),
  /** Everybody, through the gateway; the component has its own login. */
  z.strictObject({ kind: z.literal("public") }),
  /** Those who log in at the gateway. The entry holds an htpasswd file (SHA) under the key `.htpasswd`. */
  z.strictObject({ kind: z.literal("gateway-login"), users: secretReference }),
  /** Addresses in these networks. */
  z.strictObject({ kind: z.literal("networks"), cidrs: z.array(cidr).min(1) }),
]);
export type Exposure = z.infer<typeof exposure>;

const image = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.:-]*(\/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})(@sha256:[0-9a-f]{64})?$/,
    "registry/repository:tag, with @sha256:... where it is to be pinned",
  )
  .refine((value) => !/:latest(@|$)/.test(value), "a tag that stays: `latest` is something else tomorrow");

const common = {
  replicas,
  autoscaling: autoscaling.optional(),
  resources,
  exposure: exposure.default({ kind: "cluster" }),
  database,
};

export const tracking = z.discriminatedUnion("engine", [
  /** Tracking and registry by Plinth, on PostgreSQL. */
  z.strictObject({ engine: z.literal("plinth"), image, ...common }),
  /** Upstream's own server. The default image has no database drivers: `-full`, or your own. */
  z.strictObject({
    engine: z.literal("mlflow"),
    image: image.default("ghcr.io/mlflow/mlflow:v3.12.0-full"),
    workers: z.int().min(1).max(32).default(4),
    ...common,
  }),
]);

export const pipelines = z.discriminatedUnion("engine", [
  z.strictObject({ engine: z.literal("none") }),
  /** ZenML's own server, by its official chart, on MySQL. */
  z.strictObject({
    engine: z.literal("zenml"),
    version: z
      .string()
      .regex(/^\d+\.\d+\.\d+$/, "a release, for example 0.98.0")
      .default("0.98.0"),
    ...common,
    /** The first administrator. Without it whoever comes first to a new server owns it. */
    activation: z
      .strictObject({
        user: z
          .string()
          .regex(/^[a-z][a-z0-9_.-]*$/)
          .default("admin"),
        /** Entry with the password under the key `password`. */
        password: secretReference.default({ secret: "zenml-admin" }),
      })
      .optional(),
  }),
]);

const model = z.strictObject({
  name: dnsLabel,
  format: z.enum([
    "mlflow",
    "sklearn",
    "xgboost",
    "lightgbm",
    "pytorch",
    "onnx",
    "tensorflow",
    "huggingface",
  ]),
  /** Path below the bucket of models, or a whole address (s3://, gs://). */
  storage: z
    .string()
    .regex(/^((s3|gs):\/\/[a-z0-9.-]+\/\S+|[A-Za-z0-9][\w./-]*)$/, "a path, or s3:// or gs://"),
  minReplicas: z.int().min(0).max(100).default(1),
  maxReplicas: z.int().min(1).max(100).default(3),
  /** What more replicas are made for. `concurrency` and `rps` are Knative's, `cpu` and `memory` Standard mode's. */
  scaleMetric: z.enum(["cpu", "memory", "concurrency", "rps"]).default("cpu"),
  scaleTarget: z.int().min(1).max(10_000).default(80),
  resources: resources.prefault({ cpu: "1", memory: "2Gi", memoryLimit: "4Gi" }),
  gpu: z.strictObject({ pool: dnsLabel, count: z.int().min(1).max(16).default(1) }).optional(),
});
export type Model = z.infer<typeof model>;

export const serving = z.discriminatedUnion("engine", [
  z.strictObject({ engine: z.literal("none") }),
  z.strictObject({
    engine: z.literal("kserve"),
    mode: z.enum(["standard", "knative"]).default("standard"),
    namespace: dnsLabel.default("models"),
    exposure: exposure.default({ kind: "cluster" }),
    models: z.array(model).default([]),
  }),
]);

export const secrets = z.discriminatedUnion("engine", [
  z.strictObject({
    engine: z.literal("external-secrets"),
    store: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("gcp-secret-manager"), project: z.string() }),
      /** A ClusterSecretStore that the cluster's owner made. */
      z.strictObject({ kind: z.literal("existing"), name: dnsLabel }),
    ]),
    refresh: z
      .string()
      .regex(/^\d+(s|m|h)$/, "a duration, for example 1h")
      .default("1h"),
  }),
  z.strictObject({ engine: z.literal("sealed") }),
  /** For development: `make secrets` puts random ones into the cluster, nothing is in Git. */
  z.strictObject({ engine: z.literal("plain") }),
]);

export const policies = z.discriminatedUnion("engine", [
  z.strictObject({ engine: z.literal("none") }),
  z.strictObject({
    engine: z.literal("kyverno"),
    action: z.enum(["Audit", "Deny"]),
    /** Namespaces the policies leave alone besides the cluster's own. */
    exempt: z.array(dnsLabel).default([]),
    /** Registries, or folders of registries, that images in namespaces of others may come from; any when none is named. */
    registries: z
      .array(
        z.string().regex(/^[a-z0-9][a-z0-9.:-]*(\/[a-z0-9._-]+)*$/, "a registry, for example ghcr.io/acme"),
      )
      .default([]),
  }),
]);

export const monitoring = z.discriminatedUnion("engine", [
  z.strictObject({ engine: z.literal("none") }),
  z.strictObject({
    engine: z.literal("prometheus-operator"),
    /** Name of the Helm release: its Prometheus looks only for monitors with this label. */
    release: dnsLabel.default("kube-prometheus-stack"),
    retentionDays: z.int().min(1).max(365).default(15),
    storage: z.string().default("20Gi"),
  }),
  /** Google's managed Prometheus. */
  z.strictObject({ engine: z.literal("managed") }),
]);

export const gateway = z.strictObject({
  engine: z.enum(["envoy-gateway", "kgateway", "gke"]),
  namespace: dnsLabel.default("gateway-system"),
  /** Whom Let's Encrypt writes when a certificate is not renewed. */
  contact: email,
  /** Let's Encrypt's staging has no limits and is not trusted by browsers. */
  issuer: z.enum(["production", "staging"]).default("production"),
});

export const gitOps = z.strictObject({
  repository: z
    .string()
    .regex(/^(https:\/\/[^\s@]+|git@[^\s:]+:\S+)$/, "the address of a Git repository without credentials"),
  revision: z.string().default("main"),
  /** Folder of the output in the repository; `{environment}` stands for its name. */
  path: z
    .string()
    .regex(/^[\w{}][\w{}./-]*$/, "a path within the repository")
    .default("deploy/{environment}"),
});

const component = z.strictObject({
  name: dnsLabel,
  type: z.enum([
    "artifact_store",
    "container_registry",
    "experiment_tracker",
    "image_builder",
    "orchestrator",
    "step_operator",
  ]),
  flavor: z.string(),
  configuration: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  connector: dnsLabel.optional(),
});

/** Stacks and connectors to register with the pipeline server once it runs. */
export const stacks = z.strictObject({
  connectors: z
    .array(
      z.strictObject({
        name: dnsLabel,
        type: z.enum(["aws", "azure", "docker", "gcp", "hyperai", "kubernetes"]),
        authMethod: z.string(),
        resourceType: z.string(),
        resourceId: z.string().optional(),
        configuration: z.record(z.string(), z.string()).default({}),
      }),
    )
    .default([]),
  components: z.array(component).default([]),
  stacks: z
    .array(
      z.strictObject({
        name: dnsLabel,
        /** Component names by type. A stack needs an orchestrator and an artifact store. */
        components: z.record(z.string(), dnsLabel),
        labels: labels.default({}),
      }),
    )
    .default([]),
});
export type Stacks = z.infer<typeof stacks>;
