import { describe, expect, it } from "vitest";
import { invalidParameter } from "../../kernel/errors.ts";
import { parseRunFilter, parseRunOrderBy } from "./search-run.ts";

const metric = (key: string, comparator: string, value: number): object => ({
  kind: "metric",
  key,
  comparator,
  value,
});
const compared =
  (kind: string) =>
  (key: string, comparator: string, value: unknown): object => ({ kind, key, comparator, value });
const param = compared("param");
const tag = compared("tag");
const attribute = compared("attribute");
const dataset = compared("dataset");

describe("a filter for runs", () => {
  it.each<[string, ...object[]]>([
    [""],
    // Entities and their names.
    ["metric.a = 1", metric("a", "=", 1)],
    ["metrics.a = 1", metric("a", "=", 1)],
    ["`metrics`.a = 1", metric("a", "=", 1)],
    ["param.a = 'x'", param("a", "=", "x")],
    ["params.a = 'x'", param("a", "=", "x")],
    ["parameter.a = 'x'", param("a", "=", "x")],
    ["parameters.a = 'x'", param("a", "=", "x")],
    ["tag.a = 'x'", tag("a", "=", "x")],
    ["tags.a = 'x'", tag("a", "=", "x")],
    ["attribute.status = 'x'", attribute("status", "=", "x")],
    ["attributes.status = 'x'", attribute("status", "=", "x")],
    ["attr.user_id = 'x'", attribute("user_id", "=", "x")],
    ["run.artifact_uri = 'x'", attribute("artifact_uri", "=", "x")],
    ["run_id = 'x'", attribute("run_id", "=", "x")],
    ["dataset.name = 'x'", dataset("name", "=", "x")],
    ["datasets.digest LIKE 'x'", dataset("digest", "LIKE", "x")],
    ["datasets.`context` IN ('x', 'y')", dataset("context", "IN", ["x", "y"])],
    // Aliases.
    ["run_name = 'x'", attribute("run_name", "=", "x")],
    ["attributes.`run name` = 'x'", attribute("run_name", "=", "x")],
    ["\"Run name\" = 'x'", attribute("run_name", "=", "x")],
    ["attr.'Run Name' = 'x'", attribute("run_name", "=", "x")],
    ["created > 5", attribute("start_time", ">", 5)],
    ["attributes.Created <= 5", attribute("start_time", "<=", 5)],
    ["metrics.created > 5", metric("created", ">", 5)],
    // Keys.
    ["metrics.`a b` > 1", metric("a b", ">", 1)],
    ['metrics."a b" > 1', metric("a b", ">", 1)],
    ["params.'a b' = 'x'", param("a b", "=", "x")],
    ["tags.mlflow.source.name = 'x'", tag("mlflow.source.name", "=", "x")],
    ["tags.`mlflow.runName` = 'x'", tag("mlflow.runName", "=", "x")],
    ["tags.`a``b` = 'x'", tag("a``b", "=", "x")],
    ["params.order = 'x'", param("order", "=", "x")],
    ["params.1a = 'x'", param("1a", "=", "x")],
    ["tags.ключ = 'значение'", tag("ключ", "=", "значение")],
    ["params. a = 'x'", param(" a", "=", "x")],
    ["params.a[0] = 'x'", param("a[0]", "=", "x")],
    ["params.[a b] = 'x'", param("[a b]", "=", "x")],
    ["params.f(x) = 'x'", param("f(x)", "=", "x")],
    ["tags.a b IS NULL", tag("a b", "IS NULL", null)],
    // Texts.
    ['params.a = "x"', param("a", "=", "x")],
    ["params.a = ''", param("a", "=", "")],
    ["params.a = 'it''s'", param("a", "=", "it''s")],
    ["params.a = 'it\\'s'", param("a", "=", "it\\'s")],
    ["params.a = 'a\\'", param("a", "=", "a\\")],
    ["params.a = '-- /* ; AND ` \" ('", param("a", "=", '-- /* ; AND ` " (')],
    ["params.a='x'", param("a", "=", "x")],
    ["params.a\n=\t'x'", param("a", "=", "x")],
    // Numbers.
    ["metrics.a > -1", metric("a", ">", -1)],
    ["metrics.a>-1", metric("a", ">", -1)],
    ["metrics.a >= .5", metric("a", ">=", 0.5)],
    ["metrics.a < 5.", metric("a", "<", 5)],
    ["metrics.a <= 1.5E-3", metric("a", "<=", 0.0015)],
    ["metrics.a != 1e999", metric("a", "!=", Number.POSITIVE_INFINITY)],
    ["start_time = 9007199254740991", attribute("start_time", "=", 9007199254740991)],
    ["start_time = 9007199254740993", attribute("start_time", "=", 9007199254740993n)],
    ["end_time > -123456789012345678901", attribute("end_time", ">", -123456789012345678901n)],
    ["end_time < 1.5", attribute("end_time", "<", 1.5)],
    // Comparators.
    ["params.a like 'x%'", param("a", "LIKE", "x%")],
    ["params.a iLike 'x_'", param("a", "ILIKE", "x_")],
    ["params.a IS NULL", param("a", "IS NULL", null)],
    ["tags.a is not null", tag("a", "IS NOT NULL", null)],
    ["run_id in ('x')", attribute("run_id", "IN", ["x"])],
    ["run_id Not In ('x','y')", attribute("run_id", "NOT IN", ["x", "y"])],
    ["run_id IN('x')", attribute("run_id", "IN", ["x"])],
    // Lists are Python's.
    ["run_id IN (\"x\", 'y',)", attribute("run_id", "IN", ["x", "y"])],
    ["run_id IN (('x', 'y'))", attribute("run_id", "IN", ["x", "y"])],
    ["run_id IN (('x'), ('y'))", attribute("run_id", "IN", ["x", "y"])],
    ["run_id IN ('x' 'y')", attribute("run_id", "IN", ["xy"])],
    ["run_id IN ('it''s')", attribute("run_id", "IN", ["its"])],
    [
      "run_id IN ('it\\'s', 'a\\tb', '\\x41\\u00e9\\U0001d54f\\101', '\\q')",
      attribute("run_id", "IN", ["it's", "a\tb", "Aé𝕏A", "\\q"]),
    ],
    ["run_id IN (r'\\n', u'x', '''y''')", attribute("run_id", "IN", ["\\n", "x", "y"])],
    ["run_id IN ('x' # first\n, 'y')", attribute("run_id", "IN", ["x", "y"])],
    // Several.
    ["metrics.a > 1 AND params.b = 'x'", metric("a", ">", 1), param("b", "=", "x")],
    ["metrics.a > 1 and metrics.a < 2", metric("a", ">", 1), metric("a", "<", 2)],
    ["metrics.a > 1 metrics.b < 2", metric("a", ">", 1), metric("b", "<", 2)],
    ["AND metrics.a > 1 AND AND metrics.b < 2 AND", metric("a", ">", 1), metric("b", "<", 2)],
    ["AND"],
    ["run_id IN ('x') AND tags.a IS NULL", attribute("run_id", "IN", ["x"]), tag("a", "IS NULL", null)],
  ])("%s", (filter, ...expected) => {
    expect(parseRunFilter(filter)).toEqual(expected);
  });

  it.each<[string, string]>([
    [" ", "Invalid filter ' '. Could not be parsed."],
    ["metrics.a > 1 OR metrics.b > 2", "Invalid clause(s) in filter string: 'OR'"],
    ["NOT metrics.a > 1", "Invalid clause(s) in filter string: 'NOT'"],
    ["(metrics.a > 1)", "Invalid clause(s) in filter string: '(metrics.a > 1)'"],
    ["metrics.a > 1;", "Invalid clause(s) in filter string: ';'"],
    [
      "metrics.a > 1; drop table runs",
      "Search filter contained multiple expression 'metrics.a > 1; drop table runs'. Provide AND-ed expression list.",
    ],
    ["metrics.a > 1, metrics.b > 2", "Invalid clause(s) in filter string: 'metrics.a > 1, metrics.b > 2'"],
    ["metrics.a > 1 -- comment", "Invalid clause(s) in filter string: '-- comment'"],
    ["metrics.a > /* x */ 0.5", "Invalid clause(s) in filter string: 'metrics.a', '>', '/* x */', '0.5'"],
    ["metrics.a BETWEEN 0 AND 1", "Invalid clause(s) in filter string: 'metrics.a', 'BETWEEN', '0', '1'"],
    ["metrics.a >", "Invalid clause(s) in filter string: 'metrics.a', '>'"],
    ["params.in = 'x'", "Invalid clause(s) in filter string: 'params.', 'in', '=', ''x''"],
    ["params.a = 'x", "Invalid clause(s) in filter string: 'params.a', '=', ''', 'x'"],
    ["tags.a IS NOT  NULL", "Invalid clause(s) in filter string: 'tags.a', 'IS', 'NOT  NULL'"],
    ["metrics.12ab > 1", "Invalid clause(s) in filter string: 'metrics', '.1'"],
    ["5 < metrics.a", "Invalid comparison clause. Expected 'Identifier' found '5'"],
    ["metrics.a-b > 1", "Invalid comparison clause. Expected 'Identifier' found 'metrics.a-b'"],
    ["'a' = 'b'", "Invalid comparison clause. Expected 'Identifier' found ''a''"],
    [
      "things.a > 1",
      "Invalid entity type 'things'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ],
    [
      "`metrics.a` > 1",
      "Invalid entity type '`metrics'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ],
    [
      "Metrics.a > 1",
      "Invalid entity type 'Metrics'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ],
    [
      "datasets.color = 'x'",
      "Invalid dataset key 'color' specified. Valid keys are '{'context', 'digest', 'name'}'",
    ],
    ["metrics.a > '1'", "Expected numeric value type for metric. Found '1'"],
    ["metrics.a > inf", "Expected numeric value type for metric. Found inf"],
    ["metrics.a > NaN", "Expected numeric value type for metric. Found NaN"],
    ["metrics.a > 1_000", "Expected numeric value type for metric. Found 1_000"],
    ["metrics.a > 1e+5", "Expected numeric value type for metric. Found 1e+5"],
    ["metrics.a IN (1)", "Expected numeric value type for metric. Found (1)"],
    [
      "metrics.a IS NULL",
      "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'",
    ],
    [
      "created IS NULL",
      "IS NULL / IS NOT NULL is only supported for tags and params, not for 'attribute' 'created'",
    ],
    ["metrics.a LIKE 1", "Invalid comparator 'LIKE' not one of '{'!=', '<', '<=', '=', '>', '>='}"],
    ["metrics.a <> 1", "Invalid comparator '<>' not one of '{'!=', '<', '<=', '=', '>', '>='}"],
    ["params.a = 5", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5"],
    ["tags.a = ('x')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('x')"],
    [
      "params.a = x",
      "Parameter value is either not quoted or unidentified quote types used for string value x. Use either single or double quotes.",
    ],
    [
      "params.a = `x`",
      "Parameter value is either not quoted or unidentified quote types used for string value `x`. Use either single or double quotes.",
    ],
    [
      "params.a > 'x'",
      "Invalid comparator '>' not one of '{'!=', '=', 'ILIKE', 'LIKE', 'IS NOT NULL', 'IS NULL'}'",
    ],
    [
      "tags.a RLIKE 'x'",
      "Invalid comparator 'RLIKE' not one of '{'!=', '=', 'ILIKE', 'LIKE', 'IS NOT NULL', 'IS NULL'}",
    ],
    [
      "tags.a NOT LIKE 'x'",
      "Invalid comparator 'NOT LIKE' not one of '{'!=', '=', 'ILIKE', 'LIKE', 'IS NOT NULL', 'IS NULL'}",
    ],
    ["start_time > 'x'", "Expected numeric value type for numeric attribute: start_time. Found 'x'"],
    ["Created LIKE 'x'", "Expected numeric value type for numeric attribute: Created. Found 'x'"],
    [
      `start_time > ${"9".repeat(4301)}`,
      `Expected numeric value type for numeric attribute: start_time. Found ${"9".repeat(4301)}`.slice(
        0,
        2000,
      ) + "...",
    ],
    [
      "start_time LIKE 1",
      "Invalid comparator 'LIKE' not one of '{'!=', '=', 'ILIKE', 'LIKE', 'IN', 'NOT IN'}",
    ],
    ["status = 3", "Expected a quoted string value for attributes. Got value 3"],
    ["status IN ('x')", "Only ['run_id'] attributes support comparison with a list of quoted string values."],
    ["run_id = ('x')", "Invalid comparator '=' for a list of values"],
    ["run_id > 'x'", "Invalid comparator '>' not one of '{'!=', '=', 'ILIKE', 'LIKE', 'IN', 'NOT IN'}'"],
    [
      "run_id IN ()",
      "While parsing a list in the query, expected a non-empty list of string values, but got empty list",
    ],
    [
      "run_id IN ('x',,'y')",
      "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.",
    ],
    [
      "run_id IN (x)",
      "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.",
    ],
    [
      "run_id IN ('\\x4')",
      "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.",
    ],
    [
      "run_id IN ('\\0')",
      "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.",
    ],
    [
      "run_id IN ('x', 1)",
      "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ('x', 1)",
    ],
    [
      "run_id IN (1)",
      "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (1,)",
    ],
    [
      "run_id IN (('x', 'y'), 'z')",
      "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (('x', 'y'), 'z')",
    ],
    ["dataset.name = 5", "Expected a quoted string value for dataset attributes. Got value 5"],
    ["dataset.name > 'x'", "Invalid comparator '>' not one of '{'!=', '=', 'ILIKE', 'LIKE', 'IN', 'NOT IN'}"],
    ["params.a = 'x\0y'", "A search text must not contain a null character."],
    // The first mistake in reading wins over any comparator that does not fit.
    [
      "metrics.a LIKE 1 AND things.b = 'x'",
      "Invalid entity type 'things'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ],
  ])("%s is wrong", (filter, message) => {
    expect(() => parseRunFilter(filter)).toThrow(invalidParameter(message));
  });

  it("names the attributes there are", () => {
    expect(() => parseRunFilter("color = 'x'")).toThrow(
      "Invalid attribute key 'color' specified. Valid keys are '{'Created', 'Run Name', 'Run name', 'artifact_uri', " +
        "'created', 'end_time', 'run name', 'run_id', 'run_name', 'start_time', 'status', 'user_id'}'",
    );
  });
});

describe("an order of runs", () => {
  it.each<[string, object]>([
    ["metrics.a", { kind: "metric", key: "a", ascending: true }],
    ["metrics.a ASC", { kind: "metric", key: "a", ascending: true }],
    ["metrics.a desc", { kind: "metric", key: "a", ascending: false }],
    ["metrics.a  Desc", { kind: "metric", key: "a", ascending: false }],
    ["metrics.`a b` DESC", { kind: "metric", key: "a b", ascending: false }],
    ['metrics."a b"', { kind: "metric", key: "a b", ascending: true }],
    ["params.a", { kind: "param", key: "a", ascending: true }],
    ["parameters.`a.b` DESC", { kind: "param", key: "a.b", ascending: false }],
    ["tag.a DESC", { kind: "tag", key: "a", ascending: false }],
    ["tags.as DESC", { kind: "tag", key: "as", ascending: false }],
    ["start_time", { kind: "attribute", key: "start_time", ascending: true }],
    ["attributes.Created DESC", { kind: "attribute", key: "start_time", ascending: false }],
    ["created", { kind: "attribute", key: "start_time", ascending: true }],
    ["attr.run_name", { kind: "attribute", key: "run_name", ascending: true }],
    ['"params"."a" desc', { kind: "param", key: "a", ascending: false }],
  ])("%s", (item, expected) => {
    expect(parseRunOrderBy([item])).toEqual([expected]);
  });

  it.each<[string[], string]>([
    [[""], "Invalid order_by clause ''. Could not be parsed."],
    [[" metrics.a"], "Invalid order_by clause ' metrics.a'. Could not be parsed."],
    [["metrics.a "], "Invalid order_by clause 'metrics.a '. Could not be parsed."],
    [["metrics.a, metrics.b"], "Invalid order_by clause 'metrics.a, metrics.b'. Could not be parsed."],
    [["metrics.a DESC;"], "Invalid order_by clause 'metrics.a DESC;'. Could not be parsed."],
    [["metrics.a DESC ASC"], "Invalid order_by clause 'metrics.a DESC ASC'. Could not be parsed."],
    [["metrics.a down"], "Invalid ordering key in order_by clause 'metrics.a down'."],
    [["metrics.a-b"], "Invalid order_by clause 'metrics.a-b'. Could not be parsed."],
    [
      ["things.a"],
      "Invalid entity type 'things'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ],
    [["datasets.name"], "Invalid identifier type 'dataset'"],
    [["metrics.a", "metric.a DESC"], "`order_by` contains duplicate fields: ['metrics.a', 'metric.a DESC']"],
    [["created", "start_time"], "`order_by` contains duplicate fields: ['created', 'start_time']"],
  ])("%j is wrong", (items, message) => {
    expect(() => parseRunOrderBy(items)).toThrow(invalidParameter(message));
  });

  it("does not take the long names of the run's name, as MLflow does not", () => {
    expect(() => parseRunOrderBy(["`run name` DESC"])).toThrow("Invalid attribute key 'run name' specified.");
  });
});
