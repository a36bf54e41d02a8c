import { HclSyntaxError, type HclExpression } from "./syntax.ts";

/** Nesting beyond this is no configuration but an attack on the stack. */
const deepest = 400;

const identifier = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wholeNumber = /\d+/y;

/** Walks over the text. White space and comments are skipped between tokens; newlines only where they mean nothing. */
export class Scanner {
  readonly text: string;
  readonly #firstLine: number;
  readonly #lineStarts: number[] = [0];
  #depth = 0;
  at = 0;
  /** False within brackets, where a newline does not end an expression. */
  newlinesCount = true;
  /** Variables of the `for` expressions around this place. */
  readonly loopVariables: string[] = [];
  /** Arguments that were set before: refused once all is read. */
  readonly redefined: HclSyntaxError[] = [];
  readonly #parseExpression: (scanner: Scanner) => HclExpression;

  /** `parseExpression` is handed in because expressions, templates and `for` contain one another. */
  constructor(text: string, firstLine: number, parseExpression: (scanner: Scanner) => HclExpression) {
    this.text = text;
    this.#parseExpression = parseExpression;
    this.#firstLine = firstLine;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
    if (text.startsWith("\ufeff")) this.at = 1;
  }

  expression(): HclExpression {
    return this.#parseExpression(this);
  }

  lineAt(at: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return this.#firstLine + low;
  }

  error(message: string, at = this.at): HclSyntaxError {
    return new HclSyntaxError(message, this.lineAt(Math.min(at, this.text.length)));
  }

  /** The next character that means something; `""` at the end, `"\n"` where a newline counts. */
  peek(): string {
    this.#skip();
    const next = this.text[this.at] ?? "";
    return next === "\r" ? "\n" : next;
  }

  /** As `peek`, but looks over newlines even where they count. Does not move. */
  peekOverNewlines(): string {
    const { at, newlinesCount } = this;
    this.newlinesCount = false;
    const next = this.peek();
    this.at = at;
    this.newlinesCount = newlinesCount;
    return next;
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }

  /** Takes `text` when it comes next. */
  take(text: string): boolean {
    this.#skip();
    if (!this.startsWith(text)) return false;
    this.at += text.length;
    return true;
  }

  takeNewline(): boolean {
    if (this.peek() !== "\n") return false;
    this.at += this.startsWith("\r\n") ? 2 : 1;
    return true;
  }

  identifier(): string | undefined {
    this.#skip();
    return this.#match(identifier);
  }

  /** The word that comes next, without taking it. */
  peekIdentifier(): string | undefined {
    this.#skip();
    const { at } = this;
    const word = this.#match(identifier);
    this.at = at;
    return word;
  }

  number(): number | undefined {
    const text = this.#match(number);
    return text === undefined ? undefined : Number(text);
  }

  wholeNumber(): number | undefined {
    const text = this.#match(wholeNumber);
    return text === undefined ? undefined : Number(text);
  }

  /** Runs `parse` where newlines count or not. */
  within<T>(newlinesCount: boolean, parse: () => T): T {
    const before = this.newlinesCount;
    this.newlinesCount = newlinesCount;
    const result = parse();
    this.newlinesCount = before;
    return result;
  }

  /** Runs `parse` one level deeper. */
  deeper<T>(parse: () => T): T {
    if (this.#depth >= deepest)
      throw this.error(`Nested too deeply: more than ${deepest} expressions or blocks within one another.`);
    this.#depth += 1;
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  #skip(): void {
    for (;;) {
      const next = this.text[this.at];
      if (next === " " || next === "\t") this.at += 1;
      else if (next === "\n" || (next === "\r" && this.text[this.at + 1] === "\n")) {
        if (this.newlinesCount) return;
        this.at += 1;
      } else if (next === "#" || this.startsWith("//")) {
        const end = this.text.indexOf("\n", this.at);
        this.at = end < 0 ? this.text.length : end;
        if (this.text[this.at - 1] === "\r" && end >= 0) this.at -= 1;
      } else if (next === "/" && this.text[this.at + 1] === "*") {
        const end = this.text.indexOf("*/", this.at + 2);
        if (end < 0)
          throw this.error("Unterminated comment: A comment that begins with /* must end with */.");
        this.at = end + 2;
      } else return;
    }
  }
}
