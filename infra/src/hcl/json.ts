import { moduleBlocks, nestedBlock, shapeOf, type BlockShape, type NestedBlock } from "./block-shapes.ts";
import { parseExpression } from "./expression.ts";
import { parseJson, type JsonNode } from "./json-values.ts";
import { Scanner } from "./scanner.ts";
import { HclSyntaxError, type HclBlock, type HclBody, type HclExpression } from "./syntax.ts";
import { parseTemplateText } from "./template.ts";

/** Arguments whose plain strings are references. */
const referenceArguments = new Set(["depends_on", "provider", "ignore_changes", "replace_triggered_by"]);

/** Reads a `.tf.json` file to the same tree as HCL. @throws {HclSyntaxError} */
export function parseHclJson(text: string, firstLine = 1): HclBody {
  const body: HclBody = { attributes: [], blocks: [] };
  for (const one of objectsOf(parseJson(text, firstLine)))
    for (const { key, value, line } of entriesOf(one)) {
      const labels = Object.hasOwn(moduleBlocks, key) ? moduleBlocks[key] : undefined;
      if (labels === undefined)
        throw new HclSyntaxError(
          `Unsupported block type: Blocks of type "${key}" are not expected here.`,
          line,
        );
      body.blocks.push(
        ...blocksOf({ type: key, nested: { labels, shape: (label) => shapeOf(key, label) } }, value),
      );
    }
  return body;
}

/** Reads a `.tfvars.json` file, which has nothing but values. @throws {HclSyntaxError} */
export function parseTfvarsJson(text: string, firstLine = 1): HclBody {
  const entries = entriesOf(parseJson(text, firstLine));
  return {
    attributes: entries.map(({ key, value, line }) => ({ name: key, value: literalOf(value), line })),
    blocks: [],
  };
}

type Kind = { type: string; nested: NestedBlock };

function blocksOf(kind: Kind, node: JsonNode, labels: readonly string[] = []): HclBlock[] {
  if (labels.length < kind.nested.labels)
    return objectsOf(node).flatMap((one) =>
      entriesOf(one).flatMap(({ key, value }) => blocksOf(kind, value, [...labels, key])),
    );
  return objectsOf(node).map((one) => ({
    type: kind.type,
    labels: [...labels],
    body: bodyOf(one, kind.nested.shape(labels[0])),
    line: one.line,
    endLine: one.line,
  }));
}

function bodyOf(node: JsonNode, shape: BlockShape): HclBody {
  const body: HclBody = { attributes: [], blocks: [] };
  for (const { key, value, line } of entriesOf(node)) {
    const nested = nestedBlock(shape, key);
    if (nested !== undefined && value.kind !== "scalar") {
      body.blocks.push(...blocksOf({ type: key, nested }, value));
      continue;
    }
    const isReference =
      referenceArguments.has(key) || (shape.type === "variable" && key === "type") || isMove(shape, key);
    body.attributes.push({ name: key, value: isReference ? referencesOf(value) : expressionOf(value), line });
  }
  return body;
}

const isMove = ({ type }: BlockShape, key: string): boolean =>
  (type === "moved" || type === "import" || type === "removed") && (key === "from" || key === "to");

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
    const scanner = new Scanner(value, line, parseExpression);
    return value.includes("${") ? parseTemplateText(scanner) : parseExpression(scanner);
  });

function converted(node: JsonNode, ofString: (value: string, line: number) => HclExpression): HclExpression {
  const { line } = node;
  if (node.kind === "array")
    return { kind: "tuple", items: node.items.map((item) => converted(item, ofString)), line };
  if (node.kind === "object")
    return {
      kind: "object",
      items: node.entries.map((entry) => ({
        key: ofString(entry.key, entry.line),
        value: converted(entry.value, ofString),
        line: entry.line,
      })),
      line,
    };
  return typeof node.value === "string"
    ? ofString(node.value, line)
    : { kind: "literal", value: node.value, line };
}
