import {
  get,
  newExperiment,
  newModel,
  newRun,
  patch,
  post,
  remove,
  type Scenario,
  type Step,
} from "../scenario.ts";

type Fields = Readonly<Record<string, unknown>>;
const unknown = `m-${"0".repeat(32)}`;

const create = (label: string, fields: Fields): Step =>
  post(label, "logged-models", { experiment_id: "{experiment}", ...fields });

function search(label: string, filter: string, more: Fields = {}): Step {
  return post(label, "logged-models/search", {
    experiment_ids: ["{experiment}"],
    filter,
    order_by: [{ field_name: "name", ascending: true }],
    ...more,
  });
}

const order = (label: string, ...order_by: readonly unknown[]): Step =>
  search(`order by ${label}`, "", { order_by });

export const loggedModels: readonly Scenario[] = [
  {
    name: "logged models: create and get",
    steps: [
      newExperiment(),
      newRun(),
      create("with everything", {
        name: "forest",
        model_type: "classifier",
        source_run_id: "{run}",
        params: [{ key: "depth", value: "3" }],
        tags: [{ key: "team", value: "vision" }],
      }),
      create("with nothing", {}),
      create("an empty name", { name: "" }),
      ...["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "../a", "a b", "模型"].map((name) =>
        create(`the name ${JSON.stringify(name)}`, { name }),
      ),
      create("a number as name", { name: 5 }),
      create("a name of 500 characters", { name: "n".repeat(500) }),
      create("a name of 501 characters", { name: "n".repeat(501) }),
      create("a name twice", { name: "forest" }),
      create("an unknown source run", { name: "orphan", source_run_id: "0".repeat(32) }),
      create("a param twice", {
        name: "x",
        params: [
          { key: "a", value: "1" },
          { key: "a", value: "2" },
        ],
      }),
      create("a tag twice", {
        name: "x",
        tags: [
          { key: "a", value: "1" },
          { key: "a", value: "2" },
        ],
      }),
      create("a param key that climbs", { name: "x", params: [{ key: "../a", value: "1" }] }),
      create("a tag key of 251 characters", { name: "x", tags: [{ key: "k".repeat(251), value: "1" }] }),
      create("a param value of 6001 characters", {
        name: "x",
        params: [{ key: "long", value: "v".repeat(6001) }],
      }),
      create("params that are no list", { name: "x", params: "a" }),
      post("an unknown experiment", "logged-models", { experiment_id: "999999999", name: "x" }),
      post("a word as experiment", "logged-models", { experiment_id: "abc", name: "x" }),
      post("no experiment", "logged-models", { name: "x" }),
      newModel(),
      get("read", "logged-models/{model}"),
      get("read under ajax-api", "/ajax-api/2.0/mlflow/logged-models/{model}"),
      get("read an unknown one", `logged-models/${unknown}`),
      get("read a word", "logged-models/abc"),
      get("read a path", "logged-models/..%2F..%2Fetc"),
    ],
  },
  {
    name: "logged models: change",
    steps: [
      newExperiment(),
      newModel(),
      newModel("other"),
      newModel("third"),
      newModel("fourth"),
      patch("finalize", "logged-models/{model}", { model_id: "{model}", status: "LOGGED_MODEL_READY" }),
      get("read it", "logged-models/{model}"),
      patch("finalize as failed", "logged-models/{model}", {
        model_id: "{model}",
        status: "LOGGED_MODEL_UPLOAD_FAILED",
      }),
      patch("finalize as pending", "logged-models/{model}", {
        model_id: "{model}",
        status: "LOGGED_MODEL_PENDING",
      }),
      patch("finalize without an id in the body", "logged-models/{model}", { status: "LOGGED_MODEL_READY" }),
      patch("finalize without a status", "logged-models/{model}", { model_id: "{model}" }),
      patch("finalize to an unknown status", "logged-models/{model}", {
        model_id: "{model}",
        status: "BOGUS",
      }),
      patch("finalize an unknown one", `logged-models/${unknown}`, {
        model_id: unknown,
        status: "LOGGED_MODEL_READY",
      }),
      patch("set tags", "logged-models/{model}/tags", {
        model_id: "{model}",
        tags: [
          { key: "a", value: "1" },
          { key: "b/c", value: "2" },
        ],
      }),
      patch("set tags again", "logged-models/{model}/tags", {
        model_id: "{model}",
        tags: [{ key: "a", value: "3" }],
      }),
      patch("set tags without an id in the body", "logged-models/{model}/tags", {
        tags: [{ key: "d", value: "3" }],
      }),
      patch("set no tags", "logged-models/{model}/tags", { model_id: "{model}", tags: [] }),
      patch("set a tag twice", "logged-models/{model}/tags", {
        model_id: "{model}",
        tags: [
          { key: "t", value: "1" },
          { key: "t", value: "2" },
        ],
      }),
      patch("set a tag with a bad key", "logged-models/{model}/tags", {
        model_id: "{model}",
        tags: [{ key: "../t", value: "1" }],
      }),
      patch("set tags of an unknown one", `logged-models/${unknown}/tags`, {
        model_id: unknown,
        tags: [{ key: "a", value: "1" }],
      }),
      remove("delete a tag", "logged-models/{model}/tags/a", { model_id: "{model}", tag_key: "a" }),
      remove("delete the tag again", "logged-models/{model}/tags/a", { model_id: "{model}", tag_key: "a" }),
      remove("delete a tag of an unknown one", `logged-models/${unknown}/tags/a`, {
        model_id: unknown,
        tag_key: "a",
      }),
      post("log params", "logged-models/{model}/params", {
        model_id: "{model}",
        params: [{ key: "p", value: "1" }],
      }),
      post("log the same params", "logged-models/{model}/params", {
        model_id: "{model}",
        params: [{ key: "p", value: "1" }],
      }),
      post("log other params", "logged-models/{model}/params", {
        model_id: "{model}",
        params: [{ key: "q", value: "" }],
      }),
      post("log a param with a bad key", "logged-models/{model}/params", {
        model_id: "{model}",
        params: [{ key: "../p", value: "1" }],
      }),
      post("log no params", "logged-models/{model}/params", { model_id: "{model}", params: [] }),
      post("log params of an unknown one", `logged-models/${unknown}/params`, {
        model_id: unknown,
        params: [{ key: "p", value: "1" }],
      }),
      get("read after the changes", "logged-models/{model}"),
      get("list its artifacts", "logged-models/{model}/artifacts/directories"),
      get("list artifacts of an unknown one", `logged-models/${unknown}/artifacts/directories`),
      get("list artifacts that climb", "logged-models/{model}/artifacts/directories", {
        artifact_directory_path: "../..",
      }),
      remove("delete", "logged-models/{model}", { model_id: "{model}" }),
      get("read the deleted one", "logged-models/{model}"),
      remove("delete again", "logged-models/{model}", { model_id: "{model}" }),
      remove("delete an unknown one", `logged-models/${unknown}`, { model_id: unknown }),
      patch("finalize the deleted one", "logged-models/{model}", {
        model_id: "{model}",
        status: "LOGGED_MODEL_READY",
      }),
      search("search does not find the deleted one", ""),
      patch("finalize with another id in the body", "logged-models/{third}", {
        model_id: "{fourth}",
        status: "LOGGED_MODEL_READY",
      }),
      newModel("bare", { tags: [{ key: "a", value: "1" }] }),
      // The 3.17.2 client sends these without a body, and so without a content type.
      {
        label: "delete a tag without a body",
        method: "DELETE",
        path: "/api/2.0/mlflow/logged-models/{bare}/tags/a",
      },
      { label: "delete without a body", method: "DELETE", path: "/api/2.0/mlflow/logged-models/{bare}" },
      get("read the one deleted without a body", "logged-models/{bare}"),
      newModel("slashed", { tags: [{ key: "b/c", value: "2" }] }),
      remove("delete a tag with a slash", "logged-models/{slashed}/tags/b%2Fc", {
        model_id: "{slashed}",
        tag_key: "b/c",
      }),
    ],
  },
  {
    name: "logged models: search",
    steps: [
      newExperiment(),
      newExperiment("elsewhere"),
      newRun(),
      newModel("alpha", {
        model_type: "tree",
        source_run_id: "{run}",
        params: [{ key: "depth", value: "3" }],
      }),
      newModel("beta", { model_type: "net", tags: [{ key: "team", value: "Vision" }] }),
      newModel("gamma", {
        model_type: "tree",
        tags: [
          { key: "team", value: "speech" },
          { key: "odd key", value: "x" },
        ],
      }),
      newModel("far", { experiment_id: "{elsewhere}" }),
      patch("given beta ready", "logged-models/{beta}", { model_id: "{beta}", status: "LOGGED_MODEL_READY" }),
      post("given metrics", "runs/log-batch", {
        run_id: "{run}",
        metrics: [
          { key: "acc", value: 0.9, timestamp: 1, step: 0, model_id: "{alpha}" },
          {
            key: "acc",
            value: 0.7,
            timestamp: 1,
            step: 0,
            model_id: "{beta}",
            dataset_name: "iris",
            dataset_digest: "d1",
          },
          {
            key: "acc",
            value: 0.8,
            timestamp: 2,
            step: 1,
            model_id: "{beta}",
            dataset_name: "wine",
            dataset_digest: "d2",
          },
        ],
      }),
      search("everything", ""),
      search("two experiments", "", { experiment_ids: ["{experiment}", "{elsewhere}"] }),
      search("no experiment", "", { experiment_ids: [] }),
      search("an unknown experiment", "", { experiment_ids: ["999999999"] }),
      search("name", "name = 'alpha'"),
      search("name unequal", "name != 'alpha'"),
      search("name LIKE", "name LIKE '%a'"),
      search("name ILIKE", "name ILIKE 'ALPHA'"),
      search("name IN", "name IN ('alpha', 'beta')"),
      search("name NOT IN", "name NOT IN ('alpha', 'beta')"),
      search("attributes. name", "attributes.name = 'beta'"),
      search("attribute. name", "attribute.name = 'beta'"),
      search("model id", "model_id = '{alpha}'"),
      search("model type", "model_type = 'tree'"),
      search("status", "status = 'READY'"),
      search("status by its long name", "status = 'LOGGED_MODEL_READY'"),
      search("source run", "source_run_id = '{run}'"),
      search("creation timestamp", "creation_timestamp > 0"),
      search("creation time", "creation_time > 0"),
      search("last updated", "last_updated_timestamp > 0"),
      search("creation timestamp as text", "creation_timestamp > 'now'"),
      search("tag", "tags.team = 'speech'"),
      search("tag unequal", "tags.team != 'speech'"),
      search("tag ILIKE", "tags.team ILIKE 'vision'"),
      search("tag in backticks", "tags.`odd key` = 'x'"),
      search("param", "params.depth = '3'"),
      search("param LIKE", "params.depth LIKE '%'"),
      search("param greater", "params.depth > '2'"),
      search("metric", "metrics.acc > 0.75"),
      search("metric of a dataset", "metrics.acc > 0.65", { datasets: [{ dataset_name: "iris" }] }),
      search("metric of a dataset and digest", "metrics.acc > 0.65", {
        datasets: [{ dataset_name: "wine", dataset_digest: "d2" }],
      }),
      search("metric of another dataset", "metrics.acc > 0.65", { datasets: [{ dataset_name: "nobody" }] }),
      search("metric as text", "metrics.acc > 'high'"),
      search("several", "metrics.acc > 0.5 AND name LIKE 'b%' AND tags.team = 'Vision'"),
      search("unknown attribute", "colour = 'blue'"),
      search("unknown attribute with a number", "colour > 5"),
      search("unknown entity", "things.a = 'b'"),
      search("OR", "name = 'alpha' OR name = 'beta'"),
      search("an open quote", "name = 'alpha"),
      search("no value", "name ="),
      search("semicolon", "name = 'alpha';"),
      order("name down", { field_name: "name", ascending: false }),
      order("creation time", { field_name: "creation_time", ascending: true }),
      order("creation timestamp", { field_name: "creation_timestamp", ascending: false }),
      order("attributes.", { field_name: "attributes.name", ascending: false }),
      order(
        "a metric",
        { field_name: "metrics.acc", ascending: false },
        { field_name: "name", ascending: true },
      ),
      order(
        "a metric up",
        { field_name: "metrics.acc", ascending: true },
        { field_name: "name", ascending: true },
      ),
      order(
        "a metric of a dataset",
        { field_name: "metrics.acc", ascending: false, dataset_name: "iris" },
        { field_name: "name" },
      ),
      order("a dataset without a metric", { field_name: "name", dataset_name: "iris" }),
      order("a digest without a name", { field_name: "metrics.acc", dataset_digest: "d1" }),
      order("a field without a direction", { field_name: "name" }),
      order("an unknown field", { field_name: "colour" }),
      order("a tag", { field_name: "tags.team" }),
      order("no field", { ascending: true }),
      order("a string", "name"),
      post(
        "page 1",
        "logged-models/search",
        {
          experiment_ids: ["{experiment}"],
          order_by: [{ field_name: "name", ascending: true }],
          max_results: 2,
        },
        { token: "next_page_token" },
      ),
      search("page 2", "", { max_results: 2, page_token: "{token}" }),
      search("page 2 of another question", "name != 'x'", { max_results: 2, page_token: "{token}" }),
      search("a broken token", "", { page_token: "!!!" }),
      search("max_results 0", "", { max_results: 0 }),
      search("max_results -1", "", { max_results: -1 }),
      search("max_results 50001", "", { max_results: 50_001 }),
      search("max_results as a word", "", { max_results: "two" }),
    ],
  },
];
