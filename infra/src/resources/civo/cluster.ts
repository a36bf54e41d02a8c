import { gpuPoolLabel } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { CivoTarget } from "../../spec/target.ts";
import { ref, template, type Reason, type Resource, type TerraformBody } from "../resource.ts";
import {
  commented,
  noted,
  output,
  protection,
  resource,
  terraformFile,
  variable,
} from "../terraform-block.ts";
import { versionsResource } from "../terraform-state.ts";
import { moduleFolder } from "./folders.ts";

/** The cluster with its nodes, and a pool of nodes for each kind of accelerator. */
export function clusterModule(plan: Plan, target: CivoTarget): Resource[] {
  const folder = moduleFolder("cluster");
  const { type, gpuPools } = target.cluster;
  const because: Reason[] = [
    { setting: "target.cluster", why: `A ${type} cluster of ${target.cluster.nodes} nodes at Civo.` },
  ];
  const gpus: Reason[] = [
    { setting: "target.cluster.gpuPools", why: "Models with accelerators run on nodes of their own." },
  ];
  return [
    ...terraformFile(`${folder}/main.tf`, because, [
      commented(
        noted(resource("civo_kubernetes_cluster", "main", clusterBody(plan, target)), {
          applications: "Civo's own ingress would take the ports that the Gateway serves.",
          write_kubeconfig: "It would stand in the state. `civo kubernetes config` fetches it.",
        }),
        "Civo changes version and number of nodes of a running cluster. It refuses another type, CNI, network,\nset of applications or size of nodes: that is a new cluster beside this one, and a move.",
      ),
      gpuPools.length === 0
        ? undefined
        : {
            ...commented(
              resource("civo_kubernetes_node_pool", "gpu", {
                for_each: ref("var.gpu_pools"),
                cluster_id: ref("civo_kubernetes_cluster.main.id"),
                label: ref("each.key"),
                size: ref("each.value.size"),
                node_count: ref("each.value.nodes"),
                labels: ref(`{ "${gpuPoolLabel}" = each.key }`),
                taint: { key: ref("each.value.resource"), value: "present", effect: "NoSchedule" },
              }),
              "The taint keeps pods away that ask for no accelerator.",
            ),
            because: gpus,
          },
    ]),
    ...terraformFile(`${folder}/variables.tf`, because, [
      variable("name", "string", "Name of the cluster."),
      variable("network_id", "string", "Network of the nodes."),
      variable("firewall_id", "string", "Firewall of the nodes, of the same network."),
      variable("cluster_type", "string", "Distribution: k3s or talos."),
      variable("kubernetes_version", "string", "Version as Civo writes it, for example 1.32.5-k3s1."),
      variable("cni", "string", "Network plugin: flannel or cilium."),
      variable("node_size", "string", "Size of the nodes."),
      variable("node_count", "number", "Number of nodes."),
      variable("tags", "string", "Tags, separated by spaces."),
      ...(gpuPools.length === 0
        ? []
        : [
            variable(
              "gpu_pools",
              "map(object({ size = string, nodes = number, resource = string }))",
              "Pools of nodes with accelerators, by name.",
            ),
          ]),
    ]),
    ...terraformFile(`${folder}/outputs.tf`, because, [
      output("name", ref("civo_kubernetes_cluster.main.name"), "Name of the cluster."),
      output(
        "api_endpoint",
        ref("civo_kubernetes_cluster.main.api_endpoint"),
        "Address of the Kubernetes API.",
      ),
    ]),
    versionsResource(plan.environment, folder, ["civo"]),
  ];
}

function clusterBody({ environment }: Plan, { cluster }: CivoTarget): TerraformBody {
  return {
    name: ref("var.name"),
    network_id: ref("var.network_id"),
    firewall_id: ref("var.firewall_id"),
    cluster_type: ref("var.cluster_type"),
    kubernetes_version: ref("var.kubernetes_version"),
    cni: ref("var.cni"),
    ...(cluster.type === "k3s" ? { applications: "metrics-server,-Traefik-v2-nodeport" } : {}),
    tags: ref("var.tags"),
    write_kubeconfig: false,
    pools: { label: "workers", size: ref("var.node_size"), node_count: ref("var.node_count") },
    ...protection(environment.tier === "production"),
  };
}

/** What the root module gives the cluster's module. */
export function clusterInputs({ environment, prefix }: Plan, { cluster }: CivoTarget): TerraformBody {
  return {
    name: prefix,
    network_id: ref("module.network.network_id"),
    firewall_id: ref("module.network.firewall_id"),
    cluster_type: cluster.type,
    kubernetes_version: cluster.version,
    cni: cluster.cni,
    node_size: cluster.size,
    node_count: cluster.nodes,
    tags: `platform=${environment.platform} environment=${environment.name} owner=${environment.owner}`,
    ...(cluster.gpuPools.length === 0
      ? {}
      : {
          gpu_pools: Object.fromEntries(
            cluster.gpuPools.map(({ name, size = cluster.size, nodes, resource: asked }) => [
              name,
              { size, nodes, resource: asked },
            ]),
          ),
        }),
  };
}

/** Where the kubeconfig lies after `kubeconfig_command`, and what stage 2 reads. */
export const kubeconfigPath = (prefix: string): string => `~/.kube/${prefix}`;

export const clusterOutputs = (target: CivoTarget, prefix: string) => [
  output("cluster_name", ref("module.cluster.name"), "Name of the cluster."),
  output("api_endpoint", ref("module.cluster.api_endpoint"), "Address of the Kubernetes API."),
  output(
    "kubeconfig_command",
    template`civo kubernetes config ${ref("module.cluster.name")} --region ${target.region} --save --local-path ${kubeconfigPath(prefix)}`,
    "Fetches the kubeconfig that stage platform uses.",
  ),
];
