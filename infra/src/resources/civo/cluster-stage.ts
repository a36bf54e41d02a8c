import { reservedIpName } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { ref, type Reason, type Resource, type TerraformBody } from "../resource.ts";
import {
  commented,
  element,
  extended,
  moduleCall,
  output,
  terraformFile,
  type Draft,
} from "../terraform-block.ts";
import { backendResource, handOver, stageFolder, versionsResource } from "../terraform-state.ts";
import { clusterInputs, clusterModule, clusterOutputs } from "./cluster.ts";
import { databaseInputs, databaseModule, managedDatabases } from "./database.ts";
import { dnsInputs, dnsModule } from "./dns.ts";
import { httpsSources, isExposed, networkModule } from "./network.ts";
import { hasStorage, isCopied, storageInputs, storageModule, usersIn } from "./storage.ts";

/** Stage 1 at Civo: network, cluster, databases, buckets, DNS. */
export function civoClusterStage(plan: Plan): Resource[] {
  const { environment } = plan;
  const { target } = environment;
  if (target.kind !== "civo") return [];
  const folder = stageFolder("cluster");
  const because: Reason[] = [{ setting: "target.kind", why: "The environment runs at Civo." }];
  const databases = managedDatabases(plan);
  const exposed = isExposed(plan);
  const stored = hasStorage(plan);
  const main = storageInputs(plan, "main", target);
  const copies = target.backupRegion === undefined ? undefined : storageInputs(plan, "backup", target);
  return [
    versionsResource(environment, folder, ["civo"]),
    backendResource(environment, "cluster"),
    ...terraformFile(
      `${folder}/providers.tf`,
      [{ setting: "target.region", why: "All is in this region." }],
      [
        commented(
          { type: "provider", labels: ["civo"], body: { region: target.region } },
          "The API key comes from CIVO_TOKEN: it stands in no file.",
        ),
      ],
    ),
    ...terraformFile(`${folder}/main.tf`, because, [
      moduleCall("network", {
        name: plan.prefix,
        cidr: target.network.cidr,
        admin_cidrs: target.adminCidrs,
        ...(exposed ? { https_cidrs: httpsSources(plan), gateway_ip_name: reservedIpName(environment) } : {}),
      }),
      moduleCall("cluster", clusterInputs(plan, target)),
      databases.length === 0 ? undefined : moduleCall("database", databaseInputs(plan, target.network.cidr)),
      main === undefined ? undefined : moduleCall("storage", main),
      copies === undefined ? undefined : backupStorage(copies),
      exposed ? moduleCall("dns", dnsInputs(plan)) : undefined,
    ]),
    ...terraformFile(`${folder}/outputs.tf`, because, [
      ...clusterOutputs(target, plan.prefix),
      ...(exposed
        ? [
            output("gateway_ip", ref("module.network.gateway_ip"), "Public address of the Gateway."),
            output("name_servers", ref("module.dns.name_servers"), "Name servers to name for the domain."),
          ]
        : []),
      ...(databases.length === 0
        ? []
        : [
            output(
              handOver.databaseAddresses,
              ref("module.database.addresses"),
              "Private addresses of the databases, which the cluster's Services lead to.",
            ),
          ]),
      secretOutput(plan),
    ]),
    ...networkModule(plan, target),
    ...clusterModule(plan, target),
    ...(databases.length === 0 ? [] : databaseModule(plan)),
    ...(stored ? storageModule(plan) : []),
    ...(exposed ? dnsModule(plan) : []),
  ];
}

const backupStorage = (inputs: TerraformBody): Draft => ({
  ...commented(
    { type: "module", labels: ["backup_storage"], body: inputs },
    "Backups of the databases in the cluster are written to this region directly. Artifacts and models are not:\nCivo copies no bucket by itself, so `make copy-artifacts` does, as often as it is run. Databases that Civo\nmanages stay in their region with their backups.",
  ),
  because: [
    { setting: "target.backupRegion", why: "What is here is left when the region of the cluster is lost." },
  ],
});

/** Every value that stage 2 makes Secrets of, by the name of its entry. */
function secretOutput(plan: Plan): Draft | undefined {
  const values = cloudValues(plan);
  if (Object.keys(values).length === 0) return undefined;
  return {
    ...extended(
      output(handOver.secrets, values, "Values of the Secrets that stage platform writes, by entry."),
      {
        sensitive: true,
      },
    ),
    because: [{ setting: "objectStore.engine", why: "Only Terraform knows these credentials." }],
  };
}

export function cloudValues(plan: Plan): TerraformBody {
  const { target } = plan.environment;
  if (target.kind !== "civo") return {};
  const values: Record<string, TerraformBody[string]> = {};
  for (const region of ["main", "backup"] as const) {
    const module = region === "main" ? "storage" : "backup_storage";
    const users = hasStorage(plan) ? usersIn(plan, region, target) : [];
    for (const user of isCopied(plan, region) ? [...users, "copies"] : users) {
      const credentials = element(`module.${module}.credentials`, user).text;
      values[`${plan.prefix}-${user}-object-store-id`] = ref(`${credentials}.id`);
      values[`${plan.prefix}-${user}-object-store-secret`] = ref(`${credentials}.secret`);
    }
  }
  for (const { key } of managedDatabases(plan)) {
    const credentials = element("module.database.credentials", key).text;
    values[`${plan.prefix}-${key}-database-username`] = ref(`${credentials}.username`);
    values[`${plan.prefix}-${key}-database`] = ref(`${credentials}.password`);
  }
  return values;
}
