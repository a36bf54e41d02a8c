import {
  codeAt,
  endOfDigits,
  endOfLongWord,
  endOfSpace,
  endOfWord,
  extendsNumber,
  followsWord,
  isDigit,
  isSpace,
  runOf,
  startsName,
} from "./search-characters.ts";
import { wordKind } from "./search-keywords.ts";

export type TokenKind =
  | "assignment"
  | "builtin"
  | "command"
  | "comment"
  | "comparison"
  | "exotic number"
  | "keyword"
  | "name"
  | "number"
  | "operator"
  | "order"
  | "placeholder"
  | "punctuation"
  | "quoted name"
  | "string"
  | "unknown"
  | "wildcard"
  | "whole number";

export type Token = { kind: TokenKind; start: number; end: number };

/** More tokens, blanks included, are an error: MLflow's own limit, which bounds all the work done here. */
export const MOST_TOKENS = 10_000;

/** Where the token that begins at `start` ends; `start` itself when there is no such token. */
type Reader = (text: string, start: number) => number;

/**
 * Cuts a filter into tokens as MLflow does (its parser is sqlparse 0.5 and later), which is not always as
 * SQL does: `1_000` is a word, `123a` the number 12 and the word `3a`, a quote after a backslash does not
 * end a text unless nothing else can. Blanks are counted and left out. Undefined when there are too many
 * tokens. Every character is read a bounded number of times.
 */
export function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  const readComment = comments();
  let at = 0;
  for (let count = 0; at < text.length; count += 1) {
    if (count === MOST_TOKENS) return undefined;
    if (isSpace(text[at])) {
      at += text.startsWith("\r\n", at) ? 2 : 1;
      continue;
    }
    const comment = readComment(text, at);
    const token: Token = comment > at ? { kind: "comment", start: at, end: comment } : readToken(text, at);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function readToken(text: string, start: number): Token {
  for (const [kind, read] of rules) {
    const end = read(text, start);
    if (end > start) return { kind, start, end };
  }
  const word = anyWord(text, start);
  if (word > start) return { kind: wordKind(text.slice(start, word)), start, end: word };
  for (const [kind, read] of signs) {
    const end = read(text, start);
    if (end > start) return { kind, start, end };
  }
  return { kind: "unknown", start, end: start + (codeAt(text, start) > 0xffff ? 2 : 1) };
}

/** `-- ...` and `# ...` to the end of the line, and block comments. */
function comments(): Reader {
  // Once the end of a block comment was looked for in vain, there is none further on either.
  let noEnd = false;
  return (text, start) => {
    if (text.startsWith("--", start) || text.startsWith("# ", start)) return endOfLine(text, start);
    if (noEnd || !text.startsWith("/*", start)) return start;
    const end = text.indexOf("*/", start + 2);
    noEnd = end < 0;
    return noEnd ? start : end + 2;
  };
}

const lineEnd = runOf(/[^\r\n]*/y);

function endOfLine(text: string, start: number): number {
  const end = lineEnd(text, start);
  return text.startsWith("\r\n", end) ? end + 2 : Math.min(end + 1, text.length);
}

const exactly =
  (...signs: readonly string[]): Reader =>
  (text, start) =>
    start + (signs.find((sign) => text.startsWith(sign, start))?.length ?? 0);

/**
 * A text between quotes, in which a doubled quote and, for some, a quote behind a backslash do not end it.
 * When the text would never end, the last of those does end it after all.
 */
const between =
  (quote: string, backslash: boolean): Reader =>
  (text, start) => {
    if (!text.startsWith(quote, start)) return start;
    let lastResort = start;
    let at = start + 1;
    while (at < text.length) {
      const character = text[at];
      if (backslash && character === "\\" && text[at + 1] === quote) {
        lastResort = at + 2;
        at += 2;
      } else if (character !== quote) {
        at += 1;
      } else if (text[at + 1] === quote) {
        lastResort = at + 1;
        at += 2;
      } else {
        return at + 1;
      }
    }
    return lastResort;
  };

/** `#` and `$` go on a word, but begin none. */
const anyWord: Reader = (text, start) =>
  endOfWord(text.slice(start, start + 2), 0) > 0 ? endOfLongWord(text, start) : start;

const LONGEST_WORD = 8;

/** The word is one of the list. */
const oneOfWords =
  (...list: readonly string[]): Reader =>
  (text, start) => {
    // More than the longest of them need not be read.
    const word = text.slice(start, start + LONGEST_WORD);
    const length = endOfWord(word, 0);
    return list.includes(word.slice(0, length).toUpperCase()) ? start + length : start;
  };

/** Two words with blanks between them, as one token. */
const twoWords =
  (first: Reader, second: Reader): Reader =>
  (text, start) => {
    const end = first(text, start);
    if (end === start) return start;
    const next = endOfSpace(text, end);
    const last = next > end ? second(text, next) : next;
    return last > next ? last : start;
  };

const name: Reader = (text, start) => (startsName(codeAt(text, start)) ? endOfWord(text, start + 1) : start);

/** A name before a dot, unless the dot begins a number. */
const nameBeforeDot: Reader = (text, start) => {
  const end = name(text, start);
  if (end === start) return start;
  const dot = endOfSpace(text, end);
  return text[dot] === "." && !isDigit(codeAt(text, dot + 1)) ? end : start;
};

const nameAfterDot: Reader = (text, start) => (text[start - 1] === "." ? name(text, start) : start);

const nameOfFunction: Reader = (text, start) => {
  const end = name(text, start);
  return text[end] === "(" ? end : start;
};

/** `@name`, `#name` and `##name`, of at least two letters. */
const markedName: Reader = (text, start) => {
  const first =
    start + (text.startsWith("##", start) ? 2 : text[start] === "@" || text[start] === "#" ? 1 : 0);
  if (first === start || !startsName(codeAt(text, first))) return start;
  const end = endOfWord(text, first + 1);
  return end > first + 1 ? end : start;
};

const untilBracket = runOf(/[^[\]]*/y);

/** `[any text]`, but not behind a word or a bracket, where it is an index. */
const bracketedName: Reader = (text, start) => {
  if (text[start] !== "[") return start;
  const before = text[start - 1];
  if (before === "]" || before === ")" || followsWord(text, start)) return start;
  const end = untilBracket(text, start + 1);
  return end > start + 1 && text[end] === "]" ? end + 1 : start;
};

const formatPlaceholder: Reader = (text, start) => {
  if (text[start] !== "%") return start;
  let at = start + 1;
  if (text[at] === "(") {
    const end = endOfWord(text, at + 1);
    if (end === at + 1 || text[end] !== ")") return start;
    at = end + 1;
  }
  return text[at] === "s" || text[at] === "S" ? at + 1 : start;
};

const namedPlaceholder: Reader = (text, start) => {
  if (text[start] !== "$" && text[start] !== ":") return start;
  if (followsWord(text, start)) return start;
  const end = endOfWord(text, start + 1);
  return end > start + 1 ? end : start;
};

const command: Reader = (text, start) => {
  const end = text[start] === "\\" ? endOfWord(text, start + 1) : start;
  return end > start + 1 ? end : start;
};

const afterSign = (text: string, start: number): number => (text[start] === "-" ? start + 1 : start);

const hexDigits = runOf(/[0-9a-f]*/iy);

const hexadecimal: Reader = (text, start) => {
  const first = afterSign(text, start);
  if (text[first] !== "0" || text[first + 1]?.toLowerCase() !== "x") return start;
  const end = hexDigits(text, first + 2);
  return end > first + 2 ? end : start;
};

/** `1e5`, `1.5E-3`: with no plus and, unlike other numbers, whatever follows. */
const exponential: Reader = (text, start) => {
  const first = afterSign(text, start);
  let at = endOfDigits(text, first);
  if (at === first) return start;
  if (text[at] === ".") {
    const end = endOfDigits(text, at + 1);
    if (end > at + 1) at = end;
  }
  if (text[at] !== "e" && text[at] !== "E") return start;
  const digits = afterSign(text, at + 1);
  const end = endOfDigits(text, digits);
  return end > digits ? end : start;
};

/** Gives back the last digit when a letter follows: of `12.34a` the number is `12.3`. */
const endOfNumber = (text: string, end: number, shortest: number): number => {
  if (!extendsNumber(codeAt(text, end))) return end;
  return end - 1 >= shortest ? end - 1 : -1;
};

const decimal: Reader = (text, start) => {
  const first = afterSign(text, start);
  const dot = endOfDigits(text, first);
  if (text[dot] !== ".") return start;
  // `5.` is a number, `.` is none.
  const shortest = dot > first ? dot + 1 : dot + 2;
  const end = endOfDigits(text, dot + 1);
  return end < shortest ? start : Math.max(start, endOfNumber(text, end, shortest));
};

const whole: Reader = (text, start) => {
  const first = afterSign(text, start);
  const end = endOfDigits(text, first);
  return end === first ? start : Math.max(start, endOfNumber(text, end, first + 1));
};

/** The first that applies wins; then words, then signs. */
const rules: readonly (readonly [TokenKind, Reader])[] = [
  ["assignment", exactly(":=")],
  ["punctuation", exactly("::")],
  ["wildcard", exactly("*")],
  ["name", between("`", false)],
  ["name", between("´", false)],
  ["placeholder", exactly("?")],
  ["placeholder", formatPlaceholder],
  ["placeholder", namedPlaceholder],
  ["command", command],
  // These are never keys, not even behind a dot.
  ["keyword", oneOfWords("CASE", "IN", "VALUES", "USING", "FROM", "AS")],
  ["name", markedName],
  ["name", nameBeforeDot],
  ["name", nameAfterDot],
  ["name", nameOfFunction],
  ["exotic number", hexadecimal],
  ["number", exponential],
  ["number", decimal],
  ["whole number", whole],
  ["string", between("'", true)],
  ["quoted name", between('"', true)],
  ["name", bracketedName],
  ["keyword", twoWords(oneOfWords("NOT"), oneOfWords("NULL"))],
  ["keyword", twoWords(oneOfWords("ORDER", "GROUP"), oneOfWords("BY"))],
  ["order", oneOfWords("ASC", "DESC")],
  ["comparison", twoWords(oneOfWords("NOT"), oneOfWords("LIKE", "ILIKE", "RLIKE", "REGEXP"))],
  ["comparison", oneOfWords("LIKE", "ILIKE", "RLIKE", "REGEXP")],
];

const signs: readonly (readonly [TokenKind, Reader])[] = [
  ["punctuation", exactly(";", ":", "(", ")", "[", "]", ",", ".")],
  ["operator", exactly("->>", "->", "#>>", "#>", "@>", "<@", "-")],
  ["comparison", runOf(/[<>=~!]*/y)],
  ["operator", runOf(/[+/@#%^&|-]*/y)],
];
