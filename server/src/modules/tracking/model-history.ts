import type { Prepared, Queryable } from "../../kernel/database.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { TrackingDeps } from "./deps.ts";
import { isRawJson, parseKeepingNumbers, pythonDumps } from "./python-json.ts";
import { runNotActive, runNotFound } from "./run-data-plan.ts";
import { upsertTags } from "./run-data.sql.ts";
import { touchRuns, type RunPlace } from "./runs.sql.ts";

/** The JSON object that describes a model (its `MLmodel` file), as read by `readModelInfo`. */
export type ModelInfo = Record<string, unknown>;

const HISTORY_TAG = "mlflow.log-model.history";
const MANDATORY = ["artifact_path", "flavors", "utc_time_created", "run_id"] as const;

export function readModelInfo(json: string): ModelInfo {
  let model: unknown;
  try {
    model = parseKeepingNumbers(json);
  } catch {
    throw invalidParameter(`Malformed model info. \n ${json} \n is not a valid JSON.`);
  }
  if (!isObject(model)) throw invalidParameter("Malformed model info: it must be a JSON object.");
  const missing = MANDATORY.filter((field) => !Object.hasOwn(model, field));
  if (missing.length > 0) {
    const names = missing.map((field) => `'${field}'`).join(", ");
    throw invalidParameter(`Model json is missing mandatory fields: {${names}}`);
  }
  if (!isObject(model["flavors"]))
    throw invalidParameter("Malformed model info: 'flavors' must be a JSON object.");
  return model;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRawJson(value);

/** What of a model goes into the tag, in the order in which MLflow writes it. */
function entryOf(model: ModelInfo): Record<string, unknown> {
  const flavors = Object.entries(model["flavors"] as Record<string, unknown>).map(([flavor, config]) => {
    if (!isObject(config)) return [flavor, config] as const;
    return [flavor, Object.fromEntries(Object.entries(config).filter(([key]) => key !== "config"))] as const;
  });
  const created = model["utc_time_created"];
  return {
    ...(model["run_id"] === null ? {} : { run_id: model["run_id"] }),
    ...(model["artifact_path"] === null ? {} : { artifact_path: model["artifact_path"] }),
    utc_time_created: typeof created === "string" ? created : JSON.stringify(created),
    model_uuid: model["model_uuid"] ?? null,
    flavors: Object.fromEntries(flavors),
  };
}

type LockedRun = { run_id: number; experiment_id: number; deleted: boolean };

// The lock lets two writers add to the list one after the other.
const lockRunText: Prepared = {
  name: "tracking_lock_run",
  text: `
    select runs.run_id, runs.experiment_id, runs.deleted_at is not null as deleted
    from tracking.runs join tracking.experiments as e on e.experiment_id = runs.experiment_id
    where runs.run_uuid = $1 and e.workspace_id = $2 for no key update of runs`,
};

const selectTagText: Prepared = {
  name: "tracking_select_run_tag",
  text: "select value from tracking.tags where run_id = $1 and key_id = $2",
};

async function lockRun(transaction: Queryable, { runId, workspaceId }: RunPlace): Promise<LockedRun> {
  const [run] = await transaction.prepared<LockedRun>(lockRunText, [runId, workspaceId]);
  if (run === undefined) throw runNotFound(runId);
  if (run.deleted) throw runNotActive(runId);
  return run;
}

/** Adds a model to the list in the run's tag `mlflow.log-model.history`. */
export async function appendModel(deps: TrackingDeps, place: RunPlace, model: ModelInfo): Promise<void> {
  const entry = pythonDumps(entryOf(model));
  await deps.keys.ensure([HISTORY_TAG]);
  const key = deps.keys.idOf(HISTORY_TAG);
  await deps.database.transaction(async (transaction) => {
    const run = await lockRun(transaction, place);
    const [tag] = await transaction.prepared<{ value: string }>(selectTagText, [run.run_id, key]);
    await upsertTags(transaction, {
      runIds: [run.run_id],
      keyIds: [key],
      experimentIds: [run.experiment_id],
      values: [tag === undefined ? `[${entry}]` : appended(tag.value, entry)],
    });
    await touchRuns(transaction, [run.run_id]);
  });
}

function appended(list: string, entry: string): string {
  // Text is added to text: what is there stays as it is, to the last digit.
  const open = /^\s*\[([\s\S]*)\]\s*$/.exec(list)?.[1]?.trim();
  let valid = false;
  try {
    valid = open !== undefined && Array.isArray(JSON.parse(list));
  } catch {
    valid = false;
  }
  if (!valid || open === undefined) {
    throw invalidParameter(
      `The run's tag '${HISTORY_TAG}' does not hold a JSON list: delete it, then log the model again.`,
    );
  }
  return open === "" ? `[${entry}]` : `[${open}, ${entry}]`;
}
