import { describe, expect, it } from "vitest";
import { invalidParameter } from "../../kernel/errors.ts";
import { parseExperimentFilter, parseExperimentOrderBy } from "./search-experiment.ts";

const compared =
  (kind: string) =>
  (key: string, comparator: string, value: unknown): object => ({ kind, key, comparator, value });
const attribute = compared("attribute");
const tag = compared("tag");

describe("a filter for experiments", () => {
  it.each<[string, ...object[]]>([
    [""],
    ["name = 'x'", attribute("name", "=", "x")],
    ['attribute.`name` ILIKE "x%"', attribute("name", "ILIKE", "x%")],
    ["experiment_id = '1'", attribute("experiment_id", "=", "1")],
    ["experiment_id IN ('1', '2')", attribute("experiment_id", "IN", ["1", "2"])],
    ["experiment_id not in ('1')", attribute("experiment_id", "NOT IN", ["1"])],
    ["creation_time >= 5", attribute("creation_time", ">=", 5)],
    ["last_update_time < 9007199254740993", attribute("last_update_time", "<", 9007199254740993n)],
    ["tags.a = 'x' AND tag.`b c` is null", tag("a", "=", "x"), tag("b c", "IS NULL", null)],
  ])("%s", (filter, ...expected) => {
    expect(parseExperimentFilter(filter)).toEqual(expected);
  });

  it.each<[string, string]>([
    ["name = 'a' OR name = 'b'", "Invalid clause(s) in filter string: OR"],
    [
      "attributes.name = 'x'",
      "Invalid entity type 'attributes'. Valid entity types are ('attribute', 'tag', 'tags')",
    ],
    ["metrics.a = 1", "Invalid entity type 'metrics'. Valid entity types are ('attribute', 'tag', 'tags')"],
    [
      "color = 'x'",
      "Invalid attribute key 'color' specified. Valid keys are '{'creation_time', 'experiment_id', 'last_update_time', 'name'}'",
    ],
    ["name IS NULL", "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'"],
    // Only here, comparators must be in capitals.
    ["name like 'x'", "Invalid comparator 'like' not one of '{'!=', '=', 'ILIKE', 'LIKE', 'IN', 'NOT IN'}'"],
    ["tags.a like 'x'", "Invalid comparator for tag: like"],
    ["experiment_id in ('1')", "Invalid comparator for experiment_id: in"],
    ["experiment_id > '1'", "Invalid comparator for experiment_id: >"],
    ["experiment_id = ('1')", "Invalid comparator for experiment_id: ="],
    ["experiment_id = 1", "Expected a quoted string value for attributes. Got value 1"],
    [
      "name IN ('x')",
      "Only ['experiment_id'] attributes support comparison with a list of quoted string values.",
    ],
    ["tags.a = 5", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5"],
    ["creation_time > 1.5", "Invalid value for numeric attribute 'creation_time': '1.5'"],
    ["creation_time > 1e5", "Invalid value for numeric attribute 'creation_time': '100000.0'"],
    ["creation_time > '5'", "Expected numeric value type for numeric attribute: creation_time. Found '5'"],
    [
      "creation_time LIKE 5",
      "Invalid comparator 'LIKE' not one of '{'!=', '=', 'ILIKE', 'LIKE', 'IN', 'NOT IN'}",
    ],
  ])("%s is wrong", (filter, message) => {
    expect(() => parseExperimentFilter(filter)).toThrow(invalidParameter(message));
  });
});

describe("an order of experiments", () => {
  it("takes attributes, also twice", () => {
    expect(parseExperimentOrderBy(["attribute.`name` DESC", "creation_time", "name"])).toEqual([
      { key: "name", ascending: false },
      { key: "creation_time", ascending: true },
      { key: "name", ascending: true },
    ]);
  });

  it.each([
    ["tags.a", "Invalid order_by entity: tag"],
    [
      "color",
      "Invalid attribute key 'color' specified. Valid keys are '{'creation_time', 'experiment_id', 'last_update_time', 'name'}'",
    ],
    ["name down", "Invalid ordering key in order_by clause 'name down'."],
  ])("%s is wrong", (item, message) => {
    expect(() => parseExperimentOrderBy([item])).toThrow(invalidParameter(message));
  });
});
