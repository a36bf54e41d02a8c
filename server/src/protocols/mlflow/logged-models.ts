import { edits, manages, reads, type Action } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Scope } from "../../modules/identity/index.ts";
import type { Tracking } from "../../modules/tracking/index.ts";
import { loggedModelStatusNames, type LoggedModelRow } from "../../modules/tracking/logged-models.ts";
import { readModelInfo } from "../../modules/tracking/model-history.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import { checkMaxResults, keyValues } from "./experiments.ts";
import { keyValue } from "./fields.ts";
import { filtered, needs, type Need } from "./guard.ts";
import { doubleJson } from "../../kernel/json.ts";
import { MAX_RESULTS } from "./run-search.ts";
import { onRun, toCreate } from "./tracking-needs.ts";
import {
  bool,
  enumOf,
  int64,
  message,
  nested,
  pythonJson,
  repeated,
  string,
  type Check,
  type Values,
} from "./wire.ts";

const PATH = "/2.0/mlflow/logged-models";
const DEFAULT_RESULTS = 100;

const status = enumOf(Object.fromEntries(loggedModelStatusNames.map((name, number) => [name, number])));

const pairs = repeated(nested(keyValue));

const dataset = { dataset_name: string, dataset_digest: string };

const text = (value: unknown): string => (value ?? "") as string;

const onModel =
  (action: Action) =>
  (_values: Values, { path }: Call): Need[] => [
    needs(action, { type: "logged_model", id: text(path["model_id"]) }),
  ];

/** A model may be said to come from a run that the caller reads, or from one that does not exist. */
function toCreateModel(values: Values): Need[] {
  const wanted = toCreate("logged_model")(values);
  const source = text(values["source_run_id"]);
  return source === "" ? wanted : [...wanted, needs("read", { type: "run", id: source })];
}

export function loggedModelEndpoints(tracking: Tracking): Endpoint[] {
  return [
    {
      method: "POST",
      path: PATH,
      access: edits("logged_model"),
      needs: toCreateModel,
      request: message({
        experiment_id: string,
        name: string,
        model_type: string,
        source_run_id: string,
        params: pairs,
        tags: pairs,
      }),
      checks: {
        experiment_id: ["string", "required"],
        name: ["string"],
        model_type: ["string"],
        source_run_id: ["string"],
        params: ["array"],
        tags: ["array"],
      },
      async handle(values, { scope }) {
        const name = text(values["name"]);
        const model = await tracking.createLoggedModel(scope, {
          experimentId: values["experiment_id"] as string,
          ...(name === "" ? {} : { name }),
          modelType: text(values["model_type"]),
          sourceRunId: text(values["source_run_id"]),
          params: keyValues(values["params"]),
          tags: keyValues(values["tags"]),
        });
        return `{"model":${modelJson(tracking, model, scope)}}`;
      },
    },
    {
      method: "GET",
      path: `${PATH}/:model_id`,
      access: reads("logged_model"),
      needs: onModel("read"),
      request: message({ allow_deleted: bool }),
      async handle(values, { scope, path }) {
        const model = await tracking.getLoggedModel(scope, text(path["model_id"]), {
          allowDeleted: values["allow_deleted"] === true,
        });
        return `{"model":${modelJson(tracking, model, scope)}}`;
      },
    },
    {
      method: "PATCH",
      path: `${PATH}/:model_id`,
      access: edits("logged_model"),
      needs: onModel("edit"),
      request: message({ model_id: string, status }),
      checks: { model_id: ["string", "required"], status: ["int", "required"] },
      async handle(values, { scope, path }) {
        // A name of a status that does not exist counts as none: that is number 0.
        const number = (values["status"] ?? 0) as number;
        const model = await tracking.finalizeLoggedModel(scope, sameId(values, path), number);
        return `{"model":${modelJson(tracking, model, scope)}}`;
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/:model_id`,
      access: manages("logged_model"),
      needs: onModel("manage"),
      request: message({}),
      async handle(_values, { scope, path }) {
        await tracking.deleteLoggedModel(scope, text(path["model_id"]));
        return "{}";
      },
    },
    {
      method: "POST",
      path: `${PATH}/:model_id/params`,
      access: edits("logged_model"),
      needs: onModel("edit"),
      request: message({ model_id: string, params: pairs }),
      checks: { model_id: ["string", "required"], params: ["array"] },
      async handle(values, { scope, path }) {
        await tracking.logLoggedModelParams(scope, sameId(values, path), keyValues(values["params"]));
        return "{}";
      },
    },
    {
      method: "PATCH",
      path: `${PATH}/:model_id/tags`,
      access: edits("logged_model"),
      needs: onModel("edit"),
      request: message({ tags: pairs }),
      checks: { tags: ["array"] },
      async handle(values, { scope, path }) {
        await tracking.setLoggedModelTags(scope, text(path["model_id"]), keyValues(values["tags"]));
        return "{}";
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/:model_id/tags/:tag_key`,
      access: manages("logged_model"),
      needs: onModel("manage"),
      request: message({}),
      async handle(_values, { scope, path }) {
        await tracking.deleteLoggedModelTag(scope, text(path["model_id"]), text(path["tag_key"]));
        return "{}";
      },
    },
    searchEndpoint(tracking),
    {
      method: "POST",
      path: "/2.0/mlflow/runs/log-model",
      access: edits("run"),
      needs: onRun("edit"),
      request: message({ run_id: string, model_json: string }),
      checks: { run_id: ["string", "required"], model_json: ["string", "required"] },
      async handle(values, { scope }) {
        await tracking.recordModel(
          scope,
          values["run_id"] as string,
          readModelInfo(values["model_json"] as string),
        );
        return "{}";
      },
    },
  ];
}

function searchEndpoint(tracking: Tracking): Endpoint {
  return {
    method: "POST",
    path: `${PATH}/search`,
    access: reads("logged_model"),
    needs: () => filtered,
    request: message({
      experiment_ids: repeated(string),
      filter: string,
      datasets: repeated(nested(message(dataset))),
      max_results: int64,
      order_by: repeated(nested(message({ field_name: string, ascending: bool, ...dataset }))),
      page_token: string,
    }),
    checks: {
      experiment_ids: ["array", onlyStrings, "required"],
      filter: ["string"],
      datasets: ["array"],
      max_results: ["int"],
      order_by: ["array"],
      page_token: ["string"],
    },
    async handle(values, { scope }) {
      const pageToken = text(values["page_token"]);
      const { models, nextPageToken } = await tracking.searchLoggedModels(scope, {
        experimentIds: (values["experiment_ids"] ?? []) as string[],
        filter: text(values["filter"]),
        datasets: ((values["datasets"] ?? []) as Values[]).map(readDataset),
        orderBy: ((values["order_by"] ?? []) as Values[]).map((clause) => ({
          field_name: text(clause["field_name"]),
          ascending: (clause["ascending"] ?? true) as boolean,
          ...(clause["dataset_name"] ? { dataset_name: clause["dataset_name"] as string } : {}),
          ...(clause["dataset_digest"] ? { dataset_digest: clause["dataset_digest"] as string } : {}),
        })),
        // There is no upper bound; a page ends at MAX_RESULTS and its token leads on.
        maxResults: Math.min(
          MAX_RESULTS,
          checkMaxResults(Math.min(MAX_RESULTS, Number(values["max_results"] || DEFAULT_RESULTS))),
        ),
        ...(pageToken === "" ? {} : { pageToken }),
      });
      const parts = [
        ...(models.length === 0
          ? []
          : [`"models":[${models.map((model) => modelJson(tracking, model, scope)).join(",")}]`]),
        ...(nextPageToken === undefined ? [] : [`"next_page_token":"${nextPageToken}"`]),
      ];
      return `{${parts.join(",")}}`;
    },
  };
}

function readDataset(value: Values): { name: string; digest?: string } {
  const name = text(value["dataset_name"]);
  if (name === "") throw invalidParameter("`dataset_name` in the `datasets` clause must be specified.");
  return { name, ...(value["dataset_digest"] ? { digest: value["dataset_digest"] as string } : {}) };
}

/** MLflow wants the id in the body as well as in the path; the path decides, so they must agree. */
function sameId(values: Values, path: Readonly<Record<string, string>>): string {
  const id = text(path["model_id"]);
  if (values["model_id"] === id) return id;
  throw invalidParameter(`The path names model '${id}', the body '${text(values["model_id"])}'.`);
}

const onlyStrings: Check = (value) => {
  if (!Array.isArray(value) || value.every((item) => typeof item === "string")) return;
  throw invalidParameter(
    `Invalid value ${pythonJson(value)} for parameter 'experiment_ids' supplied:  Hint: Value was of type 'list'. ` +
      "See the API docs for more information about request parameters.",
  );
};

/**
 * Written as text, since metrics hold doubles and 64-bit integers. To whom runs are not shown, none is named here
 * either.
 */
export function modelJson(tracking: Tracking, model: LoggedModelRow, scope: Scope): string {
  const namesRuns = !scope.policy.withholds("run");
  const info = {
    model_id: model.model_id,
    experiment_id: tracking.experimentIdOf(model.experiment_id),
    name: model.name,
    creation_timestamp_ms: model.creation_timestamp,
    last_updated_timestamp_ms: model.last_updated_timestamp,
    artifact_uri: model.artifact_location,
    status: loggedModelStatusNames[model.status],
    ...(model.model_type === null ? {} : { model_type: model.model_type }),
    ...(model.source_run_uuid === null || !namesRuns ? {} : { source_run_id: model.source_run_uuid }),
    ...(model.status_message === null ? {} : { status_message: model.status_message }),
    ...(model.tags.length === 0 ? {} : { tags: model.tags }),
  };
  const data = [
    ...(model.params.length === 0 ? [] : [`"params":${JSON.stringify(model.params)}`]),
    ...(model.metric_keys === null
      ? []
      : [`"metrics":[${metricsJson(model, model.metric_keys, namesRuns)}]`]),
  ];
  return `{"info":${JSON.stringify(info)},"data":{${data.join(",")}}}`;
}

function metricsJson(model: LoggedModelRow, keys: readonly string[], namesRuns: boolean): string {
  const points = keys.map((key, index) => {
    const name = model.metric_dataset_names?.[index];
    const digest = model.metric_dataset_digests?.[index];
    return (
      `{"key":${JSON.stringify(key)},"value":${doubleJson(model.metric_values?.[index] ?? 0)},` +
      `"timestamp":${model.metric_timestamps?.[index] ?? 0},"step":${model.metric_steps?.[index] ?? 0},` +
      (name ? `"dataset_name":${JSON.stringify(name)},` : "") +
      (digest ? `"dataset_digest":${JSON.stringify(digest)},` : "") +
      `"model_id":"${model.model_id}"` +
      (namesRuns ? `,"run_id":${JSON.stringify(model.metric_run_ids?.[index] ?? "")}}` : "}")
    );
  });
  return points.join(",");
}
