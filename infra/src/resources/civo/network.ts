import type { Plan } from "../../plan.ts";
import type { CivoTarget } from "../../spec/target.ts";
import { routesOf } from "../kubernetes/routes.ts";
import { ref, type Reason, type Resource, type TerraformBody, type TerraformValue } from "../resource.ts";
import { commented, output, resource, terraformFile, variable } from "../terraform-block.ts";
import { versionsResource } from "../terraform-state.ts";
import { moduleFolder } from "./folders.ts";

const EVERYWHERE = "0.0.0.0/0";

/** Whether anything has a route at the Gateway. */
export const isExposed = (plan: Plan): boolean => routesOf(plan).length > 0;

/** Who may reach port 443: everybody as soon as one component is for everybody. */
export function httpsSources(plan: Plan): string[] {
  const networks = routesOf(plan).map(({ exposure }) =>
    exposure.kind === "networks" ? exposure.cidrs : [EVERYWHERE],
  );
  const all = networks.flat();
  return all.includes(EVERYWHERE) ? [EVERYWHERE] : [...new Set(all)].sort();
}

/** The network, its firewall and the address of the Gateway. */
export function networkModule(plan: Plan, target: CivoTarget): Resource[] {
  const folder = moduleFolder("network");
  const because: Reason[] = [
    { setting: "target.network.cidr", why: `${target.network.cidr} is the platform's own network.` },
  ];
  const exposed = isExposed(plan);
  return [
    ...terraformFile(`${folder}/main.tf`, because, [
      resource("civo_network", "main", { label: ref("var.name"), cidr_v4: ref("var.cidr") }),
      {
        ...commented(
          resource("civo_firewall", "cluster", firewall(exposed)),
          "The rules that Civo would make by default open every port to everybody.",
        ),
        because: [
          { setting: "target.adminCidrs", why: "Nobody else reaches the Kubernetes API." },
          ...(exposed
            ? [
                {
                  setting: "tracking.exposure",
                  why: "What is exposed is reached through the Gateway on 80 and 443.",
                },
              ]
            : []),
        ],
      },
      exposed
        ? commented(
            resource("civo_reserved_ip", "gateway", { name: ref("var.gateway_ip_name") }),
            "The load balancer asks for it by this name (annotation kubernetes.civo.com/ipv4-address), so that\nthe DNS records stay right when the Gateway is made anew.",
          )
        : undefined,
    ]),
    ...terraformFile(`${folder}/variables.tf`, because, [
      variable("name", "string", "Begins the names of everything in the network."),
      variable("cidr", "string", "IPv4 range of the network. It cannot be changed later."),
      variable("admin_cidrs", "set(string)", "Networks that may reach the Kubernetes API."),
      ...(exposed
        ? [
            variable("https_cidrs", "set(string)", "Networks that may reach the Gateway."),
            variable(
              "gateway_ip_name",
              "string",
              "Name of the address that the Gateway's load balancer takes.",
            ),
          ]
        : []),
    ]),
    ...terraformFile(`${folder}/outputs.tf`, because, [
      output("network_id", ref("civo_network.main.id"), "Id of the network."),
      output("firewall_id", ref("civo_firewall.cluster.id"), "Id of the firewall of the cluster's nodes."),
      ...(exposed
        ? [output("gateway_ip", ref("civo_reserved_ip.gateway.ip"), "Public address of the Gateway.")]
        : []),
    ]),
    versionsResource(plan.environment, folder, ["civo"]),
  ];
}

function firewall(exposed: boolean): TerraformBody {
  const allow = (label: string, ports: string, sources: TerraformValue): TerraformBody => ({
    label,
    protocol: "tcp",
    port_range: ports,
    cidr: sources,
    action: "allow",
  });
  const ingress = [
    allow("kubernetes-api", "6443", ref("var.admin_cidrs")),
    ...(exposed
      ? [
          // Let's Encrypt proves the hosts on port 80, from addresses it does not tell.
          allow("http", "80", [EVERYWHERE]),
          allow("https", "443", ref("var.https_cidrs")),
        ]
      : []),
  ];
  return {
    name: ref('"${var.name}-cluster"'),
    network_id: ref("civo_network.main.id"),
    create_default_rules: false,
    ingress_rule: ingress,
    egress_rule: outgoing(),
  };
}

/** Without rules of its own for what goes out, a firewall lets nothing out. */
export const outgoing = (): TerraformBody[] => [
  { label: "all-tcp", protocol: "tcp", port_range: "1-65535", cidr: [EVERYWHERE], action: "allow" },
  { label: "all-udp", protocol: "udp", port_range: "1-65535", cidr: [EVERYWHERE], action: "allow" },
  { label: "all-icmp", protocol: "icmp", cidr: [EVERYWHERE], action: "allow" },
];
