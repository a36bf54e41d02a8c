import { bodySchema, type BlockKind, type BodySchema } from "../schemas/terraform-providers.ts";
import { parseExpression } from "./expression.ts";
import { parseJson, type JsonNode } from "./json-values.ts";
import { Scanner } from "./scanner.ts";
import { HclSyntaxError, type HclBlock, type HclBody, type HclExpression } from "./syntax.ts";
import { parseTemplateText } from "./template.ts";

/** Labels of the blocks of a module, in the order of nesting. */
const topLevel: Readonly<Record<string, number>> = {
  resource: 2,
  data: 2,
  ephemeral: 2,
  module: 1,
  variable: 1,
  output: 1,
  provider: 1,
  check: 1,
  terraform: 0,
  locals: 0,
  moved: 0,
  import: 0,
  removed: 0,
};

/** Blocks within blocks that Terraform itself knows, with their number of labels. */
const nested: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  resource: { lifecycle: 0, provisioner: 1, connection: 0, dynamic: 1 },
  data: { lifecycle: 0, dynamic: 1 },
  ephemeral: { lifecycle: 0, dynamic: 1 },
  lifecycle: { precondition: 0, postcondition: 0 },
  terraform: { required_providers: 0, backend: 1, cloud: 0, provider_meta: 1 },
  variable: { validation: 0 },
  output: { precondition: 0 },
  check: { data: 2, assert: 0 },
  provisioner: { connection: 0 },
};

/** Arguments whose plain strings are references. */
const referenceArguments = new Set(["depends_on", "provider", "ignore_changes", "replace_triggered_by"]);

/** Reads a `.tf.json` file to the same tree as HCL. @throws {HclSyntaxError} */
export function parseHclJson(text: string, firstLine = 1): HclBody {
  const root = parseJson(text, firstLine);
  const body: HclBody = { attributes: [], blocks: [] };
  for (const one of objectsOf(root))
    for (const { key, value, line } of entriesOf(one)) {
      const labels = Object.hasOwn(topLevel, key) ? topLevel[key] : undefined;
      if (labels === undefined)
        throw new HclSyntaxError(
          `Unsupported block type: Blocks of type "${key}" are not expected here.`,
          line,
        );
      body.blocks.push(...blocksOf({ type: key, labels, schema: undefined }, value));
    }
  return body;
}

/** As `parseHcl` or `parseHclJson`, by the name of the file. A `.tfvars.json` has attributes only. */
export function parseTfvarsJson(text: string, firstLine = 1): HclBody {
  const entries = entriesOf(parseJson(text, firstLine));
  return {
    attributes: entries.map(({ key, value, line }) => ({ name: key, value: literalOf(value), line })),
    blocks: [],
  };
}

type Shape = { type: string; labels: number; schema: BodySchema | undefined };

function blocksOf(shape: Shape, node: JsonNode, labels: readonly string[] = []): HclBlock[] {
  if (labels.length < shape.labels)
    return objectsOf(node).flatMap((one) =>
      entriesOf(one).flatMap(({ key, value }) => blocksOf(shape, value, [...labels, key])),
    );
  const schema = shape.schema ?? schemaOf(shape.type, labels);
  return objectsOf(node).map((one) => ({
    type: shape.type,
    labels: [...labels],
    body: bodyOf(one, { ...shape, schema }),
    line: one.line,
    endLine: one.line,
  }));
}

const kinds: Readonly<Record<string, BlockKind>> = {
  resource: "resource",
  data: "data",
  ephemeral: "ephemeral",
  provider: "provider",
};

function schemaOf(type: string, [label]: readonly string[]): BodySchema | undefined {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  return kind === undefined || label === undefined ? undefined : bodySchema(kind, label)?.schema;
}

function bodyOf(node: JsonNode, { type, schema }: Shape): HclBody {
  const body: HclBody = { attributes: [], blocks: [] };
  const inner = Object.hasOwn(nested, type) ? nested[type] : undefined;
  for (const { key, value, line } of entriesOf(node)) {
    const labels = inner !== undefined && Object.hasOwn(inner, key) ? inner[key] : undefined;
    const known = schema !== undefined && Object.hasOwn(schema, key) ? schema[key] : undefined;
    if (labels !== undefined) body.blocks.push(...blocksOf({ type: key, labels, schema: undefined }, value));
    else if (known?.block !== undefined && value.kind !== "scalar")
      body.blocks.push(...blocksOf({ type: key, labels: 0, schema: known.body }, value));
    else
      body.attributes.push({
        name: key,
        value: referenceArguments.has(key) ? referencesOf(value) : expressionOf(value),
        line,
      });
  }
  return body;
}

/** An object, or the objects of a list: both stand for blocks. */
function objectsOf(node: JsonNode): JsonNode[] {
  return node.kind === "array" ? node.items.flatMap(objectsOf) : [node];
}

function entriesOf(node: JsonNode): { key: string; line: number; value: JsonNode }[] {
  if (node.kind !== "object")
    throw new HclSyntaxError(
      "Incorrect JSON value type: Either a JSON object or a JSON array is required here.",
      node.line,
    );
  return node.entries.filter(({ key }) => key !== "//");
}

const literalOf = (node: JsonNode): HclExpression =>
  converted(node, (value, line) => ({ kind: "literal", value, line }));

const expressionOf = (node: JsonNode): HclExpression =>
  converted(node, (value, line) => parseTemplateText(new Scanner(value, line, parseExpression)));

const referencesOf = (node: JsonNode): HclExpression =>
  converted(node, (value, line) => {
    const isTemplate = value.includes("${");
    const scanner = new Scanner(value, line, parseExpression);
    return isTemplate ? parseTemplateText(scanner) : parseExpression(scanner);
  });

function converted(node: JsonNode, ofString: (value: string, line: number) => HclExpression): HclExpression {
  const { line } = node;
  if (node.kind === "array")
    return { kind: "tuple", items: node.items.map((item) => converted(item, ofString)), line };
  if (node.kind === "object")
    return {
      kind: "object",
      items: node.entries.map((entry) => ({
        key: expressionOf({ kind: "scalar", value: entry.key, line: entry.line }),
        value: converted(entry.value, ofString),
        line: entry.line,
      })),
      line,
    };
  return typeof node.value === "string"
    ? ofString(node.value, line)
    : { kind: "literal", value: node.value, line };
}
