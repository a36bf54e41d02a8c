import type { Plan } from "../../plan.ts";
import { routesOf } from "../kubernetes/routes.ts";
import { ref, type Reason, type Resource, type TerraformBody } from "../resource.ts";
import { commented, output, resource, terraformFile, variable } from "../terraform-block.ts";
import { versionsResource } from "../terraform-state.ts";
import { moduleFolder } from "./folders.ts";

/** Names of the records, below the domain. */
export const recordNames = (plan: Plan): string[] =>
  routesOf(plan)
    .map(({ host }) => host.slice(0, -plan.environment.domain.length - 1))
    .sort();

/** The domain and a record for each host. */
export function dnsModule(plan: Plan): Resource[] {
  const folder = moduleFolder("dns");
  const because: Reason[] = [
    { setting: "domain", why: `The hosts below ${plan.environment.domain} lead to the Gateway.` },
  ];
  return [
    ...terraformFile(`${folder}/main.tf`, because, [
      commented(
        resource("civo_dns_domain_name", "main", { name: ref("var.domain") }),
        "Takes effect once the domain's registrar or parent zone names Civo's name servers for it.",
      ),
      resource("civo_dns_domain_record", "host", {
        for_each: ref("var.hosts"),
        domain_id: ref("civo_dns_domain_name.main.id"),
        type: "A",
        name: ref("each.value"),
        value: ref("var.address"),
        ttl: 600,
      }),
    ]),
    ...terraformFile(`${folder}/variables.tf`, because, [
      variable("domain", "string", "Domain of the platform."),
      variable("hosts", "set(string)", "Names below the domain."),
      variable("address", "string", "Address that they lead to."),
    ]),
    ...terraformFile(`${folder}/outputs.tf`, because, [
      output(
        "name_servers",
        ["ns0.civo.com", "ns1.civo.com"],
        "Name servers to name for the domain at its registrar or in its parent zone.",
      ),
    ]),
    versionsResource(plan.environment, folder, ["civo"]),
  ];
}

export const dnsInputs = (plan: Plan): TerraformBody => ({
  domain: plan.environment.domain,
  hosts: recordNames(plan),
  address: ref("module.network.gateway_ip"),
});
