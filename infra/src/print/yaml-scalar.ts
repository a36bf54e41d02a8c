/**
 * One scalar as text. `indent` is the column at which the lines of a block text stand; undefined where none may begin (keys).
 * Throws for what YAML cannot hold: functions, symbols, NaN.
 */
export function yamlScalar(value: unknown, indent: number | undefined): string {
  switch (typeof value) {
    case "string":
      return indent === undefined || !isBlockText(value) ? flowString(value) : blockText(value, indent);
    case "number":
      return number(value);
    case "boolean":
      return String(value);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "[]" : "{}";
    default:
      throw new TypeError(`YAML has no form for a value of type ${typeof value}.`);
  }
}

function number(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`${value} is not a number that a manifest can hold.`);
  const text = Object.is(value, -0) ? "0" : String(value);
  // YAML 1.1 takes `1e+21` for a string: its floats need a dot.
  return text.includes("e") && !text.includes(".") ? text.replace("e", ".0e") : text;
}

/** What a reader of either YAML version would take for something else than a string. */
const OTHER_TYPES = [
  /^(?:|~|null|true|false|yes|no|on|off|y|n|[-+]?\.inf|\.nan|=|<<)$/i,
  // Integers and floats, also with underscores, exponents and leading zeros; commit hashes such as 12e4567 are among them.
  /^[-+]?[\d_]*\.?[\d_]*(?:e[-+]?\d+)?$/i,
  /^[-+]?0(?:b[01_]+|o[0-7_]+|x[\da-f_]+)$/i,
  // Sexagesimal: 12:30:45.
  /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/,
  /^\d{4}-\d\d?-\d\d?(?:[Tt\s].*)?$/,
];

// Three dots at the beginning of a line end a document.
const INDICATOR = /^(?:\.\.\.|[-?:,[\]{}#&*!|>'"%@`\s])/;
/** `-c` and `--flag` may stand as they are; `- c` and `---` may not. */
const FLAG = /^--?[A-Za-z]/;

// Printable in both versions; without the line breaks of Unicode and the byte order mark.
const PRINTABLE =
  /^[\x20-\x7e\u00a1-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\ud7ff\uf900-\ufefe\uff00-\uffef\u{10000}-\u{10ffff}]*$/u;

function isPlain(text: string): boolean {
  if (!PRINTABLE.test(text) || text.trim() !== text) return false;
  if (INDICATOR.test(text) && !FLAG.test(text)) return false;
  if (text.includes(": ") || text.includes(" #") || text.endsWith(":")) return false;
  return !OTHER_TYPES.some((type) => type.test(text));
}

function flowString(text: string): string {
  if (isPlain(text)) return text;
  const single = PRINTABLE.test(text) && /["\\]/.test(text) && !text.includes("'");
  return single ? `'${text}'` : doubleQuoted(text);
}

const doubleQuoted = (text: string): string =>
  // JSON is YAML, but for the characters that JSON leaves alone and YAML does not print.
  JSON.stringify(text).replaceAll(
    /[\u007f-\u00a0\u2028-\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** Texts of several lines that a block can hold: nothing unprintable, something in it, no tab or space where YAML would lose it. */
function isBlockText(text: string): boolean {
  if (!text.includes("\n")) return false;
  const lines = text.split("\n");
  if (!lines.every((line) => PRINTABLE.test(line.replaceAll("\t", " ")))) return false;
  const first = lines.find((line) => line !== "");
  return (
    first !== undefined &&
    first.trim() !== "" &&
    !first.startsWith("\t") &&
    lines.every((line) => line === "" || line.trim() !== "")
  );
}

function blockText(text: string, indent: number): string {
  const body = text.replace(/\n+$/, "");
  const trailing = text.length - body.length;
  const chomping = trailing === 0 ? "-" : trailing === 1 ? "" : "+";
  // A first line that begins with spaces hides the indentation: it is said.
  const indicator = /^\n* /.test(body) ? "2" : "";
  const spaces = " ".repeat(indent);
  const lines = body.split("\n").map((line) => (line === "" ? "" : spaces + line));
  return `|${indicator}${chomping}\n${lines.join("\n")}${"\n".repeat(Math.max(0, trailing - 1))}`;
}
