import { MOST_TOKENS, tokenize, type Token, type TokenKind } from "./search-lexer.ts";
import { grammarError } from "./search-text.ts";

type GroupKind =
  | "brackets"
  | "comparison clause"
  | "function"
  | "identifier"
  | "list"
  | "operation"
  | "parentheses";

/** A token or a group of them, with what was written for it, comments and blanks inside included. */
export type Unit = {
  readonly kind: TokenKind | GroupKind;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** How deep groups are nested in it. */
  readonly depth: number;
};

/** `left comparator right`; `IS NULL` and `IS NOT NULL` have no right side. */
export type Clause = Unit & {
  readonly kind: "comparison clause";
  readonly left: Unit;
  readonly comparator: string;
  readonly right: Unit | undefined;
};

export const isClause = (unit: Unit): unit is Clause => unit.kind === "comparison clause";

export const isKeyword = (unit: Unit | undefined, word: string): boolean =>
  unit?.kind === "keyword" && unit.text.toUpperCase() === word;

/** Deeper nesting is an error, as in MLflow. Nothing here recurses. */
const DEEPEST = 100;

export type Statement =
  | { readonly is: "units"; readonly units: readonly Unit[] }
  | { readonly is: "blank" }
  | { readonly is: "several" }
  | { readonly is: "unreadable"; readonly why: string };

/**
 * The top level of a text in MLflow's language: comparisons, and whatever else stands between them. What
 * makes an identifier is more than a name: `a.b`, `a.'b c'`, `a . b`, `a[1]`, `a.f(x)`, `a::b` and `a desc`
 * are one each. The passes are those of MLflow's parser, in its order, because the order decides what
 * belongs together.
 */
export function readStatement(source: string): Statement {
  // PostgreSQL has no texts with a null character, so that nothing could match.
  if (source.includes("\0")) throw grammarError("A search text must not contain a null character.");
  const tokens = tokenize(source);
  if (tokens === undefined) {
    return { is: "unreadable", why: `Maximum number of tokens exceeded (${MOST_TOKENS}).` };
  }
  if (tokens.length === 0) return { is: "blank" };
  if (hasSecondStatement(source, tokens)) return { is: "several" };
  let units: Unit[] = tokens.map((token) => ({
    ...token,
    text: source.slice(token.start, token.end),
    depth: 0,
  }));
  for (const pair of [brackets, parentheses]) units = enclose(source, units, pair);
  if (units.some((unit) => unit.depth > DEEPEST)) {
    return { is: "unreadable", why: `Maximum grouping depth exceeded (${DEEPEST}).` };
  }
  units = joinPairs(source, units, functionCall);
  for (const rule of [member, index]) units = joinAround(source, units, rule);
  units = units.map((unit) => (isName(unit) ? { ...unit, kind: "identifier" } : unit));
  units = joinPairs(source, units, ordered);
  for (const rule of [cast, operation, comparison, named]) units = joinAround(source, units, rule);
  units = joinAround(source, joinPairs(source, units, aliased), commaList);
  return { is: "units", units: joinListsAndNulls(source, units) };
}

/** Something follows a semicolon outside of parentheses. */
function hasSecondStatement(source: string, tokens: readonly Token[]): boolean {
  let level = 0;
  let ended = false;
  for (const { kind, start } of tokens) {
    if (ended && kind !== "comment") return true;
    if (kind !== "punctuation") continue;
    if (source[start] === "(") level += 1;
    if (source[start] === ")") level -= 1;
    if (source[start] === ";" && level <= 0) ended = true;
  }
  return false;
}

function group(source: string, kind: GroupKind, parts: readonly Unit[]): Unit {
  const start = parts[0]?.start ?? 0;
  const end = parts.at(-1)?.end ?? start;
  let depth = 0;
  for (const part of parts) depth = Math.max(depth, part.depth);
  return { kind, start, end, text: source.slice(start, end), depth: depth + 1 };
}

type Pair = { kind: "brackets" | "parentheses"; open: string; close: string };
const brackets: Pair = { kind: "brackets", open: "[", close: "]" };
const parentheses: Pair = { kind: "parentheses", open: "(", close: ")" };

/** Makes one unit of everything from an opening sign to its closing one; a sign without partner stays. */
function enclose(source: string, units: readonly Unit[], pair: Pair): Unit[] {
  const out: Unit[] = [];
  const opened: number[] = [];
  for (const unit of units) {
    const sign = unit.kind === "punctuation" ? unit.text : "";
    if (sign === pair.open) opened.push(out.length);
    out.push(unit);
    const from = sign === pair.close ? opened.pop() : undefined;
    if (from !== undefined) out.push(group(source, pair.kind, out.splice(from)));
  }
  return out;
}

type PairRule = { kind: "function" | "identifier"; first(unit: Unit): boolean; second(unit: Unit): boolean };

const functionCall: PairRule = {
  kind: "function",
  first: ({ kind }) => kind === "name" || kind === "builtin" || kind === "placeholder",
  second: ({ kind }) => kind === "parentheses",
};

const ordered: PairRule = {
  kind: "identifier",
  first: ({ kind }) => kind === "identifier" || isNumber(kind),
  second: ({ kind }) => kind === "order",
};

/** `a b`: SQL's name and alias. A comparison followed by a bare name is one too, which no filter may hold. */
const aliased: PairRule = {
  kind: "identifier",
  first: ({ kind }) =>
    ["comparison clause", "function", "identifier", "operation", "parentheses"].includes(kind) ||
    isNumber(kind),
  second: ({ kind }) => kind === "identifier",
};

const isNumber = (kind: Unit["kind"]): boolean =>
  kind === "number" || kind === "whole number" || kind === "exotic number";

function joinPairs(source: string, units: readonly Unit[], rule: PairRule): Unit[] {
  const out: Unit[] = [];
  for (let at = 0; at < units.length; at += 1) {
    const unit = units[at] as Unit;
    const next = units[at + 1];
    const joined = next !== undefined && rule.first(unit) && rule.second(next);
    out.push(joined ? group(source, rule.kind, [unit, next]) : unit);
    if (joined) at += 1;
  }
  return out;
}

type JoinRule = {
  kind: "comparison clause" | "identifier" | "list" | "operation";
  joins(unit: Unit): boolean;
  before(unit: Unit): boolean;
  /** Whether the unit behind is taken in; undefined where it forbids the group. */
  after(unit: Unit | undefined): boolean | undefined;
};

const isName = ({ kind }: Unit): boolean => kind === "name" || kind === "quoted name";

const isSign = (unit: Unit, sign: string): boolean => unit.kind === "punctuation" && unit.text === sign;

const member: JoinRule = {
  kind: "identifier",
  joins: (unit) =>
    isSign(unit, ".") || (unit.kind === "operator" && (unit.text === "->" || unit.text === "->>")),
  before: (unit) => isName(unit) || unit.kind === "brackets" || unit.kind === "identifier",
  after: (unit) =>
    unit !== undefined &&
    (isName(unit) || ["brackets", "function", "string", "wildcard"].includes(unit.kind)),
};

const index: JoinRule = {
  kind: "identifier",
  joins: ({ kind }) => kind === "brackets",
  before: (unit) => isName(unit) || ["brackets", "function", "identifier"].includes(unit.kind),
  after: () => false,
};

const cast: JoinRule = {
  kind: "identifier",
  joins: (unit) => isSign(unit, "::"),
  before: () => true,
  after: (unit) => (unit === undefined ? undefined : true),
};

const operands = new Set<Unit["kind"]>([
  "function",
  "identifier",
  "number",
  "operation",
  "parentheses",
  "placeholder",
  "string",
  "whole number",
]);

const needs =
  (valid: (unit: Unit) => boolean): JoinRule["after"] =>
  (unit) =>
    unit !== undefined && valid(unit) ? true : undefined;

const isOperand = ({ kind }: Unit): boolean => operands.has(kind) || kind === "brackets";

const operation: JoinRule = {
  kind: "operation",
  joins: ({ kind }) => kind === "operator" || kind === "wildcard",
  before: isOperand,
  after: needs(isOperand),
};

const isCompared = (unit: Unit): boolean => operands.has(unit.kind) || isKeyword(unit, "NULL");

const comparison: JoinRule = {
  kind: "comparison clause",
  joins: ({ kind }) => kind === "comparison",
  before: isCompared,
  after: needs(isCompared),
};

/** `a AS b`, which no filter may hold either; but a key may be called `as`, and be sorted by. */
const named: JoinRule = {
  kind: "identifier",
  joins: (unit) => isKeyword(unit, "AS"),
  before: (unit) => unit.kind !== "keyword" || isKeyword(unit, "NULL"),
  after: (unit) => (unit === undefined ? undefined : true),
};

const isListed = (unit: Unit): boolean =>
  [
    "comparison clause",
    "comment",
    "function",
    "identifier",
    "keyword",
    "list",
    "number",
    "operation",
    "placeholder",
    "string",
    "whole number",
  ].includes(unit.kind);

const commaList: JoinRule = {
  kind: "list",
  joins: (unit) => isSign(unit, ","),
  before: isListed,
  after: needs(isListed),
};

/** Groups `before sign after` from left to right. */
function joinAround(source: string, units: readonly Unit[], rule: JoinRule): Unit[] {
  const out: Unit[] = [];
  // What stands directly before, which may be the last part of the group just made: that part decides.
  let previous: Unit | undefined;
  for (let at = 0; at < units.length; at += 1) {
    const unit = units[at] as Unit;
    const next = units[at + 1];
    const takesNext =
      previous !== undefined && rule.joins(unit) && rule.before(previous) ? rule.after(next) : undefined;
    const first = takesNext === undefined ? undefined : out.pop();
    if (first === undefined) {
      out.push(unit);
      previous = unit;
    } else if (takesNext === true && next !== undefined) {
      out.push(joined(source, rule, [first, unit, next]));
      previous = next;
      at += 1;
    } else {
      previous = joined(source, rule, [first, unit]);
      out.push(previous);
    }
  }
  return out;
}

function joined(source: string, rule: JoinRule, parts: readonly Unit[]): Unit {
  const unit = group(source, rule.kind, parts);
  const [left, sign, right] = parts;
  if (rule.kind !== "comparison clause" || left === undefined || sign === undefined) return unit;
  return { ...unit, left, comparator: sign.text, right } as Clause;
}

/**
 * `a IN (...)`, `a NOT IN (...)`, `a IS NULL` and `a IS NOT NULL` become comparisons. An identifier that
 * begins none of them takes up to three units along, so that in a text that is wrong anyway a right part
 * may count as wrong too.
 */
function joinListsAndNulls(source: string, units: readonly Unit[]): Unit[] {
  const out: Unit[] = [];
  let at = 0;
  while (at < units.length) {
    const four = units.slice(at, at + 4);
    const found = four.length > 2 && four[0]?.kind === "identifier" ? listOrNull(source, four) : undefined;
    if (found !== undefined) {
      out.push(found.clause);
      at += found.length;
    } else {
      const taken = four.length > 2 && four[0]?.kind !== "identifier" ? 1 : four.length;
      out.push(...four.slice(0, taken));
      at += taken;
    }
  }
  return out;
}

function listOrNull(
  source: string,
  [left, second, third, fourth]: readonly Unit[],
): { clause: Clause; length: number } | undefined {
  if (left === undefined || second === undefined || third === undefined) return undefined;
  const clause = (comparator: string, right: Unit | undefined): Clause => ({
    ...group(source, "comparison clause", [left, right ?? third]),
    kind: "comparison clause",
    left,
    comparator,
    right,
  });
  if (isKeyword(second, "IN") && third.kind === "parentheses")
    return { clause: clause(second.text, third), length: 3 };
  if (isKeyword(second, "IS") && isKeyword(third, "NULL"))
    return { clause: clause("IS NULL", undefined), length: 3 };
  if (isKeyword(second, "IS") && isKeyword(third, "NOT NULL"))
    return { clause: clause("IS NOT NULL", undefined), length: 3 };
  if (isKeyword(second, "NOT") && isKeyword(third, "IN") && fourth?.kind === "parentheses") {
    return { clause: clause("NOT IN", fourth), length: 4 };
  }
  return undefined;
}
