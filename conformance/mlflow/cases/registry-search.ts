import {
  get,
  newExperiment,
  newRun,
  post,
  type Query,
  type Scenario,
  type Save,
  type Step,
} from "../scenario.ts";

const own = "name LIKE '{unique}%'";
const mine = (filter: string): string => (filter === "" ? own : `${own} AND ${filter}`);

const models = (label: string, filter: string, more: Query = {}, save?: Save): Step =>
  get(label, "registered-models/search", { filter, ...more }, save);
const versions = (label: string, filter: string, more: Query = {}, save?: Save): Step =>
  get(label, "model-versions/search", { filter, ...more }, save);

const newModel = (name: string, tags: Readonly<Record<string, string>> = {}): Step =>
  post(`given ${name}`, "registered-models/create", {
    name: `{unique} ${name}`,
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  });

const newVersion = (label: string, name: string, more: Readonly<Record<string, unknown>> = {}): Step =>
  post(label, "model-versions/create", { name: `{unique} ${name}`, source: `s3://bucket/${name}`, ...more });

const comparators = [
  "=",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "<>",
  "==",
  "LIKE",
  "ILIKE",
  "like",
  "NOT LIKE",
  "NOT ILIKE",
  "RLIKE",
  "IN",
  "NOT IN",
  "IS",
  "~",
];
// No letter of an id, which each server draws for itself, is an o.
const values = ["'{unique} a'", "'%o%'", '"{unique} a"', "1", "('{unique} a')", "NULL", "word"];
/** Each name with each comparator, and a value of each kind in turn. */
const grammar = (names: readonly string[]): string[] =>
  names.flatMap((name, i) =>
    comparators.flatMap((comparator, j) =>
      [0, 3].map((k) => `${name} ${comparator} ${values[(i + j + k) % values.length]}`),
    ),
  );

/** What the grammar does not know, or reads in a way of its own. */
const oddities: readonly string[] = [
  "name",
  "name =",
  "= 'a'",
  "name = 'a",
  "name = a'",
  "name = 'a' OR name = 'b'",
  "name = 'a' AND",
  "AND name = 'a'",
  "(name = 'a')",
  "NOT name = 'a'",
  "name = 'a';",
  "name = 'a'; drop table x",
  "name = 'a' -- comment",
  "name = 'it''s'",
  'name = "it\'s"',
  "name = ''",
  "Name = 'a'",
  "NAME = 'a'",
  "`name` = 'a'",
  "\"name\" = 'a'",
  "attribute.name = 'a'",
  "attributes.name = 'a'",
  "attr.name = 'a'",
  "model.name = 'a'",
  "tags.a = 'b'",
  "tag.a = 'b'",
  "tags.`a b` = 'c'",
  "tags.\"a b\" = 'c'",
  "tags. = 'b'",
  "tags = 'b'",
  "tags.a.b = 'c'",
  "tags.a > 'b'",
  "tags.a IN ('b')",
  "tags.a IS NULL",
  "tags.a IS NOT NULL",
  "name IN ()",
  "name IN ('a',)",
  "name IN ('a', 'b'",
  "name IN (1)",
  "name IN 'a'",
  "name BETWEEN 'a' AND 'b'",
  "metrics.a > 1",
  "params.a = 'b'",
  "colour = 'blue'",
  "creation_timestamp > 0",
  "last_updated_timestamp > 0",
  "version_number = 1",
  "version_number = '1'",
  "version_number > 1.5",
  "version_number IN (1, 2)",
  "version_number = 99999999999999999999",
  "version = 1",
  "run_id = ''",
  "run_id IN ('a', 'b')",
  "run_id LIKE 'oth%'",
  "source_path = 's3://bucket/a'",
  "source = 's3://bucket/a'",
  "current_stage = 'None'",
  "user_id = 'a'",
  "status = 'READY'",
  "description = 'd'",
  "aliases.a = '1'",
  "   ",
  "name='a'AND tags.a='b'",
  "name = 'a' AND name = 'b'",
  "name = 'a' and tags.a = 'b'",
  "name\n=\n'a'",
];

const orders: readonly (readonly string[])[] = [
  ["name"],
  ["name ASC"],
  ["name asc"],
  ["name DESC"],
  ["name desc"],
  ["name  DESC"],
  ["name descending"],
  ["name DESC NULLS LAST"],
  ["DESC"],
  [""],
  [" "],
  ["`name` DESC"],
  ["attribute.name"],
  ["attributes.name DESC"],
  ["tags.a"],
  ["colour"],
  ["name, timestamp"],
  ["name", "name"],
  ["name", "name DESC"],
  ["timestamp"],
  ["timestamp DESC"],
  ["last_updated_timestamp"],
  ["last_updated_timestamp DESC"],
  ["last_updated_timestamp", "timestamp"],
  ["creation_timestamp DESC"],
  ["creation_timestamp", "name"],
  ["version_number"],
  ["version_number DESC", "name DESC"],
  ["name DESC", "version_number"],
  ["run_id"],
  ["name;"],
  ["1"],
];

const listed = (order: readonly string[]): string => order.join(" + ") || "nothing";

const given: readonly Step[] = [
  newExperiment(),
  newRun(),
  newModel("a", { team: "Vision", "odd key": "x", n: "5" }),
  newModel("b", { team: "speech" }),
  newModel("C_%"),
  newModel("ä"),
  newVersion("given a 1", "a", {
    source: "runs:/{run}/model",
    run_id: "{run}",
    tags: [{ key: "team", value: "Vision" }],
  }),
  newVersion("given b 1", "b", { tags: [{ key: "team", value: "speech" }] }),
  newVersion("given a 2", "a", { run_id: "other", tags: [{ key: "odd key", value: "x" }] }),
  newVersion("given C 1", "C_%"),
  newVersion("given a 3", "a"),
];

const pages = (of: typeof models, route: string): Step[] => [
  of("page 1", own, { max_results: "2" }, { token: "next_page_token" }),
  of("page 2", own, { max_results: "2", page_token: "{token}" }, { token2: "next_page_token" }),
  of("page 3", own, { max_results: "2", page_token: "{token2}" }),
  of("the last page is full", mine("name != '{unique} ä'"), { max_results: "1" }),
  of("a token that is none", own, { page_token: "!!!" }),
  of("a token of another kind", own, { page_token: "bm90IGEgdG9rZW4=" }),
  of("an empty token", own, { page_token: "" }),
  ...["0", "-1", "1000", "1001", "200000", "200001", "x", "1.5", "", "99999999999999999999"].map(
    (max_results) => of(`max_results '${max_results}'`, own, { max_results }),
  ),
  get("max_results twice", route, { filter: own, max_results: ["1", "2"] }),
];

export const registrySearch: readonly Scenario[] = [
  {
    name: "registry search: models",
    steps: [
      ...given,
      models("all of mine", own),
      ...[
        "tags.team = 'Vision'",
        "tags.team != 'Vision'",
        "tags.team LIKE 'V%'",
        "tags.team ILIKE 'v%'",
        "tags.`odd key` = 'x'",
        "tags.n = '5'",
        "tags.team = 'speech' AND tags.team != 'Vision'",
        "name ILIKE '{unique} A'",
        "name ILIKE '{unique} Ä'",
        "name LIKE '{unique} C\\_%'",
        "name LIKE '%_\\%%'",
        "name IN ('{unique} a', '{unique} b')",
        "name NOT IN ('{unique} a', '{unique} b')",
        "name != '{unique} a'",
        "tags.`mlflow.prompt.is_prompt` != 'true'",
        "tags.`mlflow.prompt.is_prompt` = 'true'",
        "tags.`mlflow.prompt.is_prompt` = 'false'",
      ].map((filter) => models(filter, mine(filter))),
      ...oddities.map((filter, i) => models(`${i}: ${filter}`, mine(filter))),
      ...orders.map((order) => models(`order by ${listed(order)}`, own, { order_by: order })),
      ...pages(models, "registered-models/search"),
    ],
  },
  {
    name: "registry search: grammar for models",
    steps: [
      ...given,
      ...grammar(["name", "tags.team", "colour"]).map((filter) => models(filter, mine(filter))),
    ],
  },
  {
    name: "registry search: versions",
    steps: [
      ...given,
      versions("all of mine", own),
      ...[
        "tags.team = 'Vision'",
        "tags.team != 'Vision'",
        "tags.team ILIKE 'v%'",
        "tags.`odd key` = 'x'",
        "run_id = '{run}'",
        "run_id != '{run}'",
        "run_id IN ('{run}', 'other')",
        "run_id NOT IN ('{run}', 'other')",
        "source_path = 's3://bucket/a'",
        "source_path LIKE 's3://%'",
        "source_path ILIKE 'S3://%'",
        "version_number = 1",
        "version_number != 1",
        "version_number >= 2",
        "version_number < 3 AND version_number > 1",
        "name IN ('{unique} a', '{unique} b')",
        "name NOT IN ('{unique} a', '{unique} b')",
        "name = '{unique} a' AND version_number <= 2 AND tags.`odd key` = 'x'",
        "tags.`mlflow.prompt.is_prompt` != 'true'",
        "tags.`mlflow.prompt.is_prompt` = 'true'",
      ].map((filter) => versions(filter, mine(filter))),
      ...oddities.map((filter, i) => versions(`${i}: ${filter}`, mine(filter))),
      ...orders.map((order) => versions(`order by ${listed(order)}`, own, { order_by: order })),
      ...pages(versions, "model-versions/search"),
    ],
  },
  {
    name: "registry search: grammar for versions",
    steps: [
      ...given,
      ...grammar(["name", "run_id", "source_path", "version_number", "tags.team"]).map((filter) =>
        versions(filter, mine(filter)),
      ),
    ],
  },
];
