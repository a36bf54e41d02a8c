import type { HclExpression } from "../hcl/syntax.ts";
import { keyOf } from "../hcl/value.ts";
import { nearest } from "./nearest.ts";
import { limitBroken } from "./terraform-limits.ts";
import type { Report, TerraformProblemKind } from "./terraform-problem.ts";
import type { TerraformType, ValueLimits } from "./terraform-providers.ts";

/** What functions give back, of those whose result is one type whatever they are given. */
const results: Readonly<Record<string, "string" | "list" | "map">> = {
  jsonencode: "string",
  yamlencode: "string",
  format: "string",
  join: "string",
  lower: "string",
  upper: "string",
  replace: "string",
  trimspace: "string",
  chomp: "string",
  file: "string",
  templatefile: "string",
  base64encode: "string",
  tolist: "list",
  toset: "list",
  concat: "list",
  keys: "list",
  split: "list",
  tomap: "map",
  zipmap: "map",
};

/** `closed` where attributes that the type does not have are dropped without a word, as for variables. */
type Wanted = { name: string; type: TerraformType; limits: ValueLimits | undefined; closed?: boolean };

/** Checks an expression against a type. What only Terraform can know passes. */
export function checkValue(expression: HclExpression, wanted: Wanted, report: Report): void {
  if (expression.kind === "conditional") {
    checkValue(expression.yes, wanted, report);
    checkValue(expression.no, wanted, report);
    return;
  }
  if (expression.kind === "literal" && expression.value === null) return;
  const [outer, inner] = typeof wanted.type === "string" ? [wanted.type, undefined] : wanted.type;
  if (outer === "dynamic") return;
  if (outer === "optional") {
    if (inner !== undefined && isType(inner)) checkValue(expression, { ...wanted, type: inner }, report);
    return;
  }
  const given = givenType(expression);
  if (given === undefined) return;
  const refuse = (kind: TerraformProblemKind, what: string): void =>
    report({ kind, line: expression.line, message: `"${wanted.name}": ${what}` });
  if (inner === undefined) return checkScalar(expression, { ...wanted, outer, given }, refuse);
  const isSequence = outer === "list" || outer === "set" || outer === "tuple";
  if (given !== (isSequence ? "list" : "map")) {
    const article = isSequence ? `a ${outer}` : outer === "map" ? "a map" : "an object";
    refuse("wrong-type", `${article} is required, ${nouns[given]} is given.`);
    return;
  }
  checkParts(expression, { ...wanted, inner }, report);
}

const nouns = { string: "a string", number: "a number", bool: "a bool", list: "a list", map: "an object" };

type Given = keyof typeof nouns;

function givenType(expression: HclExpression): Given | undefined {
  switch (expression.kind) {
    case "literal":
      return expression.value === null ? undefined : scalarType(expression.value);
    case "heredoc":
      return "string";
    case "template":
      return expression.parts.length > 1 ? "string" : undefined;
    case "tuple":
      return "list";
    case "object":
      return "map";
    case "call":
      return Object.hasOwn(results, expression.name) ? results[expression.name] : undefined;
    default:
      return undefined;
  }
}

const scalarType = (value: string | number | boolean): Given =>
  typeof value === "string" ? "string" : typeof value === "number" ? "number" : "bool";

type Scalar = Wanted & { outer: string; given: Given };

function checkScalar(
  expression: HclExpression,
  { outer, given, limits }: Scalar,
  refuse: (kind: TerraformProblemKind, what: string) => void,
): void {
  if (given === "list" || given === "map") {
    refuse("wrong-type", `a ${outer} is required, ${nouns[given]} is given.`);
    return;
  }
  if (expression.kind !== "literal" && expression.kind !== "heredoc") return;
  const { value } = expression;
  if (value === null) return;
  const isConvertible =
    outer === "string" ||
    (outer === "number" && given !== "bool" && value !== "" && Number.isFinite(Number(value))) ||
    (outer === "bool" && /^(?:true|false)$/.test(String(value)));
  if (!isConvertible) {
    refuse("wrong-type", `a ${outer} is required, ${JSON.stringify(value)} is given.`);
    return;
  }
  const broken =
    limits === undefined ? undefined : limitBroken(outer === "number" ? Number(value) : value, limits);
  if (broken !== undefined) refuse("value-limit", broken);
}

type Composite = Wanted & { inner: TerraformType | Readonly<Record<string, TerraformType>> };

function checkParts(expression: HclExpression, wanted: Composite, report: Report): void {
  const { name, inner, limits } = wanted;
  if (expression.kind === "call") {
    for (const part of expression.arguments) if (part.kind === "tuple") checkParts(part, wanted, report);
    return;
  }
  if (expression.kind === "tuple" && isType(inner))
    for (const item of expression.items)
      checkValue(item, { ...wanted, type: inner, limits: limits?.elem }, report);
  if (expression.kind !== "object") return;
  if (!isType(inner)) return checkMembers(expression, { ...wanted, members: inner }, report);
  for (const { key, value } of expression.items)
    checkValue(
      value,
      { ...wanted, name: `${name}.${keyOf(key)}`, type: inner, limits: limits?.elem },
      report,
    );
}

type Members = Wanted & { members: Readonly<Record<string, TerraformType>> };

function checkMembers(
  { items, line }: Extract<HclExpression, { kind: "object" }>,
  { name, members, closed }: Members,
  report: Report,
): void {
  const given = new Set(items.map(({ key }) => keyOf(key)));
  const missing = Object.keys(members).filter(
    (member) => !given.has(member) && members[member]?.[0] !== "optional",
  );
  if (missing.length > 0 && ![...given].some((key) => key.includes("${")))
    report({
      kind: "missing-argument",
      line,
      message: `"${name}": the attribute ${missing.map((one) => `"${one}"`).join(", ")} is required (null where there is none).`,
    });
  for (const { key, value, line } of items) {
    const member = keyOf(key);
    const type = Object.hasOwn(members, member) ? members[member] : undefined;
    const inner = { name: `${name}.${member}`, limits: undefined, ...(closed ? { closed } : {}) };
    if (type !== undefined) checkValue(value, { ...inner, type }, report);
    else if (closed && !member.includes("${")) report({ ...dropped(name, { member, members }), line });
  }
}

function dropped(
  name: string,
  { member, members }: { member: string; members: Members["members"] },
): { kind: TerraformProblemKind; severity: "warning"; message: string; remedy: string } {
  const guess = nearest(member, Object.keys(members));
  return {
    kind: "module-argument",
    severity: "warning",
    message: `"${name}": the type of the variable has no attribute "${member}", so Terraform drops it without a word.`,
    remedy: guess === undefined ? "Take it out, or add it to the type." : `Did you mean "${guess}"?`,
  };
}

const isType = (inner: Composite["inner"]): inner is TerraformType =>
  typeof inner === "string" || Array.isArray(inner);
