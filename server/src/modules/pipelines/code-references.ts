import type { Prepared, Queryable } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";

export type NewCodeReference = {
  id: string;
  workspaceId: number;
  codeRepositoryId: string;
  commit: string;
  subdirectory: string;
};

// The one that is there is written as it is, so that its id comes back in the same statement.
const getOrCreateText: Prepared = {
  name: "pipelines_get_or_create_code_reference",
  text: `
    insert into pipelines.code_references
      (id, workspace_id, code_repository_id, commit, subdirectory, created, updated)
    values ($1::uuid, $2::integer, $3::uuid, $4::text, $5::text, $6::bigint, $6::bigint)
    on conflict (code_repository_id, commit, subdirectory) do update set commit = excluded.commit
    returning id`,
};

/** A commit of a repository with code: the id of the one there is of it, or of a new one. */
export async function getOrCreateCodeReference(
  transaction: Queryable,
  { id, workspaceId, codeRepositoryId, commit, subdirectory }: NewCodeReference,
  now: Micros,
): Promise<string> {
  const values = [id, workspaceId, codeRepositoryId, commit, subdirectory, now];
  const [row] = await transaction.prepared<{ id: string }>(getOrCreateText, values);
  if (row === undefined) throw new Error("an insert returned no row");
  return row.id;
}
