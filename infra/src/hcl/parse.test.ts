import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseHclJson } from "./json.ts";
import { parseHcl } from "./parse.ts";
import { references } from "./references.ts";
import { HclSyntaxError, type HclExpression } from "./syntax.ts";
import { textOf } from "./text.ts";
import { valueOf } from "./value.ts";

const expressionOf = (text: string): HclExpression => {
  const value = parseHcl(`a = ${text}`).attributes[0]?.value;
  if (value === undefined) throw new Error(`nothing was read of ${text}`);
  return value;
};

const errorOf = (text: string, firstLine?: number): HclSyntaxError => {
  try {
    parseHcl(text, firstLine);
  } catch (error) {
    if (error instanceof HclSyntaxError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
};

describe("structure", () => {
  test("blocks, labels, attributes and their lines", () => {
    const body = parseHcl(
      '# a comment\nresource "google_storage_bucket" models {\n  name = "m" // why\n\n  versioning { enabled = true }\n  lifecycle {}\n}\n/* and\n another */ x = 1',
      10,
    );
    expect(body.attributes.map(({ name, line }) => [name, line])).toEqual([["x", 18]]);
    const [block] = body.blocks;
    expect(block).toMatchObject({
      type: "resource",
      labels: ["google_storage_bucket", "models"],
      line: 11,
      endLine: 16,
    });
    expect(block?.body.blocks.map(({ type, line, endLine }) => [type, line, endLine])).toEqual([
      ["versioning", 14, 14],
      ["lifecycle", 15, 15],
    ]);
  });

  test("Windows line ends and a byte order mark", () => {
    const body = parseHcl("\ufeffa = 1 # x\r\nb = <<E\r\none\r\nE\r\nc = [\r\n 1,\r\n]\r\n");
    expect(body.attributes.map(({ name, value, line }) => [name, valueOf(value), line])).toEqual([
      ["a", 1, 1],
      ["b", "one\n", 2],
      ["c", [1], 5],
    ]);
  });
});

describe("expressions", () => {
  test.each([
    ["1 + 2 * 3 - 4", "1 + 2 * 3 - 4"],
    ["(1 + 2) * 3", "(1 + 2) * 3"],
    ["1 - (2 - 3)", "1 - (2 - 3)"],
    ["!a.b && c || d == e", "!a.b && c || d == e"],
    ["a ? b : c ? d : e", "a ? b : c ? d : e"],
    ["(a ? b : c) ? d : e", "(a ? b : c) ? d : e"],
    ['a.b[0].c[*].d.0["k k"]', 'a.b[0].c[*].d[0]["k k"]'],
    ["a.*.id", "a[*].id"],
    ["f(x, [1,2]...)", "f(x, [1, 2]...)"],
    ["provider::time::rfc3339_parse(x)", "provider::time::rfc3339_parse(x)"],
    ['{a = 1, "b c" : 2\n (local.k) = 3\n "${x}" = 4 }', '{ a = 1, "b c" = 2, (local.k) = 3, "${x}" = 4 }'],
    ["[\n1, # one\n2\n,]", "[1, 2]"],
    ["var.x-1", "var.x-1"],
    ["f(a\n+ b)", "f(a + b)"],
    ['"a${b}c%{ if d }e%{ else }f%{ endif }"', '"a${b}c%{ if d }e%{ else }f%{ endif }"'],
    ['"$${a} %%{b} $a 100% \\u00e9"', '"$${a} %%{b} $a 100% é"'],
    ['"${"${a}"}"', '"${"${a}"}"'],
    ["-x", "-x"],
    ["(-1)[0]", "(-1)[0]"],
  ])("%s", (text, canonical) => {
    expect(textOf(expressionOf(text))).toBe(canonical);
  });

  test("a for expression keeps its text and what it refers to outside of its variables", () => {
    const value = expressionOf(
      '{ for k, v in var.all : k => format("%s-%s", v.name, local.suffix) if v.on }',
    );
    expect(value).toMatchObject({ kind: "for", text: expect.stringMatching(/^\{ for k.*\}$/) as unknown });
    expect(references({ attributes: [{ name: "a", value, line: 1 }], blocks: [] }).map(textOf)).toEqual([
      "var.all",
      "local.suffix",
    ]);
  });

  test("variables of a for are forgotten after it", () => {
    const body = parseHcl('a = [for v in x : v]\nb = v\nc = "%{ for w in y }${w.z}%{ endfor }${w}"');
    expect(references(body).map(textOf)).toEqual(["x", "v", "y", "w"]);
  });
});

describe("heredocs", () => {
  // The expected values are what `terraform console` answers.
  test.each([
    ["<<E\na ${b}\n  c\n  E", "a ${b}\n  c\n"],
    ["<<-E\n    a\n\n      b\n   \tc\n    E", "a\n\n  b\nc\n"],
    ["<<-E\n    a\n  \t\n   b\n  E", " a\n  \t\nb\n"],
    ["<<-E\n\n      ${x}  a\n    b\n    E", "\n  ${x}  a\nb\n"],
    ["<<-E\n    a\n     ${~ x ~}   \n\n    b\n    E", "    a\n${x}\n    b\n"],
    ['<<E\nno \\n escape, "quotes", $${x}\nE', 'no \\n escape, "quotes", ${x}\n'],
    ["<<E\n${f(\n  x\n)}\nE", "${f(x)}\n"],
    ["<<E\nE", ""],
  ])("%j", (text, value) => {
    expect(valueOf(expressionOf(text))).toBe(value);
  });

  test("know where their text begins", () => {
    expect(parseHcl("a = 1\nb = <<-YAML\n  x: 1\nYAML\n", 40).attributes[1]?.value).toMatchObject({
      heredoc: { marker: "YAML", firstLine: 42, indented: true },
      line: 41,
    });
  });
});

describe("mistakes are refused in Terraform's words, at Terraform's line", () => {
  test.each([
    ['a = true ? <<E\nx\nE\n : "y"', "Missing false expression in conditional", 3],
    ["a = 1\nb = 2\na = 3", "Attribute redefined", 3],
    ["a = [1 2]", "Missing item separator", 1],
    ["a = {b 1}", "Missing key/value separator", 1],
    ["a = {b\n}", "Missing attribute value", 1],
    ["a = {b = 1 c = 2}", "Missing attribute separator", 1],
    ["a = 1 b = 2", "Missing newline after argument", 1],
    ["b {} c = 1", "Missing newline after block definition", 1],
    ['r "x" {\n a = 1\n\n', "Unclosed configuration block", 1],
    ['a = "x\ny"', "Invalid multi-line string", 1],
    ["r { a = 1, b = 2 }", "Invalid single-argument block definition", 1],
    ["r { a = 1\n b = 2 }", "Invalid single-argument block definition", 1],
    ["r { b {} }", "Argument definition required", 1],
    ["a = f(1", "Unterminated function call", 1],
    ["a = f(1 2)", "Missing argument separator", 1],
    ["a = (1\n", "Unbalanced parentheses", 2],
    ["a =\n", "Invalid expression", 1],
    ["a = 1 +\n2", "Invalid expression", 1],
    ["a", "Argument or block definition required", 1],
    ["}", "Argument or block definition required", 1],
    ['a = "\\q"', "Invalid escape sequence", 1],
    ["a = [for x in y]", "Invalid 'for' expression", 1],
    ['a = "${x y}"', "Extra characters after interpolation expression", 1],
    ["a = <<E\nx", "Unterminated template string", 1],
    ['r "x"\n{}', "Invalid block definition", 1],
    ['"a" = 1', "Invalid argument name", 1],
    ['a = "%{ if x }y"', "Unexpected end of template", 1],
    ['a = "%{ endif }"', "Unexpected endif directive", 1],
    ["a = 1 & 2", "Unsupported operator", 1],
    ['r "a${b}" {}', "Invalid string literal", 1],
    ["a = x[1", "Missing close bracket on index", 1],
    ["a = x.", "Invalid attribute name", 1],
    ["a = 'x'", "Invalid character", 1],
    ["a = 1; b = 2", "Invalid character", 1],
  ])("%j", (text, message, line) => {
    const error = errorOf(text);
    expect(error.message).toContain(message);
    expect(error.line).toBe(line);
  });

  test("every argument that is set twice is told, and the rest is read", () => {
    const error = errorOf("a = 1\nb {\n c = 1\n c = 2\n}\na = 2\nd = 3", 10);
    expect([error, ...error.others].map(({ line }) => line)).toEqual([13, 15]);
    expect(error.body?.attributes.map(({ name, value }) => [name, valueOf(value)])).toEqual([
      ["a", 1],
      ["d", 3],
    ]);
  });

  test("lines count from the first line of the text", () => {
    expect(errorOf("\n\na = [", 100).line).toBe(102);
  });
});

describe("broken input", () => {
  const pieces = fc.constantFrom(
    ..."{}[]()\"\n=:,.?!+-*/%<>&|$~#\\'".split(""),
    "a",
    "for",
    "in",
    "if",
    "<<E\n",
    "\nE\n",
    "<<-E\n",
    "${",
    "%{",
    "%{ if a }",
    "%{ endif }",
    "1",
    "/*",
    "*/",
    "...",
    "=>",
    "é",
    "\u{1f600}",
    " ",
    '"x" ',
    "b {\n",
  );

  test("throws nothing but HclSyntaxError", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), fc.boolean(), (parts, json) => {
        const text = parts.join("");
        try {
          const body = json ? parseHclJson(text) : parseHcl(text);
          references(body);
          for (const { value } of body.attributes) valueOf(value);
        } catch (error) {
          expect(error).toBeInstanceOf(HclSyntaxError);
        }
      }),
      { numRuns: 4000 },
    );
  });

  test.each(["(", "[", "{a=", "f(", "-", "!", "a ? ", '"${', "b {\n", "a[", "[for x in "])(
    "refuses %j without end",
    (piece) => {
      const text = piece === "b {\n" ? piece.repeat(50_000) : `a = ${piece.repeat(50_000)}`;
      expect(() => parseHcl(text)).toThrow(HclSyntaxError);
    },
  );

  test("refuses endless chains, reads long ones", () => {
    expect(() => parseHcl(`a = 1${" + 1 - 1".repeat(10_000)}`)).toThrow(HclSyntaxError);
    expect(textOf(expressionOf(`1${" + 1".repeat(300)}`))).toHaveLength(1 + 4 * 300);
  });
});

describe("round trip", () => {
  const name = fc
    .stringMatching(/^[a-z_][a-z0-9_]{0,5}$/)
    .filter((name) => !["for", "true", "false", "null"].includes(name));
  const literal = fc
    .oneof(
      fc.string({ unit: "grapheme" }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom("${x}", "%{", "$${", "a\nb", '"\\'),
    )
    .map((value): HclExpression => ({
      kind: "literal",
      value: typeof value === "string" ? value.replaceAll("\r\n", "\n") : value,
      line: 1,
    }));
  const { expression } = fc.letrec<{ expression: HclExpression }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      literal,
      fc.record({
        kind: fc.constant("reference" as const),
        root: name,
        steps: fc.array(
          fc.oneof(
            name,
            fc.nat(9),
            fc.constant("*" as const),
            fc.record({
              index: fc.record({
                kind: fc.constant("reference" as const),
                root: name,
                steps: fc.constant<string[]>([]),
                line: fc.constant<number>(1),
              }),
            }),
          ),
          { maxLength: 3 },
        ),
        line: fc.constant<number>(1),
      }),
      fc.record({
        kind: fc.constant("tuple" as const),
        items: fc.array(tie("expression"), { maxLength: 3 }),
        line: fc.constant<number>(1),
      }),
      fc.record({
        kind: fc.constant("object" as const),
        items: fc.array(
          fc.record({
            key: fc.oneof(
              name.map((value): HclExpression => ({ kind: "literal", value, line: 1 })),
              fc.record({
                kind: fc.constant("reference" as const),
                root: name,
                steps: fc.tuple(name),
                line: fc.constant<number>(1),
              }),
            ),
            value: tie("expression"),
            line: fc.constant<number>(1),
          }),
          { maxLength: 3 },
        ),
        line: fc.constant<number>(1),
      }),
      fc.record({
        kind: fc.constant("call" as const),
        name,
        arguments: fc.array(tie("expression"), { maxLength: 3 }),
        line: fc.constant<number>(1),
      }),
      fc.record({
        kind: fc.constant("conditional" as const),
        condition: tie("expression"),
        yes: tie("expression"),
        no: tie("expression"),
        line: fc.constant<number>(1),
      }),
      fc.record({
        kind: fc.constant("operation" as const),
        operator: fc.constantFrom("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||"),
        operands: fc.tuple(tie("expression"), tie("expression")),
        line: fc.constant<number>(1),
      }),
      fc.record({
        kind: fc.constant("operation" as const),
        operator: fc.constant("!"),
        operands: fc.tuple(tie("expression")),
        line: fc.constant<number>(1),
      }),
    ),
  }));

  test("an expression that was written out is read again as it was", () => {
    fc.assert(
      fc.property(expression, (expression) => {
        expect(expressionOf(textOf(expression))).toEqual(expression);
      }),
      { numRuns: 1500 },
    );
  });
});

describe(".tf.json", () => {
  test("has the same tree: blocks by the schema, templates in strings, references in depends_on", () => {
    const body = parseHclJson(
      JSON.stringify(
        {
          "//": "a comment",
          resource: {
            google_storage_bucket: {
              models: {
                name: "${var.project}-models",
                versioning: [{ enabled: true }],
                depends_on: ["google_project_service.storage"],
                labels: { a: "$${b}" },
              },
            },
          },
          locals: { id: "${google_storage_bucket.models.id}" },
          terraform: { required_version: ">= 1.11", backend: { gcs: { bucket: "state" } } },
        },
        null,
        2,
      ),
    );
    const [bucket, locals, terraform] = body.blocks;
    expect(bucket).toMatchObject({ type: "resource", labels: ["google_storage_bucket", "models"] });
    expect(bucket?.body.blocks.map(({ type }) => type)).toEqual(["versioning"]);
    expect(bucket?.body.attributes.map(({ name, value, line }) => [name, textOf(value), line])).toEqual([
      ["name", '"${var.project}-models"', 6],
      ["depends_on", "[google_project_service.storage]", 12],
      ["labels", '{ a = "$${b}" }', 15],
    ]);
    expect(locals?.body.attributes.map(({ value }) => textOf(value))).toEqual([
      "google_storage_bucket.models.id",
    ]);
    expect(terraform?.body.blocks[0]).toMatchObject({ type: "backend", labels: ["gcs"] });
  });

  test("mistakes have their line", () => {
    expect(() => parseHclJson('{\n"resource": {\n"a": 1}}')).toThrow(expect.objectContaining({ line: 3 }));
    expect(() => parseHclJson('{\n"a" 1}')).toThrow(expect.objectContaining({ line: 2 }));
  });
});
