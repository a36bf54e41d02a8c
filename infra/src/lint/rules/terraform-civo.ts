import { textOf } from "../../hcl/text.ts";
import type { HclBlock } from "../../hcl/syntax.ts";
import type { Problem, Rule } from "../rule.ts";
import {
  argument,
  blocksOfKind,
  hasBlock,
  isUnknown,
  known,
  knownText,
  resourcesIn,
  resourcesOf,
  type TerraformObject,
} from "../terraform-view.ts";
import { codeLines } from "../text-lines.ts";
import type { Workspace } from "../workspace.ts";

function* unboundBuckets(workspace: Workspace): Iterable<Problem> {
  for (const module of workspace.modules) {
    const credentials = resourcesIn(module, "civo_object_store_credential");
    const [credential] = credentials;
    if (credential === undefined) continue;
    for (const { file, line, address, block } of resourcesIn(module, "civo_object_store")) {
      if (argument(block.body, "access_key_id") !== undefined) continue;
      yield {
        file,
        line,
        message: `${address} has no access_key_id: Civo makes a new credential for it, and ${credential.address} has no right on the bucket`,
        remedy: `Set access_key_id = ${credential.address}${isCounted(credential) ? "[0]" : ""}.access_key_id.`,
      };
    }
  }
}

const isCounted = ({ block }: TerraformObject): boolean => argument(block.body, "count") !== undefined;

/** The region after the host name is lower case, and the host has no hyphen. */
const STORE = /\b(?<host>object-?store)\.(?<region>[\w-]+|\$\{[^}]*\})\.civo\.com\b/gi;

function* endpointHosts(workspace: Workspace): Iterable<Problem> {
  const places = workspace.snippets.filter(({ text }) => /\.civo\.com\b/.test(text));
  for (const { file, line, text } of codeLines({ ...workspace, snippets: places }))
    for (const { 0: found, groups } of text.matchAll(STORE)) {
      const { host = "", region = "" } = groups ?? {};
      const isLower = region.startsWith("${") || region === region.toLowerCase();
      if (host === "objectstore" && isLower) continue;
      yield { file, line, message: `Civo has no object store at ${found}` };
    }
}

function* firewallRules(workspace: Workspace): Iterable<Problem> {
  for (const { file, line, address, block, index } of resourcesOf(workspace, "civo_firewall")) {
    const own = known(index, block.body, "create_default_rules") ?? true;
    const hasRules = hasBlock(block.body, "ingress_rule") || hasBlock(block.body, "egress_rule");
    if (own === true && hasRules)
      yield {
        file,
        line,
        message: `${address} has rules of its own and leaves create_default_rules at true: \`terraform plan\` refuses both together`,
        remedy: "Set create_default_rules = false.",
      };
    if (own === false && !hasRules)
      yield {
        file,
        line,
        message: `${address} has create_default_rules = false and no rule: \`terraform apply\` fails`,
        remedy: "Add the rules it needs as ingress_rule and egress_rule blocks.",
      };
    for (const rule of rulesOf(block)) {
      const protocol = known(index, rule.body, "protocol") ?? "tcp";
      if ((protocol !== "tcp" && protocol !== "udp") || argument(rule.body, "port_range") !== undefined)
        continue;
      yield {
        file,
        line: rule.line,
        message: `A ${protocol} rule of ${address} has no port_range: \`terraform plan\` refuses it`,
        remedy: 'Set port_range, as in "443" or "1-65535".',
      };
    }
  }
}

const rulesOf = ({ body }: HclBlock): HclBlock[] =>
  body.blocks.flatMap((block) =>
    block.type === "dynamic" && /^(?:in|e)gress_rule$/.test(block.labels[0] ?? "")
      ? block.body.blocks
      : /^(?:in|e)gress_rule$/.test(block.type)
        ? [block]
        : [],
  );

function* clusters(workspace: Workspace): Iterable<Problem> {
  for (const cluster of resourcesOf(workspace, "civo_kubernetes_cluster")) {
    const { file, block, index, address } = cluster;
    const version = knownText(index, block.body, "kubernetes_version");
    const written = argument(block.body, "kubernetes_version");
    if (version !== undefined && !/^(?:\d+\.\d+\.\d+-k3s\d+|talos-v\d+\.\d+\.\d+)$/.test(version))
      yield {
        file,
        line: written?.line ?? cluster.line,
        message: `kubernetes_version of ${address} is ${JSON.stringify(version)}, which \`terraform plan\` refuses`,
        remedy: "Write it as Civo lists it: 1.30.5-k3s1 or talos-v1.9.0.",
      };
    if (
      knownText(index, block.body, "cni") === "cilium" &&
      (knownText(index, block.body, "cluster_type") === "talos" || version?.startsWith("talos") === true)
    )
      yield {
        file,
        line: argument(block.body, "cni")?.line ?? cluster.line,
        message: `${address} is a Talos cluster with Cilium: \`terraform plan\` refuses the two together`,
        remedy: "Use flannel, or a k3s cluster.",
      };
    yield* foreignFirewall(cluster);
  }
}

/** The firewall of a cluster belongs to its network. */
function* foreignFirewall({ file, block, index, address }: TerraformObject): Iterable<Problem> {
  const written = argument(block.body, "firewall_id");
  if (written?.expression.kind !== "reference" || written.expression.root !== "civo_firewall") return;
  const firewall = index.objects.get(`civo_firewall.${String(written.expression.steps[0])}`);
  if (firewall === undefined) return;
  const [own, its] = [block.body, firewall.block.body].map((body) => {
    const network = argument(body, "network_id");
    return network === undefined ? "the default network" : textOf(network.expression);
  });
  if (own === its) return;
  yield {
    file,
    line: written.line,
    message: `${address} is in ${own ?? ""}, its firewall ${firewall.address} in ${its ?? ""}: the API refuses a firewall of another network`,
    remedy: "Give both the same network_id.",
  };
}

/** What Civo's provider takes and never applies, or answers with an error, when it changes. */
const unapplied: readonly { type: string; names: readonly string[]; what: string; change: string }[] = [
  {
    type: "civo_database",
    names: ["version", "size", "engine"],
    what: "a new value is accepted, not applied, and planned again for ever",
    change: "make a second database and move the data",
  },
  {
    type: "civo_object_store",
    names: ["name", "access_key_id"],
    what: "a new value is accepted, not applied, and planned again for ever",
    change: "make a second bucket and copy the objects",
  },
  {
    type: "civo_network",
    names: ["cidr_v4"],
    what: "it cannot change once the network is there",
    change: "make a second network",
  },
  {
    type: "civo_kubernetes_cluster",
    names: ["cni", "cluster_type", "applications", "pools.size"],
    what: "a new value is an error, not a replacement",
    change: "make a second cluster",
  },
  {
    type: "civo_kubernetes_node_pool",
    names: ["size", "label", "public_ip_node_pool"],
    what: "a new value is not applied",
    change: "make a second pool and drain the first",
  },
];

function* unappliedChanges(workspace: Workspace): Iterable<Problem> {
  for (const { type, names, what, change } of unapplied)
    for (const { file, block, index, address } of resourcesOf(workspace, type))
      for (const name of names) {
        const path = name.split(".");
        const written = argument(block.body, ...path);
        // Only what differs by environment or time is meant to change.
        if (written?.expression.kind !== "conditional") continue;
        if (!isUnknown(known(index, block.body, ...path)) || isGuarded(block)) continue;
        yield {
          file,
          line: written.line,
          message: `${name} of ${address} depends on a condition: ${what}`,
          remedy: `Let it be one constant; to change it, ${change}.`,
        };
      }
}

const isGuarded = ({ body }: HclBlock): boolean =>
  body.blocks.some(
    ({ type, body }) =>
      type === "lifecycle" &&
      (argument(body, "replace_triggered_by") !== undefined ||
        argument(body, "ignore_changes") !== undefined),
  );

function* openDatabases(workspace: Workspace): Iterable<Problem> {
  for (const { file, line, block, address } of resourcesOf(workspace, "civo_database"))
    if (argument(block.body, "firewall_id") === undefined)
      yield {
        file,
        line,
        message: `${address} has no firewall_id: its public address answers the whole internet`,
      };
}

function* providerTokens(workspace: Workspace): Iterable<Problem> {
  for (const { file, block } of blocksOfKind(workspace, "provider")) {
    const token = argument(block.body, "token");
    if (block.labels[0] !== "civo" || token === undefined) continue;
    yield {
      file,
      line: token.line,
      message:
        'The argument "token" of the provider civo is deprecated, and puts the key into the configuration',
    };
  }
}

/** Traps of the provider for Civo: most of them pass `terraform validate`, some even `plan`. */
export const terraformCivoRules: readonly Rule[] = [
  {
    id: "civo/unbound-bucket",
    severity: "error",
    covers: ["E13"],
    title: "a bucket that the credential beside it cannot open",
    why: "Without access_key_id the provider makes a new credential that owns the bucket; the one in the same files has no right on it, and every write answers 403.",
    remedy: "Set access_key_id of the bucket to that of the credential. It cannot be changed later.",
    check: unboundBuckets,
  },
  {
    id: "civo/endpoint-host",
    severity: "error",
    covers: ["E14"],
    title: "an address of Civo's object store that does not exist",
    why: "The host is objectstore.<region>.civo.com: no hyphen, the region in lower case.",
    remedy: "Use the attribute bucket_url of the bucket, or https://objectstore.<region>.civo.com.",
    check: endpointHosts,
  },
  {
    id: "civo/firewall-rules",
    severity: "error",
    covers: [],
    title: "firewall rules that Civo refuses at plan or apply",
    why: "The provider checks the rules against create_default_rules and their ports only after `validate`.",
    remedy: "Set create_default_rules = false and write each rule with its ports.",
    check: firewallRules,
  },
  {
    id: "civo/cluster",
    severity: "error",
    covers: [],
    title: "a cluster that Civo refuses at plan or apply",
    why: "Form of the version, network plugin and network of the firewall are not checked by `validate`.",
    remedy: "Correct it as the message says.",
    check: clusters,
  },
  {
    id: "civo/change-not-applied",
    severity: "warning",
    covers: ["E13"],
    title: "an argument that is meant to change, whose change is never applied",
    why: "The provider's update sends only a few arguments: others are accepted, not applied, and planned again for ever, or end in an error.",
    remedy: "Let it be one constant.",
    check: unappliedChanges,
  },
  {
    id: "civo/open-database",
    severity: "warning",
    covers: [],
    title: "a managed database without a firewall",
    why: "It has a public address and takes connections from everywhere.",
    remedy: "Set firewall_id to a firewall that admits the network of the cluster alone.",
    check: openDatabases,
  },
  {
    id: "civo/provider-token",
    severity: "warning",
    covers: [],
    title: "the token of Civo in the configuration",
    why: "The argument is deprecated; a key in the configuration is a key in Git.",
    remedy: "Set the environment variable CIVO_TOKEN, or credentials_file.",
    check: providerTokens,
  },
];
