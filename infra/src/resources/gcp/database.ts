import { ref, type TerraformBody } from "../resource.ts";
import {
  readBlock,
  resourceBlock,
  type Block,
  type ModuleInput,
  type TerraformModule,
} from "../terraform-module.ts";
import { because, type CloudSqlUse, type Scope } from "./scope.ts";
import { keepsSecrets } from "./secrets.ts";

/** `modules/database`: an instance of Cloud SQL for each component, with its database and user. */
export function databaseModule(scope: Scope): TerraformModule {
  const { databases } = scope;
  const withUsers = keepsSecrets(scope);
  return {
    name: "database",
    comment: "Databases: private addresses only, TLS only, an instance for each component.",
    because: databases.map(({ setting }) => because(`${setting}.engine`, "Cloud SQL.")),
    providers: ["google"],
    inputs: [
      {
        name: "network_id",
        type: "string",
        description: "Id of the network",
        value: ref("module.vpc.network_id"),
      },
      {
        name: "private_services_range",
        type: "string",
        description: "Name of the range that addresses are taken from, once it is peered",
        value: ref("module.vpc.private_services_range"),
      },
      ...(withUsers ? databases.flatMap(passwordInputs) : []),
    ],
    outputs: databases.flatMap(outputsOf),
    files: {
      "main.tf": databases.flatMap((use) => [
        instance(scope, use),
        ...(use.settings.replica && scope.target.backupRegion !== undefined
          ? [replica(scope, { use, region: scope.target.backupRegion })]
          : []),
        database(use),
        ...(withUsers ? user(use) : []),
      ]),
    },
    // The peering of the network comes before the first instance.
    dependsOn: [ref("google_project_service.enabled"), ref("module.vpc")],
  };
}

const passwordInputs = ({ id }: CloudSqlUse): ModuleInput[] => [
  {
    name: `${id}_password`,
    type: "string",
    description: `Entry of Secret Manager with the password of ${id}`,
    value: ref(`module.security.${id}_database_password`),
  },
  {
    name: `${id}_password_version`,
    type: "string",
    description: `Version of that entry: a new one gives the user a new password`,
    value: ref(`module.security.${id}_database_password_version`),
  },
];

const outputsOf = ({ id }: CloudSqlUse): TerraformModule["outputs"][number][] => [
  {
    name: `${id}_private_address`,
    description: `Address of the database of ${id} in the network`,
    value: ref(`google_sql_database_instance.${id}.private_ip_address`),
  },
  {
    name: `${id}_instance`,
    description: `Name of the instance of ${id}`,
    value: ref(`google_sql_database_instance.${id}.name`),
  },
  {
    name: `${id}_server_ca`,
    description: `Certificate authority that signs the server's certificate of ${id}`,
    value: ref(`google_sql_database_instance.${id}.server_ca_cert[0].cert`),
    sensitive: true,
  },
  {
    name: `${id}_instance_account`,
    description: `E-mail of the account that the instance of ${id} exports and imports as`,
    value: ref(`google_sql_database_instance.${id}.service_account_email_address`),
  },
];

const VERSIONS = { mysql: "MYSQL_8_4", postgresql: "POSTGRES_17" } as const;

function instance(scope: Scope, use: CloudSqlUse): Block {
  const { target, development, production, environment } = scope;
  const { id, component, settings, setting } = use;
  const mysql = settings.dialect === "mysql";
  return resourceBlock(
    `google_sql_database_instance.${id}`,
    {
      name: component.database.server,
      region: target.region,
      database_version: VERSIONS[settings.dialect],
      deletion_protection: !development,
      settings: {
        ...sizeOf(scope, use),
        availability_type: settings.highAvailability ? "REGIONAL" : "ZONAL",
        deletion_protection_enabled: !development,
        ...(environment.backup.enabled ? { retain_backups_on_delete: !development } : {}),
        backup_configuration: backups(scope, use),
        ...(production && environment.backup.enabled
          ? { final_backup_config: { enabled: true, retention_days: environment.backup.retentionDays } }
          : {}),
        ip_configuration: privateOnly,
        database_flags: flagsOf(mysql),
        maintenance_window: { day: 7, hour: 3, update_track: production ? "stable" : "canary" },
        insights_config: { query_insights_enabled: true, query_string_length: 1024 },
      },
    },
    {
      because: [
        because(`${setting}.engine`, `${component.name} keeps its state in Cloud SQL.`),
        because(`${setting}.tier`, "Size of the machine."),
        because(`${setting}.highAvailability`, "REGIONAL has a second one in another zone."),
        because("backup", "When, where and how long backups are kept."),
        because("tier", "What is not development is protected from deletion, by Terraform and by Google."),
      ],
      notes: {
        deletion_protection: "Of Terraform; deletion_protection_enabled below is Google's own.",
        "settings.backup_configuration": mysql
          ? "Going back to any moment takes the binary log: point_in_time_recovery_enabled is not for MySQL."
          : "Going back to any moment takes the write-ahead log.",
        "settings.ip_configuration": "Reached from within the network only, and never in clear.",
        "settings.maintenance_window": "Sundays at 03:00 UTC.",
      },
    },
  );
}

const sizeOf = ({ labels }: Scope, { settings }: CloudSqlUse): TerraformBody => ({
  tier: settings.tier,
  edition: settings.edition,
  disk_type: "PD_SSD",
  disk_size: settings.diskGb,
  disk_autoresize: true,
  // The provider's default_labels do not reach these.
  user_labels: labels,
});

const privateOnly: TerraformBody = {
  ipv4_enabled: false,
  private_network: ref("var.network_id"),
  allocated_ip_range: ref("var.private_services_range"),
  ssl_mode: "ENCRYPTED_ONLY",
  server_ca_mode: "GOOGLE_MANAGED_INTERNAL_CA",
};

function backups({ environment, target }: Scope, { settings }: CloudSqlUse): TerraformBody {
  const { backup } = environment;
  if (!backup.enabled) return { enabled: false };
  const [minute = "0", hour = "2"] = backup.schedule.split(" ");
  return {
    enabled: true,
    ...(settings.dialect === "mysql"
      ? { binary_log_enabled: true }
      : { point_in_time_recovery_enabled: true }),
    start_time: `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`,
    location: target.backupRegion ?? target.region,
    transaction_log_retention_days: backup.pointInTimeDays,
    backup_retention_settings: { retained_backups: backup.retentionDays, retention_unit: "COUNT" },
  };
}

const flagsOf = (mysql: boolean): { name: string; value: string }[] =>
  Object.entries(
    mysql
      ? { local_infile: "off", long_query_time: "2", slow_query_log: "on" }
      : {
          log_checkpoints: "on",
          log_connections: "on",
          log_disconnections: "on",
          log_lock_waits: "on",
          log_min_duration_statement: "2000",
        },
  ).map(([name, value]) => ({ name, value }));

const replica = (scope: Scope, { use, region }: { use: CloudSqlUse; region: string }): Block =>
  resourceBlock(
    `google_sql_database_instance.${use.id}_replica`,
    {
      name: `${use.component.database.server}-replica`,
      region,
      database_version: VERSIONS[use.settings.dialect],
      master_instance_name: ref(`google_sql_database_instance.${use.id}.name`),
      deletion_protection: !scope.development,
      settings: {
        ...sizeOf(scope, use),
        availability_type: "ZONAL",
        deletion_protection_enabled: !scope.development,
        ip_configuration: privateOnly,
        database_flags: flagsOf(use.settings.dialect === "mysql"),
      },
    },
    {
      because: [
        because(`${use.setting}.replica`, "A copy that can take over, seconds behind."),
        because("target.backupRegion", `In ${region}, which survives the loss of the other region.`),
      ],
      comment: `When ${scope.target.region} is lost: gcloud sql instances promote-replica ${use.component.database.server}-replica --project=${scope.target.project}`,
    },
  );

const database = ({ id, component, settings, setting }: CloudSqlUse): Block =>
  resourceBlock(
    `google_sql_database.${id}`,
    {
      name: component.database.name,
      instance: ref(`google_sql_database_instance.${id}.name`),
      ...(settings.dialect === "mysql"
        ? { charset: "utf8mb4", collation: "utf8mb4_0900_ai_ci" }
        : { charset: "UTF8", collation: "en_US.UTF8" }),
      deletion_policy: "ABANDON",
    },
    {
      because: [because(`${setting}.engine`, `The database of ${component.name}.`)],
      notes: { deletion_policy: "Dropped by hand or with its instance, never by a plan." },
    },
  );

const user = ({ id, component, settings, setting }: CloudSqlUse): Block[] => {
  const reasons = [because(`${setting}.engine`, `The user that ${component.name} logs in as.`)];
  return [
    readBlock(
      { ephemeral: `google_secret_manager_secret_version.${id}_password` },
      { secret: ref(`var.${id}_password`), version: ref(`var.${id}_password_version`) },
      {
        because: reasons,
        comment:
          "Read back from Secret Manager: user and Secret have the same password, whatever failed before.",
      },
    ),
    resourceBlock(
      `google_sql_user.${id}`,
      {
        name: component.database.user,
        instance: ref(`google_sql_database_instance.${id}.name`),
        ...(settings.dialect === "mysql" ? { host: "%" } : {}),
        password_wo: ref(`ephemeral.google_secret_manager_secret_version.${id}_password.secret_data`),
        password_wo_version: ref(`var.${id}_password_version`),
        deletion_policy: "ABANDON",
      },
      {
        because: reasons,
        notes: { deletion_policy: "A user that owns tables cannot be dropped; it goes with its instance." },
      },
    ),
  ];
};
