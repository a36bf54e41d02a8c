import { textOf } from "../../hcl/text.ts";
import type { Problem, Rule } from "../rule.ts";
import {
  argument,
  hasBlock,
  known,
  knownText,
  mayBe,
  resourcesIn,
  resourcesOf,
  type TerraformObject,
} from "../terraform-view.ts";
import type { Workspace } from "../workspace.ts";

function* autopilotPools(workspace: Workspace): Iterable<Problem> {
  for (const { file, line, address, block, index } of resourcesOf(workspace, "google_container_node_pool")) {
    const written = argument(block.body, "cluster")?.expression;
    if (written?.kind !== "reference" || written.root !== "google_container_cluster") continue;
    const cluster = index.objects.get(`google_container_cluster.${String(written.steps[0])}`);
    if (cluster === undefined || known(index, cluster.block.body, "enable_autopilot") !== true) continue;
    // A pool for the other kind of cluster: count = var.autopilot ? 0 : 1.
    if (argument(block.body, "count") !== undefined || argument(block.body, "for_each") !== undefined)
      continue;
    yield {
      file,
      line,
      message: `${address} belongs to ${cluster.address}, which is an Autopilot cluster: it has no node pools`,
    };
  }
}

function* nodelessClusters(workspace: Workspace): Iterable<Problem> {
  for (const module of workspace.modules) {
    if (module.excerpt) continue;
    const pools = resourcesIn(module, "google_container_node_pool").map(({ block }) => {
      const cluster = argument(block.body, "cluster");
      return cluster === undefined ? "" : textOf(cluster.expression);
    });
    for (const { file, line, address, block, index } of resourcesIn(module, "google_container_cluster")) {
      if (mayBe(known(index, block.body, "enable_autopilot"), true)) continue;
      if (hasBlock(block.body, "node_pool") || argument(block.body, "initial_node_count") !== undefined)
        continue;
      const name = known(index, block.body, "name");
      if (
        pools.some(
          (cluster) =>
            cluster.includes(`${address}.`) ||
            cluster.includes(`${address}[`) ||
            cluster === JSON.stringify(name) ||
            /^var\.|^local\.|^each\./.test(cluster),
        )
      )
        continue;
      yield {
        file,
        line,
        message: `${address} is no Autopilot cluster and has no node pool: \`validate\` and \`plan\` pass, the API refuses it`,
      };
    }
  }
}

const instances = (workspace: Workspace): TerraformObject[] =>
  resourcesOf(workspace, "google_sql_database_instance");

const isMysql = ({ index, block }: TerraformObject): boolean =>
  knownText(index, block.body, "database_version")?.startsWith("MYSQL") === true;

function* mysqlRecovery(workspace: Workspace): Iterable<Problem> {
  for (const instance of instances(workspace)) {
    const { file, address, block, index } = instance;
    const path = ["settings", "backup_configuration", "point_in_time_recovery_enabled"];
    if (!isMysql(instance) || known(index, block.body, ...path) !== true) continue;
    const line = argument(block.body, ...path)?.line ?? instance.line;
    yield {
      file,
      line,
      message: `${address} is MySQL: point_in_time_recovery_enabled is for PostgreSQL and SQL Server, and \`terraform plan\` refuses it`,
    };
  }
}

function* regionalWithoutBackup(workspace: Workspace): Iterable<Problem> {
  for (const instance of instances(workspace)) {
    const { file, address, block, index } = instance;
    if (known(index, block.body, "settings", "availability_type") !== "REGIONAL") continue;
    // A replica takes its high availability from elsewhere.
    if (argument(block.body, "master_instance_name") !== undefined) continue;
    const line = argument(block.body, "settings", "availability_type")?.line ?? instance.line;
    const settings = block.body.blocks.find(({ type }) => type === "settings");
    const isDynamic = settings?.body.blocks.some(
      ({ type, labels }) => type === "dynamic" && labels[0] === "backup_configuration",
    );
    const needed = ["enabled", ...(isMysql(instance) ? ["binary_log_enabled"] : [])];
    const missing = needed.filter(
      (name) => !mayBe(known(index, block.body, "settings", "backup_configuration", name), true),
    );
    if (isDynamic || missing.length === 0) continue;
    yield {
      file,
      line,
      message: `${address} is REGIONAL without ${missing.map((name) => `backup_configuration.${name}`).join(" and ")}: the API refuses it`,
      remedy: `Set ${missing.map((name) => `${name} = true`).join(" and ")} in settings.backup_configuration.`,
    };
  }
}

const actions = ["Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"];

function* lifecycleActions(workspace: Workspace): Iterable<Problem> {
  for (const { file, block, address, index } of resourcesOf(workspace, "google_storage_bucket"))
    for (const rule of block.body.blocks.filter(({ type }) => type === "lifecycle_rule")) {
      const action = knownText(index, rule.body, "action", "type");
      if (action === undefined || actions.includes(action)) continue;
      const line = argument(rule.body, "action", "type")?.line ?? rule.line;
      yield {
        file,
        line,
        message: `${JSON.stringify(action)} is no action of a lifecycle rule (${address}): only the API says so`,
      };
    }
}

function* zoneNames(workspace: Workspace): Iterable<Problem> {
  for (const { file, block, address } of resourcesOf(workspace, "google_dns_managed_zone")) {
    const written = argument(block.body, "dns_name");
    if (written === undefined) continue;
    const { expression, line } = written;
    const end =
      expression.kind === "literal"
        ? expression.value
        : expression.kind === "template"
          ? expression.parts.at(-1)
          : undefined;
    if (typeof end !== "string" || end.endsWith(".")) continue;
    yield {
      file,
      line,
      message: `dns_name of ${address} does not end in a dot: \`validate\` and \`plan\` pass, the API refuses it`,
    };
  }
}

function* peeringRanges(workspace: Workspace): Iterable<Problem> {
  for (const { file, line, block, address, index } of resourcesOf(
    workspace,
    "google_compute_global_address",
  )) {
    if (
      known(index, block.body, "purpose") !== "VPC_PEERING" ||
      argument(block.body, "network") !== undefined
    )
      continue;
    yield {
      file,
      line,
      message: `${address} is a range for VPC peering and names no network: \`plan\` passes, the API refuses it`,
    };
  }
}

/** What Google's provider lets through at `validate`, and often at `plan`. */
export const terraformGoogleRules: readonly Rule[] = [
  {
    id: "google/autopilot-node-pool",
    severity: "error",
    covers: ["E41"],
    title: "a node pool for an Autopilot cluster",
    why: "Autopilot manages its nodes; node pools, and some ten arguments more, conflict with enable_autopilot.",
    remedy: "Take the node pool out, or make a Standard cluster. Pods ask for machine types by nodeSelector.",
    check: autopilotPools,
  },
  {
    id: "google/cluster-without-nodes",
    severity: "error",
    covers: [],
    title: "a Standard cluster without a node pool",
    why: "Neither `validate` nor `plan` see it; creation fails after minutes.",
    remedy:
      "Set enable_autopilot = true, or add a google_container_node_pool with remove_default_node_pool = true and initial_node_count = 1.",
    check: nodelessClusters,
  },
  {
    id: "google/mysql-point-in-time",
    severity: "error",
    covers: ["E43"],
    title: "point-in-time recovery of MySQL by the argument for PostgreSQL",
    why: "MySQL recovers from its binary log. `validate` passes, `plan` refuses the argument.",
    remedy:
      "Set binary_log_enabled = true and enabled = true in backup_configuration; transaction_log_retention_days 1 to 7 (Enterprise).",
    check: mysqlRecovery,
  },
  {
    id: "google/regional-without-backup",
    severity: "error",
    covers: ["E43"],
    title: "a highly available database without backups",
    why: "availability_type REGIONAL needs backups, and for MySQL the binary log; `validate` and `plan` pass.",
    remedy: "Set enabled = true in settings.backup_configuration, for MySQL binary_log_enabled = true too.",
    check: regionalWithoutBackup,
  },
  {
    id: "google/lifecycle-action",
    severity: "error",
    covers: [],
    title: "an action that no lifecycle rule has",
    why: "The provider does not check it; the API refuses the bucket.",
    remedy: `Use one of ${actions.join(", ")}.`,
    check: lifecycleActions,
  },
  {
    id: "google/zone-name",
    severity: "error",
    covers: [],
    title: "a DNS zone whose name has no dot at its end",
    why: "The provider checks this for records, not for zones.",
    remedy: 'End the name in a dot: "ml.example.com.".',
    check: zoneNames,
  },
  {
    id: "google/peering-range",
    severity: "error",
    covers: [],
    title: "a range for VPC peering that belongs to no network",
    why: "Private services access needs the network of the range; the provider does not ask for it.",
    remedy: "Set network = google_compute_network.<name>.id.",
    check: peeringRanges,
  },
];
