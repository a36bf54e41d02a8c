import type { Prepared, Queryable } from "../../kernel/database.ts";
import type { SourceProblem } from "./problem.ts";

const insertText: Prepared = {
  name: "transfer_insert_problems",
  text: `
    insert into transfer.problems (import_id, place, what, effect)
    select $1, * from unnest($2::text[], $3::text[], $4::text[])
    on conflict (import_id, md5(place), md5(what)) do nothing`,
};

export async function insertProblems(
  on: Queryable,
  importId: number,
  problems: readonly SourceProblem[],
): Promise<void> {
  if (problems.length === 0) return;
  const column = (of: (problem: SourceProblem) => string): string[] =>
    problems.map((one) => storable(of(one)));
  await on.prepared(insertText, [
    importId,
    column(({ where }) => where),
    column(({ what }) => what),
    column(({ effect }) => effect),
  ]);
}

/** Problems are about odd names, which the database may not hold. */
const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "\uFFFD");

const selectText: Prepared = {
  name: "transfer_select_problems",
  text: `
    select place, what, effect, count(*) over () as count from transfer.problems
    where import_id = $1 order by problem_id limit $2`,
};

/** The first of them, and how many there are. */
export async function selectProblems(
  on: Queryable,
  importId: number,
  limit: number,
): Promise<{ problems: SourceProblem[]; count: number }> {
  type Row = { place: string; what: string; effect: string; count: number };
  const rows = await on.prepared<Row>(selectText, [importId, limit]);
  return {
    count: rows[0]?.count ?? 0,
    problems: rows.map(({ place, what, effect }) => ({ where: place, what, effect })),
  };
}

const deleteText: Prepared = {
  name: "transfer_delete_problems",
  text: "delete from transfer.problems where import_id = $1",
};

export async function deleteProblems(on: Queryable, importId: number): Promise<void> {
  await on.prepared(deleteText, [importId]);
}
