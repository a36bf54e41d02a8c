import { get, post, remove, type Scenario, type Step } from "../scenario.ts";

type Fields = Readonly<Record<string, unknown>>;

const model = post("given a model", "registered-models/create", { name: "{unique} m" });
const version = (number: number): Step =>
  post(`given ${number}`, "model-versions/create", { name: "{unique} m", source: `s3://bucket/${number}` });

const move = (label: string, number: string, stage: unknown, more: Fields = {}): Step =>
  post(label, "model-versions/transition-stage", { name: "{unique} m", version: number, stage, ...more });

const latest = (label: string, stages: readonly string[]): readonly Step[] => [
  post(`${label}, asked with POST`, "registered-models/get-latest-versions", {
    name: "{unique} m",
    ...(stages.length === 0 ? {} : { stages }),
  }),
  get(`${label}, asked with GET`, "registered-models/get-latest-versions", { name: "{unique} m", stages }),
];

const alias = (label: string, name: unknown, number = "1"): Step =>
  post(label, "registered-models/alias", { name: "{unique} m", alias: name, version: number });

const byAlias = (label: string, name: string): Step =>
  get(label, "registered-models/alias", { name: "{unique} m", alias: name });

const archive = { archive_existing_versions: true };

const aliases: readonly string[] = [
  "champion",
  "Champion",
  "a-b_c",
  "-",
  "_",
  "5",
  "v",
  "v1",
  "V22",
  "v1a",
  "version1",
  "latest",
  "LATEST",
  "Latest1",
  "a.b",
  "a b",
  "a/b",
  "a:b",
  "a@b",
  "a%b",
  "../a",
  "模型",
  "é",
  "🚀",
  "a\nb",
  "None",
  "Production",
  "a".repeat(255),
  "a".repeat(256),
];

export const modelStages: readonly Scenario[] = [
  {
    name: "model stages: transition",
    steps: [
      model,
      ...[1, 2, 3, 4].map(version),
      ...["Staging", "Production", "Archived", "None", "staging", "PRODUCTION", "aRchived", "none"].map(
        (stage) => move(`to '${stage}'`, "1", stage),
      ),
      ...["stage", "", " ", "Staging ", "Deleted_Internal", "prod", "None,Staging", "模型"].map((stage) =>
        move(`to the bad '${stage}'`, "1", stage),
      ),
      move("to the stage it has", "1", "None"),
      move("of an unknown version", "9", "Staging"),
      move("of a bad version", "one", "Staging"),
      move("of a bad version to a bad stage", "one", "stage"),
      post("of an unknown model", "model-versions/transition-stage", {
        name: "{unique} nobody",
        version: "1",
        stage: "Staging",
      }),
      move("1 to Production", "1", "Production"),
      move("2 to Production beside it", "2", "Production"),
      move("3 to Production, archiving", "3", "Production", archive),
      get("1 is archived", "model-versions/get", { name: "{unique} m", version: "1" }),
      get("2 is archived", "model-versions/get", { name: "{unique} m", version: "2" }),
      move("4 to Staging, archiving none", "4", "Staging", archive),
      move("4 to Staging again, archiving", "4", "staging", archive),
      move("4 to Production, not archiving", "4", "Production", { archive_existing_versions: false }),
      move("to Archived, archiving", "1", "Archived", archive),
      move("to None, archiving", "1", "None", archive),
      move("to a bad stage, archiving", "1", "stage", archive),
      ...["true", "false", 1, 0, null, "yes"].map((value) =>
        move(`archive_existing_versions ${JSON.stringify(value)}`, "1", "Staging", {
          archive_existing_versions: value,
        }),
      ),
      get("the model", "registered-models/get", { name: "{unique} m" }),
      get("its versions", "model-versions/search", {
        filter: "name = '{unique} m'",
        order_by: "version_number",
      }),
    ],
  },
  {
    name: "model stages: latest versions",
    steps: [
      model,
      ...latest("none yet", []),
      ...[1, 2, 3, 4, 5, 6].map(version),
      move("given 1 in Production", "1", "Production"),
      move("given 2 in Production", "2", "Production"),
      move("given 3 in Staging", "3", "Staging"),
      move("given 4 in Archived", "4", "Archived"),
      ...latest("of all stages", []),
      ...latest("of one", ["Production"]),
      ...latest("of one in small letters", ["production"]),
      ...latest("of two", ["Staging", "None"]),
      ...latest("of one twice", ["Staging", "staging"]),
      ...latest("of a stage that is none", ["stage"]),
      ...latest("of a good and a bad one", ["Staging", "stage"]),
      ...latest("of an empty stage", [""]),
      post("stages as a text", "registered-models/get-latest-versions", {
        name: "{unique} m",
        stages: "Staging",
      }),
      post("stages as numbers", "registered-models/get-latest-versions", { name: "{unique} m", stages: [1] }),
      post("stages null", "registered-models/get-latest-versions", { name: "{unique} m", stages: null }),
      post("of an unknown model", "registered-models/get-latest-versions", { name: "{unique} nobody" }),
      post("of a bad name", "registered-models/get-latest-versions", { name: "a/b" }),
      post("of an unknown model and stage", "registered-models/get-latest-versions", {
        name: "{unique} nobody",
        stages: ["stage"],
      }),
      remove("delete the newest without a stage", "model-versions/delete", {
        name: "{unique} m",
        version: "6",
      }),
      remove("delete the newest in Production", "model-versions/delete", {
        name: "{unique} m",
        version: "2",
      }),
      ...latest("after the deletion", []),
    ],
  },
  {
    name: "model aliases",
    steps: [
      model,
      ...[1, 2].map(version),
      ...aliases.flatMap((name) => [
        alias(`set ${JSON.stringify(name.slice(0, 20))} of ${name.length}`, name),
        byAlias(`read ${JSON.stringify(name.slice(0, 20))} of ${name.length}`, name),
      ]),
      alias("move one", "champion", "2"),
      byAlias("read the moved one", "champion"),
      alias("to an unknown version", "champion", "9"),
      alias("to a bad version", "champion", "one"),
      alias("to version 0", "champion", "0"),
      byAlias("it stays", "champion"),
      get("the version names its aliases", "model-versions/get", { name: "{unique} m", version: "1" }),
      get("the model names its aliases", "registered-models/get", { name: "{unique} m" }),
      get("found models name their aliases", "registered-models/search", { filter: "name = '{unique} m'" }),
      get("found versions", "model-versions/search", { filter: "name = '{unique} m'" }),
      byAlias("read an unknown one", "nobody"),
      post("set of an unknown model", "registered-models/alias", {
        name: "{unique} nobody",
        alias: "a",
        version: "1",
      }),
      get("read of an unknown model", "registered-models/alias", { name: "{unique} nobody", alias: "a" }),
      get("read of a bad name", "registered-models/alias", { name: "a/b", alias: "a" }),
      get("latest of an unknown model", "registered-models/alias", {
        name: "{unique} nobody",
        alias: "latest",
      }),
      remove("delete", "registered-models/alias", { name: "{unique} m", alias: "champion" }),
      remove("delete again", "registered-models/alias", { name: "{unique} m", alias: "champion" }),
      remove("delete a reserved one", "registered-models/alias", { name: "{unique} m", alias: "latest" }),
      remove("delete one that is no name", "registered-models/alias", { name: "{unique} m", alias: "a b" }),
      remove("delete of an unknown model", "registered-models/alias", {
        name: "{unique} nobody",
        alias: "a",
      }),
      byAlias("read the deleted one", "champion"),
      remove("delete the version of many", "model-versions/delete", { name: "{unique} m", version: "1" }),
      get("they are gone with it", "registered-models/get", { name: "{unique} m" }),
      byAlias("one of them", "a-b_c"),
      remove("delete the other version", "model-versions/delete", { name: "{unique} m", version: "2" }),
      byAlias("latest of none", "latest"),
    ],
  },
];
