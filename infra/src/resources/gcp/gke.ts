import { ref, template, type TerraformBody } from "../resource.ts";
import { resourceBlock, type Block, type ModuleInput, type TerraformModule } from "../terraform-module.ts";
import { nodePools, nodeScopes } from "./node-pools.ts";
import { backsUpCluster, because, type Scope } from "./scope.ts";
import { podsRange, servicesRange } from "./vpc.ts";

/** `modules/gke`: the cluster, its node pools in Standard mode, its backups. */
export function gkeModule(scope: Scope): TerraformModule {
  const { target } = scope;
  const autopilot = target.cluster.mode === "autopilot";
  return {
    name: "gke",
    comment: autopilot
      ? "Cluster: Autopilot makes and sizes the nodes by what the pods ask for."
      : "Cluster: Standard mode, its nodes are the pools below.",
    because: [because("target.cluster.mode", `Mode ${target.cluster.mode}.`)],
    providers: ["google"],
    inputs: inputsOf(scope),
    outputs: [
      { name: "name", description: "Name of the cluster", value: ref("google_container_cluster.main.name") },
      {
        name: "location",
        description: "Region of the cluster",
        value: ref("google_container_cluster.main.location"),
      },
      {
        name: "endpoint",
        description: "Address of the Kubernetes API, with a certificate that every client trusts",
        value: template`https://${ref(
          "google_container_cluster.main.control_plane_endpoints_config[0].dns_endpoint_config[0].endpoint",
        )}`,
      },
      {
        name: "workload_pool",
        description: "Identities of the cluster's service accounts; the pool is there once the cluster is",
        value: `${target.project}.svc.id.goog`,
        after: [ref("google_container_cluster.main")],
      },
    ],
    files: {
      "main.tf": [
        clusterOf(scope),
        ...(autopilot ? [] : nodePools(scope)),
        ...(backsUpCluster(scope) ? [backupPlan(scope)] : []),
      ],
    },
    dependsOn: [ref("google_project_service.enabled")],
  };
}

const inputsOf = ({ ownKeys }: Scope): ModuleInput[] => [
  {
    name: "network_id",
    type: "string",
    description: "Id of the network",
    value: ref("module.vpc.network_id"),
  },
  {
    name: "subnetwork_id",
    type: "string",
    description: "Id of the subnetwork of the nodes",
    value: ref("module.vpc.subnetwork_id"),
  },
  {
    name: "node_service_account",
    type: "string",
    description: "E-mail of the service account of the nodes",
    value: ref("module.security.node_service_account"),
  },
  ...(ownKeys
    ? [
        {
          name: "secrets_key",
          type: "string",
          description: "Id of the key that Secrets are encrypted with in the control plane",
          value: ref("module.security.cluster_key"),
        },
      ]
    : []),
];

function clusterOf(scope: Scope): Block {
  const { prefix, target, development, environment, ownKeys } = scope;
  const autopilot = target.cluster.mode === "autopilot";
  const open = target.authorizedNetworks.length > 0;
  const body: TerraformBody = {
    name: prefix,
    location: target.region,
    deletion_protection: !development,
    network: ref("var.network_id"),
    subnetwork: ref("var.subnetwork_id"),
    ...(autopilot ? autopilotOnly() : standardOnly(scope)),
    ip_allocation_policy: {
      cluster_secondary_range_name: podsRange,
      services_secondary_range_name: servicesRange,
    },
    private_cluster_config: {
      enable_private_nodes: true,
      enable_private_endpoint: !open,
      master_ipv4_cidr_block: target.network.controlPlane,
    },
    control_plane_endpoints_config: { dns_endpoint_config: { allow_external_traffic: true } },
    master_authorized_networks_config: {
      gcp_public_cidrs_access_enabled: false,
      cidr_blocks: target.authorizedNetworks.map(({ name, cidr }) => ({
        cidr_block: cidr,
        display_name: name,
      })),
    },
    ...(ownKeys ? { database_encryption: { state: "ENCRYPTED", key_name: ref("var.secrets_key") } } : {}),
    release_channel: { channel: target.cluster.releaseChannel },
    maintenance_policy: maintenance,
    gateway_api_config: {
      channel: environment.gateway.engine === "gke" ? "CHANNEL_STANDARD" : "CHANNEL_DISABLED",
    },
    addons_config: addonsOf(scope),
    cost_management_config: { enabled: true },
    security_posture_config: { mode: "BASIC" },
    ...(autopilot ? {} : { lifecycle: { ignore_changes: [ref("node_config"), ref("initial_node_count")] } }),
  };
  return resourceBlock("google_container_cluster.main", body, {
    because: [
      because("target.cluster.mode", "Autopilot and node pools exclude each other."),
      because("target.cluster.releaseChannel", "Google upgrades the cluster by this channel."),
      because("target.authorizedNetworks", "Who reaches the Kubernetes API by its address."),
      because("tier", "What is not development is protected from deletion."),
      because("gateway.engine", "GKE's own gateway needs the Gateway API of the cluster."),
    ],
    notes: {
      control_plane_endpoints_config:
        "The way in for people and Terraform: a name, guarded by IAM (container.clusters.connect).",
      master_authorized_networks_config: open
        ? "The address of the API answers these networks only."
        : "The address of the API is private, and answers no network besides the nodes.",
      ...(environment.gateway.engine === "gke"
        ? {}
        : { gateway_api_config: "The gateway brings its own version of the Gateway API." }),
    },
  });
}

/** Four nights a week, 01:00 to 07:00 UTC. GKE wants 48 hours in any 32 days, in pieces of 4 hours or more. */
const maintenance = {
  recurring_window: {
    start_time: "2026-01-03T01:00:00Z",
    end_time: "2026-01-03T07:00:00Z",
    recurrence: "FREQ=WEEKLY;BYDAY=SA,SU,MO,TU",
  },
};

const addonsOf = (scope: Scope): TerraformBody => ({
  http_load_balancing: { disabled: false },
  horizontal_pod_autoscaling: { disabled: false },
  gke_backup_agent_config: { enabled: backsUpCluster(scope) },
});

const autopilotOnly = (): TerraformBody => ({
  enable_autopilot: true,
  // Of this block Autopilot takes the defaults of its nodes, and nothing else.
  cluster_autoscaling: {
    auto_provisioning_defaults: {
      service_account: ref("var.node_service_account"),
      oauth_scopes: nodeScopes,
    },
  },
});

const standardOnly = ({ target, environment }: Scope): TerraformBody => ({
  initial_node_count: 1,
  remove_default_node_pool: true,
  datapath_provider: "ADVANCED_DATAPATH",
  enable_shielded_nodes: true,
  workload_identity_config: { workload_pool: `${target.project}.svc.id.goog` },
  node_config: {
    service_account: ref("var.node_service_account"),
    oauth_scopes: nodeScopes,
    shielded_instance_config: { enable_integrity_monitoring: true, enable_secure_boot: true },
  },
  logging_config: { enable_components: ["SYSTEM_COMPONENTS", "WORKLOADS"] },
  monitoring_config: {
    enable_components: ["SYSTEM_COMPONENTS"],
    managed_prometheus: { enabled: environment.monitoring.engine === "managed" },
  },
});

function backupPlan({ prefix, target, environment, production }: Scope): Block {
  const { backup } = environment;
  const location = target.backupRegion ?? target.region;
  return resourceBlock(
    "google_gke_backup_backup_plan.main",
    {
      name: prefix,
      cluster: ref("google_container_cluster.main.id"),
      location,
      backup_config: { all_namespaces: true, include_volume_data: true, include_secrets: false },
      backup_schedule: { cron_schedule: backup.schedule },
      retention_policy: {
        backup_retain_days: backup.retentionDays,
        ...(production ? { backup_delete_lock_days: Math.min(7, backup.retentionDays) } : {}),
      },
    },
    {
      because: [
        because("backup.enabled", "Volumes are copied: Git has the manifests, and nothing else."),
        because(
          "target.backupRegion",
          `Backups are in ${location}${target.backupRegion === undefined ? "" : ", which survives the loss of the other region"}.`,
        ),
        because("backup.schedule", "When."),
        because("backup.retentionDays", "How long they are kept."),
      ],
      notes: { "backup_config.include_secrets": "External Secrets fetches them again from Secret Manager." },
    },
  );
}
