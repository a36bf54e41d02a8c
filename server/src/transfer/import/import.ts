import { alreadyExists, invalidParameter, PlinthError } from "../../kernel/errors.ts";
import type { Database } from "../../kernel/database.ts";
import { createKeys, passExperimentIds } from "../../modules/tracking/bulk/index.ts";
import type { ImportContext } from "./context.ts";
import { discardImport } from "./discard.ts";
import type { ArtifactPlace } from "./artifacts.ts";
import { loadArtifacts } from "./load-artifacts.ts";
import { loadExperiments } from "./load-experiments.ts";
import { loadLoggedModels, loadRegistry } from "./load-models.ts";
import { loadRuns } from "./load-runs.ts";
import { numberPlaces, planImport, refuseConflicts, type ImportPlan, type PlanOptions } from "./plan.ts";
import type { ProblemLog, SourceProblem } from "./problem.ts";
import { insertProblems, selectProblems } from "./problems.sql.ts";
import type { OnProgress } from "./progress.ts";
import { publish } from "./publish.ts";
import { reportOf, type ImportReport } from "./report.ts";
import type { ImportSource } from "./source.ts";
import {
  insertImport,
  insertPlaces,
  insertWorkspace,
  selectCheckpoints,
  selectImports,
  selectPlaces,
  selectWorkspaces,
  type ImportRow,
} from "./state.sql.ts";
import { verify } from "./verify.ts";

export type ImportOptions = PlanOptions & {
  /** Reads, compares and counts, and writes nothing. */
  dryRun: boolean;
  /** Throws away what an earlier import of this source has left behind, and begins anew. */
  restart: boolean;
  /** Shows what was imported although some of the source could not be read. */
  skipBroken: boolean;
};

export type ImportDeps = {
  database: Database;
  source: ImportSource;
  /** Undefined: files stay where they are, and what names them stays as it is. */
  artifacts: ArtifactPlace | undefined;
  /** What the source is told to tell its problems to. */
  problems: ProblemLog;
  onProgress: OnProgress;
  /** Something worth a line. */
  onNote(line: string): void;
  signal: AbortSignal;
  now(): number;
};

/** Brings a whole source over. Nothing of it is seen by anyone before all of it is there and checked. */
export async function importSource(deps: ImportDeps, options: ImportOptions): Promise<ImportReport> {
  const { database, source } = deps;
  const before = await selectImports(database, source.description.fingerprint);
  const underWay = before.find((row) => row.published_at === null);
  if (underWay === undefined) refuseSecond(before, options);
  const begun = underWay !== undefined && !options.restart ? underWay : undefined;
  if (begun !== undefined) checkOptions(begun, options);
  if (underWay !== undefined && options.restart && !options.dryRun) {
    deps.onNote(`Throwing away what was loaded since ${underWay.started_at.toISOString()}.`);
    await discardImport(database, underWay.import_id, deps.signal);
  }
  const places = begun === undefined ? [] : await selectPlaces(database, begun.import_id);
  const known = new Map(places.map((place) => [place.source_id, place]));
  const plan = await planImport(database, source, { options, known });
  const expected = await source.count();
  if (options.dryRun) {
    return reportOf({ source, expected, plan, state: "dry run", problems: deps.problems.take() });
  }
  refuseConflicts(plan.conflicts);
  const importId = begun?.import_id ?? (await begin(deps, options));
  await enlarge(deps, importId, plan);
  if (begun !== undefined)
    deps.onNote(`Going on with the import that began ${begun.started_at.toISOString()}.`);
  const context: ImportContext = {
    ...deps,
    keys: createKeys(database),
    importId,
    expected,
    skipExisting: options.skipExisting,
    workspaces: new Map((await selectWorkspaces(database, importId)).map((row) => [row.source_name, row])),
    experiments: new Map((await selectPlaces(database, importId)).map((row) => [row.source_id, row])),
    checkpoints: new Map((await selectCheckpoints(database, importId)).map((row) => [row.phase, row])),
  };
  await loadExperiments(context);
  await loadRuns(context, plan.deleted);
  await loadLoggedModels(context, plan.deleted);
  await loadRegistry(context);
  await loadArtifacts(context, deps.artifacts);
  const verification = await verify(context);
  await noteChanges(deps, importId);
  await insertProblems(database, importId, deps.problems.take());
  const { problems, count } = await selectProblems(database, importId, MOST_PROBLEMS);
  if (count > 0 && !options.skipBroken) throw broken(problems, count);
  const report = reportOf({ source, expected, plan, state: "imported", problems, verification, context });
  await publish(context, report);
  return report;
}

/** From the first process of the import on, by the clock that wrote down when it began. */
async function noteChanges({ database, source, problems }: ImportDeps, importId: number): Promise<void> {
  const imports = await selectImports(database, source.description.fingerprint);
  const began = imports.find((row) => row.import_id === importId)?.started_at.getTime();
  if (began === undefined || source.changes === undefined) return;
  for await (const problem of source.changes(began)) problems.onProblem(problem);
}

const MOST_PROBLEMS = 1000;
const MOST_SHOWN = 50;

function broken(problems: readonly SourceProblem[], count: number): PlinthError {
  const shown = problems
    .slice(0, MOST_SHOWN)
    .map(({ where, what, effect }) => `  ${where}: ${what}; ${effect}.`);
  const more = count > shown.length ? [`  ... and ${count - shown.length} more`] : [];
  return new PlinthError(
    "invalid_state",
    [
      `${count} ${count === 1 ? "part" : "parts"} of the source could not be read. Nothing was made visible.`,
      ...shown,
      ...more,
      "Mend the source and read all of it again with --restart, or take what could be read with --skip-broken.",
    ].join("\n"),
  );
}

const kept = ({ workspace, skipExisting, renumber }: PlanOptions): Record<string, unknown> => ({
  workspace,
  skip_existing: skipExisting,
  renumber,
});

function refuseSecond([last]: readonly ImportRow[], options: ImportOptions): void {
  if (last === undefined || last.published_at === null || options.skipExisting || options.dryRun) return;
  throw alreadyExists(
    `This source was imported on ${last.published_at.toISOString()}, from ${last.place}. ` +
      "To bring what came to it since then, give --skip-existing.",
  );
}

function checkOptions(begun: ImportRow, options: ImportOptions): void {
  for (const [name, value] of Object.entries(kept(options))) {
    const was = begun.options[name];
    if (was !== value) {
      throw invalidParameter(
        `An import of this source began ${begun.started_at.toISOString()} with ${name} ${String(was)}, and not ` +
          `${String(value)}. Give the same, or --restart to throw away what it has loaded.`,
      );
    }
  }
}

async function begin({ database, source }: ImportDeps, options: ImportOptions): Promise<number> {
  const { fingerprint, place, version } = source.description;
  return insertImport(database, { fingerprint, place, version, options: kept(options) });
}

/** Places for what the plan has and the import does not know yet: all of it at first, later what came since. */
async function enlarge(deps: ImportDeps, importId: number, plan: ImportPlan): Promise<void> {
  const { database } = deps;
  const known = new Set((await selectWorkspaces(database, importId)).map((row) => row.source_name));
  if (plan.places.length > 0) await passExperimentIds(database, plan.newestId);
  await database.transaction(async (transaction) => {
    for (const { source, target } of plan.workspaces) {
      if (known.has(source)) continue;
      await insertWorkspace(transaction, { importId, source, target, now: deps.now() });
    }
    const places = await numberPlaces(transaction, plan.places);
    if (places.length > 0) await insertPlaces(transaction, importId, places);
  });
}
