import { commonLabels, prefixOf } from "../../names.ts";
import type { Component, Plan } from "../../plan.ts";
import { multiRegionOf, registryLocation, type MultiRegion } from "../../spec/google-regions.ts";
import type { Environment } from "../../spec/platform.ts";
import type { CloudSql, Database } from "../../spec/state.ts";
import type { GcpTarget } from "../../spec/target.ts";
import { routesOf } from "../kubernetes/routes.ts";
import type { Reason } from "../resource.ts";

/** What all modules of Google Cloud work from. */
export type Scope = {
  plan: Plan;
  environment: Environment;
  target: GcpTarget;
  prefix: string;
  labels: Record<string, string>;
  development: boolean;
  production: boolean;
  /** Keys of our own encrypt what is stored. Rings and keys cannot be deleted, so what is made to be thrown away has none. */
  ownKeys: boolean;
  /** Both regions at once, when there are two. */
  multiRegion: MultiRegion | undefined;
  registryLocation: string;
  databases: readonly CloudSqlUse[];
};

/** A component on an instance of Cloud SQL of its own. */
export type CloudSqlUse = {
  /** Name of its blocks: `google_sql_database_instance.tracking`. */
  id: "tracking" | "zenml";
  component: Component;
  settings: CloudSql;
  /** Path of the setting it is there for. */
  setting: string;
};

export function scopeOf(plan: Plan): Scope | undefined {
  const { environment } = plan;
  const { target } = environment;
  if (target.kind !== "gcp") return undefined;
  const development = environment.tier === "development";
  return {
    plan,
    environment,
    target,
    prefix: prefixOf(environment),
    labels: commonLabels(environment),
    development,
    production: environment.tier === "production",
    ownKeys: !development,
    multiRegion:
      target.backupRegion === undefined ? undefined : multiRegionOf(target.region, target.backupRegion),
    registryLocation: registryLocation(target.region, target.backupRegion),
    databases: databasesOf(plan),
  };
}

/** The components that keep state, with their database. */
export function statefulComponents(
  plan: Plan,
): { component: Component; database: Database; setting: string }[] {
  const { environment, tracking, pipelines } = plan;
  const all = [
    { component: tracking, database: environment.tracking.database, setting: "tracking.database" },
  ];
  if (pipelines !== undefined && environment.pipelines.engine === "zenml") {
    all.push({
      component: pipelines,
      database: environment.pipelines.database,
      setting: "pipelines.database",
    });
  }
  return all;
}

const databasesOf = (plan: Plan): CloudSqlUse[] =>
  statefulComponents(plan).flatMap(({ component, database, setting }) =>
    database.engine === "cloud-sql"
      ? [{ id: component === plan.tracking ? "tracking" : "zenml", component, settings: database, setting }]
      : [],
  );

export const because = (setting: string, why: string): Reason => ({ setting, why });

/** Whether something of the cluster itself is worth a copy: Git has the manifests, and not the volumes. */
export function backsUpCluster({ environment, target, plan }: Scope): boolean {
  if (!environment.backup.enabled) return false;
  const volumes =
    environment.objectStore.engine === "minio" ||
    statefulComponents(plan).some(
      ({ database }) => database.engine === "cloudnative-pg" || database.engine === "kubeblocks",
    );
  return volumes || target.backupRegion !== undefined;
}

/** A host that people reach from outside, by the component that answers there. */
type PublicHost = {
  id: string;
  host: string;
  setting: string;
  /** Where it says how it is; undefined where a stranger is answered with 401 or 403, which tells nothing. */
  healthPath: string | undefined;
};

export const publicHosts = ({ plan }: Scope): PublicHost[] =>
  routesOf(plan).map(({ name, host, exposure, rules }) => ({
    id: name,
    host,
    setting: `${name === "models" ? "serving" : name === "zenml" ? "pipelines" : "tracking"}.exposure`,
    healthPath: exposure.kind === "public" && name !== "models" ? rules[0]?.healthPath : undefined,
  }));
