import { componentLabels, namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { KubernetesObject, ManifestResource, Reason, Resource } from "../resource.ts";
import { exceptionsExpire } from "../versions.ts";
import { namespacesOf } from "./namespaces.ts";
import { overlayFolder } from "./part.ts";
import { platformOverlay } from "./platform-folders.ts";

/** Rules for what runs in the cluster, and the exceptions that the platform itself needs. */
export function policies(plan: Plan): Resource[] {
  const { policies: settings } = plan.environment;
  if (settings.engine !== "kyverno") return [];
  const part = "policies";
  const folder = overlayFolder(plan, part);
  const because: Reason[] = [{ setting: "policies.action", why: `the rules' action is ${settings.action}` }];
  const all = rulesOf(plan, settings);
  const exceptions = exceptionsOf(plan);
  return [
    ...all.map((rule): ManifestResource => ({
      kind: "manifest",
      file: `${folder}/${rule.name}.yaml`,
      because,
      comment: rule.why,
      object: policyObject(plan, rule, settings),
    })),
    ...exceptions.map((exception): ManifestResource => ({
      kind: "manifest",
      file: `${folder}/exceptions.yaml`,
      because: [{ setting: exception.setting, why: exception.why }],
      comment: exception.why,
      object: exceptionObject(plan, exception),
    })),
    ...platformOverlay(plan, {
      part,
      overlay: [
        ...all.map(({ name }) => `${name}.yaml`),
        ...(exceptions.length > 0 ? ["exceptions.yaml"] : []),
      ],
      because,
    }),
  ];
}

type Settings = Extract<Plan["environment"]["policies"], { engine: "kyverno" }>;

type Rule = {
  name: string;
  why: string;
  resource: "namespaces" | "pods";
  variables?: readonly { name: string; expression: string }[];
  validations: readonly { message: string; expression: string }[];
  /** Namespaces it leaves alone besides those that all policies do. */
  except?: readonly string[];
};

const CONTAINERS = {
  name: "containers",
  expression: "object.spec.containers + object.spec.?initContainers.orValue([])",
};

function rulesOf(plan: Plan, settings: Settings): Rule[] {
  const { environment } = plan;
  const rules: Rule[] = [
    {
      name: "require-requests-and-memory-limits",
      why: "A pod that says nothing about its size is placed badly, and takes its neighbours along when it grows.",
      resource: "pods",
      variables: [CONTAINERS],
      validations: [
        {
          message: "every container requests cpu and memory",
          expression:
            "variables.containers.all(c, has(c.resources) && has(c.resources.requests) && 'cpu' in c.resources.requests && 'memory' in c.resources.requests)",
        },
        {
          message: "every container has a memory limit",
          expression:
            "variables.containers.all(c, has(c.resources) && has(c.resources.limits) && 'memory' in c.resources.limits)",
        },
      ],
    },
    {
      name: "require-fixed-image-tags",
      why: "The tag `latest`, or none, is something else tomorrow than what was tested today.",
      resource: "pods",
      variables: [CONTAINERS],
      validations: [
        {
          message: "every image has a tag that stays, or a digest",
          expression:
            "variables.containers.all(c, c.image.contains('@sha256:') || (c.image.matches(':[^:/]+$') && !c.image.endsWith(':latest')))",
        },
      ],
    },
    {
      name: "disallow-host-access",
      why: "Whoever has the node has every Secret on it.",
      resource: "pods",
      variables: [CONTAINERS],
      validations: [
        {
          message: "no container is privileged",
          expression: "variables.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
        },
        {
          message: "no pod shares the network, the processes or the memory of its node",
          expression:
            "!object.spec.?hostNetwork.orValue(false) && !object.spec.?hostPID.orValue(false) && !object.spec.?hostIPC.orValue(false)",
        },
        {
          message: "no pod mounts a folder of its node",
          expression: "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath))",
        },
      ],
    },
  ];
  // In a cluster that is not the platform's alone, the namespaces of others are not its business.
  if (environment.target.kind === "kubernetes") return rules;
  if (settings.registries.length > 0) {
    const known = settings.registries.map((registry) => `c.image.startsWith('${registry}/')`).join(" || ");
    rules.push({
      name: "allow-known-registries",
      why: "Images come from registries that somebody looks after. What the platform itself runs is named in this repository.",
      resource: "pods",
      variables: [CONTAINERS],
      validations: [
        {
          message: `images come from ${settings.registries.join(", ")}`,
          expression: `variables.containers.all(c, ${known})`,
        },
      ],
      except: namespacesOf(plan).map(({ name }) => name),
    });
  }
  rules.push({
    name: "require-owner-of-namespace",
    why: "Somebody answers for every namespace.",
    resource: "namespaces",
    validations: [
      {
        message: "every namespace has the label owner",
        expression: "object.metadata.?labels.?owner.orValue('') != ''",
      },
    ],
  });
  return rules;
}

/** Google Cloud makes namespaces for what it adds to a cluster, and Knative's operator one for its ingress. */
const MADE_BY_A_PERSON = {
  name: "made-by-a-person",
  expression: "!['gke-', 'gmp-', 'kourier-'].exists(prefix, object.metadata.name.startsWith(prefix))",
};

function policyObject(plan: Plan, rule: Rule, settings: Settings): KubernetesObject {
  const { name, resource, variables, validations } = rule;
  return {
    apiVersion: "policies.kyverno.io/v1",
    kind: "ValidatingPolicy",
    metadata: { name, labels: componentLabels(plan.environment, "policies") },
    spec: {
      validationActions: [settings.action],
      evaluation: { background: { enabled: true } },
      matchConstraints: {
        namespaceSelector: selectorOf(plan, settings, rule),
        resourceRules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: [resource] },
        ],
      },
      ...(resource === "namespaces" ? { matchConditions: [MADE_BY_A_PERSON] } : {}),
      ...(variables === undefined ? {} : { variables }),
      validations,
    },
  };
}

/**
 * Pods are judged where somebody answers for them: the cluster's own namespaces, and those that a cloud adds to it from time
 * to time, have no owner. In a cluster that is not the platform's alone it judges its own namespaces only.
 */
function selectorOf({ environment }: Plan, { exempt }: Settings, { resource, except = [] }: Rule): object {
  const cluster = resource === "namespaces" ? SYSTEM : [];
  const left = [...new Set([...cluster, namespaces.kyverno, ...exempt, ...except])].sort();
  const others = { key: "kubernetes.io/metadata.name", operator: "NotIn", values: left };
  if (environment.target.kind === "kubernetes") {
    return { matchLabels: { "app.kubernetes.io/part-of": environment.platform }, matchExpressions: [others] };
  }
  return {
    matchExpressions: [...(resource === "pods" ? [{ key: "owner", operator: "Exists" }] : []), others],
  };
}

/** Namespaces that are there before anybody comes. */
const SYSTEM = ["default", "kube-node-lease", "kube-public", "kube-system"];

type Exception = {
  name: string;
  policies: readonly string[];
  namespace: string;
  /** What the name of the pods, or of what makes them, contains; all of the namespace otherwise. */
  pods?: string;
  setting: string;
  why: string;
};

function exceptionsOf({ environment }: Plan): Exception[] {
  const { monitoring, target, serving, tracking, pipelines } = environment;
  const exceptions: Exception[] = [];
  const limits = ["require-requests-and-memory-limits"];
  if (monitoring.engine === "prometheus-operator") {
    exceptions.push({
      name: "monitoring-limits",
      policies: limits,
      namespace: namespaces.monitoring,
      setting: "monitoring.engine",
      why: "The Prometheus stack adds containers to its pods that its chart has no limits for.",
    });
    if (target.kind !== "gcp") {
      exceptions.push({
        name: "node-exporter",
        policies: ["disallow-host-access"],
        namespace: namespaces.monitoring,
        pods: "node-exporter",
        setting: "monitoring.engine",
        why: "node-exporter reads the node: its network, its processes and its file systems.",
      });
    }
  }
  const databases = [tracking.database, ...(pipelines.engine === "zenml" ? [pipelines.database] : [])];
  if (databases.some(({ engine }) => engine === "kubeblocks")) {
    exceptions.push({
      name: "kubeblocks-limits",
      policies: limits,
      namespace: namespaces.kubeBlocks,
      setting:
        tracking.database.engine === "kubeblocks" ? "tracking.database.engine" : "pipelines.database.engine",
      why: "The Jobs that install KubeBlocks' addons name no limits.",
    });
  }
  if (serving.engine === "kserve" && serving.mode === "knative") {
    exceptions.push({
      name: "knative-limits",
      policies: limits,
      namespace: namespaces.knativeOperator,
      setting: "serving.mode",
      why: "The chart of Knative's operator has no limits.",
    });
  }
  return exceptions;
}

function exceptionObject(plan: Plan, exception: Exception): KubernetesObject {
  const { name, policies: refs, namespace, pods } = exception;
  return {
    apiVersion: "policies.kyverno.io/v1",
    kind: "PolicyException",
    metadata: { name, namespace: namespaces.kyverno, labels: componentLabels(plan.environment, "policies") },
    spec: {
      policyRefs: refs.map((policy) => ({ kind: "ValidatingPolicy", name: policy })),
      matchConditions: [
        { name: "namespace", expression: `object.metadata.namespace == '${namespace}'` },
        ...(pods === undefined
          ? []
          : [
              {
                name: "pods",
                expression: `(object.metadata.?name.orValue('') + object.metadata.?generateName.orValue('')).contains('${pods}')`,
              },
            ]),
      ],
      expiresAt: exceptionsExpire,
    },
  };
}
