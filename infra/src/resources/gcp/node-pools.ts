import { gpuPoolLabel } from "../../names.ts";
import type { GcpTarget, GpuPool } from "../../spec/target.ts";
import { ref, type Reason, type TerraformBody } from "../resource.ts";
import { resourceBlock, type Block } from "../terraform-module.ts";
import { because, type Scope } from "./scope.ts";

/** What a node may do is decided by the roles of its service account, not by these scopes. */
export const nodeScopes = ["https://www.googleapis.com/auth/cloud-platform"];

/** Node pools of a cluster in Standard mode. Numbers are of the whole cluster, not of each zone. */
export const nodePools = ({ target }: Scope): Block[] => [
  ...target.cluster.nodePools.map((pool) => generalPool(pool)),
  ...target.cluster.gpuPools.map((pool) => gpuPool(pool)),
];

type NodePool = GcpTarget["cluster"]["nodePools"][number];

/** Name of the block: a pool may be called `4x`, a block may not. */
const localName = (name: string): string =>
  (/^[a-z]/.test(name) ? name : `pool-${name}`).replaceAll("-", "_");

const generalPool = (pool: NodePool): Block =>
  poolBlock(
    pool.name,
    {
      autoscaling: {
        total_min_node_count: pool.minNodes,
        total_max_node_count: pool.maxNodes,
        location_policy: "BALANCED",
      },
      node_config: {
        machine_type: pool.machineType,
        ...nodeConfig,
        shielded_instance_config: { enable_integrity_monitoring: true, enable_secure_boot: true },
      },
    },
    [because("target.cluster.nodePools", `Pool ${pool.name}: ${pool.minNodes} to ${pool.maxNodes} nodes.`)],
  );

function gpuPool({ name, accelerator, size, nodes, gpusPerNode }: GpuPool): Block {
  return poolBlock(
    name,
    {
      autoscaling: { total_min_node_count: 0, total_max_node_count: nodes, location_policy: "ANY" },
      node_config: {
        machine_type: size,
        labels: { [gpuPoolLabel]: name },
        ...nodeConfig,
        guest_accelerator: {
          type: accelerator,
          count: gpusPerNode,
          gpu_driver_installation_config: { gpu_driver_version: "DEFAULT" },
        },
        // Drivers are modules of the kernel, which secure boot may refuse.
        shielded_instance_config: { enable_integrity_monitoring: true, enable_secure_boot: false },
        taint: { key: "nvidia.com/gpu", value: "present", effect: "NO_SCHEDULE" },
      },
    },
    [because("target.cluster.gpuPools", `Pool ${name}: up to ${nodes} nodes with ${gpusPerNode} GPUs each.`)],
  );
}

const nodeConfig = {
  disk_type: "pd-balanced",
  disk_size_gb: 100,
  service_account: ref("var.node_service_account"),
  oauth_scopes: nodeScopes,
  workload_metadata_config: { mode: "GKE_METADATA" },
};

const poolBlock = (name: string, body: TerraformBody, reasons: readonly Reason[]): Block =>
  resourceBlock(
    `google_container_node_pool.${localName(name)}`,
    {
      name,
      cluster: ref("google_container_cluster.main.id"),
      ...body,
      management: { auto_repair: true, auto_upgrade: true },
      upgrade_settings: { max_surge: 1, max_unavailable: 0 },
    },
    {
      because: reasons,
      notes: {
        "node_config.workload_metadata_config": "Pods have the identity of their own service account.",
      },
    },
  );
