import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Manifest, Path, Workspace } from "../workspace.ts";
import { databaseUrls, isKnownPart, urlParts } from "./database-urls.ts";
import {
  at,
  fields,
  known,
  list,
  mayBeSameNamespace,
  objectsOf,
  problemAt,
  textAt,
  perWorkspace,
} from "./kubernetes-objects.ts";

/** Databases that operators run: KubeBlocks and CloudNativePG. */

const KUBEBLOCKS = "Cluster apps.kubeblocks.io";
const POSTGRES = "Cluster postgresql.cnpg.io";

type Component = { cluster: Manifest; value: unknown; path: Path; name: string; engine: string };

/** The engine of a component, from whichever of its old and new fields names it. */
const componentsOf = perWorkspace((workspace: Workspace): Component[] =>
  objectsOf(workspace, KUBEBLOCKS).flatMap((cluster) =>
    list(at(cluster.value, "spec", "componentSpecs")).map((value, index) => {
      const named = [
        at(value, "componentDef"),
        at(value, "componentDefRef"),
        at(cluster.value, "spec", "clusterDef"),
        at(cluster.value, "spec", "clusterDefinitionRef"),
        at(value, "name"),
      ];
      const engine = /mysql|postgresql/.exec(named.map(String).join(" "))?.[0] ?? "";
      return {
        cluster,
        value,
        path: ["spec", "componentSpecs", index],
        name: String(at(value, "name")),
        engine,
      };
    }),
  ),
);

/** Versions that the addons of KubeBlocks 1.0 and of its next release list, by the line they belong to. */
const LISTED: readonly {
  engine: string;
  line: RegExp;
  versions: (version: string) => boolean;
  text: string;
}[] = [
  {
    engine: "postgresql",
    line: /^16\./,
    versions: (version) => ["16.4.0", "16.9.0", "16.14.0"].includes(version),
    text: "16.4.0 and 16.9.0 (later 16.14.0)",
  },
  {
    engine: "mysql",
    line: /^8\.0\./,
    versions: (version) => Number(version.split(".")[2]) >= 33 && Number(version.split(".")[2]) <= 44,
    text: "8.0.33 to 8.0.44",
  },
];

function* versions(workspace: Workspace): Iterable<Problem> {
  for (const { cluster, value, path, engine } of componentsOf(workspace)) {
    const old = textAt(cluster.value, "spec", "clusterVersionRef");
    const version = textAt(value, "serviceVersion") ?? old?.replace(/^[a-z-]+-/, "");
    const listed = LISTED.find(
      (one) => one.engine === engine && version !== undefined && one.line.test(version),
    );
    if (version === undefined || listed === undefined || listed.versions(version)) continue;
    const where =
      at(value, "serviceVersion") === undefined ? ["spec", "clusterVersionRef"] : [...path, "serviceVersion"];
    yield problemAt(cluster, {
      path: where,
      message: `KubeBlocks has no ${engine} ${version}; of this line it lists ${listed.text}`,
    });
  }
}

/** A cluster that a host name seems to mean, with the names that its Services really have. */
type Meant = { cluster: Manifest; services: readonly string[]; accounts: readonly string[] | undefined };

function meantBy(workspace: Workspace, host: string): Meant | undefined {
  const [first = "", namespace] = host.split(".");
  const place = namespace === undefined || !isKnownPart(namespace) ? undefined : namespace;
  const belongs = (cluster: Manifest): boolean =>
    (first === cluster.name || first.startsWith(`${cluster.name}-`)) &&
    mayBeSameNamespace(cluster.namespace, place);
  const component = componentsOf(workspace).find(({ cluster }) => belongs(cluster));
  if (component !== undefined) {
    const { cluster, name, engine } = component;
    const base = `${cluster.name}-${name}`;
    const services =
      engine === "postgresql"
        ? [`${base}-postgresql`, `${base}-headless`]
        : [base, `${base}-mysql`, `${base}-headless`];
    return {
      cluster,
      services,
      accounts: engine === "postgresql" ? ["postgres", "kbadmin"] : ["root", "kbadmin"],
    };
  }
  const postgres = objectsOf(workspace, POSTGRES).find(belongs);
  if (postgres === undefined) return undefined;
  const poolers = objectsOf(workspace, "Pooler").map(({ name }) => name);
  return {
    cluster: postgres,
    services: [...["rw", "ro", "r"].map((end) => `${postgres.name}-${end}`), ...poolers],
    accounts: undefined,
  };
}

const hostsOf = perWorkspace(
  (
    workspace: Workspace,
  ): (ReturnType<typeof databaseUrls>[number] & {
    host: string;
    user: string | undefined;
    database: string;
  })[] =>
    databaseUrls(workspace).flatMap((found) => {
      const parts = urlParts(found.url);
      return parts === undefined || parts.host === ""
        ? []
        : [Object.assign({}, found, { host: parts.host, user: parts.user, database: parts.database })];
    }),
);

function* hosts(workspace: Workspace): Iterable<Problem> {
  for (const { host, located, path } of hostsOf(workspace)) {
    const [first = ""] = host.split(".");
    const meant = isKnownPart(first) ? meantBy(workspace, host) : undefined;
    if (meant === undefined || meant.services.includes(first)) continue;
    yield problemAt(located, {
      path,
      message: `there is no Service ${first}: the cluster ${meant.cluster.name} is reached at ${meant.services[0] ?? ""}`,
    });
  }
}

/** Something in the files makes a user: a job with SQL, an init script, a resource of Terraform. */
const makesUsers = (workspace: Workspace): boolean =>
  workspace.snippets.some(({ text }) =>
    /create\s+(?:user|role)\b|"(?:mysql_user|postgresql_role)"/i.test(text),
  );

function* accounts(workspace: Workspace): Iterable<Problem> {
  if (makesUsers(workspace)) return;
  for (const { host, user, database, located, path } of hostsOf(workspace)) {
    const meant = meantBy(workspace, host);
    if (meant?.accounts === undefined || user === undefined || user === "" || !isKnownPart(user)) continue;
    if (!meant.accounts.includes(user))
      yield problemAt(located, {
        path,
        message: `KubeBlocks makes no user ${user} in ${meant.cluster.name}: its accounts are those of the component definition (${meant.accounts.join(", ")})`,
      });
    if (database === "postgres")
      yield problemAt(located, {
        path,
        severity: "warning",
        message: `the application keeps its tables in postgres, the database of the administrators`,
      });
  }
}

function* wipeOut(workspace: Workspace): Iterable<Problem> {
  for (const cluster of objectsOf(workspace, KUBEBLOCKS))
    if (at(cluster.value, "spec", "terminationPolicy") === "WipeOut")
      yield problemAt(cluster, {
        path: ["spec", "terminationPolicy"],
        message: `whoever deletes the cluster ${cluster.name} deletes its volumes and its backups, too`,
      });
}

function* single(workspace: Workspace): Iterable<Problem> {
  for (const { cluster, value, path, name } of componentsOf(workspace)) {
    const lacks = [
      ...(at(value, "replicas") === 1 ? ["one replica"] : []),
      ...(at(cluster.value, "spec", "backup", "enabled") === true ||
      hasSchedule(workspace, cluster) ||
      isTemplated(at(cluster.value, "spec", "backup"))
        ? []
        : ["no backup"]),
    ];
    if (lacks.length > 0)
      yield problemAt(cluster, {
        path: [...path, "replicas"],
        // Who sets Delete, and not more, keeps nothing of worth in it.
        severity: at(cluster.value, "spec", "terminationPolicy") === "Delete" ? "info" : "warning",
        message: `${cluster.name}/${name} has ${lacks.join(" and ")}: ${lacks.includes("no backup") ? "a lost volume is lost data" : "a drained node is an outage"}`,
      });
    if (at(value, "resources", "limits", "memory") === undefined && !isTemplated(at(value, "resources")))
      yield problemAt(cluster, {
        path: [...path, "resources"],
        message: `${cluster.name}/${name} has no memory limit: KubeBlocks tunes the database by it`,
      });
  }
}

const hasSchedule = (workspace: Workspace, cluster: Manifest): boolean =>
  objectsOf(workspace, "BackupSchedule", "BackupPolicy").some(({ namespace }) =>
    mayBeSameNamespace(namespace, cluster.namespace),
  );

function* postgresBackups(workspace: Workspace): Iterable<Problem> {
  for (const cluster of objectsOf(workspace, POSTGRES)) {
    const spec = fields(cluster.value["spec"]);
    if (at(spec, "backup", "barmanObjectStore") !== undefined)
      yield problemAt(cluster, {
        path: ["spec", "backup", "barmanObjectStore"],
        message: `${cluster.name}: backup.barmanObjectStore is deprecated since CloudNativePG 1.26; the plugin barman-cloud takes its place`,
      });
    const scheduled = objectsOf(workspace, "ScheduledBackup").some(
      ({ value, namespace }) =>
        at(value, "spec", "cluster", "name") === cluster.name &&
        mayBeSameNamespace(namespace, cluster.namespace),
    );
    const archived = list(spec["plugins"]).length > 0 || spec["backup"] !== undefined;
    if (cluster.origin !== "file" || (scheduled && archived) || isTemplated(spec["plugins"])) continue;
    const lacks = [
      ...(scheduled ? [] : ["no ScheduledBackup"]),
      ...(archived ? [] : ["no archive for its log"]),
    ].join(" and ");
    yield problemAt(cluster, {
      path: ["metadata", "name"],
      message: `the cluster ${cluster.name} has ${lacks}: it cannot be brought back`,
      // Neither is a decision, as for development; one without the other is a slip.
      severity: scheduled || archived ? "warning" : "info",
    });
  }
}

function* schedules(workspace: Workspace): Iterable<Problem> {
  for (const backup of objectsOf(workspace, "ScheduledBackup")) {
    const schedule = at(backup.value, "spec", "schedule");
    if (!known(schedule) || schedule.startsWith("@") || schedule.trim().split(/\s+/).length === 6) continue;
    yield problemAt(backup, {
      path: ["spec", "schedule"],
      message: `"${schedule}" has ${schedule.trim().split(/\s+/).length} fields: CloudNativePG wants six, seconds first`,
    });
  }
}

export const databaseOperatorRules: readonly Rule[] = [
  {
    id: "database/unlisted-version",
    severity: "error",
    covers: ["E11"],
    title: "a database version that the operator does not list",
    why: "KubeBlocks finds no release for it, and the cluster stays without pods.",
    remedy: "Take a version that `kubectl get componentversions` lists.",
    check: versions,
  },
  {
    id: "database/wrong-host",
    severity: "error",
    covers: ["E11"],
    title: "a database URL with a host that the operator does not make",
    why: "KubeBlocks names the Service <cluster>-<component>-postgresql for PostgreSQL and <cluster>-<component> for MySQL, CloudNativePG <cluster>-rw.",
    remedy: "Write the Service's name as the operator makes it.",
    check: hosts,
  },
  {
    id: "database/unknown-account",
    severity: "error",
    covers: ["E11"],
    title: "a database user that nobody makes",
    why: "KubeBlocks makes the accounts of its component definition only; a secret of one's own makes none.",
    remedy:
      "Make user and database in a Job (CREATE USER, CREATE DATABASE) that logs in with the secret <cluster>-<component>-account-<account>.",
    check: accounts,
  },
  {
    id: "database/wipe-out",
    severity: "error",
    covers: ["E12"],
    title: "a database whose deletion deletes its backups",
    why: "terminationPolicy WipeOut removes volumes, snapshots and backups in the repository.",
    remedy: "Use DoNotTerminate in production, Delete elsewhere.",
    check: wipeOut,
  },
  {
    id: "database/single-copy",
    severity: "warning",
    covers: ["E12"],
    title: "a database without a second copy",
    why: "One replica, no backup or no limit: each is an outage or a loss that waits for its day.",
    remedy: "Set replicas 2 or more, spec.backup with a BackupRepo, and a memory limit.",
    check: single,
  },
  {
    id: "database/no-way-back",
    severity: "warning",
    covers: ["E26"],
    title: "a PostgreSQL cluster without backups, or with the old kind",
    why: "Replicas do not help against a dropped table.",
    remedy: "Add an ObjectStore, the plugin barman-cloud.cloudnative-pg.io and a ScheduledBackup.",
    check: postgresBackups,
  },
  {
    id: "database/schedule",
    severity: "error",
    covers: [],
    title: "a backup schedule with too few fields",
    why: "CloudNativePG's schedules begin with seconds: with five fields it is refused.",
    remedy: 'Write six fields, for example "0 0 2 * * *".',
    check: schedules,
  },
];
