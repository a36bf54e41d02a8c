import { fresh } from "../../../test/runs.ts";
import type { Asked, Ids } from "./workspace-requests-fixture.ts";

/**
 * Every route of MLflow's API is asked for what belongs to another workspace. A route that is new is named
 * here, or the first test fails.
 */
export type Requests = Record<string, (ids: Ids) => Asked>;

/** Users, roles and what they are granted, which `server/test/route-walk-access.test.ts` asks for. */
export const aboutPeople =
  /\/mlflow\/(?:users|roles|(?:experiments|registered-models)\/permissions)(?:\/|$)|\/mlflow\/ui-telemetry$/;

const M = "/2.0/mlflow";
const A = "/2.0/mlflow-artifacts";

const body = (fields: (ids: Ids) => Record<string, unknown>) => (ids: Ids) => ({ body: fields(ids) });
const query = (fields: (ids: Ids) => Record<string, string>) => (ids: Ids) => ({ query: fields(ids) });

/** Of another workspace, an id is answered as one that nothing has. */
export const byId: Requests = {
  [`GET ${M}/experiments/get`]: query((ids) => ({ experiment_id: ids.experiment })),
  [`GET ${M}/experiments/get-by-name`]: query((ids) => ({ experiment_name: ids.experimentName })),
  [`POST ${M}/experiments/update`]: body((ids) => ({
    experiment_id: ids.experiment,
    new_name: fresh("renamed"),
  })),
  [`POST ${M}/experiments/delete`]: body((ids) => ({ experiment_id: ids.experiment })),
  [`POST ${M}/experiments/restore`]: body((ids) => ({ experiment_id: ids.deletedExperiment })),
  [`POST ${M}/experiments/set-experiment-tag`]: body((ids) => ({
    experiment_id: ids.experiment,
    key: "note",
    value: "x",
  })),
  [`POST ${M}/experiments/delete-experiment-tag`]: body((ids) => ({
    experiment_id: ids.experiment,
    key: "note",
  })),
  [`POST ${M}/experiments/search-datasets`]: body((ids) => ({ experiment_ids: [ids.experiment] })),
  [`POST ${M}/runs/create`]: body((ids) => ({ experiment_id: ids.experiment })),
  [`GET ${M}/runs/get`]: query((ids) => ({ run_id: ids.run })),
  [`POST ${M}/runs/update`]: body((ids) => ({ run_id: ids.run, status: "FINISHED", run_name: "x" })),
  [`POST ${M}/runs/delete`]: body((ids) => ({ run_id: ids.run })),
  [`POST ${M}/runs/restore`]: body((ids) => ({ run_id: ids.deletedRun })),
  [`POST ${M}/runs/delete-tag`]: body((ids) => ({ run_id: ids.run, key: "note" })),
  [`POST ${M}/runs/log-metric`]: body((ids) => ({ run_id: ids.run, key: "loss", value: 1, timestamp: 2 })),
  [`POST ${M}/runs/log-parameter`]: body((ids) => ({ run_id: ids.run, key: "note", value: "x" })),
  [`POST ${M}/runs/set-tag`]: body((ids) => ({ run_id: ids.run, key: "note", value: "x" })),
  [`POST ${M}/runs/log-batch`]: body((ids) => ({
    run_id: ids.run,
    metrics: [{ key: "loss", value: 2, timestamp: 3 }],
    tags: [{ key: "other", value: "x" }],
  })),
  [`POST ${M}/runs/log-inputs`]: body((ids) => ({
    run_id: ids.run,
    datasets: [{ dataset: { name: "n", digest: "d", source_type: "s", source: "s" } }],
  })),
  [`POST ${M}/runs/outputs`]: body((ids) => ({ run_id: ids.run, models: [{ model_id: "m-1", step: 1 }] })),
  [`POST ${M}/runs/log-model`]: body((ids) => ({
    run_id: ids.run,
    model_json: JSON.stringify({ artifact_path: "m", flavors: {}, utc_time_created: "now", run_id: ids.run }),
  })),
  [`POST ${M}/runs/search`]: body((ids) => ({ experiment_ids: [ids.experiment] })),
  [`GET ${M}/metrics/get-history`]: query((ids) => ({ run_id: ids.run, metric_key: "loss" })),
  [`GET ${M}/metrics/get-history-bulk`]: query((ids) => ({ run_id: ids.run, metric_key: "loss" })),
  [`GET ${M}/metrics/get-history-bulk-interval`]: query((ids) => ({ run_ids: ids.run, metric_key: "loss" })),
  [`POST ${M}/logged-models`]: body((ids) => ({ experiment_id: ids.experiment, name: "another" })),
  [`GET ${M}/logged-models/:model_id`]: (ids) => ({ path: [ids.model] }),
  [`PATCH ${M}/logged-models/:model_id`]: (ids) => ({
    path: [ids.model],
    body: { model_id: ids.model, status: "LOGGED_MODEL_READY" },
  }),
  [`DELETE ${M}/logged-models/:model_id`]: (ids) => ({ path: [ids.model] }),
  [`POST ${M}/logged-models/:model_id/params`]: (ids) => ({
    path: [ids.model],
    body: { model_id: ids.model, params: [{ key: fresh("key"), value: "x" }] },
  }),
  [`PATCH ${M}/logged-models/:model_id/tags`]: (ids) => ({
    path: [ids.model],
    body: { tags: [{ key: "note", value: "x" }] },
  }),
  [`DELETE ${M}/logged-models/:model_id/tags/:tag_key`]: (ids) => ({ path: [ids.model, "note"] }),
  [`POST ${M}/logged-models/search`]: body((ids) => ({ experiment_ids: [ids.experiment] })),
  [`GET ${M}/logged-models/:model_id/artifacts/directories`]: (ids) => ({ path: [ids.model] }),
  [`GET ${M}/logged-models/:model_id/artifacts/files`]: (ids) => ({
    path: [ids.model],
    query: { artifact_file_path: "model/MLmodel" },
  }),
  [`GET ${M}/registered-models/get`]: query((ids) => ({ name: ids.registered })),
  [`POST ${M}/registered-models/rename`]: body((ids) => ({
    name: ids.registered,
    new_name: fresh("renamed"),
  })),
  [`PATCH ${M}/registered-models/update`]: body((ids) => ({ name: ids.registered, description: "x" })),
  [`DELETE ${M}/registered-models/delete`]: body((ids) => ({ name: ids.registered })),
  [`GET ${M}/registered-models/get-latest-versions`]: query((ids) => ({ name: ids.registered })),
  [`POST ${M}/registered-models/get-latest-versions`]: body((ids) => ({ name: ids.registered })),
  [`POST ${M}/registered-models/set-tag`]: body((ids) => ({ name: ids.registered, key: "note", value: "x" })),
  [`DELETE ${M}/registered-models/delete-tag`]: body((ids) => ({ name: ids.registered, key: "note" })),
  [`POST ${M}/registered-models/alias`]: body((ids) => ({
    name: ids.registered,
    alias: "other",
    version: "1",
  })),
  [`GET ${M}/registered-models/alias`]: query((ids) => ({ name: ids.registered, alias: "best" })),
  [`DELETE ${M}/registered-models/alias`]: body((ids) => ({ name: ids.registered, alias: "best" })),
  [`POST ${M}/model-versions/create`]: body((ids) => ({ name: ids.registered, source: "s3://bucket/x" })),
  [`GET ${M}/model-versions/get`]: query((ids) => ({ name: ids.registered, version: "1" })),
  [`PATCH ${M}/model-versions/update`]: body((ids) => ({
    name: ids.registered,
    version: "1",
    description: "x",
  })),
  [`POST ${M}/model-versions/transition-stage`]: body((ids) => ({
    name: ids.registered,
    version: "1",
    stage: "Production",
  })),
  [`DELETE ${M}/model-versions/delete`]: body((ids) => ({ name: ids.registered, version: "1" })),
  [`GET ${M}/model-versions/get-download-uri`]: query((ids) => ({ name: ids.registered, version: "1" })),
  [`POST ${M}/model-versions/set-tag`]: body((ids) => ({
    name: ids.registered,
    version: "1",
    key: "note",
    value: "x",
  })),
  [`DELETE ${M}/model-versions/delete-tag`]: body((ids) => ({
    name: ids.registered,
    version: "1",
    key: "note",
  })),
  [`GET ${M}/webhooks/:webhook_id`]: (ids) => ({ path: [ids.webhook] }),
  [`PATCH ${M}/webhooks/:webhook_id`]: (ids) => ({ path: [ids.webhook], body: { name: "x" } }),
  [`DELETE ${M}/webhooks/:webhook_id`]: (ids) => ({ path: [ids.webhook] }),
  [`POST ${M}/webhooks/:webhook_id/test`]: (ids) => ({ path: [ids.webhook], body: {} }),
  [`GET ${M}/artifacts/list`]: query((ids) => ({ run_id: ids.run, path: "model" })),
  // These two are not for the server's own store; the answer tells nothing of the run but that it is there.
  [`POST ${M}/artifacts/presigned-upload-url`]: body((ids) => ({ run_id: ids.run, path: "x" })),
  [`POST ${M}/artifacts/presigned-download-url`]: body((ids) => ({ run_id: ids.run, path: "x" })),
  "GET /get-artifact": query((ids) => ({ run_id: ids.run, path: "model/MLmodel" })),
  "GET /model-versions/get-artifact": query((ids) => ({
    name: ids.registered,
    version: "1",
    path: "MLmodel",
  })),
  [`POST ${M}/upload-artifact`]: (ids) => ({ query: { run_uuid: ids.run, path: "x.txt" }, body: "text" }),
  "POST /graphql": body(getRun),
  "GET /graphql": query(getExperiment),
};

function getExperiment({ experiment }: Ids): { query: string } {
  return {
    query: `{ mlflowGetExperiment(input: {experimentId: "${experiment}"}) { experiment { name tags { value } } } }`,
  };
}

function getRun({ run }: Ids): { query: string } {
  return {
    query: `{ mlflowGetRun(input: {runId: "${run}"}) { run { info { runName } data { tags { value } } } } }`,
  };
}

/** These name nothing, and show what is in the workspace. */
export const lists: Record<string, { asked: Asked; shows: (ids: Ids) => string }> = {
  [`GET ${M}/experiments/search`]: {
    asked: { query: { max_results: "1000" } },
    shows: (ids) => ids.experimentName,
  },
  [`POST ${M}/experiments/search`]: {
    asked: { body: { max_results: 1000 } },
    shows: (ids) => ids.experimentName,
  },
  [`GET ${M}/registered-models/search`]: { asked: {}, shows: (ids) => ids.registered },
  [`GET ${M}/model-versions/search`]: { asked: {}, shows: (ids) => ids.registered },
  [`GET ${M}/webhooks`]: { asked: {}, shows: (ids) => ids.webhook },
  [`GET ${A}/artifacts`]: { asked: {}, shows: (ids) => `"${ids.experiment}"` },
};

const file = ({ runArtifacts }: Ids): string => `${runArtifacts}/model/MLmodel`;

/** These name a place in the artifact store. */
export const byPath: Requests = {
  [`GET ${A}/artifacts/*`]: (ids) => ({ path: [file(ids)] }),
  [`PUT ${A}/artifacts/*`]: (ids) => ({ path: [file(ids)], body: "other" }),
  [`DELETE ${A}/artifacts/*`]: (ids) => ({ path: [ids.runArtifacts] }),
  [`GET ${A}/presigned/*`]: (ids) => ({ path: [file(ids)] }),
  [`POST ${A}/mpu/create/*`]: (ids) => ({ path: [ids.runArtifacts], body: { path: "big", num_parts: 1 } }),
  [`POST ${A}/mpu/complete/*`]: (ids) => ({
    path: [ids.runArtifacts],
    body: { path: "big", upload_id: ids.upload, parts: [] },
  }),
  [`POST ${A}/mpu/abort/*`]: (ids) => ({
    path: [ids.runArtifacts],
    body: { path: "big", upload_id: ids.upload },
  }),
};

/** Why nothing of a workspace is behind these. */
export const open: Record<string, string> = {
  [`POST ${M}/experiments/create`]: "makes something new, in the caller's workspace",
  [`POST ${M}/registered-models/create`]: "makes something new, in the caller's workspace",
  [`POST ${M}/webhooks`]: "makes something new, in the caller's workspace",
  [`PUT ${A}/mpu/part/:token`]: "the token in the address is the right to it",
  [`GET ${A}/signed/:token`]: "the token in the address is the right to it",
  "GET /3.0/mlflow/server-info": "the same for all",
  "GET /3.0/mlflow/workspaces": "workspaces are in none",
  "POST /3.0/mlflow/workspaces": "workspaces are in none",
  "GET /3.0/mlflow/workspaces/:workspace_name": "workspaces are in none",
  "PATCH /3.0/mlflow/workspaces/:workspace_name": "workspaces are in none",
  "DELETE /3.0/mlflow/workspaces/:workspace_name": "workspaces are in none",
};
