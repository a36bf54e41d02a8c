import type { Component, Plan } from "../../plan.ts";
import type { CivoDatabase, Database } from "../../spec/state.ts";
import { ref, type Reason, type Resource, type TerraformBody } from "../resource.ts";
import {
  commented,
  extended,
  output,
  protection,
  resource,
  terraformFile,
  variable,
} from "../terraform-block.ts";
import { versionsResource } from "../terraform-state.ts";
import { moduleFolder } from "./folders.ts";
import { outgoing } from "./network.ts";

/** A component whose database Civo manages. */
export type ManagedDatabase = {
  /** Its place in the configuration, and its key among the databases. */
  key: "tracking" | "zenml";
  component: Component;
  database: CivoDatabase;
};

export function managedDatabases({ environment, tracking, pipelines }: Plan): ManagedDatabase[] {
  const all: [ManagedDatabase["key"], Component | undefined, Database | undefined][] = [
    ["tracking", tracking, environment.tracking.database],
    [
      "zenml",
      pipelines,
      environment.pipelines.engine === "none" ? undefined : environment.pipelines.database,
    ],
  ];
  return all.flatMap(([key, component, database]) =>
    component !== undefined && database?.engine === "civo-database" ? [{ key, component, database }] : [],
  );
}

/** Path of a component's database in the configuration. */
export const databaseSetting = (key: ManagedDatabase["key"]): string =>
  key === "tracking" ? "tracking.database" : "pipelines.database";

/** The databases with a firewall for each. */
export function databaseModule(plan: Plan): Resource[] {
  const folder = moduleFolder("database");
  const because: Reason[] = managedDatabases(plan).map(({ key, component }) => ({
    setting: `${databaseSetting(key)}.engine`,
    why: `Civo manages the database of ${component.name}.`,
  }));
  return [
    ...terraformFile(`${folder}/main.tf`, because, [
      commented(
        resource("civo_firewall", "database", {
          for_each: ref("var.databases"),
          name: ref('"${var.name}-${each.key}-database"'),
          network_id: ref("var.network_id"),
          create_default_rules: false,
          ingress_rule: {
            label: ref("each.value.engine"),
            protocol: "tcp",
            port_range: ref("tostring(each.value.port)"),
            cidr: ref("[var.network_cidr]"),
            action: "allow",
          },
          egress_rule: outgoing(),
        }),
        "A database without a firewall of its own answers the whole internet: this one only the cluster's network.",
      ),
      commented(
        resource("civo_database", "main", {
          for_each: ref("var.databases"),
          name: ref('"${var.name}-${each.key}"'),
          engine: ref("each.value.engine"),
          version: ref("each.value.version"),
          size: ref("each.value.size"),
          nodes: ref("each.value.nodes"),
          network_id: ref("var.network_id"),
          firewall_id: ref("civo_firewall.database[each.key].id"),
          ...protection(plan.environment.tier === "production"),
        }),
        "Civo changes only the number of nodes and the firewall of a running database. Another engine, version or\nsize would be planned for ever and never come: make a second database and move the data.",
      ),
    ]),
    ...terraformFile(`${folder}/variables.tf`, because, [
      variable("name", "string", "Begins the names of the databases."),
      variable("network_id", "string", "Network of the databases."),
      variable("network_cidr", "string", "Range of the network, whose machines may connect."),
      variable(
        "databases",
        "map(object({ engine = string, version = string, size = string, nodes = number, port = number }))",
        "Databases by what they are for.",
      ),
    ]),
    ...terraformFile(`${folder}/outputs.tf`, because, [
      output(
        "addresses",
        ref("{ for key, database in civo_database.main : key => database.private_ipv4 }"),
        "Private address of each database.",
      ),
      extended(output("credentials", ref(CREDENTIALS), "User and password of each database."), {
        sensitive: true,
      }),
    ]),
    versionsResource(plan.environment, folder, ["civo"]),
  ];
}

const CREDENTIALS = `{
  for key, database in civo_database.main : key => {
    username = database.username
    password = database.password
  }
}`;

export const databaseInputs = (plan: Plan, cidr: string): TerraformBody => ({
  name: plan.prefix,
  network_id: ref("module.network.network_id"),
  network_cidr: cidr,
  databases: Object.fromEntries(
    managedDatabases(plan).map(({ key, component, database }) => [
      key,
      {
        engine: database.dialect,
        version: database.version,
        size: database.size,
        nodes: database.nodes,
        port: component.database.port,
      },
    ]),
  ),
});
