import fc from "fast-check";
import { expect, test } from "vitest";
import { commandsOf } from "./shell.ts";

const words = (text: string): string[][] => commandsOf(text, "a.sh", 1).map((command) => command.words);
const lines = (text: string): number[] => commandsOf(text, "a.sh", 10).map((command) => command.line);

test("quotes, escapes and continued lines make words", () => {
  expect(words(`curl -H 'a: b' --data "x \\"y\\" $Z" \\\n  http://h/p\\ q`)).toEqual([
    ["curl", "-H", "a: b", "--data", 'x "y" $Z', "http://h/p q"],
  ]);
});

test("pipes, lists, subshells and substitutions are commands of their own", () => {
  expect(words("a 1 | b && c || (d; e) & f $(g `h i`)")).toEqual([
    ["a", "1"],
    ["b"],
    ["c"],
    ["d"],
    ["e"],
    ["h", "i"],
    ["g", "`h i`"],
    ["f", "$(g `h i`)"],
  ]);
});

test("redirections, assignments in front, keywords and comments are no words", () => {
  expect(words("if A=1 B=2 sudo run x >out 2>&1 </dev/null; then go # why\nfi")).toEqual([
    ["run", "x"],
    ["go"],
  ]);
  expect(words("run <NAME> 2> /dev/null")).toEqual([["run", "<NAME>"]]);
});

test("the text of a heredoc is none", () => {
  expect(words("cat <<-'END' | apply\n\tkubectl get\n\tEND\nnext")).toEqual([["cat"], ["apply"], ["next"]]);
});

test("commands have the line of their first word", () => {
  expect(lines("a \\\n b\n\nc 'x\ny'\nd")).toEqual([10, 13, 15]);
});

test("any text ends, and no line is outside of it", () => {
  const piece = fc.constantFrom(
    "a",
    " ",
    "\n",
    "'",
    '"',
    "`",
    "$(",
    ")",
    "(",
    "<",
    ">",
    "<<E",
    "\\",
    "#",
    ";",
    "|",
    "&",
    "${",
    "}",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join("");
      const last = text.split("\n").length;
      for (const { line, words } of commandsOf(text, "a.sh", 1)) {
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(last);
        expect(words.length).toBeGreaterThan(0);
      }
    }),
  );
});
