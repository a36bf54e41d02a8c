import type { Plan } from "../../plan.ts";
import { databaseSetting, managedDatabases, type ManagedDatabase } from "../civo/database.ts";
import { ref, template, type Resource, type TerraformBody } from "../resource.ts";
import { commented, element, noted, resource, terraformFile, type Draft } from "../terraform-block.ts";
import { handOver, stageFolder } from "../terraform-state.ts";
import { databaseImages } from "../versions.ts";
import { namespaceRef } from "./secrets.ts";

/**
 * `database-setup.tf`: Civo's databases come without one for the application. ZenML makes its own when it starts;
 * MLflow and Plinth do not, so a Job does.
 */
export function databaseSetup(plan: Plan): Resource[] {
  return managedDatabases(plan)
    .filter(({ component }) => component.name !== "zenml")
    .flatMap((managed) =>
      terraformFile(
        `${stageFolder("platform")}/database-setup.tf`,
        [
          {
            setting: `${databaseSetting(managed.key)}.engine`,
            why: `${managed.component.name} finds its database there.`,
          },
        ],
        drafts(plan, managed),
      ),
    );
}

function drafts({ prefix }: Plan, managed: ManagedDatabase): Draft[] {
  const { key, component } = managed;
  const name = `${key}-database-setup`;
  const block = `${key}_database_setup`;
  const namespace = namespaceRef(component.namespace);
  const labels = { "app.kubernetes.io/name": name };
  return [
    resource("kubernetes_secret_v1", block, {
      type: "Opaque",
      data_wo: {
        username: element("local.secrets", `${prefix}-${key}-database-username`),
        password: element("local.secrets", `${prefix}-${key}-database`),
      },
      data_wo_revision: ref("local.secrets_revision"),
      metadata: { name, namespace },
    }),
    commented(
      resource("kubernetes_network_policy_v1", block, {
        metadata: { name, namespace },
        spec: {
          policy_types: ["Ingress", "Egress"],
          pod_selector: { match_labels: labels },
          egress: [
            {
              to: { ip_block: { cidr: template`${addressOf(key)}/32` } },
              ports: { port: String(component.database.port), protocol: "TCP" },
            },
            {
              to: {
                namespace_selector: { match_labels: { "kubernetes.io/metadata.name": "kube-system" } },
              },
              ports: [
                { port: "53", protocol: "UDP" },
                { port: "53", protocol: "TCP" },
              ],
            },
          ],
        },
      }),
      "The Job's pod reaches the database and DNS, and nobody reaches it.",
    ),
    commented(
      noted(
        resource("kubernetes_job_v1", block, {
          wait_for_completion: true,
          metadata: { name, namespace, labels },
          spec: {
            backoff_limit: 10,
            template: { metadata: { labels }, spec: podSpec(managed, name) },
          },
          timeouts: { create: "10m", update: "10m" },
          lifecycle: { replace_triggered_by: [ref(`kubernetes_endpoint_slice_v1.${key}_database`)] },
          depends_on: [
            ref(`kubernetes_service_v1.${key}_database`),
            ref(`kubernetes_secret_v1.${block}`),
            ref(`kubernetes_network_policy_v1.${block}`),
          ],
        }),
        { "lifecycle.replace_triggered_by": "Another server has another address, and no database yet." },
      ),
      `Makes the database ${component.database.name} where there is none. It does no harm when it runs again.`,
    ),
  ];
}

const addressOf = (key: string) =>
  element(`data.terraform_remote_state.cluster.outputs.${handOver.databaseAddresses}`, key);

/** Users that the images are made for. */
const USERS = { mysql: "999", postgresql: "26" } as const;

function podSpec({ component }: ManagedDatabase, secret: string): TerraformBody {
  const { dialect, host, port, name: database } = component.database;
  const fromSecret = (name: string, key: string): TerraformBody => ({
    name,
    value_from: { secret_key_ref: { name: secret, key } },
  });
  const isMySql = dialect === "mysql";
  return {
    restart_policy: "Never",
    automount_service_account_token: false,
    enable_service_links: false,
    security_context: {
      run_as_non_root: true,
      run_as_user: USERS[dialect],
      run_as_group: USERS[dialect],
      seccomp_profile: { type: "RuntimeDefault" },
    },
    container: {
      name: "setup",
      image: isMySql ? databaseImages.mysqlClient : databaseImages.postgresql[18],
      command: ["sh", "-c", isMySql ? mySqlScript(database) : postgresScript(database)],
      env: isMySql
        ? [
            { name: "DATABASE_HOST", value: host },
            { name: "DATABASE_PORT", value: String(port) },
            fromSecret("DATABASE_USER", "username"),
            fromSecret("MYSQL_PWD", "password"),
          ]
        : [
            { name: "PGHOST", value: host },
            { name: "PGPORT", value: String(port) },
            { name: "PGDATABASE", value: "postgres" },
            { name: "PGSSLMODE", value: "require" },
            fromSecret("PGUSER", "username"),
            fromSecret("PGPASSWORD", "password"),
          ],
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "256Mi" } },
      security_context: {
        allow_privilege_escalation: false,
        read_only_root_filesystem: true,
        capabilities: { drop: ["ALL"] },
      },
    },
  };
}

const mySqlScript = (database: string): string =>
  `exec mysql --host="$DATABASE_HOST" --port="$DATABASE_PORT" --user="$DATABASE_USER" --ssl-mode=REQUIRED --execute='create database if not exists ${database} character set utf8mb4'`;

/** PostgreSQL knows no "if not exists" for databases; psql's `\gexec` runs what the query answers. */
const postgresScript = (database: string): string =>
  `printf '%s\\n' "select 'create database ${database}' where not exists (select from pg_database where datname = '${database}') \\gexec" | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1`;
