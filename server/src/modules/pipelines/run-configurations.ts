import type { Database } from "../../kernel/database.ts";
import { builds, snapshots, type SnapshotRow } from "./pipeline-tables.ts";
import { selectRows } from "./records.ts";
import type { SchemaComponent } from "./run-configuration-schema.ts";
import { selectSnapshotSteps, type ShownStep } from "./snapshot-steps.sql.ts";
import { selectStackMembers } from "./stacks.sql.ts";

/** A snapshot with what is configured when it is run: its steps, and the components of the stack it was built for. */
export type Runnable = {
  row: SnapshotRow;
  steps: readonly ShownStep[];
  components: readonly SchemaComponent[];
};

/** By id; those without a build for a stack are left out. */
export async function runConfigurationsOf(
  database: Database,
  ids: readonly string[],
): Promise<Map<string, Runnable>> {
  const rows = await selectRows(database, snapshots, ids);
  const built = await selectRows(
    database,
    builds,
    [...rows.values()].flatMap((row) => row.build_id ?? []),
  );
  const stackOf = (row: SnapshotRow): string | null => built.get(row.build_id ?? "")?.stack_id ?? null;
  const runnable = [...rows.values()].filter((row) => stackOf(row) !== null);
  const [steps, members] = await Promise.all([
    selectSnapshotSteps(
      database,
      runnable.map((row) => row.id),
      undefined,
    ),
    selectStackMembers(database, [...new Set(runnable.flatMap((row) => stackOf(row) ?? []))]),
  ]);
  const stepsOf = Map.groupBy(steps, (step) => step.snapshot_id);
  const membersOf = Map.groupBy(members, (member) => member.stack_id);
  return new Map(
    runnable.map((row) => [
      row.id,
      { row, steps: stepsOf.get(row.id) ?? [], components: membersOf.get(stackOf(row) ?? "") ?? [] },
    ]),
  );
}
