import type { Component, Plan } from "../../plan.ts";
import type { Database } from "../../spec/state.ts";
import type { Resource } from "../resource.ts";
import { postgresServer } from "./cloudnative-pg.ts";
import { kubeBlocksServer } from "./kubeblocks.ts";

/**
 * Database servers that run in the cluster, each by an operator. There is no plain StatefulSet: it has no fail-over, no
 * backup to a bucket and no way back to a moment.
 */
export function databaseResources(plan: Plan): Resource[] {
  const { environment, tracking, pipelines } = plan;
  return [
    ...serverOf(plan, tracking, environment.tracking.database),
    ...(pipelines !== undefined && environment.pipelines.engine === "zenml"
      ? serverOf(plan, pipelines, environment.pipelines.database)
      : []),
  ];
}

function serverOf(plan: Plan, component: Component, database: Database): Resource[] {
  const setting = component.name === "zenml" ? "pipelines.database" : "tracking.database";
  switch (database.engine) {
    case "cloudnative-pg":
      return postgresServer({
        plan,
        component,
        settings: database,
        setting,
        connections: connectionsOf(plan, component),
      });
    case "kubeblocks":
      return kubeBlocksServer({ plan, component, settings: database, setting });
    default:
      return [];
  }
}

/** Connections of one process at most: the pool of Plinth; of MLflow, SQLAlchemy's 5 and 10 more. */
const PER_PROCESS = { plinth: 10, mlflow: 15, zenml: 50 };

/** Connections that all copies of a component open at most. */
function connectionsOf({ environment }: Plan, { name }: Component): number {
  const settings = name === "zenml" ? environment.pipelines : environment.tracking;
  if (settings.engine === "none") return 0;
  const processes = settings.engine === "mlflow" ? settings.workers : 1;
  // One copy more than the most there are, while a new version is rolled out.
  const copies = (settings.autoscaling?.maxReplicas ?? settings.replicas) + 1;
  return PER_PROCESS[name] * processes * copies;
}
