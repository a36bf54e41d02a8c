// Every field of every endpoint of the registry: missing, empty, of another type, unknown.
import { encodeQuery, get, patch, post, remove, type Scenario, type Step } from "../scenario.ts";

type Fields = Readonly<Record<string, unknown>>;
type Endpoint = {
  readonly route: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** A request that is good. */
  readonly fields: Fields;
};

const model = "{unique} m";

const written: readonly Endpoint[] = [
  {
    route: "registered-models/create",
    method: "POST",
    fields: { name: "{unique} new", description: "d", tags: [{ key: "a", value: "1" }] },
  },
  { route: "registered-models/rename", method: "POST", fields: { name: model, new_name: model } },
  { route: "registered-models/update", method: "PATCH", fields: { name: model, description: "d" } },
  { route: "registered-models/delete", method: "DELETE", fields: { name: "{unique} away" } },
  { route: "registered-models/set-tag", method: "POST", fields: { name: model, key: "a", value: "1" } },
  { route: "registered-models/delete-tag", method: "DELETE", fields: { name: model, key: "a" } },
  {
    route: "registered-models/get-latest-versions",
    method: "POST",
    fields: { name: model, stages: ["None"] },
  },
  { route: "registered-models/alias", method: "POST", fields: { name: model, alias: "a", version: "1" } },
  { route: "registered-models/alias", method: "DELETE", fields: { name: model, alias: "a" } },
  {
    route: "model-versions/create",
    method: "POST",
    fields: {
      name: model,
      source: "s3://bucket/model",
      run_id: "r",
      run_link: "l",
      description: "d",
      tags: [{ key: "a", value: "1" }],
    },
  },
  {
    route: "model-versions/update",
    method: "PATCH",
    fields: { name: model, version: "1", description: "d" },
  },
  {
    route: "model-versions/transition-stage",
    method: "POST",
    fields: { name: model, version: "1", stage: "Staging", archive_existing_versions: false },
  },
  { route: "model-versions/delete", method: "DELETE", fields: { name: model, version: "9" } },
  {
    route: "model-versions/set-tag",
    method: "POST",
    fields: { name: model, version: "1", key: "a", value: "1" },
  },
  {
    route: "model-versions/delete-tag",
    method: "DELETE",
    fields: { name: model, version: "1", key: "a" },
  },
];

const asked: readonly Endpoint[] = [
  { route: "registered-models/get", method: "GET", fields: { name: model } },
  { route: "registered-models/get-latest-versions", method: "GET", fields: { name: model, stages: "None" } },
  { route: "registered-models/alias", method: "GET", fields: { name: model, alias: "a" } },
  {
    route: "registered-models/search",
    method: "GET",
    fields: { filter: `name = '${model}'`, max_results: "5", order_by: "name", page_token: "" },
  },
  { route: "model-versions/get", method: "GET", fields: { name: model, version: "1" } },
  { route: "model-versions/get-download-uri", method: "GET", fields: { name: model, version: "1" } },
  {
    route: "model-versions/search",
    method: "GET",
    fields: { filter: `name = '${model}'`, max_results: "5", order_by: "name", page_token: "" },
  },
];

export const writtenRoutes: readonly string[] = written.map(({ method, route }) => `${method} ${route}`);

const bad: readonly (readonly [string, unknown])[] = [
  ["missing", undefined],
  ["null", null],
  ["empty", ""],
  ["blank", " "],
  ["a number", 7],
  ["true", true],
  ["an object", { a: 1 }],
  ["a list", ["x"]],
  ["a word", "word"],
];

const badInQuery: readonly (readonly [string, string | readonly string[] | undefined])[] = [
  ["missing", undefined],
  ["empty", ""],
  ["blank", " "],
  ["a word", "word"],
  ["twice", ["word", "other"]],
];

const send = { POST: post, PATCH: patch, DELETE: remove } as const;

const given: readonly Step[] = [
  post("given a model", "registered-models/create", { name: model }),
  post("given a model to delete", "registered-models/create", { name: "{unique} away" }),
  post("given a version", "model-versions/create", { name: model, source: "s3://bucket/model" }),
  post("given an alias", "registered-models/alias", { name: model, alias: "a", version: "1" }),
];

function without(fields: Fields, field: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== field));
}

const writtenScenarios = written.map(({ route, method, fields }): Scenario => {
  const steps = Object.keys(fields).flatMap((field) =>
    bad.map(([what, value]) =>
      // JSON leaves out what is undefined.
      send[method as keyof typeof send](`${field} ${what}`, route, { ...fields, [field]: value }),
    ),
  );
  const once = send[method as keyof typeof send];
  return {
    name: `registry fields: ${method} ${route}`,
    steps: [
      ...given,
      ...steps,
      once("nothing", route, {}),
      once("a list as body", route, []),
      once("a field that nobody knows", route, { ...fields, colour: "blue" }),
      once("all is well", route, fields),
      get("what is left", "registered-models/get", { name: model }),
      get("what is left of the version", "model-versions/get", { name: model, version: "1" }),
    ],
  };
});

const askedScenarios = asked.map(({ route, fields }): Scenario => {
  const query = (label: string, values: Fields): Step => get(label, route, values as Record<string, string>);
  // Without its filter a search answers whatever else the server holds.
  const isSearch = "filter" in fields;
  const steps = Object.keys(without(fields, "filter")).flatMap((field) =>
    badInQuery.map(([what, value]) =>
      query(`${field} ${what}`, value === undefined ? without(fields, field) : { ...fields, [field]: value }),
    ),
  );
  return {
    name: `registry fields: GET ${route}`,
    steps: [
      ...given,
      ...steps,
      ...(isSearch ? [] : [query("nothing", {})]),
      query("a field that nobody knows", { ...fields, colour: "blue" }),
      query("all is well", fields),
      {
        label: "under ajax-api",
        method: "GET",
        path: `/ajax-api/2.0/mlflow/${route}?${encodeQuery(fields as Record<string, string>)}`,
      },
    ],
  };
});

export const registryFields: readonly Scenario[] = [...writtenScenarios, ...askedScenarios];
