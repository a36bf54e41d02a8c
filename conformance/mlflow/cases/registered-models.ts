import { get, patch, post, remove, type Scenario, type Step } from "../scenario.ts";

type Fields = Readonly<Record<string, unknown>>;

const create = (label: string, fields: Fields): Step => post(label, "registered-models/create", fields);
const read = (label: string, name: string): Step => get(label, "registered-models/get", { name });
const tag = (label: string, fields: Fields): Step => post(label, "registered-models/set-tag", fields);

/** Names that other systems have stumbled over; each begins with the scenario's own word. */
export const oddNames: readonly string[] = [
  "a b",
  "a%20b",
  "a+b",
  "a.b",
  "a..b",
  "a\\b",
  "a'b",
  'a"b',
  "a`b",
  "a;b",
  "a#b",
  "a?b",
  "a&b=c",
  "a%b",
  "a_b",
  "a\tb",
  "a\nb",
  "{{7*7}}",
  "$(touch x)",
  "<img src=x onerror=alert(1)>",
  "模型",
  "ÄÖÜ",
  "e\u0301",
  "\u00e9",
  "🚀",
  "m-00000000000000000000000000000000",
  "a@b",
  "*",
  "null",
];

const refusedNames: readonly string[] = ["a/b", "a:b", "/", ":", "../x", "a/../b", "models:/a/1"];
/** Taken as they are, without a word before them. */
const bareNames: readonly string[] = ["", " ", "\t", "\n", ".", "..", "...", "\u00a0", "\u3000"];

export const registeredModels: readonly Scenario[] = [
  {
    name: "registered models: create and get",
    steps: [
      create("with everything", {
        name: "{unique} full",
        description: "what it does",
        tags: [
          { key: "team", value: "vision" },
          { key: "a/b", value: "" },
        ],
      }),
      create("again", { name: "{unique} full" }),
      create("with other letters", { name: "{unique} FULL" }),
      create("with a space after", { name: "{unique} full " }),
      create("with nothing", { name: "{unique} bare" }),
      create("an empty description", { name: "{unique} silent", description: "" }),
      create("an empty list of tags", { name: "{unique} untagged", tags: [] }),
      create("a tag twice", {
        name: "{unique} twice",
        tags: [
          { key: "a", value: "1" },
          { key: "a", value: "2" },
        ],
      }),
      create("a tag without a value", { name: "{unique} t1", tags: [{ key: "a" }] }),
      create("a tag without a key", { name: "{unique} t2", tags: [{ value: "1" }] }),
      create("a tag with an empty key", { name: "{unique} t3", tags: [{ key: "", value: "1" }] }),
      create("a tag that climbs", { name: "{unique} t4", tags: [{ key: "../a", value: "1" }] }),
      create("a tag with an odd key", { name: "{unique} t5", tags: [{ key: "a#b", value: "1" }] }),
      create("a tag key of 250 characters", {
        name: "{unique} t6",
        tags: [{ key: "k".repeat(250), value: "1" }],
      }),
      create("a tag key of 251 characters", {
        name: "{unique} t7",
        tags: [{ key: "k".repeat(251), value: "1" }],
      }),
      create("a tag value of 100,000 characters", {
        name: "{unique} t8",
        tags: [{ key: "a", value: "v".repeat(100_000) }],
      }),
      create("a tag value of 100,001 characters", {
        name: "{unique} t9",
        tags: [{ key: "a", value: "v".repeat(100_001) }],
      }),
      create("a tag of a number", { name: "{unique} t10", tags: [{ key: "a", value: 5 }] }),
      create("a tag that is a text", { name: "{unique} t11", tags: ["a"] }),
      create("tags as an object", { name: "{unique} t12", tags: { a: "1" } }),
      create("the tag of a prompt that is none", {
        name: "{unique} t13",
        tags: [{ key: "mlflow.prompt.is_prompt", value: "false" }],
      }),
      create("a deployment job", { name: "{unique} job", deployment_job_id: "5" }),
      create("a name of 256 characters", { name: "{unique}".padEnd(264, "n").slice(0, 256 - 6) }),
      create("a name of 300 characters", { name: "{unique}".padEnd(308, "n") }),
      create("a description of 5,000 characters", { name: "{unique} long", description: "d".repeat(5000) }),
      ...["full", "bare", "silent", "untagged", "twice", "t1", "t6", "FULL", "full "].map((name) =>
        read(`read '${name}'`, `{unique} ${name}`),
      ),
      read("read an unknown one", "{unique} nobody"),
      {
        label: "read under ajax-api",
        method: "GET",
        path: "/ajax-api/2.0/mlflow/registered-models/get?name={unique}%20full",
      },
    ],
  },
  {
    name: "registered models: names",
    steps: [
      ...oddNames.flatMap((name) => [
        create(`create ${JSON.stringify(name)}`, { name: `{unique} ${name}` }),
        read(`read ${JSON.stringify(name)}`, `{unique} ${name}`),
      ]),
      ...refusedNames.flatMap((name) => [
        create(`create ${JSON.stringify(name)}`, { name }),
        read(`read ${JSON.stringify(name)}`, name),
        post(`rename to ${JSON.stringify(name)}`, "registered-models/rename", {
          name: "{unique} a b",
          new_name: name,
        }),
      ]),
      ...bareNames.map((name) => read(`read the bare ${JSON.stringify(name)}`, name)),
      ...["", " ", "\t"].map((name) => create(`create the bare ${JSON.stringify(name)}`, { name })),
      read("both forms of one letter are two models", "{unique} e\u0301"),
      get("found by its name", "registered-models/search", { filter: `name = '{unique} 模型'` }),
      get("found by both forms", "registered-models/search", { filter: `name LIKE '{unique} e%'` }),
    ],
  },
  {
    name: "registered models: rename, update and delete",
    steps: [
      create("given a", { name: "{unique} a", description: "first", tags: [{ key: "k", value: "v" }] }),
      create("given b", { name: "{unique} b" }),
      post("given a version", "model-versions/create", { name: "{unique} a", source: "s3://bucket/1" }),
      post("given an alias", "registered-models/alias", { name: "{unique} a", alias: "x", version: "1" }),
      post("rename to a taken name", "registered-models/rename", {
        name: "{unique} a",
        new_name: "{unique} b",
      }),
      post("rename to its own name", "registered-models/rename", {
        name: "{unique} a",
        new_name: "{unique} a",
      }),
      post("rename an unknown one", "registered-models/rename", {
        name: "{unique} nobody",
        new_name: "{unique} somebody",
      }),
      post("rename an unknown one to a taken name", "registered-models/rename", {
        name: "{unique} nobody",
        new_name: "{unique} b",
      }),
      post("rename", "registered-models/rename", { name: "{unique} a", new_name: "{unique} c" }),
      read("read by the old name", "{unique} a"),
      read("read by the new name", "{unique} c"),
      get("read the version by the old name", "model-versions/get", { name: "{unique} a", version: "1" }),
      get("read the version by the new name", "model-versions/get", { name: "{unique} c", version: "1" }),
      get("read the alias by the new name", "registered-models/alias", { name: "{unique} c", alias: "x" }),
      post("rename again", "registered-models/rename", { name: "{unique} c", new_name: "{unique} d" }),
      create("the old name is free", { name: "{unique} c" }),
      patch("describe", "registered-models/update", { name: "{unique} d", description: "second" }),
      patch("describe as nothing", "registered-models/update", { name: "{unique} d", description: "" }),
      patch("describe without a word", "registered-models/update", { name: "{unique} d" }),
      patch("describe an unknown one", "registered-models/update", {
        name: "{unique} nobody",
        description: "x",
      }),
      patch("describe with a job", "registered-models/update", {
        name: "{unique} d",
        description: "third",
        deployment_job_id: "5",
      }),
      read("read what was described", "{unique} d"),
      remove("delete an unknown one", "registered-models/delete", { name: "{unique} nobody" }),
      remove("delete", "registered-models/delete", { name: "{unique} d" }),
      remove("delete again", "registered-models/delete", { name: "{unique} d" }),
      read("read the deleted one", "{unique} d"),
      get("read its version", "model-versions/get", { name: "{unique} d", version: "1" }),
      get("read its alias", "registered-models/alias", { name: "{unique} d", alias: "x" }),
      get("search its versions", "model-versions/search", { filter: "name = '{unique} d'" }),
      get("its latest versions", "registered-models/get-latest-versions", { name: "{unique} d" }),
      create("create it anew", { name: "{unique} d" }),
      post("its first version", "model-versions/create", { name: "{unique} d", source: "s3://bucket/1" }),
      get("the alias is gone", "registered-models/alias", { name: "{unique} d", alias: "x" }),
      {
        label: "rename with GET",
        method: "GET",
        path: "/api/2.0/mlflow/registered-models/rename?name=x",
      },
      post("update with POST", "registered-models/update", { name: "{unique} d", description: "x" }),
      post("delete with POST", "registered-models/delete", { name: "{unique} d" }),
      post("search with POST", "registered-models/search", {}),
    ],
  },
  {
    name: "registered models: tags",
    steps: [
      create("given a model", { name: "{unique} m", tags: [{ key: "first", value: "1" }] }),
      tag("set", { name: "{unique} m", key: "k", value: "1" }),
      tag("set again", { name: "{unique} m", key: "k", value: "2" }),
      tag("set with no value", { name: "{unique} m", key: "e", value: "" }),
      tag("set with letters of many languages", { name: "{unique} m", key: "语言", value: "🚀" }),
      tag("set with a slash", { name: "{unique} m", key: "a/b.c-d e", value: "x" }),
      ...["../a", "a/../b", "/a", "a//b", ".", "a#b", "a%b", "a:b", "a\\b", "a\nb", "a?b", "a'b"].map((key) =>
        tag(`the key ${JSON.stringify(key)}`, { name: "{unique} m", key, value: "x" }),
      ),
      tag("a key of 250 characters", { name: "{unique} m", key: "k".repeat(250), value: "1" }),
      tag("a key of 251 characters", { name: "{unique} m", key: "k".repeat(251), value: "1" }),
      tag("a value of 5,001 characters", { name: "{unique} m", key: "v", value: "v".repeat(5001) }),
      tag("a value of 100,001 characters", { name: "{unique} m", key: "v", value: "v".repeat(100_001) }),
      tag("set of an unknown one", { name: "{unique} nobody", key: "k", value: "1" }),
      tag("set of a bad name", { name: "a/b", key: "k", value: "1" }),
      read("read", "{unique} m"),
      remove("delete", "registered-models/delete-tag", { name: "{unique} m", key: "k" }),
      remove("delete again", "registered-models/delete-tag", { name: "{unique} m", key: "k" }),
      remove("delete a bad key", "registered-models/delete-tag", { name: "{unique} m", key: "../a" }),
      remove("delete of an unknown one", "registered-models/delete-tag", {
        name: "{unique} nobody",
        key: "k",
      }),
      read("read after", "{unique} m"),
      get("found by its tag", "registered-models/search", {
        filter: "name = '{unique} m' AND tags.`语言` = '🚀'",
      }),
      {
        label: "delete without a body",
        method: "DELETE",
        path: "/api/2.0/mlflow/registered-models/delete-tag?name={unique}%20m&key=first",
      },
      read("read at the end", "{unique} m"),
    ],
  },
];
