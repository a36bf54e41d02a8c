import { ref } from "../resource.ts";
import { resourceBlock, type Block, type TerraformModule } from "../terraform-module.ts";
import { because, type Scope } from "./scope.ts";

/** Names of the secondary ranges, which the cluster asks for. */
export const podsRange = "pods";
export const servicesRange = "services";

/** `modules/vpc`: a network of its own, nodes without external addresses, one way out, one way to Google's databases. */
export function vpcModule(scope: Scope): TerraformModule {
  const { databases } = scope;
  return {
    name: "vpc",
    comment: "Network: nodes without external addresses, NAT as the only way out.",
    because: [because("target.network", "Every environment has a network of its own.")],
    providers: ["google"],
    inputs: [
      {
        name: "node_service_account",
        type: "string",
        description: "E-mail of the service account of the nodes, which the firewall rule is for",
        value: ref("module.security.node_service_account"),
      },
    ],
    outputs: [
      {
        name: "network_id",
        description: "Id of the network",
        value: ref("google_compute_network.main.id"),
      },
      {
        name: "subnetwork_id",
        description: "Id of the subnetwork of the nodes",
        value: ref("google_compute_subnetwork.nodes.id"),
      },
      ...(databases.length === 0
        ? []
        : [
            {
              name: "private_services_range",
              description: "Name of the range that Cloud SQL takes its addresses from",
              value: ref("google_compute_global_address.private_services.name"),
              after: [ref("google_service_networking_connection.private_services")],
            },
          ]),
    ],
    files: {
      "main.tf": [
        ...network(scope),
        ...nat(scope),
        webhooks(scope),
        ...(databases.length === 0 ? [] : privateServices(scope)),
      ],
    },
    dependsOn: [ref("google_project_service.enabled")],
  };
}

function network({ prefix, target, development }: Scope): Block[] {
  return [
    resourceBlock(
      "google_compute_network.main",
      { name: prefix, auto_create_subnetworks: false, routing_mode: "REGIONAL" },
      { because: [because("target.network", "Subnetworks are made on purpose, not one in every region.")] },
    ),
    resourceBlock(
      "google_compute_subnetwork.nodes",
      {
        name: `${prefix}-nodes`,
        network: ref("google_compute_network.main.id"),
        region: target.region,
        ip_cidr_range: target.network.nodes,
        private_ip_google_access: true,
        secondary_ip_range: [
          { range_name: podsRange, ip_cidr_range: target.network.pods },
          { range_name: servicesRange, ip_cidr_range: target.network.services },
        ],
        ...(development
          ? {}
          : {
              log_config: {
                aggregation_interval: "INTERVAL_10_MIN",
                flow_sampling: 0.5,
                metadata: "INCLUDE_ALL_METADATA",
              },
            }),
      },
      {
        because: [
          because("target.network.nodes", "Addresses of the nodes."),
          because("target.network.pods", "Every node takes a /24 of it for its pods."),
          because("target.network.services", "Addresses of Services."),
        ],
        comment: "No range may overlap another one, nor what is peered with the network later.",
        notes: { private_ip_google_access: "Nodes without external addresses reach Google's APIs by it." },
      },
    ),
  ];
}

function nat({ prefix, target }: Scope): Block[] {
  const reasons = [because("target.kind", "Nodes without external addresses fetch images through NAT.")];
  return [
    resourceBlock(
      "google_compute_router.main",
      { name: prefix, network: ref("google_compute_network.main.id"), region: target.region },
      { because: reasons },
    ),
    resourceBlock(
      "google_compute_router_nat.main",
      {
        name: prefix,
        router: ref("google_compute_router.main.name"),
        region: target.region,
        nat_ip_allocate_option: "AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
        log_config: { enable: true, filter: "ERRORS_ONLY" },
      },
      { because: reasons },
    ),
  ];
}

const webhooks = ({ prefix, target }: Scope): Block =>
  resourceBlock(
    "google_compute_firewall.webhooks",
    {
      name: `${prefix}-webhooks`,
      network: ref("google_compute_network.main.id"),
      description: "Admission webhooks: control plane to nodes",
      direction: "INGRESS",
      source_ranges: [target.network.controlPlane],
      target_service_accounts: [ref("var.node_service_account")],
      allow: { protocol: "tcp", ports: ["8443", "9443"] },
    },
    {
      because: [because("target.network.controlPlane", "Where the control plane calls webhooks from.")],
      comment:
        "GKE lets the control plane reach its nodes at 443 and 10250 only. Kyverno, KServe and the database\noperators serve their webhooks at 9443, Knative at 8443.",
    },
  );

function privateServices({ prefix, target, databases }: Scope): Block[] {
  const reasons = databases.map(({ setting }) =>
    because(`${setting}.engine`, "Cloud SQL has its private address in a range peered with the network."),
  );
  const [address = "", length = ""] = target.network.privateServices.split("/");
  return [
    resourceBlock(
      "google_compute_global_address.private_services",
      {
        name: `${prefix}-private-services`,
        network: ref("google_compute_network.main.id"),
        purpose: "VPC_PEERING",
        address_type: "INTERNAL",
        address,
        prefix_length: Number(length),
      },
      { because: [...reasons, because("target.network.privateServices", "The range itself.")] },
    ),
    resourceBlock(
      "google_service_networking_connection.private_services",
      {
        network: ref("google_compute_network.main.id"),
        service: "servicenetworking.googleapis.com",
        reserved_peering_ranges: [ref("google_compute_global_address.private_services.name")],
        deletion_policy: "ABANDON",
      },
      {
        because: reasons,
        notes: {
          deletion_policy:
            "Google holds on to the peering for days after the last instance is gone; deleting it would fail until then.",
        },
      },
    ),
  ];
}
