import type { Database, Queryable } from "../../kernel/database.ts";
import { PlinthError } from "../../kernel/errors.ts";
import { selectTakenModels } from "../../modules/registry/bulk/index.ts";
import {
  newExperimentIds,
  nextLongNumbers,
  selectAnyRuns,
  selectLongIds,
  selectTakenExperiments,
  selectTakenLoggedModels,
  selectTakenRuns,
  type TakenExperiment,
} from "../../modules/tracking/bulk/index.ts";
import { deletedAt } from "./load-experiments.ts";
import type { DeletedExperiments } from "./load-runs.ts";
import { isLongId, isShortId } from "./rows.ts";
import type { ImportSource, SourceExperiment } from "./source.ts";
import { selectTarget, type ExperimentPlace } from "./state.sql.ts";

/** What becomes of each experiment, decided before anything is copied. */
export type ImportPlan = {
  /** Workspaces of the source that hold something, and those they go to. */
  workspaces: { source: string; target: string }[];
  /** Without those that have a place from before. */
  places: ExperimentPlace[];
  deleted: DeletedExperiments;
  /** Ids that are kept: no other experiment may get one of them. */
  newestId: number;
  conflicts: string[];
};

export type PlanOptions = {
  /** Where the source's workspace `default` goes, or all of a source that knows none. */
  workspace: string;
  skipExisting: boolean;
  renumber: boolean;
};

const MOST_NAMED = 20;

export async function planImport(
  database: Database,
  source: ImportSource,
  { options, known }: { options: PlanOptions; known: ReadonlyMap<string, ExperimentPlace> },
): Promise<ImportPlan> {
  const plan: ImportPlan = { workspaces: [], places: [], deleted: new Map(), newestId: 0, conflicts: [] };
  const deleted = new Map<string, number>();
  const targets = new Map<string, string>();
  const targetOf = (workspace: string): string => {
    const target = workspace === "default" ? options.workspace : workspace;
    targets.set(workspace, target);
    return target;
  };
  for (const { name } of await source.workspaces()) targetOf(name);
  for await (const page of source.experiments(undefined)) {
    for (const [workspace, rows] of Map.groupBy(page.rows, (row) => row.workspace)) {
      for (const row of rows) {
        const time = deletedAt(row);
        if (time !== null) deleted.set(row.experiment_id, time);
        if (isShortId(row.experiment_id)) plan.newestId = Math.max(plan.newestId, Number(row.experiment_id));
      }
      const unknown = rows.filter((row) => !known.has(row.experiment_id));
      const target = targetOf(workspace);
      if (unknown.length > 0) await placeExperiments(database, plan, { rows: unknown, target, options });
    }
  }
  for await (const page of source.registeredModels(undefined)) {
    for (const [workspace, rows] of Map.groupBy(page.rows, (row) => row.workspace)) {
      const target = await selectTarget(database, targetOf(workspace));
      if (target === undefined || options.skipExisting || known.size > 0) continue;
      const names = rows.map((row) => row.name);
      for (const name of await selectTakenModels(database, target, names)) {
        plan.conflicts.push(`registered model '${name}': the target workspace has one of this name`);
      }
    }
  }
  if (!options.skipExisting && known.size === 0) await findTakenIds(database, source, plan.conflicts);
  if (targets.size === 0) targetOf("default");
  plan.workspaces = [...targets].map(([from, target]) => ({ source: from, target }));
  plan.deleted = deleted;
  return plan;
}

async function placeExperiments(
  database: Database,
  plan: ImportPlan,
  batch: { rows: readonly SourceExperiment[]; target: string; options: PlanOptions },
): Promise<void> {
  const { rows, target, options } = batch;
  const workspaceId = (await selectTarget(database, target)) ?? 0;
  const ids = rows.map((row) => row.experiment_id);
  const long = await selectLongIds(database, ids.filter(isLongId));
  const numberOf = (id: string): number | undefined => (isShortId(id) ? Number(id) : long.get(id));
  const taken = await selectTakenExperiments(database, {
    ids: ids.flatMap((id) => numberOf(id) ?? []),
    workspaceId,
    names: rows.map((row) => row.name),
  });
  const byId = new Map(taken.map((row) => [row.experiment_id, row]));
  const byName = new Map(taken.flatMap((row) => (row.workspace_id === workspaceId ? [[row.name, row]] : [])));
  for (const row of rows) {
    const number = numberOf(row.experiment_id);
    const sameId = number === undefined ? undefined : byId.get(number);
    const known = { row, sameId, sameName: byName.get(row.name) };
    const decision = decide(known, { workspaceId, target, options });
    if (typeof decision === "string") plan.conflicts.push(decision);
    else if (decision.ownId) {
      const id = isLongId(row.experiment_id) ? NEW_LONG : Number(row.experiment_id);
      plan.places.push({ source_id: row.experiment_id, experiment_id: id, target_id: null });
    } else {
      plan.places.push({ source_id: row.experiment_id, experiment_id: NEW, target_id: decision.into });
    }
  }
}

/** In a plan, until `numberPlaces`. */
const NEW = -1;
/** The same for one that keeps a long id. */
const NEW_LONG = -2;

/** Gives numbers to the experiments that need one. Ids that are kept were passed before, so none is given twice. */
export async function numberPlaces(
  database: Queryable,
  places: readonly ExperimentPlace[],
): Promise<ExperimentPlace[]> {
  const numbers = new Map<number, number[]>();
  for (const [kind, next] of [
    [NEW, newExperimentIds],
    [NEW_LONG, nextLongNumbers],
  ] as const) {
    const wanted = places.filter((place) => place.experiment_id === kind).length;
    numbers.set(kind, wanted > 0 ? await next(database, wanted) : []);
  }
  return places.map((place) => {
    const number = numbers.get(place.experiment_id)?.shift();
    return number === undefined ? place : { ...place, experiment_id: number };
  });
}

type Known = {
  row: SourceExperiment;
  sameId: TakenExperiment | undefined;
  sameName: TakenExperiment | undefined;
};

/** Keeps its id, or gets a new one, with which it may go into another experiment in the end; a text is a conflict. */
function decide(
  { row, sameId, sameName }: Known,
  context: { workspaceId: number; target: string; options: PlanOptions },
): { ownId: true } | { ownId: false; into: number | null } | string {
  const { options, target, workspaceId } = context;
  const shown = `experiment ${row.experiment_id} '${row.name}'`;
  if (sameName !== undefined) {
    // The experiment that every new Plinth has gives way to the source's, as long as it is empty.
    const untouched = sameName.experiment_id === 0 && sameName.empty && row.experiment_id === "0";
    if (untouched || options.skipExisting) return { ownId: false, into: sameName.experiment_id };
    return `${shown}: workspace '${target}' has an experiment of this name, with id ${sameName.id}`;
  }
  if (!isShortId(row.experiment_id) && !isLongId(row.experiment_id)) return { ownId: false, into: null };
  if (sameId === undefined) return { ownId: true };
  // Id 0 is always taken: by the first experiment of workspace default.
  if (row.experiment_id === "0") {
    const adopts = sameId.empty && sameId.workspace_id === workspaceId;
    return { ownId: false, into: adopts ? 0 : null };
  }
  if (options.renumber) return { ownId: false, into: null };
  return `${shown}: experiment '${sameId.name}' has this id already`;
}

async function findTakenIds(database: Database, source: ImportSource, conflicts: string[]): Promise<void> {
  if (!(await selectAnyRuns(database))) return;
  const found = (taken: string[], what: string): void => {
    for (const id of taken) conflicts.push(`${what} ${id}: it is in Plinth already`);
  };
  if (source.runIds !== undefined) {
    for await (const ids of source.runIds()) found(await selectTakenRuns(database, ids), "run");
  }
  for await (const page of source.loggedModels(undefined)) {
    const ids = page.rows.map((row) => row.model_id);
    found(await selectTakenLoggedModels(database, ids), "logged model");
  }
}

export function refuseConflicts(conflicts: readonly string[]): void {
  if (conflicts.length === 0) return;
  const more = conflicts.length > MOST_NAMED ? [`... and ${conflicts.length - MOST_NAMED} more`] : [];
  const lines = [...conflicts.slice(0, MOST_NAMED), ...more].map((line) => `  ${line}`);
  throw new PlinthError(
    "already_exists",
    [
      `${conflicts.length} of what is to be imported ${conflicts.length === 1 ? "is" : "are"} taken. Nothing was copied.`,
      ...lines,
      "Import into another workspace with --workspace NAME, give experiments with a taken id a new one with " +
        "--renumber, or leave what is there alone and bring only what is new with --skip-existing.",
    ].join("\n"),
  );
}
