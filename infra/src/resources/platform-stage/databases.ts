import type { Plan } from "../../plan.ts";
import { databaseSetting, managedDatabases, type ManagedDatabase } from "../civo/database.ts";
import { element, commented, resource, terraformFile, type Draft } from "../terraform-block.ts";
import { ref, type Resource } from "../resource.ts";
import { handOver, stageFolder } from "../terraform-state.ts";
import { namespaceRef } from "./secrets.ts";

/**
 * `databases.tf`: a Service without selector for each database that Civo manages. Its name stands in Git, its address,
 * which is known only once the database is there, does not.
 */
export function databaseServices(plan: Plan): Resource[] {
  return managedDatabases(plan).flatMap((managed) => servicesOf(managed));
}

function servicesOf(managed: ManagedDatabase): Resource[] {
  const { key, component } = managed;
  const because = [
    { setting: `${databaseSetting(key)}.engine`, why: `${component.name} finds its database by this name.` },
  ];
  return terraformFile(`${stageFolder("platform")}/databases.tf`, because, drafts(managed));
}

function drafts({ key, component, database }: ManagedDatabase): Draft[] {
  const { host, port } = component.database;
  const name = host.split(".")[0] ?? key;
  // Names of applications as IANA has them, which the provider asks for.
  const protocol = database.dialect;
  return [
    commented(
      resource("kubernetes_service_v1", `${key}_database`, {
        metadata: { name, namespace: namespaceRef(component.namespace) },
        spec: { port: { name: protocol, port, target_port: String(port) } },
      }),
      `${host} leads to the database that Civo manages.`,
    ),
    resource("kubernetes_endpoint_slice_v1", `${key}_database`, {
      address_type: "IPv4",
      metadata: {
        name,
        namespace: namespaceRef(component.namespace),
        labels: {
          "kubernetes.io/service-name": ref(`kubernetes_service_v1.${key}_database.metadata[0].name`),
          "endpointslice.kubernetes.io/managed-by": "terraform",
        },
      },
      endpoint: {
        addresses: [
          element(`data.terraform_remote_state.cluster.outputs.${handOver.databaseAddresses}`, key),
        ],
        condition: { ready: true },
      },
      port: { name: protocol, port: String(port), app_protocol: protocol },
    }),
  ];
}
