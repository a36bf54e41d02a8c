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

/** The text, if it is one identifier with nothing before or behind it, not even a blank. */
function readClause(text: string): string {
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

/** The words of a shell command; undefined when a quote stays open. */
function shellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === quote) {
      quote = "";
    } else if (character === "\\" && quote !== "'") {
      at += 1;
      const escaped = text[at];
      if (escaped === undefined) return undefined;
      const kept = quote !== "" && escaped !== "\\" && escaped !== quote;
      word = `${word ?? ""}${kept ? "\\" : ""}${escaped}`;
    } else if (quote !== "") {
      word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (" \t\r\n".includes(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = `${word ?? ""}${character}`;
    }
  }
  if (word !== undefined) words.push(word);
  return quote === "" ? words : undefined;
}
