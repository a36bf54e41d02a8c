import type { Database } from "../../kernel/database.ts";
import { notFound } from "../../kernel/errors.ts";
import { decodePageToken, encodePageToken, foreignToken } from "../../kernel/page-token.ts";
import { allows, type Policy, type Scope } from "../identity/index.ts";
import {
  LAST_KEY,
  placeLength,
  selectLineage,
  selectVersionsOf,
  selectVersionsOfRuns,
  type LineageOrigin,
  type LineageRow,
  type LinkedVersion,
  type VersionOfRun,
  type VisibleLineage,
} from "./lineage.sql.ts";
import { shown, versionNotFound } from "./names.ts";
import { visibleModels } from "./visible-models.ts";

export type { LineageOrigin, VersionOfRun } from "./lineage.sql.ts";

/** A version with all it comes from; lists are cut after 1,000, which `truncated` says. */
export type VersionLineage = LineageRow & { truncated: boolean };

export type Lineage = {
  /** From a version to its logged model, run, datasets and experiment. Throws `not_found`. */
  getLineage(
    scope: Scope,
    place: { name: string } & ({ version: number } | { alias: string }),
  ): Promise<VersionLineage>;
  /** From an experiment, a run, a logged model or a dataset to the versions made from it; none of what is unknown. */
  searchVersionsOf(
    scope: Scope,
    origin: LineageOrigin,
    page: { maxResults: number; pageToken: string | undefined },
  ): Promise<{ versions: LinkedVersion[]; nextPageToken: string | undefined }>;
  /** The newest versions made from any of these runs, which the caller may read. */
  findVersionsOfRuns(scope: Scope, runIds: readonly string[], limit: number): Promise<VersionOfRun[]>;
};

const MAX_LINKS = 1000;

export function createLineage({ database }: { database: Database }): Lineage {
  return {
    async getLineage({ workspaceId, policy }, place) {
      const row = await selectLineage(database, { workspaceId, ...place }, MAX_LINKS + 1);
      if (row === undefined) {
        throw "version" in place
          ? versionNotFound(place.name, String(place.version))
          : notFound(`Registered model '${shown(place.name)}' has no alias '${shown(place.alias)}'.`);
      }
      const lists = [row.datasets, row.input_models, row.output_models];
      const truncated = lists.some((list) => list.length > MAX_LINKS);
      for (const list of lists) list.splice(MAX_LINKS);
      return { ...readableOf(policy, row), truncated };
    },
    async searchVersionsOf(scope, origin, { maxResults, pageToken }) {
      const length = placeLength(origin);
      const after =
        pageToken === undefined ? Array.from({ length }, () => LAST_KEY) : readPlace(pageToken, length);
      const found = await selectVersionsOf(database, origin, {
        workspaceId: scope.workspaceId,
        after,
        limit: maxResults + 1,
        visible: visibleLineage(scope),
      });
      const page = found.slice(0, maxResults);
      const last = found.length > maxResults ? page.at(-1) : undefined;
      return {
        versions: page.map(({ place: _place, ...version }) => withoutDenied(scope.policy, version)),
        nextPageToken: last === undefined ? undefined : encodePageToken(last.place),
      };
    },
    async findVersionsOfRuns(scope, runIds, limit) {
      if (runIds.length === 0) return [];
      const found = await selectVersionsOfRuns(database, runIds, {
        workspaceId: scope.workspaceId,
        limit,
        visible: visibleModels(scope, "version"),
      });
      return found.map((version) => withoutDenied(scope.policy, version));
    },
  };
}

function visibleLineage(scope: Scope): VisibleLineage | undefined {
  const models = visibleModels(scope, "version");
  const runs = scope.policy.visibleParts("run", "experiment");
  if (models === undefined && runs.kind === "all") return undefined;
  const everything = { kind: "all" } as const;
  return { ...(models ?? { models: everything, prompts: everything }), runs };
}

/** What of a chain its reader may see, as far as it is in experiments that are not everybody's. */
function readableOf(policy: Policy, row: LineageRow): LineageRow {
  const reads = (part: "run" | "logged_model", experimentId: string | null | undefined): boolean =>
    experimentId !== null &&
    experimentId !== undefined &&
    allows(policy.onPart(part, { type: "experiment", id: experimentId }), "read");
  const { run, logged_model: model, experiment } = row;
  const seesRun = run === null || reads("run", run.experiment_id);
  const linked = (models: LineageRow["input_models"]): LineageRow["input_models"] =>
    models.map(({ model_id, name, experiment_id }) => ({
      model_id,
      name: reads("logged_model", experiment_id) ? name : null,
    }));
  const seesExperiment =
    experiment !== null && allows(policy.on("experiment", experiment.experiment_id), "read");
  return {
    ...withoutDenied(policy, row),
    logged_model: model !== null && reads("logged_model", model.experiment_id) ? model : null,
    run: run !== null && seesRun ? withoutExperiment(run) : null,
    experiment: seesExperiment ? experiment : null,
    parent_runs: row.parent_runs
      .filter((parent) => reads("run", parent.experiment_id))
      .map(({ run_id, run_name }) => ({ run_id, run_name })),
    datasets: seesRun ? row.datasets : [],
    input_models: seesRun ? linked(row.input_models) : [],
    output_models: seesRun ? linked(row.output_models) : [],
  };
}

/** The ids that a version was given, of what its reader may not see at all. */
const withoutDenied = <V extends LinkedVersion>(policy: Policy, version: V): V => ({
  ...version,
  ...(policy.isDenied("run") ? { run_id: null } : {}),
  ...(policy.isDenied("logged_model") ? { model_id: null } : {}),
});

function withoutExperiment(run: NonNullable<LineageRow["run"]>): NonNullable<LineageRow["run"]> {
  const { experiment_id: _in, ...shown } = run;
  return shown;
}

function readPlace(token: string, length: number): number[] {
  const place = decodePageToken(token, length);
  const isKey = (part: unknown): part is number =>
    typeof part === "number" && Number.isInteger(part) && part >= 0 && part <= LAST_KEY;
  if (!place.every(isKey)) throw foreignToken();
  return place;
}
