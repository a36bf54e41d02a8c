import { get, newExperiment, newRun, patch, post, remove, type Scenario, type Step } from "../scenario.ts";
import { oddNames } from "./registered-models.ts";

type Fields = Readonly<Record<string, unknown>>;

const model = (name: string): Step =>
  post(`given ${name}`, "registered-models/create", { name: `{unique} ${name}` });

const create = (label: string, fields: Fields): Step =>
  post(label, "model-versions/create", { name: "{unique} m", source: "s3://bucket/model", ...fields });

const read = (label: string, version: string, name = "{unique} m"): Step =>
  get(label, "model-versions/get", { name, version });

const tag = (label: string, fields: Fields): Step =>
  post(label, "model-versions/set-tag", { name: "{unique} m", version: "1", ...fields });

const numbers: readonly string[] = [
  "0",
  "-1",
  "+1",
  "01",
  "1_0",
  " 1 ",
  "1.0",
  "1e0",
  "0x1",
  "١",
  "one",
  "v1",
  "latest",
  "2147483647",
  "2147483648",
  "99999999999999999999",
  "1 2",
  "1;2",
  "1'",
  "NaN",
];

export const modelVersions: readonly Scenario[] = [
  {
    name: "model versions: create and get",
    steps: [
      model("m"),
      newExperiment(),
      newRun(),
      create("with everything", {
        source: "runs:/{run}/model",
        run_id: "{run}",
        run_link: "https://example.org/run",
        description: "what it does",
        tags: [
          { key: "a", value: "1" },
          { key: "b/c", value: "" },
        ],
      }),
      create("with nothing", {}),
      create("of an unknown model", { name: "{unique} nobody" }),
      create("of a bad name", { name: "a/b" }),
      create("of an empty name", { name: "" }),
      create("an unknown run", { run_id: "nobody" }),
      create("an empty run", { run_id: "" }),
      create("an empty link", { run_link: "" }),
      create("an empty description", { description: "" }),
      create("a description of 5,001 characters", { description: "d".repeat(5001) }),
      create("no tags", { tags: [] }),
      create("a tag twice", {
        tags: [
          { key: "a", value: "1" },
          { key: "a", value: "2" },
        ],
      }),
      create("a tag without a value", { tags: [{ key: "a" }] }),
      create("a tag without a key", { tags: [{ value: "a" }] }),
      create("a tag that climbs", { tags: [{ key: "../a", value: "1" }] }),
      create("a tag key of 251 characters", { tags: [{ key: "k".repeat(251), value: "1" }] }),
      create("a tag value of 100,001 characters", { tags: [{ key: "k", value: "v".repeat(100_001) }] }),
      create("an unknown logged model", { model_id: "m-nobody" }),
      create("an empty logged model", { model_id: "" }),
      create("a field of a later client", { model_params: [{ name: "a", value: "b" }] }),
      get("read the model", "registered-models/get", { name: "{unique} m" }),
      ...["1", "2", "3", "4"].map((version) => read(`read ${version}`, version)),
      ...numbers.map((version) => read(`read version ${JSON.stringify(version)}`, version)),
      read("read of an unknown model", "1", "{unique} nobody"),
      read("read of a bad name", "1", "a:b"),
      get("where to download", "model-versions/get-download-uri", { name: "{unique} m", version: "1" }),
      get("where to download the second", "model-versions/get-download-uri", {
        name: "{unique} m",
        version: "2",
      }),
      get("where to download nothing", "model-versions/get-download-uri", {
        name: "{unique} m",
        version: "99",
      }),
      get("where to download of an unknown model", "model-versions/get-download-uri", {
        name: "{unique} nobody",
        version: "1",
      }),
      {
        label: "read under ajax-api",
        method: "GET",
        path: "/ajax-api/2.0/mlflow/model-versions/get?name={unique}%20m&version=1",
      },
    ],
  },
  {
    name: "model versions: of models with odd names",
    steps: oddNames.flatMap((name) => [
      model(name),
      create(`create of ${JSON.stringify(name)}`, { name: `{unique} ${name}` }),
      read(`read of ${JSON.stringify(name)}`, "1", `{unique} ${name}`),
    ]),
  },
  {
    name: "model versions: update and delete",
    steps: [
      model("m"),
      create("given 1", { tags: [{ key: "a", value: "1" }] }),
      create("given 2", {}),
      create("given 3", {}),
      patch("describe", "model-versions/update", { name: "{unique} m", version: "1", description: "one" }),
      patch("describe as nothing", "model-versions/update", {
        name: "{unique} m",
        version: "1",
        description: "",
      }),
      patch("describe without a word", "model-versions/update", { name: "{unique} m", version: "1" }),
      patch("describe an unknown one", "model-versions/update", {
        name: "{unique} m",
        version: "9",
        description: "x",
      }),
      patch("describe one of an unknown model", "model-versions/update", {
        name: "{unique} nobody",
        version: "1",
        description: "x",
      }),
      ...numbers.map((version) =>
        patch(`describe ${JSON.stringify(version)}`, "model-versions/update", {
          name: "{unique} m",
          version,
          description: "x",
        }),
      ),
      read("read what was described", "1"),
      post("given an alias", "registered-models/alias", { name: "{unique} m", alias: "x", version: "3" }),
      post("given another alias", "registered-models/alias", {
        name: "{unique} m",
        alias: "y",
        version: "1",
      }),
      remove("delete the newest", "model-versions/delete", { name: "{unique} m", version: "3" }),
      remove("delete it again", "model-versions/delete", { name: "{unique} m", version: "3" }),
      read("read the deleted one", "3"),
      get("where to download it", "model-versions/get-download-uri", { name: "{unique} m", version: "3" }),
      patch("describe it", "model-versions/update", { name: "{unique} m", version: "3", description: "x" }),
      post("tag it", "model-versions/set-tag", { name: "{unique} m", version: "3", key: "a", value: "b" }),
      remove("delete a tag of it", "model-versions/delete-tag", {
        name: "{unique} m",
        version: "3",
        key: "a",
      }),
      post("move it", "model-versions/transition-stage", {
        name: "{unique} m",
        version: "3",
        stage: "Staging",
      }),
      post("give it an alias", "registered-models/alias", { name: "{unique} m", alias: "z", version: "3" }),
      get("its alias is gone", "registered-models/alias", { name: "{unique} m", alias: "x" }),
      create("copy it", { source: "models:/{unique} m/3" }),
      get("the model without it", "registered-models/get", { name: "{unique} m" }),
      get("search without it", "model-versions/search", { filter: "name = '{unique} m'" }),
      get("the latest without it", "registered-models/get-latest-versions", { name: "{unique} m" }),
      create("the next number", {}),
      remove("delete an unknown one", "model-versions/delete", { name: "{unique} m", version: "99" }),
      remove("delete one of an unknown model", "model-versions/delete", {
        name: "{unique} nobody",
        version: "1",
      }),
      ...["0", "-1", "1.0", "one", "99999999999999999999"].map((version) =>
        remove(`delete ${JSON.stringify(version)}`, "model-versions/delete", { name: "{unique} m", version }),
      ),
      remove("delete the first", "model-versions/delete", { name: "{unique} m", version: "1" }),
      remove("delete the second", "model-versions/delete", { name: "{unique} m", version: "2" }),
      remove("delete the last", "model-versions/delete", { name: "{unique} m", version: "4" }),
      get("the model without any", "registered-models/get", { name: "{unique} m" }),
      get("the latest without any", "registered-models/get-latest-versions", { name: "{unique} m" }),
    ],
  },
  {
    name: "model versions: tags",
    steps: [
      model("m"),
      create("given 1", { tags: [{ key: "first", value: "1" }] }),
      tag("set", { key: "k", value: "1" }),
      tag("set again", { key: "k", value: "2" }),
      tag("set with no value", { key: "e", value: "" }),
      tag("set with letters of many languages", { key: "语言", value: "🚀" }),
      ...["../a", "/a", "a//b", ".", "a#b", "a%b", "a:b", "a\\b", "a\nb", "a b"].map((key) =>
        tag(`the key ${JSON.stringify(key)}`, { key, value: "x" }),
      ),
      tag("a key of 250 characters", { key: "k".repeat(250), value: "1" }),
      tag("a key of 251 characters", { key: "k".repeat(251), value: "1" }),
      tag("a value of 5,001 characters", { key: "v", value: "v".repeat(5001) }),
      tag("a value of 100,001 characters", { key: "v", value: "v".repeat(100_001) }),
      tag("of an unknown version", { version: "9", key: "k", value: "1" }),
      tag("of an unknown model", { name: "{unique} nobody", key: "k", value: "1" }),
      tag("of a bad version", { version: "one", key: "k", value: "1" }),
      read("read", "1"),
      remove("delete", "model-versions/delete-tag", { name: "{unique} m", version: "1", key: "k" }),
      remove("delete again", "model-versions/delete-tag", { name: "{unique} m", version: "1", key: "k" }),
      remove("delete a bad key", "model-versions/delete-tag", {
        name: "{unique} m",
        version: "1",
        key: "../a",
      }),
      remove("delete of an unknown version", "model-versions/delete-tag", {
        name: "{unique} m",
        version: "9",
        key: "k",
      }),
      remove("delete of a bad version", "model-versions/delete-tag", {
        name: "{unique} m",
        version: "one",
        key: "k",
      }),
      read("read after", "1"),
    ],
  },
];
