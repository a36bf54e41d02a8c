import { namespaces, podSelector } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { KubernetesObject, Reason, Resource } from "../resource.ts";
import { bucketScript, bucketUsers, userPolicy } from "./bucket-script.ts";
import { explained, fileOf, partFolders, type FolderFile } from "./kustomize.ts";
import { storageClassOf } from "./part.ts";
import {
  containerResources,
  containerSecurity,
  podSecurity,
  secretVariable,
  service,
  serviceAccount,
  variable,
} from "./pods.ts";

type MinIo = Extract<Plan["environment"]["objectStore"], { engine: "minio" }>;

const USER = 1000;
const place = { name: "minio", namespace: namespaces.objectStore };

/** MinIO with a volume, its buckets, and a user for each of its clients. Not for production: one node, no copy. */
export function minioResources(plan: Plan): Resource[] {
  const { environment } = plan;
  const { objectStore } = environment;
  if (objectStore.engine !== "minio") return [];
  const because: Reason[] = [
    { setting: "objectStore.engine", why: "MinIO holds artifacts and models within the cluster." },
  ];
  return partFolders({
    plan,
    ...place,
    because,
    base: [
      fileOf(because, "serviceaccount.yaml", serviceAccount(place)),
      fileOf(because, "pvc.yaml", volume()),
      deployment(objectStore, because),
      fileOf(
        because,
        "service.yaml",
        service(place, [
          { name: "api", port: 9000 },
          { name: "console", port: 9001 },
        ]),
      ),
      fileOf(because, "configmap.yaml", setUp(plan)),
      bucketJob(plan, objectStore, because),
    ],
    overlay: {
      patches: [
        {
          target: { version: "v1", kind: "PersistentVolumeClaim", name: place.name },
          change: {
            spec: {
              storageClassName: storageClassOf(environment),
              resources: { requests: { storage: objectStore.storage } },
            },
          },
        },
      ],
    },
  });
}

const volume = (): KubernetesObject => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { ...place, labels: podSelector(place.name) },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "100Gi" } } },
});

function deployment({ image, credentials }: MinIo, because: readonly Reason[]): FolderFile {
  const { name, namespace } = place;
  const probe = (path: string, failureThreshold: number): Record<string, unknown> => ({
    httpGet: { path, port: "api" },
    timeoutSeconds: 5,
    periodSeconds: 10,
    failureThreshold,
  });
  return explained(
    fileOf(because, "deployment.yaml", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace, labels: podSelector(name) },
      spec: {
        replicas: 1,
        selector: { matchLabels: podSelector(name) },
        strategy: { type: "Recreate" },
        template: {
          metadata: { labels: podSelector(name) },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: podSecurity(USER),
            containers: [
              {
                name,
                image,
                imagePullPolicy: "IfNotPresent",
                args: ["server", "/data", "--console-address=:9001"],
                ports: [
                  { name: "api", containerPort: 9000, protocol: "TCP" },
                  { name: "console", containerPort: 9001, protocol: "TCP" },
                ],
                env: [
                  secretVariable("MINIO_ROOT_USER", credentials.secret, "MINIO_ROOT_USER"),
                  secretVariable("MINIO_ROOT_PASSWORD", credentials.secret, "MINIO_ROOT_PASSWORD"),
                  variable("MINIO_PROMETHEUS_AUTH_TYPE", "public"),
                ],
                startupProbe: probe("/minio/health/live", 30),
                livenessProbe: probe("/minio/health/live", 6),
                readinessProbe: probe("/minio/health/ready", 3),
                resources: containerResources({ cpu: "250m", memory: "512Mi", memoryLimit: "2Gi" }),
                securityContext: containerSecurity,
                volumeMounts: [
                  { name: "data", mountPath: "/data" },
                  { name: "tmp", mountPath: "/tmp" },
                ],
              },
            ],
            volumes: [
              { name: "data", persistentVolumeClaim: { claimName: name } },
              { name: "tmp", emptyDir: { sizeLimit: "1Gi" } },
            ],
          },
        },
      },
    }),
    {
      notes: {
        "spec.strategy":
          "The volume is one pod's at a time: the new pod would wait for the old one for ever.",
        "spec.template.spec.enableServiceLinks":
          "Kubernetes would set variables that begin with MINIO_ for the Service of the same name.",
        "spec.template.spec.containers[0].env[2]":
          "Metrics without a token: the NetworkPolicy lets in those who may read them.",
      },
    },
  );
}

const setUpName = "minio-buckets";

const setUp = (plan: Plan): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: setUpName, namespace: place.namespace, labels: podSelector(setUpName) },
  data: {
    "buckets.sh": bucketScript(plan),
    ...Object.fromEntries(bucketUsers(plan).map((user) => [`${user.name}.json`, userPolicy(user)])),
  },
});

function bucketJob(
  plan: Plan,
  { image, clientImage, credentials }: MinIo,
  because: readonly Reason[],
): FolderFile {
  const keys = bucketUsers(plan).flatMap(({ variable: user }) => [
    `${user}_ACCESS_KEY_ID`,
    `${user}_SECRET_ACCESS_KEY`,
  ]);
  return explained(
    fileOf(because, "bucket-job.yaml", {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name: setUpName,
        namespace: place.namespace,
        labels: podSelector(setUpName),
        annotations: {
          "argocd.argoproj.io/hook": "PostSync",
          "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        },
      },
      spec: {
        backoffLimit: 6,
        activeDeadlineSeconds: 900,
        template: {
          metadata: { labels: podSelector(setUpName) },
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: podSecurity(USER),
            containers: [
              {
                name: "buckets",
                image: clientImage ?? image,
                imagePullPolicy: "IfNotPresent",
                command: ["sh", "/scripts/buckets.sh"],
                env: [
                  variable("MC_CONFIG_DIR", "/tmp/mc"),
                  ...["MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", ...keys].map((key) =>
                    secretVariable(key, credentials.secret, key),
                  ),
                ],
                resources: containerResources({ cpu: "50m", memory: "64Mi", memoryLimit: "256Mi" }),
                securityContext: containerSecurity,
                volumeMounts: [
                  { name: "scripts", mountPath: "/scripts", readOnly: true },
                  { name: "tmp", mountPath: "/tmp" },
                ],
              },
            ],
            volumes: [
              { name: "scripts", configMap: { name: setUpName } },
              { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
            ],
          },
        },
      },
    }),
    {
      comment:
        "Makes the buckets, and a user with rights on its own bucket for each client: nobody but this Job uses the root account. A hook, because a Job cannot be changed: Argo CD removes the last one and makes a new one.",
    },
  );
}
