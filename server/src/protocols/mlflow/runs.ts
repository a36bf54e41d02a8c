import { edits, manages, reads } from "../../kernel/access.ts";
import type { Scope } from "../../modules/identity/index.ts";
import type { Tracking } from "../../modules/tracking/index.ts";
import { badRequest } from "../../kernel/errors.ts";
import { checkLength, limits, truncate } from "../../modules/tracking/limits.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyValue, runIdOf, runStatus } from "./fields.ts";
import { noLinks, runInfoJson, runJson, runParts, type RunLinksJson } from "./run-json.ts";
import type { Int } from "../../modules/tracking/run-data-plan.ts";
import type { RunSet } from "../../modules/tracking/runs.sql.ts";
import { onRun, toCreate } from "./tracking-needs.ts";
import { int64, message, nested, repeated, string } from "./wire.ts";

type KeyValues = { key?: string; value?: string }[];

const tagsOf = (value: unknown): { key: string; value: string }[] =>
  ((value ?? []) as KeyValues).map((tag) => ({ key: tag.key ?? "", value: tag.value ?? "" }));

export function runEndpoints(tracking: Tracking): Endpoint[] {
  return [
    {
      method: "POST",
      path: "/2.0/mlflow/runs/create",
      access: edits("experiment"),
      needs: toCreate("run"),
      request: message({
        experiment_id: string,
        user_id: string,
        run_name: string,
        start_time: int64,
        tags: repeated(nested(keyValue)),
      }),
      checks: { experiment_id: ["string"], start_time: ["int"], run_name: ["string"] },
      async handle(values, { scope }) {
        const tags = tagsOf(values["tags"]);
        checkNewTags(tags);
        const { row, tags: all } = await tracking.createRun(scope, {
          experimentId: (values["experiment_id"] ?? "") as string,
          userId: (values["user_id"] ?? "") as string,
          name: (values["run_name"] ?? "") as string,
          startTime: (values["start_time"] ?? 0) as Int,
          tags: tags.map(({ key, value }) => ({ key, value: truncate(limits.tagValue, value) })),
        });
        const list = all.map(
          ({ key, value }) => `{"key":${JSON.stringify(key)},"value":${JSON.stringify(value)}}`,
        );
        return `{"run":{"info":${runInfoJson(row, tracking.experimentIdOf(row.experiment_id))},"data":{"tags":[${list.join(",")}]},"inputs":{}}}`;
      },
    },
    {
      method: "GET",
      path: "/2.0/mlflow/runs/get",
      access: reads("run"),
      needs: onRun("read"),
      request: message({ run_id: string, run_uuid: string }),
      checks: { run_id: ["required", "string"] },
      async handle(values, { scope }) {
        const { set, row } = await tracking.getRun(scope, runIdOf(values));
        const parts = (await runParts(set, tracking.keys)).get(row.run_id);
        const links = await linksJson(tracking, set, scope);
        const experimentId = tracking.experimentIdOf(row.experiment_id);
        const data = parts ?? { metrics: "", params: "", tags: "" };
        return `{"run":${runJson({ row, experimentId }, data, links(row.run_id))}}`;
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/runs/update",
      access: edits("run"),
      needs: onRun("edit"),
      request: message({
        run_id: string,
        run_uuid: string,
        status: runStatus,
        end_time: int64,
        run_name: string,
      }),
      checks: { run_id: ["required", "string"], end_time: ["int"], status: ["string"], run_name: ["string"] },
      async handle(values, { scope }) {
        const { status, end_time: endTime, run_name: name } = values;
        const row = await tracking.updateRun(scope, {
          runId: runIdOf(values),
          ...(status === undefined ? {} : { status: status as number }),
          ...(endTime === undefined ? {} : { endTime: endTime as Int }),
          ...(name === undefined ? {} : { name: name as string }),
        });
        return `{"run_info":${runInfoJson(row, tracking.experimentIdOf(row.experiment_id))}}`;
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/runs/delete",
      access: manages("run"),
      needs: onRun("manage"),
      request: message({ run_id: string }),
      checks: { run_id: ["required", "string"] },
      async handle(values, { scope }) {
        await tracking.deleteRun(scope, (values["run_id"] ?? "") as string);
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/runs/restore",
      access: manages("run"),
      needs: onRun("manage"),
      request: message({ run_id: string }),
      checks: { run_id: ["required", "string"] },
      async handle(values, { scope }) {
        await tracking.restoreRun(scope, (values["run_id"] ?? "") as string);
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/runs/delete-tag",
      access: edits("run"),
      needs: onRun("edit"),
      request: message({ run_id: string, key: string }),
      checks: { run_id: ["required", "string"], key: ["required", "string"] },
      async handle(values, { scope }) {
        await tracking.deleteTag(scope, (values["run_id"] ?? "") as string, values["key"] as string);
        return "{}";
      },
    },
  ];
}

/**
 * Inputs and outputs of the runs of a set: a further look only where there are any. To whom logged models are not
 * shown, none is named here either.
 */
export async function linksJson(
  tracking: Tracking,
  set: RunSet,
  scope: Scope,
): Promise<(runId: number) => RunLinksJson> {
  if (!set.linked) return () => noLinks;
  const links = await tracking.loadRunLinks(set.runs.map((row) => row.run_id));
  const withoutModels = scope.policy.withholds("logged_model");
  return (runId) => {
    const found = links.get(runId);
    if (found === undefined) return noLinks;
    const { datasets, modelInputs, modelOutputs } = found;
    const inputs = {
      ...(datasets.length === 0 ? {} : { dataset_inputs: datasets }),
      ...(modelInputs.length === 0 || withoutModels ? {} : { model_inputs: modelInputs }),
    };
    const outputs = modelOutputs.length === 0 || withoutModels ? {} : { model_outputs: modelOutputs };
    return { inputs: JSON.stringify(inputs), outputs: JSON.stringify(outputs) };
  };
}

/** The tags of a new run are not checked by MLflow's server beyond what its columns hold. */
function checkNewTags(tags: readonly { key: string }[]): void {
  const seen = new Set<string>();
  for (const { key } of tags) {
    checkLength("key", limits.key, key);
    if (seen.has(key)) throw badRequest(`Tag '${key}' is given more than once.`);
    seen.add(key);
  }
}
