import { podSelector } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { adminSecretName, objectStoreSecretName } from "../../plan-secrets.ts";
import type { Reason } from "../resource.ts";
import { explained, fileOf, type FolderFile } from "./kustomize.ts";
import {
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

/** User of the image. */
const USER = 10_001;

/** Where `/metrics` is without a login. */
export const METRICS_PORT = 9464;

/** Longest wait of the server for requests in work, and the time that load balancers get to hear of its end. */
const DRAIN_SECONDS = 30;
const LEAVE_SECONDS = 10;

const env = "spec.template.spec.containers[0].env";

export function plinthBase({ tracking }: Plan, because: readonly Reason[]): FolderFile[] {
  const { name, namespace, containerPort } = tracking;
  return [
    fileOf(because, "serviceaccount.yaml", serviceAccount(tracking)),
    explained(
      fileOf(because, "deployment.yaml", {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name, namespace, labels: podSelector(name) },
        spec: {
          selector: { matchLabels: podSelector(name) },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template: {
            metadata: { labels: podSelector(name) },
            spec: {
              serviceAccountName: name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              terminationGracePeriodSeconds: LEAVE_SECONDS + DRAIN_SECONDS + 20,
              securityContext: podSecurity(USER),
              topologySpreadConstraints: spread(name),
              containers: [
                {
                  name,
                  image: "plinth:0.1.0",
                  imagePullPolicy: "IfNotPresent",
                  args: ["server"],
                  ports: [
                    { name: "http", containerPort, protocol: "TCP" },
                    { name: "metrics", containerPort: METRICS_PORT, protocol: "TCP" },
                  ],
                  env: [
                    variable("PLINTH_HOST", "0.0.0.0"),
                    variable("PLINTH_PORT", String(containerPort)),
                    variable("PLINTH_METRICS_PORT", String(METRICS_PORT)),
                    variable("PLINTH_DATA_DIR", "/var/lib/plinth"),
                    variable("PLINTH_DRAIN_TIMEOUT_SECONDS", String(DRAIN_SECONDS)),
                    secretVariable("PLINTH_ADMIN_PASSWORD", adminSecretName, "PLINTH_ADMIN_PASSWORD"),
                    secretVariable("PLINTH_SECRETS_KEY", "plinth-encryption", "PLINTH_SECRETS_KEY"),
                    ...["PLINTH_S3_ACCESS_KEY_ID", "PLINTH_S3_SECRET_ACCESS_KEY"].map((key) =>
                      secretVariable(key, objectStoreSecretName, key),
                    ),
                  ],
                  startupProbe: httpProbe("/health", { periodSeconds: 5, failureThreshold: 60 }),
                  livenessProbe: httpProbe("/health", { periodSeconds: 10, failureThreshold: 6 }),
                  readinessProbe: httpProbe("/ready", { periodSeconds: 5, failureThreshold: 3 }),
                  lifecycle: { preStop: { sleep: { seconds: LEAVE_SECONDS } } },
                  securityContext: containerSecurity,
                  volumeMounts: [
                    { name: "data", mountPath: "/var/lib/plinth" },
                    { name: "tmp", mountPath: "/tmp" },
                  ],
                },
              ],
              volumes: [
                { name: "data", emptyDir: { sizeLimit: "1Gi" } },
                { name: "tmp", emptyDir: { sizeLimit: "1Gi" } },
              ],
            },
          },
        },
      }),
      {
        comment:
          "Plinth's server. There is no migration Job: each copy brings the schema up to date when it starts, one at a time under a lock of the database, and older copies go on working meanwhile.",
        notes: {
          "spec.template.spec.enableServiceLinks":
            "Kubernetes would set PLINTH_PORT and others for the Service of the same name.",
          "spec.template.spec.terminationGracePeriodSeconds": `${LEAVE_SECONDS} s until no load balancer sends more, then ${DRAIN_SECONDS} s for requests in work (PLINTH_DRAIN_TIMEOUT_SECONDS), and some to close.`,
          [`${env}[2]`]:
            "Metrics ask for no login there: only the monitoring reaches that port, and no Service has it.",
          [`${env}[5]`]:
            "Of the first administrator, `admin`, who is made at the first start. It is not looked at any more when there is one.",
          "spec.template.spec.containers[0].startupProbe":
            "A new version migrates the database before it listens: that may take minutes.",
          "spec.template.spec.volumes[0]": "Nothing lasting: state is in the database and in the bucket.",
        },
      },
    ),
    fileOf(because, "service.yaml", service(tracking, [{ name: "http", port: tracking.port }])),
  ];
}

/** Addresses of pods, whichever of these the cluster gives them. */
const PRIVATE_NETWORKS = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7";

/** Where the bucket is and by which names the server is known. */
export function plinthEnvironment({ environment, tracking, buckets, store }: Plan): EnvironmentVariable[] {
  const { name, namespace, host } = tracking;
  const hosts = [
    ...(environment.tracking.exposure.kind === "cluster" ? [] : [host]),
    name,
    `${name}.${namespace}`,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}.svc.cluster.local`,
  ];
  return [
    // Also Google's storage is spoken to as S3.
    variable("PLINTH_BLOB_STORE", `s3://${buckets.artifacts}/${name}`),
    variable("PLINTH_S3_ENDPOINT", store.endpoint),
    variable("PLINTH_S3_REGION", store.region),
    variable("PLINTH_S3_PATH_STYLE", String(store.pathStyle)),
    variable("PLINTH_ALLOWED_HOSTS", hosts.join(",")),
    ...(environment.tracking.exposure.kind === "cluster"
      ? []
      : [
          variable("PLINTH_PUBLIC_URL", `https://${host}`),
          // The gateway's pods, which say where a request comes from: logins are limited by that.
          variable("PLINTH_TRUSTED_PROXIES", PRIVATE_NETWORKS),
        ]),
  ];
}
