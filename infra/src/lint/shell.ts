import type { Command } from "./workspace.ts";

/** Words of the shell that a command follows. */
const KEYWORDS = new Set([
  "if",
  "then",
  "elif",
  "else",
  "while",
  "until",
  "do",
  "!",
  "{",
  "(",
  "sudo",
  "time",
  "exec",
  "nohup",
  "command",
  "env",
]);

/** What only ends or opens something and runs nothing. */
const SYNTAX = new Set(["fi", "done", "esac", "}", ")", "for", "case", "function", "select", "in"]);

type Word = { text: string; line: number };

/**
 * Takes a script apart into its commands: pipes, lists, `$(...)` and backquotes, continued lines, quotes and heredocs.
 * It does not evaluate: variables stay, and both branches of an `if` are commands.
 */
export function commandsOf(text: string, file: string, firstLine: number): Command[] {
  return new ShellReader(text, file, firstLine).read();
}

class ShellReader {
  readonly #text: string;
  readonly #file: string;
  readonly #commands: Command[] = [];
  #at = 0;
  #line: number;
  /** Heredocs that begin after this line: their text is no command. */
  #heredocs: { marker: string; indented: boolean }[] = [];

  constructor(text: string, file: string, firstLine: number) {
    this.#text = text;
    this.#file = file;
    this.#line = firstLine;
  }

  read(): Command[] {
    this.#list(undefined);
    return this.#commands.sort((a, b) => a.line - b.line);
  }

  /** Commands up to `closing`, or to the end. */
  #list(closing: string | undefined): void {
    let words: Word[] = [];
    let start = this.#at;
    const finish = (): void => {
      this.#add(words, this.#text.slice(start, this.#at));
      words = [];
    };
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? "";
      if (char === closing) {
        finish();
        this.#at += 1;
        return;
      }
      if (char === "\n") {
        finish();
        this.#newline();
      } else if (char === "\\" && this.#text[this.#at + 1] === "\n") {
        this.#at += 2;
        this.#line += 1;
      } else if (char === " " || char === "\t") {
        this.#at += 1;
      } else if (char === "#") {
        while (this.#at < this.#text.length && this.#text[this.#at] !== "\n") this.#at += 1;
      } else if (";|&".includes(char) && !this.#text.startsWith("&>", this.#at)) {
        finish();
        this.#at += 1;
      } else if (char === "(" || char === ")") {
        finish();
        this.#at += 1;
      } else if (this.#redirection()) {
        // Where output goes is not a word of the command.
      } else {
        if (words.length === 0) start = this.#at;
        words.push(this.#word(closing));
      }
    }
    finish();
  }

  #newline(): void {
    this.#at += 1;
    this.#line += 1;
    for (const { marker, indented } of this.#heredocs) {
      while (this.#at < this.#text.length) {
        const end = this.#text.indexOf("\n", this.#at);
        const line = this.#text.slice(this.#at, end === -1 ? undefined : end);
        this.#at = end === -1 ? this.#text.length : end + 1;
        this.#line += 1;
        if ((indented ? line.trimStart() : line) === marker) break;
      }
    }
    this.#heredocs = [];
  }

  #redirection(): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 200);
    const heredoc = /^\d*<<(?<dash>-?)\s*(?<quote>["']?)(?<marker>[A-Za-z_][\w.]*)\k<quote>/.exec(rest);
    if (heredoc !== null) {
      const { dash = "", marker = "" } = heredoc.groups ?? {};
      this.#heredocs.push({ marker, indented: dash === "-" });
      this.#at += heredoc[0].length;
      return true;
    }
    const plain = /^(?:\d*(?:<<<|>>|>&|<&|[<>])|&>>?)[ \t]*/.exec(rest);
    // `<NAME>` is a blank that a reader fills in.
    if (plain === null || /^<[A-Za-z][\w .-]*>/.test(rest)) return false;
    this.#at += plain[0].length;
    if (/^[^\s;|&]/.test(this.#text.slice(this.#at, this.#at + 1))) this.#word(undefined);
    return true;
  }

  #word(closing: string | undefined): Word {
    const line = this.#line;
    let text = "";
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? "";
      if (char === closing || " \t\n;|&()".includes(char)) break;
      if ("<>".includes(char)) {
        const blank = /^<[A-Za-z][\w .-]*>/.exec(this.#text.slice(this.#at, this.#at + 80));
        if (blank === null) break;
        text += blank[0];
        this.#at += blank[0].length;
      } else if (char === "'") text += this.#single();
      else if (char === '"') text += this.#double();
      else if (char === "\\") text += this.#escaped();
      else if (char === "$" || char === "`") text += this.#expansion();
      else {
        text += char;
        this.#at += 1;
      }
    }
    // Whatever stands here that no rule above takes: never stay at the same place.
    if (text === "" && this.#line === line && "<>".includes(this.#text[this.#at] ?? "")) this.#at += 1;
    return { text, line };
  }

  #escaped(): string {
    const next = this.#text[this.#at + 1] ?? "";
    this.#at += 2;
    if (next !== "\n") return next;
    this.#line += 1;
    return "";
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    const value = this.#text.slice(this.#at + 1, end === -1 ? undefined : end);
    this.#line += value.split("\n").length - 1;
    this.#at = end === -1 ? this.#text.length : end + 1;
    return value;
  }

  #double(): string {
    let value = "";
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      const char = this.#text[this.#at] ?? "";
      if (char === "\\" && '"\\$`\n'.includes(this.#text[this.#at + 1] ?? " ")) value += this.#escaped();
      else if (char === "$" || char === "`") value += this.#expansion();
      else {
        if (char === "\n") this.#line += 1;
        value += char;
        this.#at += 1;
      }
    }
    this.#at += 1;
    return value;
  }

  /** `$(...)` and backquotes run commands of their own; what they answer is not known. */
  #expansion(): string {
    const start = this.#at;
    if (this.#text.startsWith("$((", start)) {
      const end = this.#text.indexOf("))", start);
      this.#at = end === -1 ? this.#text.length : end + 2;
    } else if (this.#text.startsWith("$(", start)) {
      this.#at += 2;
      this.#list(")");
    } else if (this.#text.startsWith("${", start)) {
      const end = this.#text.indexOf("}", start);
      this.#at = end === -1 ? this.#text.length : end + 1;
    } else if (this.#text[start] === "`") {
      this.#at += 1;
      this.#list("`");
    } else this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #add(words: readonly Word[], text: string): void {
    let from = 0;
    while (from < words.length) {
      const word = words[from]?.text ?? "";
      if (!KEYWORDS.has(word) && !/^[A-Za-z_]\w*=/.test(word)) break;
      from += 1;
    }
    const first = words[from];
    if (first === undefined || SYNTAX.has(first.text)) return;
    this.#commands.push({
      file: this.#file,
      line: first.line,
      words: words.slice(from).map((word) => word.text),
      text: text.trim(),
    });
  }
}
