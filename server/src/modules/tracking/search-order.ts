import { runOf } from "./search-characters.ts";
import { readStatement } from "./search-statement.ts";
import { grammarError } from "./search-text.ts";

/**
 * `key`, `key ASC` or `key DESC`. With a direction the quotes and backslashes in the key are read as a
 * shell does, without one they stay for the caller: that is how MLflow reads them.
 */
export function readOrder(text: string): { name: string; ascending: boolean } {
  const clause = readClause(text);
  const words = shellWords(clause.replaceAll("`", '"'));
  if (words === undefined || words.length > 2) throw unreadable(text);
  const [name, direction] = words;
  if (name === undefined || direction === undefined) return { name: clause.trim(), ascending: true };
  const ascending = direction.toLowerCase() === "asc";
  if (!ascending && direction.toLowerCase() !== "desc") {
    throw grammarError(`Invalid ordering key in order_by clause '${text}'.`);
  }
  return { name: name.trim(), ascending };
}

const unreadable = (text: string): Error =>
  grammarError(`Invalid order_by clause '${text}'. Could not be parsed.`);

/** No key is nearly as long; a longer text is not worth reading. */
const LONGEST = 10_000;

/** The text, if it is one identifier with nothing before or behind it, not even a blank. */
function readClause(text: string): string {
  if (text.length > LONGEST) throw unreadable(text);
  const statement = readStatement(text);
  if (statement.is === "unreadable") throw grammarError(`Error on parsing order_by clause '${text}'`);
  if (statement.is !== "units") throw unreadable(text);
  const [first, second, third] = statement.units;
  const alone = first?.start === 0 && (second ?? first).end === text.length && third === undefined;
  if (alone && first.kind === "identifier" && second === undefined) return text;
  // The name of a type is no identifier, but may be a key.
  const timestamp = first?.kind === "builtin" && first.text === "timestamp";
  if (alone && timestamp && second === undefined) return text;
  if (alone && timestamp && second?.kind === "order") return `timestamp ${second.text}`;
  throw unreadable(text);
}

/** What stands for itself: outside of quotes, between double and between single ones. */
const plain = { "": runOf(/[^ \t\r\n'"\\]*/y), '"': runOf(/[^"\\]*/y), "'": runOf(/[^']*/y) };

/** The words of a shell command; undefined when a quote stays open. */
function shellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: keyof typeof plain = "";
  let at = 0;
  while (at < text.length) {
    const end: number = plain[quote](text, at);
    if (end > at) word = `${word ?? ""}${text.slice(at, end)}`;
    const sign: string | undefined = text[end];
    at = end + 1;
    if (sign === "\\") {
      const escaped = text[at];
      if (escaped === undefined) return undefined;
      const kept = quote !== "" && escaped !== "\\" && escaped !== quote;
      word = `${word ?? ""}${kept ? sign : ""}${escaped}`;
      at += 1;
    } else if (sign === "'" || sign === '"') {
      word ??= "";
      quote = quote === "" ? sign : "";
    } else if (sign !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  return quote === "" ? words : undefined;
}
