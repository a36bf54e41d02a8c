import type { HclAttribute, HclBlock, HclBody, HclExpression } from "../hcl/syntax.ts";
import { keyOf } from "../hcl/value.ts";
import { nearest } from "./nearest.ts";
import type { Report } from "./terraform-problem.ts";
import type { AttributeSchema, BlockSchema, BodySchema } from "./terraform-providers.ts";
import { checkValue } from "./terraform-types.ts";

/** What Terraform itself admits in a body, beside the provider's schema. */
export type MetaArguments = { arguments: ReadonlySet<string>; blocks: ReadonlySet<string> };

const none: MetaArguments = { arguments: new Set(), blocks: new Set() };

type Place = { schema: BodySchema; meta: MetaArguments; what: string; line: number };

/** Checks a body against what the provider says may stand in it. `what` names it in messages. */
export function checkBody(body: HclBody, place: Place, report: Report): void {
  for (const attribute of body.attributes) checkAttribute(attribute, place, report);
  for (const block of body.blocks) {
    if (place.meta.blocks.has(block.type)) continue;
    if (block.type === "dynamic") checkDynamic(block, place, report);
    else checkBlock(block, place, report);
  }
  checkRequired(body, place, report);
}

const schemaAt = (schema: BodySchema, name: string): AttributeSchema | BlockSchema | undefined =>
  Object.hasOwn(schema, name) ? schema[name] : undefined;

function checkAttribute({ name, value, line }: HclAttribute, place: Place, report: Report): void {
  if (place.meta.arguments.has(name)) return;
  const schema = schemaAt(place.schema, name);
  if (schema === undefined) return report(unknown(name, { ...place, line, noun: "argument" }));
  if (schema.block !== undefined)
    return report({
      kind: "block-or-argument",
      line,
      message: `"${name}" of ${place.what} is a block, not an argument.`,
      remedy: `Write \`${name} { ... }\` without the equals sign; for a computed number of them, \`dynamic "${name}"\`.`,
    });
  if (schema.mode === "computed")
    return report({
      kind: "computed-argument",
      line,
      message: `"${name}" of ${place.what} is set by the provider and cannot be configured.`,
      remedy: "Take the argument out.",
    });
  if (schema.deprecated)
    report({
      kind: "deprecated",
      line,
      message: `"${name}" of ${place.what} is deprecated.`,
      remedy: "See the provider's documentation for what replaces it.",
      severity: "warning",
    });
  if (schema.body !== undefined) checkNested(value, { schema, name, what: place.what }, report);
  else if (schema.type !== undefined) checkValue(value, { name, type: schema.type, limits: schema }, report);
}

function unknown(
  name: string,
  { schema, what, line, noun }: Place & { noun: string },
): Parameters<Report>[0] {
  const settable = Object.keys(schema).filter((one) => {
    const known = schema[one];
    return known?.block !== undefined || known?.mode !== "computed";
  });
  const guess = nearest(name, settable);
  return {
    kind: "unknown-argument",
    line,
    message: `${what} has no ${noun} "${name}".`,
    remedy: guess === undefined ? `It has: ${settable.sort().join(", ")}.` : `Did you mean "${guess}"?`,
  };
}

/** A value with nested attributes: an object, or a list or map of objects. */
function checkNested(
  value: HclExpression,
  { schema, name, what: owner }: { schema: AttributeSchema; name: string; what: string },
  report: Report,
): void {
  const inner = schema.body;
  if (inner === undefined) return;
  const what = `"${name}" of ${owner}`;
  const objects =
    schema.nesting === "single"
      ? [value]
      : schema.nesting === "map"
        ? value.kind === "object"
          ? value.items.map((item) => item.value)
          : [value]
        : value.kind === "tuple"
          ? value.items
          : [value];
  const wantsList = schema.nesting === "list" || schema.nesting === "set";
  if ((wantsList && value.kind === "object") || (!wantsList && value.kind === "tuple") || isScalar(value))
    return report({
      kind: "wrong-type",
      line: value.line,
      message: `${what}: ${wantsList ? "a list of objects" : "an object"} is required.`,
    });
  for (const object of objects) {
    if (object.kind !== "object") continue;
    const attributes = object.items.map((item) => ({
      name: keyOf(item.key),
      value: item.value,
      line: item.line,
    }));
    if (attributes.some(({ name }) => name.includes("${"))) continue;
    checkBody({ attributes, blocks: [] }, { schema: inner, meta: none, what, line: object.line }, report);
  }
}

const isScalar = (value: HclExpression): boolean =>
  value.kind === "heredoc" || (value.kind === "literal" && value.value !== null);

/** Providers of the older kind admit block syntax for lists of objects too. */
const isObjectList = (schema: AttributeSchema): boolean =>
  Array.isArray(schema.type) &&
  (schema.type[0] === "list" || schema.type[0] === "set") &&
  Array.isArray(schema.type[1]);

function checkBlock(block: HclBlock, place: Place, report: Report): void {
  const schema = schemaAt(place.schema, block.type);
  const { line } = block;
  if (schema === undefined) {
    const problem = unknown(block.type, { ...place, line, noun: "block" });
    return report(
      place.meta.arguments.has(block.type)
        ? {
            ...problem,
            message: `"${block.type}" is an argument, not a block.`,
            remedy: `Write \`${block.type} = ...\`.`,
          }
        : problem,
    );
  }
  if (schema.block === undefined) {
    if (isObjectList(schema) && schema.mode !== "computed") return undefined;
    return report({
      kind: "block-or-argument",
      line,
      message: `"${block.type}" of ${place.what} is an argument, not a block.`,
      remedy:
        schema.nesting === "list" || schema.nesting === "set"
          ? `Write \`${block.type} = [{ ... }]\`.`
          : `Write \`${block.type} = ${schema.nesting === "single" || schema.nesting === "map" || isMap(schema) ? "{ ... }" : "..."}\`.`,
    });
  }
  if (schema.deprecated)
    report({
      kind: "deprecated",
      line,
      message: `The block "${block.type}" of ${place.what} is deprecated.`,
      severity: "warning",
    });
  const what = `"${block.type}" of ${place.what.replace(/^".*" of /, "")}`;
  checkBody(block.body, { schema: schema.body, meta: none, what, line }, report);
}

const isMap = (schema: AttributeSchema): boolean => Array.isArray(schema.type) && schema.type[0] === "map";

function checkDynamic(block: HclBlock, place: Place, report: Report): void {
  const [label = ""] = block.labels;
  const schema = schemaAt(place.schema, label);
  if (schema === undefined || schema.block === undefined) {
    if (schema !== undefined && isObjectList(schema)) return;
    report(
      schema === undefined
        ? unknown(label, { ...place, line: block.line, noun: "block" })
        : {
            kind: "block-or-argument",
            line: block.line,
            message: `"${label}" of ${place.what} is an argument: \`dynamic\` makes blocks only.`,
            remedy: `Write \`${label} = [for ... : { ... }]\`.`,
          },
    );
    return;
  }
  if (!block.body.attributes.some(({ name }) => name === "for_each"))
    report({
      kind: "missing-argument",
      line: block.line,
      message: `dynamic "${label}" needs the argument "for_each".`,
    });
  for (const content of block.body.blocks)
    if (content.type === "content")
      checkBody(
        content.body,
        { schema: schema.body, meta: none, what: `"${label}" of ${place.what}`, line: content.line },
        report,
      );
}

function checkRequired(body: HclBody, { schema, what, line }: Place, report: Report): void {
  const written = new Set(body.attributes.map(({ name }) => name));
  const dynamic = new Set(body.blocks.flatMap((block) => (block.type === "dynamic" ? block.labels : [])));
  for (const [name, known] of Object.entries(schema)) {
    const blocks = body.blocks.filter(({ type }) => type === name);
    if (known.block === undefined) {
      if (known.mode === "required" && !written.has(name) && blocks.length === 0 && !dynamic.has(name))
        report({
          kind: "missing-argument",
          line,
          message: `${what} needs the argument "${name}".`,
          remedy: `Set "${name}".`,
        });
      continue;
    }
    const { min = 0, max = known.block === "single" ? 1 : Infinity } = known;
    if (blocks.length < min && !dynamic.has(name) && !written.has(name))
      report({
        kind: min === 1 ? "missing-argument" : "block-count",
        line,
        message: `${what} needs ${min === 1 ? "a" : `at least ${min}`} block${min === 1 ? "" : "s"} "${name}".`,
        remedy: `Add \`${name} { ... }\`.`,
      });
    const excess = blocks[max];
    if (excess !== undefined)
      report({
        kind: "block-count",
        line: excess.line,
        message: `${what} may have ${max === 1 ? "one block" : `${max} blocks`} "${name}", this is number ${max + 1}.`,
        remedy: "Keep one, or make separate resources.",
      });
  }
}
