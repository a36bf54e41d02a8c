import type { Prepared, Queryable } from "../../kernel/database.ts";
import { notFound } from "../../kernel/errors.ts";
import type { Project } from "./projects.ts";
import type { Table } from "./table.ts";

export type Reference = {
  table: Table;
  /** What it is called to whom refers to it, such as `orchestrator`. */
  label: string;
  id: string | null | undefined;
};

const statements = new Map<string, Prepared>();

/**
 * What an entity that is made or changed refers to must be there; what belongs to a project, in the entity's own.
 * One statement. Throws `not_found`, in the same words for what is in another project and for what is nowhere.
 */
export async function requireReferences(
  database: Queryable,
  references: readonly Reference[],
  of: {
    label: string;
    operation: "created" | "updated";
    project: Pick<Project, "workspaceId" | "projectId">;
  },
): Promise<void> {
  const given = references.filter((one): one is Reference & { id: string } => typeof one.id === "string");
  if (given.length === 0) return;
  const [row] = await database.prepared<{ missing: number[] }>(statementFor(given), [
    of.project.workspaceId,
    ...given.map(({ id }) => id),
  ]);
  const [at] = row?.missing ?? [];
  const missing = at === undefined ? undefined : given[at];
  if (missing === undefined) return;
  const where = isInProject(missing.table) ? ` in the '${of.project.projectId}' project` : "";
  throw notFound(
    `The ${missing.label} with ID ${missing.id} referenced by the ${of.label} being ${of.operation} was not found${where}`,
  );
}

function statementFor(given: readonly Reference[]): Prepared {
  const key = given.map(({ table }) => table.name).join();
  let found = statements.get(key);
  if (found === undefined) {
    const checks = given.map(({ table }, at) => {
      const inProject = isInProject(table) ? " and t.workspace_id = w.id" : "";
      return `case when not exists (select from ${table.name} as t where t.id = $${at + 2}::uuid${inProject}) then ${at} end`;
    });
    const text = `
      select array_remove(array[${checks.join(", ")}]::integer[], null) as missing
      from (select $1::integer as id) as w`;
    found = { name: `pipelines_references_${statements.size}`, text };
    statements.set(key, found);
  }
  return found;
}

const isInProject = (table: Table): boolean => "workspace_id" in table.columns;
