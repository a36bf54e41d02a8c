import type { Plan } from "../../plan.ts";
import { kubeconfigPath } from "../civo/cluster.ts";
import { ref, type Resource, type TerraformBody } from "../resource.ts";
import { commented, extended, terraformFile, variable, type Draft } from "../terraform-block.ts";
import { handOver, stageFolder } from "../terraform-state.ts";

/** How Terraform reaches the cluster, the same way for each provider. */
export function clusterProviders(plan: Plan): Resource[] {
  const folder = stageFolder("platform");
  const { target } = plan.environment;
  const because = [{ setting: "target.kind", why: `How the Kubernetes API of ${target.kind} is reached.` }];
  const access = accessOf(plan);
  const isGoogle = target.kind === "gcp";
  return [
    ...terraformFile(`${folder}/providers.tf`, because, [
      commented(provider("kubernetes", access), ABOUT[target.kind]),
      provider("helm", { kubernetes: access }),
      provider("kubectl", isGoogle ? { ...access, load_config_file: false } : access),
    ]),
    ...terraformFile(`${folder}/variables.tf`, because, isGoogle ? [] : kubeconfigVariables(plan)),
  ];
}

const ABOUT: Record<Plan["environment"]["target"]["kind"], string> = {
  civo: "Nothing of the kubeconfig gets into the state. `terraform -chdir=../cluster output -raw kubeconfig_command`\nsays how to fetch it.",
  gcp: "The DNS endpoint has a certificate that every client trusts; gke-gcloud-auth-plugin brings a token of whoever\nruns Terraform, so that none gets into the state.",
  kubernetes: "The context is named, so that no other cluster is changed by mistake.",
};

const provider = (name: string, body: TerraformBody): Draft => ({ type: "provider", labels: [name], body });

function accessOf({ environment }: Plan): TerraformBody {
  switch (environment.target.kind) {
    case "gcp":
      return {
        host: ref(`data.terraform_remote_state.cluster.outputs.${handOver.clusterEndpoint}`),
        exec: { api_version: "client.authentication.k8s.io/v1beta1", command: "gke-gcloud-auth-plugin" },
      };
    case "civo":
      return { config_path: ref("var.kubeconfig") };
    case "kubernetes":
      return { config_path: ref("var.kubeconfig"), config_context: ref("var.kube_context") };
  }
}

const contextVariable = extended(
  variable("kube_context", "string", "Context of the kubeconfig that is this cluster."),
  {
    validation: {
      condition: ref('var.kube_context != ""'),
      error_message: "Name the context: an empty one would be whichever is current.",
    },
  },
);

function kubeconfigVariables({ environment, prefix }: Plan): Draft[] {
  const isCivo = environment.target.kind === "civo";
  return [
    extended(variable("kubeconfig", "string", "Path of the kubeconfig."), {
      default: isCivo ? kubeconfigPath(prefix) : "~/.kube/config",
    }),
    ...(isCivo ? [] : [contextVariable]),
  ];
}
