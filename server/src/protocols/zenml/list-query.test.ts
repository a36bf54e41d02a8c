import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlinthError } from "../../kernel/errors.ts";
import { ZenmlError } from "./errors.ts";
import { pageOf, parseListQuery, readFlag, type FieldKinds } from "./list-query.ts";

const fields: FieldKinds = {
  id: { kind: "uuid" },
  name: { kind: "text" },
  created: { kind: "time" },
  active: { kind: "boolean" },
  scope_user: { kind: "uuid" },
  index: { kind: "integer" },
  interval: { kind: "number" },
  pipeline: { kind: "reference" },
  tags: { kind: "tags" },
  run_metadata: { kind: "metadata" },
};

const parse = (query: string, isOld = false): ReturnType<typeof parseListQuery> => {
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  return parseListQuery(parameters, fields, { isOld });
};

const conditions = (query: string, isOld = false): unknown[] =>
  parse(query, isOld).conditions.map(({ field, operation, value }) => [field, operation, value]);

const statusOf = (query: string, isOld = false): number | string => {
  try {
    parse(query, isOld);
    return "taken";
  } catch (error) {
    if (error instanceof ZenmlError) return error.status;
    if (error instanceof PlinthError) return error.code;
    throw error;
  }
};

describe("the query of a list", () => {
  it("has a page, a size and an order of its own accord", () => {
    expect(parse("")).toStrictEqual({
      conditions: [],
      any: false,
      order: { field: "created", descending: false },
      page: 1,
      size: 20,
    });
  });

  it.each([
    ["sort_by=desc:name", { field: "name", descending: true }],
    ["sort_by=asc:name", { field: "name", descending: false }],
    ["sort_by=name", { field: "name", descending: false }],
    ["sort_by=down:name", { field: "name", descending: false }],
    ["sort_by=desc:pipeline", { field: "pipeline", descending: true }],
  ])("orders by %s", (query, order) => expect(parse(query).order).toStrictEqual(order));

  it.each([
    ["name=a", ["name", "equals", "a"]],
    ["name=equals:a", ["name", "equals", "a"]],
    ["name=notequals:a:b", ["name", "notequals", "a:b"]],
    ["name=like:a", ["name", "equals", "like:a"]],
    ["name=contains:", ["name", "contains", ""]],
    ['name=oneof:["a","b"]', ["name", "oneof", ["a", "b"]]],
    ['name=notoneof:["a",1]', ["name", "notoneof", ["a", "1"]]],
    ["name=isnull:", ["name", "isnull", null]],
    ["name=gt:1.5", ["name", "gt", "1.5"]],
    ["id=startswith:ab-cd", ["id", "startswith", "ab-cd"]],
    ["active=TRUE", ["active", "equals", true]],
    ["active=notequals:0", ["active", "notequals", false]],
    ["index=gte:5", ["index", "gte", 5]],
    ["index=99999999999999999999", ["index", "equals", Number.MAX_SAFE_INTEGER]],
    ["interval=1.5", ["interval", "equals", 1.5]],
    ["created=gt:2026-01-31 23:59:59", ["created", "gt", Date.UTC(2026, 0, 31, 23, 59, 59) * 1000]],
    [
      "created=in:2026-01-01 00:00:00,2026-01-02 00:00:00",
      ["created", "in", [Date.UTC(2026, 0, 1) * 1000, Date.UTC(2026, 0, 2) * 1000]],
    ],
    ["pipeline=contains:train", ["pipeline", "contains", "train"]],
    ["run_metadata=lr:gt:0.1", ["run_metadata", "gt", ["lr", "0.1"]]],
    ["run_metadata=lr:0.1", ["run_metadata", "equals", ["lr", "0.1"]]],
    ['run_metadata=a:oneof:["x","y"]', ["run_metadata", "oneof", ["a", "x", "y"]]],
  ])("reads %s", (query, condition) => expect(conditions(query)).toStrictEqual([condition]));

  it("takes all of a repeated parameter, of which 0.84 took the last", () => {
    expect(conditions("name=a&name=b")).toHaveLength(2);
    expect(conditions("name=a&name=b", true)).toStrictEqual([["name", "equals", "b"]]);
    expect(conditions("tags=a&tags=b", true)).toHaveLength(2);
  });

  it("knows the operations that the client knows", () => {
    expect(conditions("name=isnull:", true)).toStrictEqual([["name", "equals", "isnull:"]]);
    expect(conditions("name=notcontains:a", true)).toStrictEqual([["name", "equals", "notcontains:a"]]);
  });

  it("ignores what it does not know", () => expect(conditions("colour=red&constructor=1")).toStrictEqual([]));

  it.each([
    ["size=0", 422],
    ["size=10001", 422],
    ["page=0", 422],
    ["page=x", 422],
    ["page=1.5", 422],
    ["logical_operator=xor", 422],
    ["sort_by=colour", 422],
    ["sort_by=run_metadata", 422],
    ["name=oneof:a", 422],
    ["name=isnull:x", 422],
    ["active=maybe", 422],
    ["active=gt:true", 422],
    ["scope_user=me", 422],
    ["index=five", 422],
    ["index=1.5", 422],
    ["created=2026-01-31T23:59:59", 422],
    ["created=in:2026-01-01 00:00:00", 422],
    ["run_metadata=lr", 422],
    ["name=gt:abc", "invalid_parameter"],
  ])("refuses %s", (query, status) => expect(statusOf(query)).toBe(status));

  it("never fails in another way, whatever is asked", () => {
    const names = [...Object.keys(fields), "sort_by", "page", "size", "logical_operator", "hydrate", "zz"];
    const entry = fc.tuple(fc.constantFrom(...names), fc.array(fc.string(), { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(entry), fc.boolean(), (entries, isOld) => {
        try {
          const { conditions: found } = parseListQuery(new Map(entries), fields, { isOld });
          expect(found.every(({ field }) => field in fields)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(PlinthError);
        }
      }),
    );
  });
});

describe("a page", () => {
  it("says where it is among all of them", () => {
    expect(pageOf({ page: 2, size: 2 }, { total: 3, items: ["c"] })).toStrictEqual({
      index: 2,
      max_size: 2,
      total_pages: 2,
      total: 3,
      items: ["c"],
    });
    expect(pageOf({ page: 1, size: 20 }, { total: 0, items: [] })).toMatchObject({ total_pages: 1 });
  });

  it("is refused beyond the last one", () => {
    expect(() => pageOf({ page: 2, size: 20 }, { total: 20, items: [] })).toThrow("Invalid page 2");
  });
});

describe("a flag", () => {
  it.each([
    ["true", true],
    ["0", false],
    ["Off", false],
  ])("reads %s", (text, value) =>
    expect(readFlag(new Map([["hydrate", [text]]]), "hydrate", !value)).toBe(value),
  );
  it("has a value of its own accord", () => expect(readFlag(new Map(), "hydrate", true)).toBe(true));
  it("is nothing else", () => expect(() => readFlag(new Map([["h", ["maybe"]]]), "h", true)).toThrow("bool"));
});
