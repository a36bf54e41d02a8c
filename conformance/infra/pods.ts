// The pods that the workloads of an output would run, and pods that no careful platform lets in.
import type { KubernetesObject } from "./api-server.ts";

type Template = {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: PodSpec;
};
export type PodSpec = {
  containers: { name: string; ports?: { containerPort: number }[]; [field: string]: unknown }[];
  serviceAccountName?: string;
  [field: string]: unknown;
};

export interface WorkloadPod {
  /** The workload, as in `Deployment tracking/plinth`. */
  readonly workload: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  readonly object: KubernetesObject;
}

function templateOf({ kind, ...object }: KubernetesObject): Template | undefined {
  const spec = object["spec"] as { template?: Template; jobTemplate?: { spec: { template: Template } } };
  if (["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"].includes(kind)) return spec.template;
  return kind === "CronJob" ? spec.jobTemplate?.spec.template : undefined;
}

/** One pod for each workload that the output itself writes; those of operators and charts are not known here. */
export function podsIn(objects: readonly KubernetesObject[]): WorkloadPod[] {
  return objects.flatMap((object) => {
    const template = templateOf(object);
    if (template === undefined) return [];
    const { name, namespace = "default" } = object.metadata;
    const metadata = { ...template.metadata, name: `${name}-try`, namespace };
    return [
      {
        workload: `${object.kind} ${namespace}/${name}`,
        namespace,
        labels: template.metadata?.labels ?? {},
        spec: template.spec,
        object: { apiVersion: "v1", kind: "Pod", metadata, spec: template.spec },
      },
    ];
  });
}

const container = {
  name: "main",
  image: "registry.example.com/main:1.0.0",
  resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "64Mi" } },
};
const careful = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const nobody = { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: "RuntimeDefault" } };

/** What the profile `baseline` of Pod Security forbids, and `restricted` too. */
const againstBaseline: Readonly<Record<string, PodSpec>> = {
  privileged: {
    securityContext: nobody,
    containers: [{ ...container, securityContext: { privileged: true } }],
  },
  "the host's network": {
    hostNetwork: true,
    securityContext: nobody,
    containers: [{ ...container, securityContext: careful }],
  },
  "the host's processes": {
    hostPID: true,
    securityContext: nobody,
    containers: [{ ...container, securityContext: careful }],
  },
  "a folder of the host": {
    securityContext: nobody,
    containers: [{ ...container, securityContext: careful }],
    volumes: [{ name: "host", hostPath: { path: "/etc" } }],
  },
  "more rights": {
    securityContext: nobody,
    containers: [{ ...container, securityContext: { capabilities: { add: ["SYS_ADMIN"] } } }],
  },
};

/** What only `restricted` forbids. */
const againstRestricted: Readonly<Record<string, PodSpec>> = {
  "nothing said": { containers: [container] },
  root: {
    securityContext: { ...nobody, runAsUser: 0 },
    containers: [{ ...container, securityContext: careful }],
  },
  "any system call": {
    securityContext: { runAsNonRoot: true, runAsUser: 10_001 },
    containers: [{ ...container, securityContext: careful }],
  },
  "rights by programs": {
    securityContext: nobody,
    containers: [{ ...container, securityContext: { capabilities: { drop: ["ALL"] } } }],
  },
};

/** Specs that must be refused in a namespace that enforces this profile, by what is wrong with each. */
export function forbiddenBy(profile: string | undefined): Readonly<Record<string, PodSpec>> {
  if (profile === "restricted") return { ...againstBaseline, ...againstRestricted };
  return profile === "baseline" ? againstBaseline : {};
}

/** Let in under any profile. */
export const carefulPod: PodSpec = {
  securityContext: nobody,
  containers: [{ ...container, securityContext: careful }],
};
