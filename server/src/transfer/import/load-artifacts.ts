import type { Queryable } from "../../kernel/database.ts";
import { selectVersionLocations, updateVersionLocations } from "../../modules/registry/bulk/index.ts";
import {
  selectExperimentLocations,
  selectModelLocations,
  selectNewLocations,
  selectRunLocations,
  updateExperimentLocations,
  updateModelLocations,
  updateRunLocations,
  type NewLocation,
} from "../../modules/tracking/bulk/index.ts";
import { schemeOf } from "./artifacts-local.ts";
import { copyArtifacts, type ArtifactItem, type ArtifactPlace } from "./artifacts.ts";
import { count, runPhase, totals, type ImportContext, type Tally } from "./context.ts";
import { finalId } from "./load-experiments.ts";
import type { Phase } from "./progress.ts";
import type { SourceArtifacts } from "./source.ts";
import { selectReadSums } from "./state.sql.ts";

type Copying = ArtifactPlace & { context: ImportContext; artifacts: SourceArtifacts };

/** Runs, or models, whose files are copied between two checkpoints. */
const PAGE = 50;

const own = (key: string): string => `mlflow-artifacts:/${key}`;

/**
 * Copies the files that this machine, or the source's server, can read, and makes what named their old place name the
 * new one. All others stay where they are, and so does what names them.
 */
export async function loadArtifacts(context: ImportContext, part: ArtifactPlace | undefined): Promise<void> {
  const { artifacts } = context.source;
  if (part === undefined || artifacts === undefined) return;
  const copying: Copying = { ...part, context, artifacts };
  const total = totals(context);
  const workspaces = [...context.workspaces.values()].map((row) => row.workspace_id);
  const finalIds = new Map(
    [...context.experiments.values()].map((place) => [place.experiment_id, finalId(place)]),
  );
  const idOf = (number: number): string => finalIds.get(number) ?? String(number);
  await copyPhase(copying, {
    name: "run_artifacts",
    total: total["runs"] ?? 0,
    select: async (after) => {
      const page = await selectReadSums(context.database, context.importId, { after, limit: PAGE });
      const rows = await selectRunLocations(
        context.database,
        page.map((row) => row.run_id),
      );
      return rows.map((row) => ({
        id: row.run_id,
        from: row.location,
        to: `${idOf(row.experiment_id)}/${row.run_uuid}/artifacts`,
        owner: `run ${row.run_uuid}`,
      }));
    },
    update: updateRunLocations,
  });
  await copyPhase(copying, {
    name: "model_artifacts",
    total: total["logged_models"] ?? 0,
    select: async (after) => {
      const rows = await selectModelLocations(context.database, workspaces, { after, limit: PAGE });
      return rows.map((row) => ({
        id: row.model_key,
        from: row.location,
        to: `${idOf(row.experiment_id)}/models/${row.model_id}/artifacts`,
        owner: `logged model ${row.model_id}`,
      }));
    },
    update: updateModelLocations,
  });
  await moveVersions(copying, workspaces);
  const places = await selectExperimentLocations(context.database, workspaces);
  // A folder of the old server is no place for new runs, whether it can be read here or not.
  const moved = places.filter(
    ({ location }) =>
      artifacts.unreadable(location) === undefined || ["", "file"].includes(schemeOf(location)),
  );
  const renamed = moved.map(({ id }) => ({ id, location: own(idOf(id)) }));
  if (renamed.length > 0) await updateExperimentLocations(context.database, renamed);
}

type Item = ArtifactItem & { id: number };

async function copyPhase(
  copying: Copying,
  phase: {
    name: Phase;
    total: number;
    select(after: number): Promise<Item[]>;
    update(transaction: Queryable, rows: readonly NewLocation[]): Promise<void>;
  },
): Promise<void> {
  const done = `${phase.name}_done`;
  await runPhase(
    copying.context,
    { name: phase.name, shown: done, total: phase.total },
    {
      // Files are copied before their page is a transaction, which then is short.
      async *read(after) {
        for (let last = Number(after ?? 0); ;) {
          const items = await phase.select(last);
          const end = items.at(-1);
          if (end === undefined) return;
          last = end.id;
          const readable = items.filter((item) => copying.artifacts.unreadable(item.from) === undefined);
          const tally: Tally = { [done]: items.length };
          count(tally, "artifacts_left", items.length - readable.length);
          await copy(copying, readable, tally);
          yield { cursor: String(last), readable, tally };
        }
      },
      async write(transaction, page, tally) {
        Object.assign(tally, page.tally);
        const rows = page.readable.map((item) => ({ id: item.id, location: own(item.to) }));
        if (rows.length > 0) await phase.update(transaction, rows);
      },
    },
  );
}

async function copy(copying: Copying, items: readonly ArtifactItem[], tally: Tally): Promise<void> {
  if (items.length === 0) return;
  const { context, ...place } = copying;
  const { onProblem } = context.problems;
  const report = await copyArtifacts({ ...place, onProblem }, items);
  count(tally, "artifact_files", report.files);
  count(tally, "artifact_bytes", report.bytes);
  count(tally, "artifact_files_present", report.present);
  count(tally, "artifacts_missing", report.missing.count);
}

/** Versions whose files belong to a run or logged model name those; only others have files of their own. */
async function moveVersions(copying: Copying, workspaces: readonly number[]): Promise<void> {
  const { context, artifacts } = copying;
  await runPhase(
    context,
    {
      name: "version_artifacts",
      shown: "version_artifacts_done",
      total: totals(context)["model_versions"] ?? 0,
    },
    {
      async *read(after) {
        for (let last = Number(after ?? 0); ;) {
          const rows = await selectVersionLocations(context.database, workspaces, {
            after: last,
            limit: PAGE,
          });
          const end = rows.at(-1);
          if (end === undefined) return;
          last = end.version_key;
          const tally: Tally = { version_artifacts_done: rows.length };
          const known = await selectNewLocations(
            context.database,
            rows.flatMap((row) =>
              [row.source, row.storage_location].flatMap((place) => holderOf(place)?.id ?? []),
            ),
          );
          const items: ArtifactItem[] = [];
          const moved = rows.map((row) => {
            const { version_key, name, version } = row;
            const move = (location: string): string => {
              if (artifacts.unreadable(location) !== undefined) return location;
              const holder = holderOf(location);
              const place = holder === undefined ? undefined : known.get(holder.id);
              if (holder !== undefined && place !== undefined) return place + holder.rest;
              const to = `models/${encodeURIComponent(name)}/${version}/artifacts`;
              if (items.every((item) => item.to !== to)) {
                items.push({ from: location, to, owner: `version ${version} of ${name}` });
              }
              return own(to);
            };
            return { version_key, source: move(row.source), storage_location: move(row.storage_location) };
          });
          await copy(copying, items, tally);
          yield { cursor: String(last), moved, tally };
        }
      },
      async write(transaction, page, tally) {
        Object.assign(tally, page.tally);
        await updateVersionLocations(transaction, page.moved);
      },
    },
  );
}

/** The run or logged model that a place of the usual form is in: `.../<run>/artifacts/...`. */
function holderOf(location: string): { id: string; rest: string } | undefined {
  const found = /\/((?:m-)?[0-9a-f]{32})\/artifacts(\/[^?#]*)?$/.exec(location);
  return found?.[1] === undefined ? undefined : { id: found[1], rest: found[2] ?? "" };
}
