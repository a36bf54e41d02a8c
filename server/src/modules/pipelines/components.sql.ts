import type { Prepared, Queryable } from "../../kernel/database.ts";

const stacksText: Prepared = {
  name: "pipelines_count_stacks_of",
  text: "select count(*)::integer as count from pipelines.stack_components where component_id = $1",
};

const deploymentsText: Prepared = {
  name: "pipelines_count_managed_deployments",
  text: "select count(*)::integer as count from pipelines.deployments where deployer_id = $1 and status is distinct from 'absent'",
};

const count = async (database: Queryable, text: Prepared, id: string): Promise<number> =>
  (await database.prepared<{ count: number }>(text, [id]))[0]?.count ?? 0;

export const countStacksOf = (database: Queryable, componentId: string): Promise<number> =>
  count(database, stacksText, componentId);

/** What a deployer looks after that is not gone. */
export const countManagedDeployments = (database: Queryable, deployerId: string): Promise<number> =>
  count(database, deploymentsText, deployerId);
