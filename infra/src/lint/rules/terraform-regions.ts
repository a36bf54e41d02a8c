import { references } from "../../hcl/references.ts";
import { textOf } from "../../hcl/text.ts";
import type { Problem, Rule } from "../rule.ts";
import { argument, known, resourcesIn } from "../terraform-view.ts";
import type { TerraformModule, Workspace } from "../workspace.ts";

const backupName = /^(?:backup|dr|disaster_recovery|failover|secondary|standby)_?(?:region|location)s?$/;

function* unusedRegions(workspace: Workspace): Iterable<Problem> {
  for (const module of workspace.modules) {
    const used = new Set(
      module.files
        .flatMap(({ body }) => references(body))
        .filter(({ root }) => root === "var")
        .map(({ steps }) => steps[0]),
    );
    for (const { file, name, line } of regionsOf(module))
      if (!used.has(name))
        yield {
          file,
          line,
          message: `"${name}" is set and nothing uses it: no replica, no copy, no backup is made there`,
        };
  }
}

/** Declared variables of that name; in documents also the values given to them. */
function regionsOf(module: TerraformModule): { file: string; name: string; line: number }[] {
  return [...module.files, ...(module.excerpt ? module.variables : [])].flatMap(({ file, body }) => [
    ...body.blocks.flatMap(({ type, labels: [name = ""], line }) =>
      type === "variable" && backupName.test(name) ? [{ file, name, line }] : [],
    ),
    ...body.attributes.flatMap(({ name, line }) => (backupName.test(name) ? [{ file, name, line }] : [])),
  ]);
}

type Range = {
  file: string;
  line: number;
  what: string;
  network: string;
  text: string;
  from: number;
  size: number;
};

function* overlaps(workspace: Workspace): Iterable<Problem> {
  for (const module of workspace.modules) {
    const ranges = rangesIn(module);
    for (const [index, range] of ranges.entries())
      for (const other of ranges.slice(0, index)) {
        if (range.network !== other.network) continue;
        if (range.from >= other.from + other.size || other.from >= range.from + range.size) continue;
        yield {
          file: range.file,
          line: range.line,
          message: `${range.text} of ${range.what} overlaps ${other.text} of ${other.what}: the API refuses the second`,
        };
      }
  }
}

function rangesIn(module: TerraformModule): Range[] {
  const ranges: Range[] = [];
  const subnets = resourcesIn(module, "google_compute_subnetwork");
  const networkOf = new Map<string, string>();
  for (const { file, address, block, index } of subnets) {
    const network = networkText(argument(block.body, "network")?.expression);
    networkOf.set(address, network);
    const add = (body: typeof block.body, what: string): void => {
      const written = argument(body, "ip_cidr_range");
      const range = rangeOf(known(index, body, "ip_cidr_range"));
      if (written !== undefined && range !== undefined)
        ranges.push({ file, line: written.line, what, network, ...range });
    };
    // With for_each one block stands for many ranges.
    if (argument(block.body, "for_each") !== undefined || argument(block.body, "count") !== undefined)
      continue;
    add(block.body, address);
    for (const secondary of block.body.blocks.filter(({ type }) => type === "secondary_ip_range"))
      add(secondary.body, `a secondary range of ${address}`);
  }
  for (const { file, address, block, index } of resourcesIn(module, "google_container_cluster")) {
    const path = ["private_cluster_config", "master_ipv4_cidr_block"];
    const written = argument(block.body, ...path);
    const range = rangeOf(known(index, block.body, ...path));
    const network = networkText(argument(block.body, "network")?.expression);
    if (written !== undefined && range !== undefined)
      ranges.push({ file, line: written.line, what: `the control plane of ${address}`, network, ...range });
  }
  for (const { file, address, block, index } of resourcesIn(module, "google_compute_global_address")) {
    const written = argument(block.body, "address");
    const length = known(index, block.body, "prefix_length");
    const range = rangeOf(`${String(known(index, block.body, "address"))}/${String(length)}`);
    const network = networkText(argument(block.body, "network")?.expression);
    if (written !== undefined && range !== undefined)
      ranges.push({ file, line: written.line, what: address, network, ...range });
  }
  return ranges;
}

/** One network is written as `.id`, `.self_link` or `.name`. */
const networkText = (expression: Parameters<typeof textOf>[0] | undefined): string =>
  expression === undefined ? "" : textOf(expression).replace(/\.(?:id|self_link|name)$/, "");

/** An IPv4 range; undefined for anything else. */
function rangeOf(value: unknown): { text: string; from: number; size: number } | undefined {
  const [, a = "", b = "", c = "", d = "", length = ""] =
    /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(typeof value === "string" ? value : "") ??
    [];
  const parts = [a, b, c, d].map(Number);
  if (length === "" || Number(length) > 32 || parts.some((part) => part > 255)) return undefined;
  const size = 2 ** (32 - Number(length));
  const address = parts.reduce((sum, part) => sum * 256 + part, 0);
  return { text: String(value), from: address - (address % size), size };
}

/** Regions and ranges of addresses. */
export const terraformRegionRules: readonly Rule[] = [
  {
    id: "terraform/unused-backup-region",
    severity: "error",
    covers: ["E47"],
    title: "a backup region that is only a variable",
    why: "A name for a second region moves no data there. What recovers is a replica or backups kept there, a bucket in two regions, a backup plan of the cluster, and a restore that was tried.",
    remedy:
      "Use it: backup_configuration.location or a replica for Cloud SQL, custom_placement_config for buckets, google_gke_backup_backup_plan for the cluster. Or take the variable out.",
    check: unusedRegions,
  },
  {
    id: "google/overlapping-ranges",
    severity: "error",
    covers: ["E50"],
    title: "two ranges of one network that overlap",
    why: "Subnets, secondary ranges for Pods and Services, the range of private services and that of the control plane share one network.",
    remedy: "Give each a range of its own; keep a plan of them in one place.",
    check: overlaps,
  },
];
