import type { Plan } from "../../plan.ts";
import type { Resources } from "../../spec/values.ts";
import { call, ref, template, type TerraformValue } from "../resource.ts";
import { element, extended, variable, type Draft } from "../terraform-block.ts";
import { handOver } from "../terraform-state.ts";
import type { ComponentSpec, Registration } from "./registration.ts";

/** The stack of what the platform itself has, for environments that name none. */
export function platformStack(plan: Plan): { registration: Registration; variables: Draft[] } {
  const store = artifactStore(plan);
  const tracker = experimentTracker(plan);
  const registry = containerRegistry(plan);
  const orchestrator = kubernetesOrchestrator(plan);
  const components: ComponentSpec[] = [
    store.component,
    orchestrator.component,
    tracker.component,
    registry.component,
    {
      name: "docker",
      type: "image_builder",
      flavor: "local",
      configuration: {},
      comment: "Images are built where pipelines are started, by Docker.",
    },
  ];
  return {
    registration: {
      secrets: [...store.secrets, ...tracker.secrets],
      connectors: [],
      components,
      stacks: [
        {
          name: plan.prefix,
          components: Object.fromEntries(components.map(({ type, name }) => [type, name])),
          labels: {},
        },
      ],
    },
    variables: [...store.variables, ...orchestrator.variables, ...tracker.variables, ...registry.variables],
  };
}

type Part = { component: ComponentSpec; secrets: Registration["secrets"]; variables: Draft[] };

const secretVariable = (name: string, description: string): Draft =>
  extended(variable(name, "string", description), { sensitive: true });

function artifactStore(plan: Plan): Part {
  const { store, buckets, environment } = plan;
  const path = `${store.scheme}://${buckets.artifacts}/zenml`;
  if (store.scheme === "gs") {
    const component: ComponentSpec = {
      name: "artifacts",
      type: "artifact_store",
      flavor: "gcp",
      configuration: { path },
      comment: "Steps reach the bucket by Workload Identity, people as themselves: there is no key.",
    };
    return { component, secrets: [], variables: [] };
  }
  const isCivo = environment.objectStore.engine === "civo";
  const known = (part: string): TerraformValue =>
    element(
      `data.terraform_remote_state.cluster.outputs.${handOver.secrets}`,
      `${plan.prefix}-tracking-object-store-${part}`,
    );
  return {
    component: {
      name: "artifacts",
      type: "artifact_store",
      flavor: "s3",
      configuration: {
        path,
        authentication_secret: ref("zenml_secret.object_store.name"),
        client_kwargs: call("jsonencode", { endpoint_url: store.endpoint, region_name: store.region }),
      },
    },
    secrets: [
      {
        name: "object-store",
        values: {
          aws_access_key_id: isCivo ? known("id") : ref("var.object_store_access_key_id"),
          aws_secret_access_key: isCivo ? known("secret") : ref("var.object_store_secret_access_key"),
        },
        why: "Keys of the bucket of artifacts, in ZenML's own secret store.",
      },
    ],
    variables: isCivo
      ? []
      : [
          secretVariable("object_store_access_key_id", "Access key id of the bucket of artifacts."),
          secretVariable("object_store_secret_access_key", "Secret access key of the bucket of artifacts."),
        ],
  };
}

function kubernetesOrchestrator({ environment, prefix, pipelines }: Plan): Part {
  const { target } = environment;
  // The names that the command-line tools of the clouds give their contexts.
  const context =
    target.kind === "civo"
      ? prefix
      : target.kind === "gcp"
        ? `gke_${target.project}_${target.region}_${prefix}`
        : undefined;
  const kubeContext = variable(
    "kube_context",
    "string",
    "Context of this cluster in the kubeconfig of those who start pipelines.",
  );
  return {
    component: {
      name: "kubernetes",
      type: "orchestrator",
      flavor: "kubernetes",
      configuration: {
        kubernetes_context: ref("var.kube_context"),
        kubernetes_namespace: pipelines?.namespace,
        // The account that Workload Identity gives the bucket to.
        ...(target.kind === "gcp" ? { step_pod_service_account_name: pipelines?.serviceAccount } : {}),
        pod_settings: podSettings({ cpu: "500m", memory: "1Gi", memoryLimit: "4Gi" }),
        orchestrator_pod_settings: podSettings({ cpu: "100m", memory: "512Mi", memoryLimit: "1Gi" }),
      } as Record<string, TerraformValue>,
      comment:
        "Steps run as pods of ZenML's namespace, which admits none that is root or names no resources. A step that\nneeds more says so in its settings.",
    },
    secrets: [],
    variables: [context === undefined ? kubeContext : extended(kubeContext, { default: context })],
  };
}

/** Pods as the namespace wants them. ZenML makes the files of its images writable for every user. */
const podSettings = ({ cpu, memory, memoryLimit }: Resources): TerraformValue =>
  call("jsonencode", {
    container_security_context: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: "RuntimeDefault" },
    },
    resources: { requests: { cpu, memory }, limits: { memory: memoryLimit } },
  });

function experimentTracker({ tracking }: Plan): Part {
  const uri = `http://${tracking.name}.${tracking.namespace}.svc.cluster.local:${tracking.port}`;
  return {
    component: {
      name: "tracking",
      type: "experiment_tracker",
      flavor: "mlflow",
      configuration: {
        tracking_uri: uri,
        tracking_token: template`{{${ref("zenml_secret.tracking.name")}.token}}`,
      },
    },
    secrets: [
      {
        name: "tracking",
        values: { token: tracking.name === "plinth" ? ref("var.tracking_token") : "none" },
        why:
          tracking.name === "plinth"
            ? "Key of a service account of Plinth, in ZenML's own secret store."
            : "MLflow's server asks for no login within the cluster, but ZenML refuses an address without a token.",
      },
    ],
    variables:
      tracking.name === "plinth"
        ? [
            secretVariable(
              "tracking_token",
              "Key of a service account that steps log with: plinth service-account create zenml, plinth role assign zenml editor, plinth key create zenml --for zenml.",
            ),
          ]
        : [],
  };
}

function containerRegistry({ environment }: Plan): Part {
  const isGoogle = environment.target.kind === "gcp";
  return {
    component: {
      name: "images",
      type: "container_registry",
      flavor: isGoogle ? "gcp" : "default",
      configuration: {
        uri: ref(
          isGoogle ? "data.terraform_remote_state.cluster.outputs.registry" : "var.container_registry_uri",
        ),
      },
    },
    secrets: [],
    variables: isGoogle
      ? []
      : [
          variable(
            "container_registry_uri",
            "string",
            "Where images of steps are pushed, for example ghcr.io/acme. The cluster must be able to pull from it.",
          ),
        ],
  };
}
