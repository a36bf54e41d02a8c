import { podSelector } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { objectStoreSecretName } from "../../plan-secrets.ts";
import type { Reason } from "../resource.ts";
import { explained, fileOf, type FolderFile } from "./kustomize.ts";
import { isAmazon } from "./part.ts";
import {
  containerResources,
  containerSecurity,
  httpProbe,
  podSecurity,
  secretVariable,
  service,
  serviceAccount,
  spread,
  variable,
  type EnvironmentVariable,
} from "./pods.ts";

const USER = 1000;
const IMAGE = "ghcr.io/mlflow/mlflow:v3.12.0-full";

/** The last of the four numbers of an address has one to three digits; the last label of a name is never a number. */
const ADDRESSES = ["[0-9]", "[0-9][0-9]", "[0-9][0-9][0-9]"];

const temporary = { name: "tmp", mountPath: "/tmp" };
const temporaryVolume = { name: "tmp", emptyDir: { sizeLimit: "4Gi" } };

/** The image's root file system is read-only, so is its home. */
const home = [variable("HOME", "/tmp"), variable("PYTHONDONTWRITEBYTECODE", "1")];

export function mlflowBase(plan: Plan, because: readonly Reason[]): FolderFile[] {
  const { tracking } = plan;
  return [
    fileOf(because, "serviceaccount.yaml", serviceAccount(tracking)),
    migration(plan, because),
    deployment(plan, because),
    fileOf(because, "service.yaml", service(tracking, [{ name: "http", port: tracking.port }])),
  ];
}

function migration({ tracking }: Plan, because: readonly Reason[]): FolderFile {
  const name = "mlflow-db-upgrade";
  return explained(
    fileOf(because, "db-upgrade-job.yaml", {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name,
        namespace: tracking.namespace,
        labels: podSelector(name),
        annotations: {
          "argocd.argoproj.io/hook": "Sync",
          "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
          "argocd.argoproj.io/sync-wave": "0",
        },
      },
      spec: {
        backoffLimit: 6,
        activeDeadlineSeconds: 3600,
        template: {
          metadata: { labels: podSelector(name) },
          spec: {
            restartPolicy: "Never",
            serviceAccountName: tracking.name,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: podSecurity(USER),
            containers: [
              {
                name: "upgrade",
                image: IMAGE,
                imagePullPolicy: "IfNotPresent",
                command: ["sh", "-c"],
                args: [
                  [
                    'MLFLOW_TRACKING_URI="$MLFLOW_BACKEND_STORE_URI" mlflow experiments search >/dev/null || true',
                    'exec mlflow db upgrade "$MLFLOW_BACKEND_STORE_URI"',
                    "",
                  ].join("\n"),
                ],
                env: home,
                resources: containerResources({ cpu: "250m", memory: "512Mi", memoryLimit: "2Gi" }),
                securityContext: containerSecurity,
                volumeMounts: [temporary],
              },
            ],
            volumes: [temporaryVolume],
          },
        },
      },
    }),
    {
      comment:
        "Brings the schema up to date once, before any copy of the server starts: copies that start together would do it at the same time, and each refuses to start on a schema that is out of date. A Sync hook and not PreSync, because hooks before the synchronisation run before the service account is there.",
      notes: {
        "spec.template.spec.containers[0].args":
          "A database without tables gets them from the first command; `db upgrade` alone fails there (no table metrics).",
      },
    },
  );
}

function deployment({ tracking }: Plan, because: readonly Reason[]): FolderFile {
  const { name, namespace, containerPort } = tracking;
  return explained(
    fileOf(because, "deployment.yaml", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        name,
        namespace,
        labels: podSelector(name),
        annotations: { "argocd.argoproj.io/sync-wave": "1" },
      },
      spec: {
        selector: { matchLabels: podSelector(name) },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: { labels: podSelector(name) },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            terminationGracePeriodSeconds: 60,
            securityContext: podSecurity(USER),
            topologySpreadConstraints: spread(name),
            containers: [
              {
                name,
                image: IMAGE,
                imagePullPolicy: "IfNotPresent",
                command: ["mlflow", "server"],
                args: [
                  "--host=0.0.0.0",
                  `--port=${containerPort}`,
                  "--serve-artifacts",
                  "--expose-prometheus=/tmp/metrics",
                ],
                ports: [{ name: "http", containerPort, protocol: "TCP" }],
                env: home,
                startupProbe: httpProbe("/health", { periodSeconds: 5, failureThreshold: 36 }),
                livenessProbe: httpProbe("/health", { periodSeconds: 10, failureThreshold: 6 }),
                readinessProbe: httpProbe("/health", { periodSeconds: 5, failureThreshold: 3 }),
                lifecycle: { preStop: { sleep: { seconds: 10 } } },
                securityContext: containerSecurity,
                volumeMounts: [temporary],
              },
            ],
            volumes: [temporaryVolume],
          },
        },
      },
    }),
    {
      comment:
        "MLflow has no users: who reaches it is decided by the NetworkPolicies of this namespace and by the gateway.",
      notes: {
        'metadata.annotations["argocd.argoproj.io/sync-wave"]': "After the Job that migrates the database.",
        "spec.template.spec.enableServiceLinks":
          "For the Service of the same name Kubernetes would set MLFLOW_PORT to tcp://..., which the server reads as its port.",
        "spec.template.spec.containers[0].args[2]":
          "Artifacts go through the server (MLFLOW_ARTIFACTS_DESTINATION): clients need no keys of the bucket.",
      },
    },
  );
}

/** Where artifacts go, how many processes, by which names the server is known. */
export function mlflowEnvironment(plan: Plan): EnvironmentVariable[] {
  const { environment, tracking, buckets, store } = plan;
  const { tracking: settings } = environment;
  const { name, host, port } = tracking;
  const isRouted = settings.exposure.kind !== "cluster";
  return [
    variable("MLFLOW_WORKERS", String(settings.engine === "mlflow" ? settings.workers : 1)),
    variable("MLFLOW_ARTIFACTS_DESTINATION", `${store.scheme}://${buckets.artifacts}/${name}`),
    ...(store.scheme === "s3" ? s3Environment(plan) : []),
    variable(
      "MLFLOW_SERVER_ALLOWED_HOSTS",
      [
        ...(isRouted ? [host] : []),
        ...inClusterHosts(plan),
        ...ADDRESSES.map((last) => `*.${last}:${port}`),
      ].join(","),
    ),
    ...(isRouted ? [variable("MLFLOW_SERVER_CORS_ALLOWED_ORIGINS", `https://${host}`)] : []),
  ];
}

/** Names of the Service, and as people reach it by port-forward. MLflow compares them with their port. */
function inClusterHosts({ tracking }: Plan): string[] {
  const { name, namespace, port } = tracking;
  const names = [
    name,
    `${name}.${namespace}`,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}.svc.cluster.local`,
  ];
  return [...names.map((known) => `${known}:${port}`), "localhost:*", "127.0.0.1:*"];
}

function s3Environment({ store }: Plan): EnvironmentVariable[] {
  return [
    variable("MLFLOW_S3_ENDPOINT_URL", store.endpoint),
    variable("AWS_DEFAULT_REGION", store.region),
    ...(store.pathStyle ? [variable("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "path")] : []),
    // Newer boto3 sends checksums that only Amazon's and few other stores understand.
    ...(isAmazon(store)
      ? []
      : ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"].map((name) =>
          variable(name, "when_required"),
        )),
    ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((key) =>
      secretVariable(key, objectStoreSecretName, key),
    ),
  ];
}
