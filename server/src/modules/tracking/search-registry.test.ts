import { describe, expect, it } from "vitest";
import { invalidParameter } from "../../kernel/errors.ts";
import {
  parseModelVersionFilter,
  parseModelVersionOrderBy,
  parseRegisteredModelFilter,
  parseRegisteredModelOrderBy,
} from "./search-registry.ts";

const compared =
  (kind: string) =>
  (key: string, comparator: string, value: unknown): object => ({ kind, key, comparator, value });
const attribute = compared("attribute");
const tag = compared("tag");
const noPrefix = "Valid entity types are ('attribute', 'tag', 'tags')";

describe("a filter for registered models", () => {
  it.each<[string, ...object[]]>([
    [""],
    ["name ilike 'x%'", attribute("name", "ILIKE", "x%")],
    ["attribute.name in ('x', 'y')", attribute("name", "IN", ["x", "y"])],
    [
      "name = 'x' AND tags.`mlflow.prompt.is_prompt` != 'true'",
      attribute("name", "=", "x"),
      tag("mlflow.prompt.is_prompt", "!=", "true"),
    ],
  ])("%s", (filter, ...expected) => {
    expect(parseRegisteredModelFilter(filter)).toEqual(expected);
  });

  it.each<[string, string]>([
    ["`name` = 'x'", "Invalid attribute key '`name`' specified. Valid keys are '{'name'}'"],
    ["run_id = 'x'", "Invalid attribute key 'run_id' specified. Valid keys are '{'name'}'"],
    ["attributes.name = 'x'", `Invalid entity type 'attributes'. ${noPrefix}`],
    ["name > 'x'", "Invalid comparator for attribute: >"],
    ["name = ('x')", "Invalid comparator for attribute: ="],
    [
      "name = 5",
      "Expected a quoted string value or a list of quoted string values for attributes. Got value 5",
    ],
    ["tags.a IN ('x')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('x')"],
    ["tags.a IS NULL", "Invalid comparator for tag: IS NULL"],
    ["name IS NULL", "Invalid comparator for attribute: IS NULL"],
  ])("%s is wrong", (filter, message) => {
    expect(() => parseRegisteredModelFilter(filter)).toThrow(invalidParameter(message));
  });
});

describe("a filter for model versions", () => {
  it.each<[string, ...object[]]>([
    ["name = 'x' AND run_id not in ('y')", attribute("name", "=", "x"), attribute("run_id", "NOT IN", ["y"])],
    ["source_path LIKE 's3://%'", attribute("source_path", "LIKE", "s3://%")],
    ["version_number >= 5", attribute("version_number", ">=", 5)],
    ["version_number = ' +1_0 '", attribute("version_number", "=", 10)],
    ["tag.a = 'x'", tag("a", "=", "x")],
  ])("%s", (filter, ...expected) => {
    expect(parseModelVersionFilter(filter)).toEqual(expected);
  });

  it.each<[string, string]>([
    ["version_number > 1.5", "Invalid value for numeric attribute 'version_number': 1.5"],
    ["version_number > 'x'", "Invalid value for numeric attribute 'version_number': 'x'"],
    ["version_number LIKE '1'", "Invalid comparator for attribute version_number: LIKE"],
    [
      "version_number IN ('1')",
      "Only ['name', 'run_id'] attributes support comparison with a list of quoted string values.",
    ],
    [
      "source_path IN ('x')",
      "Only ['name', 'run_id'] attributes support comparison with a list of quoted string values.",
    ],
    ["source_path > 'x'", "Invalid comparator for attribute: >"],
    [
      "name = 5",
      "Only the '{'creation_timestamp', 'last_updated_timestamp', 'version_number'}' attributes support comparison with numeric values.",
    ],
  ])("%s is wrong", (filter, message) => {
    expect(() => parseModelVersionFilter(filter)).toThrow(invalidParameter(message));
  });
});

describe("an order in the registry", () => {
  it("knows the time of registered models under two names", () => {
    expect(parseRegisteredModelOrderBy(["timestamp DESC", "name"])).toEqual([
      { key: "last_updated_timestamp", ascending: false },
      { key: "name", ascending: true },
    ]);
    expect(() => parseRegisteredModelOrderBy(["timestamp", "last_updated_timestamp"])).toThrow(
      "`order_by` contains duplicate fields: ['timestamp', 'last_updated_timestamp']",
    );
    expect(() => parseRegisteredModelOrderBy(["creation_timestamp"])).toThrow(
      "Invalid order by key 'creation_timestamp' specified. Valid keys are '{'name', 'timestamp'}'",
    );
  });

  it("takes the attributes of model versions", () => {
    expect(
      parseModelVersionOrderBy(["name", "`version_number` DESC", "attribute.creation_timestamp"]),
    ).toEqual([
      { key: "name", ascending: true },
      { key: "version_number", ascending: false },
      { key: "creation_timestamp", ascending: true },
    ]);
    expect(() => parseModelVersionOrderBy(["name", "name DESC"])).toThrow(
      "`order_by` contains duplicate fields",
    );
    expect(() => parseModelVersionOrderBy(["run_id"])).toThrow("Invalid attribute key 'run_id' specified.");
    expect(() => parseModelVersionOrderBy(["tags.a"])).toThrow("Invalid order by key 'a' specified.");
  });
});
