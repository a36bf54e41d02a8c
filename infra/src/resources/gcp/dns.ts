import { gatewayAddressName } from "../../names.ts";
import { ref, type Reason } from "../resource.ts";
import {
  resourceBlock,
  type Block,
  type ModuleInput,
  type ModuleOutput,
  type TerraformModule,
} from "../terraform-module.ts";
import { because, publicHosts, type Scope } from "./scope.ts";

/** `modules/dns`: the names that people use, and the names of the databases within the network. */
export function dnsModule(scope: Scope): TerraformModule | undefined {
  const exposed = hasGateway(scope);
  if (!exposed && scope.databases.length === 0) return undefined;
  return {
    name: "dns",
    comment: "Names: of the hosts for people, of the databases within the network.",
    because: [because("domain", "Components are at hosts below it.")],
    providers: ["google"],
    inputs: inputsOf(scope),
    outputs: exposed ? outputsOf(scope) : [],
    files: {
      "main.tf": [...(exposed ? publicBlocks(scope) : []), ...privateBlocks(scope)],
    },
    dependsOn: [ref("google_project_service.enabled")],
  };
}

/** Whether anything is reached from outside. */
export const hasGateway = (scope: Scope): boolean => publicHosts(scope).length > 0;

/** GKE's gateway is a global load balancer; the others are Services, whose addresses are regional. */
const isGlobal = ({ environment }: Scope): boolean => environment.gateway.engine === "gke";

const addressOf = (scope: Scope): string =>
  isGlobal(scope) ? "google_compute_global_address.gateway" : "google_compute_address.gateway";

function inputsOf(scope: Scope): ModuleInput[] {
  if (scope.databases.length === 0) return [];
  return [
    {
      name: "network_id",
      type: "string",
      description: "Id of the network that the names of the databases are known in",
      value: ref("module.vpc.network_id"),
    },
    ...scope.databases.map(({ id }) => ({
      name: `${id}_database_address`,
      type: "string",
      description: `Address of the database of ${id} in the network`,
      value: ref(`module.database.${id}_private_address`),
    })),
  ];
}

const outputsOf = (scope: Scope): ModuleOutput[] => [
  {
    name: "name_servers",
    description: "Name servers of the zone",
    value: ref("google_dns_managed_zone.public.name_servers"),
  },
  {
    name: "gateway_address",
    description: "External address of the gateway",
    value: ref(`${addressOf(scope)}.address`),
  },
];

function publicBlocks(scope: Scope): Block[] {
  const { environment, prefix, target } = scope;
  const { domain } = environment;
  const zone = because("domain", "Its names are answered by Cloud DNS.");
  const address = because("gateway.engine", "The address stays, whatever becomes of the load balancer.");
  return [
    resourceBlock(
      addressOf(scope),
      {
        name: gatewayAddressName(environment),
        ...(isGlobal(scope) ? {} : { region: target.region }),
        address_type: "EXTERNAL",
      },
      { because: [address] },
    ),
    resourceBlock(
      "google_dns_managed_zone.public",
      {
        name: prefix,
        dns_name: `${domain}.`,
        description: `Hosts of ${prefix}`,
        dnssec_config: { state: "on" },
      },
      { because: [zone] },
    ),
    ...publicHosts(scope).map(({ id, host, setting }) =>
      record(scope, { id, host, because: [zone, because(setting, "Reached from outside.")] }),
    ),
    resourceBlock(
      "google_dns_record_set.caa",
      {
        managed_zone: ref("google_dns_managed_zone.public.name"),
        name: `${domain}.`,
        type: "CAA",
        ttl: 3600,
        rrdatas: ['0 issue "letsencrypt.org"'],
      },
      { because: [zone], comment: "Nobody else may issue certificates for the domain." },
    ),
  ];
}

const record = (
  scope: Scope,
  { id, host, because: reasons }: { id: string; host: string; because: readonly Reason[] },
): Block =>
  resourceBlock(
    `google_dns_record_set.${id}`,
    {
      managed_zone: ref("google_dns_managed_zone.public.name"),
      name: `${host}.`,
      type: "A",
      ttl: 300,
      rrdatas: [ref(`${addressOf(scope)}.address`)],
    },
    { because: reasons },
  );

function privateBlocks({ databases, prefix }: Scope): Block[] {
  if (databases.length === 0) return [];
  return [
    resourceBlock(
      "google_dns_managed_zone.internal",
      {
        name: `${prefix}-internal`,
        dns_name: `${prefix}.internal.`,
        description: `Databases of ${prefix}`,
        visibility: "private",
        private_visibility_config: { networks: { network_url: ref("var.network_id") } },
      },
      {
        because: databases.map(({ setting }) =>
          because(`${setting}.engine`, "Databases have names, so that no address stands in Git."),
        ),
      },
    ),
    ...databases.map(({ id, component, setting }) =>
      resourceBlock(
        `google_dns_record_set.${id}_database`,
        {
          managed_zone: ref("google_dns_managed_zone.internal.name"),
          name: `${component.database.host}.`,
          type: "A",
          ttl: 60,
          rrdatas: [ref(`var.${id}_database_address`)],
        },
        { because: [because(`${setting}.engine`, `Where ${component.name} looks for its database.`)] },
      ),
    ),
  ];
}
