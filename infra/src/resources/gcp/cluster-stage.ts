import { gatewayAddressName } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import {
  call,
  ref,
  type Reason,
  type Resource,
  type TerraformBody,
  type TerraformResource,
} from "../resource.ts";
import {
  moduleResources,
  outputOf,
  readBlock,
  resourceBlock,
  type Block,
  type ModuleOutput,
  type TerraformModule,
} from "../terraform-module.ts";
import { backendResource, handOver, stageFolder, versionsResource } from "../terraform-state.ts";
import { databaseModule } from "./database.ts";
import { dnsModule, hasGateway } from "./dns.ts";
import { gkeModule } from "./gke.ts";
import { identitiesOf } from "./identities.ts";
import { budgetBlock, monitoringModule } from "./monitoring.ts";
import { registryAddress } from "./registry.ts";
import { backsUpCluster, because, scopeOf, type Scope } from "./scope.ts";
import { keepsSecrets, secretCommands } from "./secrets.ts";
import { securityModule } from "./security.ts";
import { bucketOutputs, storageModule } from "./storage.ts";
import { vpcModule } from "./vpc.ts";

/** Stage 1 on Google Cloud: everything that is there before the cluster has anything in it. */
export function gcpClusterStage(plan: Plan): Resource[] {
  const scope = scopeOf(plan);
  if (scope === undefined) return [];
  const { environment } = plan;
  const folder = stageFolder("cluster");
  const modules = modulesOf(scope);
  const at = (file: string, blocks: readonly (Block | undefined)[]): TerraformResource[] =>
    blocks
      .filter((block) => block !== undefined)
      .map((block) => ({ kind: "terraform", file: `${folder}/${file}`, ...block }));
  const providers = [...new Set(modules.flatMap((module) => module.providers))];
  const target: Reason[] = [because("target.kind", "What the next stage, and people, need of this one.")];
  return [
    ...at("main.tf", [...providerBlocks(scope), projectBlock, servicesBlock(scope)]),
    ...modules.flatMap((module) => moduleResources(environment, module)),
    ...at("budget.tf", [budgetBlock(scope)]),
    ...at("variables.tf", [secretVersions(scope)]),
    ...at(
      "outputs.tf",
      outputsOf(scope).map((output) => outputOf(output, target)),
    ),
    versionsResource(environment, folder, providers),
    backendResource(environment, "cluster"),
  ];
}

const modulesOf = (scope: Scope): TerraformModule[] =>
  [
    vpcModule(scope),
    securityModule(scope),
    gkeModule(scope),
    scope.databases.length === 0 ? undefined : databaseModule(scope),
    storageModule(scope),
    dnsModule(scope),
    monitoringModule(scope),
  ].filter((module) => module !== undefined);

function providerBlocks({ target, labels }: Scope): Block[] {
  const { project, region, budget } = target;
  const provider = (more: TerraformBody, about: Omit<Block, "block">): Block => ({
    ...about,
    block: {
      type: "provider",
      labels: ["google"],
      body: { ...more, project, region, default_labels: labels },
    },
  });
  return [
    provider(
      {},
      {
        because: [
          because("target.project", "Where everything is."),
          because("labels", "Costs are told apart by them."),
          because("owner", "Who answers for it."),
        ],
      },
    ),
    ...(budget === undefined
      ? []
      : [
          provider(
            { alias: "billing", billing_project: project, user_project_override: true },
            {
              because: [because("target.budget", "Budgets belong to the billing account.")],
              comment: "The API of budgets wants to know which project pays for the calls.",
            },
          ),
        ]),
  ];
}

const projectBlock: Block = readBlock(
  { data: "google_project.current" },
  {},
  { because: [because("target.project", "Names of Google's own accounts hold the project's number.")] },
);

const servicesBlock = (scope: Scope): Block =>
  resourceBlock(
    "google_project_service.enabled",
    {
      for_each: call("toset", servicesOf(scope)),
      service: ref("each.value"),
      disable_on_destroy: false,
    },
    {
      because: [because("target.kind", "Interfaces of Google Cloud that are used.")],
      comment: `Interfaces that are used. Others in the project may use them too: they stay on. Terraform needs one of them itself:
gcloud services enable cloudresourcemanager.googleapis.com --project=${scope.target.project}`,
    },
  );

function servicesOf(scope: Scope): string[] {
  const { environment, target, databases, ownKeys } = scope;
  const services = [
    "artifactregistry",
    ...(target.budget === undefined ? [] : ["billingbudgets"]),
    ...(ownKeys ? ["cloudkms"] : []),
    "cloudresourcemanager",
    "compute",
    "container",
    ...(hasGateway(scope) || databases.length > 0 ? ["dns"] : []),
    ...(backsUpCluster(scope) ? ["gkebackup"] : []),
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    ...(keepsSecrets(scope) ? ["secretmanager"] : []),
    ...(databases.length > 0 ? ["servicenetworking", "sqladmin"] : []),
    ...(environment.objectStore.engine === "gcs" ? ["storage"] : []),
  ];
  return services.map((service) => `${service}.googleapis.com`);
}

const secretVersions = (scope: Scope): Block | undefined =>
  keepsSecrets(scope)
    ? {
        because: [because("secrets.engine", "When a password is to change is decided by a person.")],
        block: {
          type: "variable",
          labels: ["secret_versions"],
          body: {
            description:
              'Generated entries that are to get a new value, with a number higher than before: { "entry" = 2 }',
            type: ref("map(number)"),
            default: {},
            validation: {
              condition: ref("alltrue([for number in values(var.secret_versions) : number > 1])"),
              error_message: "Every entry begins at 1: raise it to 2 or more.",
            },
          },
        },
      }
    : undefined;

function outputsOf(scope: Scope): ModuleOutput[] {
  const { prefix, target, environment, databases } = scope;
  const outputs: ModuleOutput[] = [
    { name: "cluster_name", description: "Name of the cluster", value: ref("module.gke.name") },
    { name: "cluster_location", description: "Region of the cluster", value: ref("module.gke.location") },
    {
      name: handOver.clusterEndpoint,
      description: "Address of the Kubernetes API, for the platform stage",
      value: ref("module.gke.endpoint"),
    },
    {
      name: "kubectl_command",
      description: "Command that gives kubectl its access to the cluster",
      value: `gcloud container clusters get-credentials ${prefix} --region=${target.region} --project=${target.project} --dns-endpoint`,
    },
    {
      name: "registry",
      description: "What stands before the name of an image",
      value: ref("module.storage.registry"),
    },
    {
      name: "registry_login_command",
      description: "Command that gives docker its access to the repository of images",
      value: `gcloud auth configure-docker ${registryAddress(scope).split("/")[0] ?? ""}`,
    },
    {
      name: "service_accounts",
      description: "E-mails of the service accounts, by who acts as them",
      value: Object.fromEntries(
        identitiesOf(scope).map(({ user }) => [
          user,
          ref(`module.security.${user === "nodes" ? "node" : user}_service_account`),
        ]),
      ),
    },
  ];
  const buckets = bucketOutputs(scope);
  if (buckets.length > 0) {
    outputs.push({
      name: "buckets",
      description: "Names of the buckets, by what they hold",
      value: Object.fromEntries(buckets.map((id) => [id, ref(`module.storage.${id}_bucket`)])),
    });
  }
  if (databases.length > 0) {
    outputs.push(
      {
        name: "database_instances",
        description: "Names of the instances of Cloud SQL, by component",
        value: Object.fromEntries(databases.map(({ id }) => [id, ref(`module.database.${id}_instance`)])),
      },
      ...(environment.backup.enabled ? restoreCommands(scope) : []),
    );
  }
  if (hasGateway(scope)) {
    outputs.push(
      {
        name: "gateway_address",
        description: "External address of the gateway",
        value: ref("module.dns.gateway_address"),
      },
      {
        name: "gateway_address_name",
        description: "Name of that address, which the Gateway asks for",
        value: gatewayAddressName(environment),
      },
      {
        name: "name_servers",
        description: `Name servers of ${environment.domain}: the zone above it needs NS records with them`,
        value: ref("module.dns.name_servers"),
      },
    );
  }
  const commands = keepsSecrets(scope) ? secretCommands(scope) : {};
  if (Object.keys(commands).length > 0) {
    outputs.push({
      name: "secret_commands",
      description: "Commands that put in the values that a person gives, by entry; each asks for them",
      value: commands,
    });
  }
  return outputs;
}

/** Going back to a moment makes a new instance beside the old one, which nothing is lost by. */
const restoreCommands = ({ databases, target }: Scope): ModuleOutput[] => {
  const commands = (command: (server: string) => string): Record<string, string> =>
    Object.fromEntries(databases.map(({ id, component }) => [id, command(component.database.server)]));
  const project = `--project=${target.project}`;
  return [
    {
      name: "backup_list_commands",
      description: "Commands that list the backups of the databases, by component",
      value: commands((server) => `gcloud sql backups list --instance=${server} ${project}`),
    },
    {
      name: "restore_test_commands",
      description:
        "Commands that make a copy of each database as it was an hour ago, beside the running one: try them before you need them",
      value: commands(
        (server) =>
          `gcloud sql instances clone ${server} ${server}-restored ${project} --point-in-time="$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)"`,
      ),
    },
  ];
};
