// Where a model version may come from. Copies, runs, logged models, stores; and what has been a hole once.
import {
  get,
  newExperiment,
  newModel,
  newRun,
  post,
  type Save,
  type Scenario,
  type Step,
} from "../scenario.ts";

type Fields = Readonly<Record<string, unknown>>;

const model = (name: string): Step =>
  post(`given ${name}`, "registered-models/create", { name: `{unique} ${name}` });

const create = (label: string, source: string, fields: Fields = {}, save?: Save): Step =>
  post(label, "model-versions/create", { name: "{unique} m", source, ...fields }, save);

const uri = (label: string, version: string): Step =>
  get(label, "model-versions/get-download-uri", { name: "{unique} m", version });

// Every entry of the CVE list about sources is among these.
const absolutePaths: readonly string[] = ["/etc/passwd", "/no/such/path"];

/** Paths of the server that upstream resolves before it repeats them, when the request names a run. */
export const serverPaths: readonly string[] = [
  "etc/passwd",
  "./x",
  "../x",
  "~/x",
  "file:///etc/",
  "file:///etc/passwd",
  "file://localhost/etc",
  "FILE:///etc",
  "File:/etc",
  "file:etc",
  "file:",
  "file:///",
  "file://///etc",
  "//proc/self/root",
  "///proc/self/root",
  "://etc",
  ":///etc",
  ":etc",
  "..\\..\\x",
  "\\\\host\\share",
];

export const drives: readonly string[] = ["C:\\Windows", "c:x"];

const climbing: readonly string[] = [
  "mlflow-artifacts:/../../etc",
  "mlflow-artifacts:/%2e%2e/%2e%2e/etc",
  "mlflow-artifacts:/%252e%252e/%252e%252e/etc",
  "mlflow-artifacts:/..%2f..%2fetc",
  "mlflow-artifacts:/a/../../etc",
  "mlflow-artifacts:///../etc",
  "s3://bucket/../other",
  "s3://bucket/%2e%2e/other",
  "s3://bucket/a/..",
  "s3://../x",
  "dbfs:/x?/../../etc",
  "dbfs:/x#/../../etc",
];

export const hosts: readonly string[] = [
  "http:///#/../../../etc/",
  "http:///?/../../../etc/",
  "http:///;/../../../etc/",
  "http://169.254.169.254/latest",
  "https://example.org/model",
  "ftp://example.org/model",
  "sftp://example.org/model",
  "hdfs://host/model",
  "viewfs://host/model",
  "mlflow-artifacts://another.host/1/x",
  "mlflow-artifacts://user@another.host:5000/1/x",
];

const forbidden: readonly string[] = [...absolutePaths, ...serverPaths, ...drives, ...climbing, ...hosts];

export const modelSources: readonly Scenario[] = [
  {
    name: "model sources: places of the server",
    steps: [
      newExperiment(),
      newRun(),
      model("m"),
      ...forbidden.flatMap((source) => [
        create(source, source),
        create(`${source}, with a run`, source, { run_id: "{run}" }),
      ]),
      ...forbidden.slice(0, 12).map((source) =>
        create(`${source}, as a prompt that is none`, source, {
          tags: [{ key: "mlflow.prompt.is_prompt", value: "false" }],
        }),
      ),
    ],
  },
  {
    name: "model sources: stores",
    steps: [
      model("m"),
      ...[
        "s3://bucket/model",
        "S3://bucket/model",
        "gs://bucket/model",
        "wasbs://container@account.blob.core.windows.net/model",
        "dbfs:/models/x",
        "s3://bucket",
        "s3://",
        "s3:",
        "s3:/bucket",
        "s3://bucket/a b",
        "s3://bucket/a%20b",
        "s3://bucket/模型",
        "unknown://host/path",
        "unknown:path",
        "x",
        "",
        " ",
        "s3://bucket/".padEnd(500, "x"),
        "s3://bucket/".padEnd(501, "x"),
        "s3://bucket/...",
        "s3://bucket/.hidden",
        "s3://bucket/a//b",
        "s3://bucket/a?b",
        "s3://bucket/a;b",
        "s3://user:password@bucket/a",
      ].map((source, i) => create(`${i}: ${source.slice(0, 60)}`, source)),
    ],
  },
  {
    name: "model sources: judged otherwise upstream",
    steps: [
      newExperiment(),
      newRun(),
      model("m"),
      // Clients of 2.9 leave the run out.
      create("no run given", "runs:/{run}/model"),
      create("an empty run given", "runs:/{run}/model", { run_id: "" }),
      get("the run's place", "runs/get", { run_id: "{run}" }, { place: "run.info.artifact_uri" }),
      create("in the run's place, no run given", "{place}/model"),
      ...["C:/Windows", "s3://bucket/a#b"].map((source) => create(`the source '${source}'`, source)),
      ...["runs:/{run}/a#b", "runs:/{run}/a?b", "runs:///{run}/model"].map((source) =>
        create(`the source '${source}'`, source, { run_id: "{run}" }),
      ),
    ],
  },
  {
    name: "model sources: runs",
    steps: [
      newExperiment(),
      newRun(),
      newRun("other"),
      model("m"),
      create("of the run", "runs:/{run}/model", { run_id: "{run}" }),
      create("of the run, deeper", "runs:/{run}/a/b/c", { run_id: "{run}" }),
      create("of the run itself", "runs:/{run}", { run_id: "{run}" }),
      create("of the run itself, with a slash", "runs:/{run}/", { run_id: "{run}" }),
      create("in capitals", "RUNS:/{run}/model", { run_id: "{run}" }),
      create("another run given", "runs:/{run}/model", { run_id: "{other}" }),
      create("an unknown run", `runs:/${"0".repeat(32)}/model`, { run_id: "0".repeat(32) }),
      create("no run in it", "runs:/", { run_id: "{run}" }),
      create("two slashes", "runs://{run}/model", { run_id: "{run}" }),
      create("without a slash", "runs:{run}/model", { run_id: "{run}" }),
      create("that climbs", "runs:/{run}/../x", { run_id: "{run}" }),
      create("that climbs, encoded", "runs:/{run}/%2e%2e/x", { run_id: "{run}" }),
      get("the run's place", "runs/get", { run_id: "{run}" }, { place: "run.info.artifact_uri" }),
      create("in the run's place", "{place}/model", { run_id: "{run}" }),
      create("the run's place itself", "{place}", { run_id: "{run}" }),
      create("in the run's place, another run given", "{place}/model", { run_id: "{other}" }),
      create("beside the run's place", "{place}x/model", { run_id: "{run}" }),
      create("above the run's place", "mlflow-artifacts:/0", { run_id: "{run}" }),
      create("that leaves the run's place", "{place}/../../x", { run_id: "{run}" }),
      create("that leaves the run's place, encoded", "{place}/%2e%2e/x", { run_id: "{run}" }),
      uri("where the first is", "1"),
      uri("where the second is", "2"),
      get("found by its run", "model-versions/search", {
        filter: "run_id = '{run}' AND name = '{unique} m'",
        order_by: "version_number",
      }),
    ],
  },
  {
    name: "model sources: logged models",
    steps: [
      newExperiment(),
      newRun(),
      newModel("lm", { source_run_id: "{run}" }),
      newModel("alone"),
      model("m"),
      create("of the model", "models:/{lm}", { model_id: "{lm}" }),
      create("of the model, with its run", "models:/{lm}", { model_id: "{lm}", run_id: "{run}" }),
      create("of the model, with another run", "models:/{lm}", { model_id: "{lm}", run_id: "nobody" }),
      create("of a model without a run", "models:/{alone}", { model_id: "{alone}" }),
      create("no model given", "models:/{lm}"),
      create("an empty model given", "models:/{lm}", { model_id: "" }),
      create("no model given, but the run", "models:/{lm}", { run_id: "{run}" }),
      create("another model given", "models:/{lm}", { model_id: "{alone}" }),
      create("an unknown model", `models:/m-${"0".repeat(32)}`, { model_id: `m-${"0".repeat(32)}` }),
      create("deeper in the model", "models:/{lm}/x", { model_id: "{lm}" }),
      create("two slashes", "models://{lm}", { model_id: "{lm}" }),
      create("a store, with the model", "s3://bucket/x", { model_id: "{lm}" }),
      create("a store, with an unknown model", "s3://bucket/x", { model_id: "m-nobody" }),
      create("a run, with the model", "runs:/{run}/model", { model_id: "{lm}", run_id: "{run}" }),
      get("the model's place", "logged-models/{lm}", {}, { place: "model.info.artifact_uri" }),
      create("in the model's place", "{place}/x", { model_id: "{lm}" }),
      create("the model's place itself", "{place}", { model_id: "{lm}" }),
      create("in the model's place, none given", "{place}"),
      create("in the model's place, its run given", "{place}", { run_id: "{run}" }),
      create("in the model's place, another given", "{place}", { model_id: "{alone}" }),
      create("that leaves the model's place", "{place}/../x", { model_id: "{lm}" }),
      uri("where the first is", "1"),
      get("the model names its versions", "logged-models/{lm}"),
      get("found by the run", "model-versions/search", {
        filter: "run_id = '{run}' AND name = '{unique} m'",
        order_by: "version_number",
      }),
    ],
  },
  {
    name: "model sources: copies",
    steps: [
      newExperiment(),
      newRun(),
      newRun("other"),
      model("m"),
      model("origin"),
      post("given origin 1", "model-versions/create", {
        name: "{unique} origin",
        source: "runs:/{run}/model",
        run_id: "{run}",
        run_link: "l",
        description: "d",
        tags: [{ key: "a", value: "1" }],
      }),
      post("given origin 2", "model-versions/create", { name: "{unique} origin", source: "s3://bucket/x" }),
      post("given an alias", "registered-models/alias", {
        name: "{unique} origin",
        alias: "champion",
        version: "1",
      }),
      post("given a stage", "model-versions/transition-stage", {
        name: "{unique} origin",
        version: "1",
        stage: "Production",
      }),
      // As the client's copy_model_version sends it.
      create("by number", "models:/{unique} origin/1", { run_id: "{run}" }),
      create("by number, no run given", "models:/{unique} origin/1"),
      create("by number, an empty run given", "models:/{unique} origin/1", { run_id: "" }),
      create("by number, another run given", "models:/{unique} origin/1", { run_id: "{other}" }),
      create("by number, an unknown model given", "models:/{unique} origin/1", { model_id: "m-nobody" }),
      create("by number of one without a run", "models:/{unique} origin/2"),
      create("by number of one without a run, a run given", "models:/{unique} origin/2", { run_id: "{run}" }),
      create("by alias", "models:/{unique} origin@champion", { run_id: "{run}" }),
      create("by an unknown alias", "models:/{unique} origin@nobody"),
      create("by an empty alias", "models:/{unique} origin@"),
      create("by stage", "models:/{unique} origin/Production", { run_id: "{run}" }),
      create("by stage in small letters", "models:/{unique} origin/production", { run_id: "{run}" }),
      create("by a stage without versions", "models:/{unique} origin/Staging"),
      create("by a stage that is none", "models:/{unique} origin/stage"),
      create("by latest", "models:/{unique} origin/latest"),
      create("by LATEST", "models:/{unique} origin/LATEST"),
      create("by alias latest", "models:/{unique} origin@latest"),
      create("of an unknown version", "models:/{unique} origin/9"),
      create("of an unknown model", "models:/{unique} nobody/1"),
      create("of a model without versions", "models:/{unique} nobody/latest"),
      create("of itself", "models:/{unique} m/1", { run_id: "{run}" }),
      create("of a copy", "models:/{unique} m/latest"),
      ...[
        "models:/",
        "models:",
        "models://",
        "models:///x/1",
        "models:/a/1/2",
        "models:a/1",
        "models://registry/a/1",
        "models:/a/",
        "models:/ /1",
        "models:/../1",
        "models:/a/%2e%2e",
        "models:/a/1#x",
        "models:/a/1?x",
        "models:/a/-1",
        "models:/a/1.0",
        "models:/@",
        "models:/@a",
        "models:/a@b@c",
        "MODELS:/a/1",
      ].map((source) => create(`the source '${source}'`, source)),
      uri("where the first is", "1"),
      uri("where the last of them is", "2"),
      get("all of them", "model-versions/search", {
        filter: "name = '{unique} m'",
        order_by: "version_number",
      }),
      post("rename the origin", "registered-models/rename", {
        name: "{unique} origin",
        new_name: "{unique} moved",
      }),
      uri("where the first is after that", "1"),
    ],
  },
];
