import { edits, manages, reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { allows, type Identity, type Scope } from "../../modules/identity/index.ts";
import type { ExperimentRow, KeyValue } from "../../modules/tracking/experiments.ts";
import type { Tracking } from "../../modules/tracking/index.ts";
import { storedKey } from "./artifacts-paths.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyValue, viewType } from "./fields.ts";
import { filtered, needs, type Need } from "./guard.ts";
import { MAX_RESULTS, viewOf } from "./run-search.ts";
import { onExperiment, onWholeExperiment } from "./tracking-needs.ts";
import { int64, message, nested, repeated, string, type Check, type Int, type Values } from "./wire.ts";

const required: readonly Check[] = ["required", "string"];

export function experimentEndpoints(
  tracking: Tracking,
  { grantCreator }: Pick<Identity, "grantCreator">,
): Endpoint[] {
  return [
    {
      method: "POST",
      path: "/2.0/mlflow/experiments/create",
      access: edits("experiment"),
      needs({ artifact_location: location }, { scope }) {
        const { uniform } = scope.policy;
        const mayAnywhere = uniform !== undefined && allows(uniform, "edit");
        return location && !mayAnywhere ? toCreateAt(tracking, location as string) : toCreate;
      },
      request: message({ name: string, artifact_location: string, tags: repeated(nested(keyValue)) }),
      checks: { name: required, artifact_location: ["string"], tags: ["array"] },
      async handle(values, { scope, request }) {
        const location = values["artifact_location"] as string | undefined;
        const id = await tracking.createExperiment(scope, {
          name: values["name"] as string,
          ...(location ? { artifactLocation: location } : {}),
          tags: keyValues(values["tags"]),
        });
        await grantCreator(request.caller, scope, { resource_type: "experiment", id: String(id) });
        return { experiment_id: String(id) };
      },
    },
    {
      method: "GET",
      path: "/2.0/mlflow/experiments/get",
      access: reads("experiment"),
      needs: onExperiment("read"),
      request: message({ experiment_id: string }),
      checks: { experiment_id: required },
      async handle(values, { scope }) {
        return {
          experiment: experimentJson(
            tracking,
            await tracking.getExperiment(scope, values["experiment_id"] as string),
            scope,
          ),
        };
      },
    },
    {
      method: "GET",
      path: "/2.0/mlflow/experiments/get-by-name",
      access: reads("experiment"),
      needs: ({ experiment_name: name }) => [
        needs("read", { type: "experiment_name", name: name as string }),
      ],
      request: message({ experiment_name: string }),
      checks: { experiment_name: required },
      async handle(values, { scope }) {
        return {
          experiment: experimentJson(
            tracking,
            await tracking.getExperimentByName(scope, values["experiment_name"] as string),
            scope,
          ),
        };
      },
    },
    ...(["POST", "GET"] as const).map((method) => searchEndpoint(tracking, method)),
    {
      method: "POST",
      path: "/2.0/mlflow/experiments/update",
      access: edits("experiment"),
      needs: onExperiment("edit"),
      request: message({ experiment_id: string, new_name: string }),
      checks: { experiment_id: required, new_name: ["string", "required"] },
      async handle(values, { scope }) {
        await tracking.renameExperiment(
          scope,
          values["experiment_id"] as string,
          values["new_name"] as string,
        );
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/experiments/delete",
      access: manages("experiment"),
      needs: onWholeExperiment,
      request: message({ experiment_id: string }),
      checks: { experiment_id: required },
      async handle(values, { scope }) {
        await tracking.deleteExperiment(scope, values["experiment_id"] as string);
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/experiments/restore",
      access: manages("experiment"),
      needs: onWholeExperiment,
      request: message({ experiment_id: string }),
      checks: { experiment_id: required },
      async handle(values, { scope }) {
        await tracking.restoreExperiment(scope, values["experiment_id"] as string);
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/experiments/set-experiment-tag",
      access: edits("experiment"),
      needs: onExperiment("edit"),
      request: message({ experiment_id: string, key: string, value: string }),
      checks: { experiment_id: required, key: required, value: ["string"] },
      async handle(values, { scope }) {
        const tag = { key: values["key"] as string, value: (values["value"] ?? "") as string };
        await tracking.setExperimentTag(scope, values["experiment_id"] as string, tag);
        return "{}";
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/experiments/delete-experiment-tag",
      access: edits("experiment"),
      needs: onExperiment("edit"),
      request: message({ experiment_id: string, key: string }),
      checks: { experiment_id: required, key: required },
      async handle(values, { scope }) {
        await tracking.deleteExperimentTag(scope, values["experiment_id"] as string, values["key"] as string);
        return "{}";
      },
    },
  ];
}

/** Nobody puts an experiment in or around a place where another's artifacts are that they may not change. */
async function toCreateAt(tracking: Tracking, location: string): Promise<readonly Need[]> {
  const key = storedKey(location);
  if (key === undefined) return toCreate;
  const [around, below] = await Promise.all([tracking.placesOfKey(key), tracking.experimentsBelow(key)]);
  const ids = new Set([...around.map(({ experimentId }) => experimentId), ...below]);
  return [...toCreate, ...[...ids].map((id) => needs("edit", { type: "experiment", id }))];
}

const toCreate: readonly Need[] = [needs("edit", { type: "workspace" }), { notDenied: "experiment" }];

function searchEndpoint(tracking: Tracking, method: "GET" | "POST"): Endpoint {
  return {
    method,
    path: "/2.0/mlflow/experiments/search",
    access: reads("experiment"),
    needs: () => filtered,
    request: message({
      max_results: int64,
      page_token: string,
      filter: string,
      order_by: repeated(string),
      view_type: viewType,
    }),
    checks: {
      view_type: ["int"],
      max_results: ["int"],
      order_by: ["array"],
      filter: ["string"],
      page_token: ["string"],
    },
    async handle(values, { scope }) {
      const pageToken = values["page_token"] as string | undefined;
      const { experiments, nextPageToken } = await tracking.searchExperiments(scope, {
        view: viewOf(values["view_type"]),
        // Upstream has no default either: its clients always send one.
        maxResults: checkMaxResults((values["max_results"] ?? 0) as Int),
        filter: (values["filter"] ?? "") as string,
        orderBy: (values["order_by"] ?? []) as string[],
        ...(pageToken ? { pageToken } : {}),
      });
      return {
        ...(experiments.length === 0
          ? {}
          : { experiments: experiments.map((row) => experimentJson(tracking, row, scope)) }),
        ...(nextPageToken === undefined ? {} : { next_page_token: nextPageToken }),
      };
    },
  };
}

/** A list of `{key, value}` in which what is missing is empty. */
export const keyValues = (list: unknown): KeyValue[] =>
  ((list ?? []) as Partial<KeyValue>[]).map(({ key, value }) => ({ key: key ?? "", value: value ?? "" }));

export function checkMaxResults(value: Int): number {
  const number = Number(value);
  const bound =
    number < 1 ? "a positive integer" : number > MAX_RESULTS ? `at most ${MAX_RESULTS}` : undefined;
  if (bound === undefined) return number;
  throw invalidParameter(
    `Invalid value ${String(value)} for parameter 'max_results' supplied. It must be ${bound}`,
  );
}

function experimentJson(tracking: Tracking, row: ExperimentRow, { workspace }: Scope): Values {
  return {
    experiment_id: tracking.experimentIdOf(row.experiment_id),
    name: row.name,
    artifact_location: row.artifact_location,
    lifecycle_stage: row.deleted_at === null ? "active" : "deleted",
    last_update_time: row.last_update_time,
    creation_time: row.creation_time,
    ...(row.tags.length === 0 ? {} : { tags: row.tags }),
    workspace,
  };
}
