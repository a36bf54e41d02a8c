import { manages } from "../../kernel/access.ts";
import type { Endpoint } from "./endpoint.ts";
import { empty, refused, unknown } from "./genai-none.ts";
import { int64, message, repeated, string, type Check } from "./wire.ts";

const V3 = "/3.0/mlflow";
const DATASETS = `${V3}/datasets`;

const paged = { max_results: int64, page_token: string };
const pagedChecks: Readonly<Record<string, readonly Check[]>> = {
  max_results: ["int"],
  page_token: ["string"],
};

/** Evaluation datasets, scorers, issues, label schemas, review queues, jobs: none of them exist. */
export function noEvaluationEndpoints(): Endpoint[] {
  const search = {
    request: message({
      experiment_ids: repeated(string),
      filter_string: string,
      order_by: repeated(string),
      ...paged,
    }),
    checks: { experiment_ids: ["array"], filter_string: ["string"], order_by: ["array"], ...pagedChecks },
  } as const;
  return [
    empty(`POST ${DATASETS}/search`, "dataset", search),
    empty(`GET ${DATASETS}/search`, "dataset", search),
    refused(`POST ${DATASETS}/create`, "dataset", { what: "evaluation datasets", needs: ["name"] }),
    ...unknown(
      [
        `GET ${DATASETS}/:dataset_id`,
        `DELETE ${DATASETS}/:dataset_id`,
        `PATCH ${DATASETS}/:dataset_id/tags`,
        `DELETE ${DATASETS}/:dataset_id/tags/:key`,
        `GET ${DATASETS}/:dataset_id/records`,
        `POST ${DATASETS}/:dataset_id/records`,
        `DELETE ${DATASETS}/:dataset_id/records`,
        `GET ${DATASETS}/:dataset_id/experiment-ids`,
        `POST ${DATASETS}/:dataset_id/add-experiments`,
        `POST ${DATASETS}/:dataset_id/remove-experiments`,
      ],
      "dataset",
      (id) => `Evaluation dataset with id '${id("dataset_id")}' not found`,
    ),
    ...scorers(),
    ...reviews(),
    ...jobs(),
  ];
}

function scorers(): Endpoint[] {
  const what = "scorers";
  return [
    empty(`GET ${V3}/scorers/list`, "scorer"),
    empty(`GET ${V3}/scorers/online-configs`, "scorer", { answer: { configs: [] } }),
    refused(`POST ${V3}/scorers/register`, "scorer", {
      what,
      needs: ["experiment_id", "name", "serialized_scorer"],
    }),
    refused(`PUT ${V3}/scorers/online-config`, "scorer", { what }),
    refused(`POST ${V3}/scorer/invoke`, "scorer", { what }),
    refused(`POST ${V3}/genai/evaluate/invoke`, "scorer", {
      what: "traces to evaluate",
      needs: ["experiment_id", "trace_ids", "serialized_scorers"],
    }),
    ...unknown(
      [`GET ${V3}/scorers/get`, `GET ${V3}/scorers/versions`, `DELETE ${V3}/scorers/delete`],
      "scorer",
      (id) => `Scorer with name '${id("name")}' not found for experiment ${id("experiment_id")}.`,
    ),
  ];
}

/** What people say about traces. */
function reviews(): Endpoint[] {
  const labels = `${V3}/label-schemas`;
  const queues = `${V3}/review-queues`;
  return [
    empty(`POST ${V3}/issues/search`, "trace", { answer: { next_page_token: "" } }),
    refused(`POST ${V3}/issues`, "trace", {
      what: "issues",
      needs: ["experiment_id", "name", "description"],
    }),
    refused(`POST ${V3}/issues/invoke`, "trace", { what: "issues" }),
    ...unknown(
      [`GET ${V3}/issues/:issue_id`, `PATCH ${V3}/issues/:issue_id`],
      "trace",
      (id) => `Issue with ID '${id("issue_id")}' not found`,
    ),
    empty(`GET ${labels}/list`, "trace", { answer: { next_page_token: "" } }),
    refused(`POST ${labels}/create`, "trace", {
      what: "label schemas",
      needs: ["experiment_id", "name", "type", "input"],
    }),
    ...unknown(
      [`GET ${labels}/get`, `GET ${labels}/get-by-name`, `PATCH ${labels}/update`, `DELETE ${labels}/delete`],
      "trace",
      (id) => `Label schema with id '${id("schema_id") || id("name")}' not found.`,
    ),
    empty(`GET ${queues}/list`, "trace", { answer: { next_page_token: "" } }),
    refused(`POST ${queues}/create`, "trace", {
      what: "review queues",
      needs: ["experiment_id", "name", "queue_type"],
    }),
    refused(`POST ${queues}/get-or-create-user`, "trace", {
      what: "review queues",
      needs: ["experiment_id", "user"],
    }),
    ...unknown(
      [
        `GET ${queues}/get`,
        `GET ${queues}/get-by-name`,
        `POST ${queues}/update`,
        `POST ${queues}/delete`,
        `GET ${queues}/items/list`,
        `POST ${queues}/items/add`,
        `POST ${queues}/items/remove`,
        `POST ${queues}/items/set-status`,
      ],
      "trace",
      (id) => `Review queue with id '${id("queue_id") || id("name")}' not found.`,
    ),
  ];
}

function jobs(): Endpoint[] {
  const prompts = `${V3}/prompt-optimization/jobs`;
  return [
    empty(`POST ${prompts}/search`, "scorer"),
    empty(`GET ${prompts}/search`, "scorer"),
    refused(`POST ${prompts}`, "scorer", { what: "prompts to optimise" }),
    ...unknown(
      [
        `GET ${prompts}/:job_id`,
        `POST ${prompts}/:job_id/cancel`,
        `DELETE ${prompts}/:job_id`,
        `GET ${V3}/jobs/:job_id`,
        `PATCH ${V3}/jobs/cancel/:job_id`,
      ],
      "scorer",
      (id) => `Job with ID ${id("job_id")} not found`,
    ),
    refused("POST /2.0/mlflow/runs/create-promptlab-run", "gateway", { what: "prompt engineering runs" }),
    refused(`POST ${V3}/demo/generate`, "trace", { what: "traces, so that there is no demo data" }),
    {
      method: "POST",
      path: `${V3}/demo/delete`,
      access: manages("server"),
      request: message({}),
      handle: () => ({ features_deleted: [], status: "deleted" }),
    },
  ];
}
