import { describe, expect, it } from "vitest";
import { invalidParameter } from "../../kernel/errors.ts";
import { parseLoggedModelFilter, parseLoggedModelOrderBy } from "./search-logged-model.ts";

const compared =
  (kind: string) =>
  (key: string, comparator: string, value: unknown): object => ({ kind, key, comparator, value });
const attribute = compared("attribute");
const metric = compared("metric");
const param = compared("param");
const tag = compared("tag");

describe("a filter for logged models", () => {
  it.each<[string, ...object[]]>([
    [""],
    ["name = 'x'", attribute("name", "=", "x")],
    ["attributes.model_type like 'x%'", attribute("model_type", "LIKE", "x%")],
    ["status != 'READY'", attribute("status", "!=", "READY")],
    ["experiment_id = '1'", attribute("experiment_id", "=", "1")],
    ["creation_time > 5", attribute("creation_timestamp", ">", 5)],
    ["attributes.creation_timestamp_ms >= 5", attribute("creation_timestamp", ">=", 5)],
    ["last_updated_timestamp < 1.5", attribute("last_updated_timestamp", "<", 1.5)],
    ["metrics.`val loss` > 0.5", metric("val loss", ">", 0.5)],
    ["metrics.val-loss > 0.5", metric("val-loss", ">", 0.5)],
    ["metrics.a > 1_000", metric("a", ">", 1000)],
    ["metrics.a = inf", metric("a", "=", Number.POSITIVE_INFINITY)],
    ["metrics.a = NaN", metric("a", "=", Number.NaN)],
    ["params.a = 'it''s'", param("a", "=", "it''s")],
    // Quotes are not needed, and only single ones are quotes.
    ["params.a = x", param("a", "=", "x")],
    ["params.a = my-model", param("a", "=", "my-model")],
    ["params.a = 0.01", param("a", "=", "0.01")],
    ['params.a = "x"', param("a", "=", '"x"')],
    ["tags.a IN ('x', \"y\")", tag("a", "IN", ["x", "y"])],
    ["tags.a NOT IN ()", tag("a", "NOT IN", [])],
    ["name = 'x' AND metrics.a > 1", attribute("name", "=", "x"), metric("a", ">", 1)],
  ])("%s", (filter, ...expected) => {
    expect(parseLoggedModelFilter(filter)).toEqual(expected);
  });

  const noList = (text: string): string =>
    `Invalid filter string: ${text}. Expected a list of comparisons separated by 'AND' ` +
    "(e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').";

  it.each<[string, string]>([
    [" ", "Invalid filter string: ' '. Expected a single SQL expression."],
    [
      "name = 'a'; name = 'b'",
      "Invalid filter string: \"name = 'a'; name = 'b'\". Expected a single SQL expression.",
    ],
    ["metrics.a > 1 OR metrics.b > 2", noList("'metrics.a > 1 OR metrics.b > 2'")],
    ["name = user", noList("'name = user'")],
    [
      "metric.a > 1",
      "Invalid entity type: 'metric'. Expected one of ['attributes', 'metrics', 'params', 'tags'].",
    ],
    ["tags.a IS NULL", "Invalid comparison: tags.aIS NULL. Expected a comparison with 3 tokens."],
    [
      "name > 'x'",
      "Invalid comparison operator for attributes.name: '>'. Expected one of ('=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN').",
    ],
    [
      "metrics.a LIKE 1",
      "Invalid comparison operator for metrics.a: 'LIKE'. Expected one of ('<', '<=', '>', '>=', '=', '!=').",
    ],
    [
      "creation_time IN (1)",
      "Invalid comparison operator for attributes.creation_timestamp_ms: 'IN'. Expected one of ('<', '<=', '>', '>=', '=', '!=').",
    ],
    ["metrics.a > 'x'", "Expected numeric value type for metrics.a. Found 'x'"],
    ["name = ('x')", "Invalid value for comparison operator '=': ('x')"],
    ["name IN (1)", "Invalid value for comparison operator 'IN': (1)"],
    ["experiment_id = 'x'", "Invalid experiment ID 'x'. Experiment ID must be a valid integer."],
  ])("%s is wrong", (filter, message) => {
    expect(() => parseLoggedModelFilter(filter)).toThrow(invalidParameter(message));
  });

  it("names the attributes there are", () => {
    expect(() => parseLoggedModelFilter("color = 'x'")).toThrow(
      "Invalid attribute key 'color' specified. Valid keys are '{'artifact_location', 'creation_timestamp'",
    );
  });
});

describe("an order of logged models", () => {
  it("takes attributes under all their names, and metrics of a dataset", () => {
    expect(
      parseLoggedModelOrderBy([
        { field_name: "creation_time", ascending: false },
        { field_name: "name" },
        { field_name: "metrics.a.b", ascending: false, dataset_name: "d", dataset_digest: "1" },
        { field_name: "metrics.c", dataset_name: "", dataset_digest: "" },
      ]),
    ).toEqual([
      { kind: "attribute", key: "creation_timestamp", ascending: false },
      { kind: "attribute", key: "name", ascending: true },
      { kind: "metric", key: "a.b", ascending: false, datasetName: "d", datasetDigest: "1" },
      { kind: "metric", key: "c", ascending: true },
    ]);
  });

  it.each([
    [{}, "Invalid order by field name: "],
    [{ field_name: "color" }, "Invalid order by field name: color"],
    [{ field_name: "params.a" }, "Invalid order by field name: params.a. Only metrics are supported."],
    [{ field_name: "metrics.a\0" }, "A search text must not contain a null character."],
  ])("%j is wrong", (clause, message) => {
    expect(() => parseLoggedModelOrderBy([clause])).toThrow(invalidParameter(message));
  });
});
