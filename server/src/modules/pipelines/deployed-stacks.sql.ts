import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import { stacks, type StackRow } from "./stack-tables.ts";

/** How a stack says that it came out of a deployment in a cloud, by its labels. */
export type Deployment = {
  provider: string;
  /** `terraform`, or the cloud's own way. */
  deployment: string;
  /** Stacks that were made after this second. */
  after: Micros | null;
};

export type DeployedStackRow = StackRow & { connector_id: string };

// Labels are JSON to the digit; PostgreSQL reads none that hold a zero character.
const deployedText: Prepared = {
  name: "pipelines_select_deployed_stack",
  text: `
    select ${Object.keys(stacks.columns)
      .map((name) => `t.${name}`)
      .join(", ")}, c.connector_id
    from pipelines.stacks as t
      join pipelines.stack_components as l on l.stack_id = t.id
      join pipelines.components as c on c.id = l.component_id and c.type = 'orchestrator' and c.connector_id is not null
    where t.created > $3 and case
      when t.labels_json not like '%zenml:provider%' or position('\\u0000' in t.labels_json) > 0 then false
      else t.labels_json::json ->> 'zenml:provider' = $1 and t.labels_json::json ->> 'zenml:deployment' = $2 end
    order by t.created desc, t.id desc limit 1`,
};

/** The newest that fits; its orchestrator has a connector, or it is not ready. */
export async function selectDeployedStack(
  database: Queryable,
  { provider, deployment, after }: Deployment,
): Promise<DeployedStackRow | undefined> {
  const second = after === null ? -1 : after - (after % 1_000_000);
  const values = [provider, deployment, second];
  return (await database.prepared<DeployedStackRow & Row>(deployedText, values))[0];
}
