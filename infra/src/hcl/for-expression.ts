import { referencesIn } from "./references.ts";
import type { Scanner } from "./scanner.ts";
import type { HclExpression } from "./syntax.ts";

/** `[for k, v in x : y if z]` or `{for ... : k => v}`; undefined where the bracket opens something else. */
export function parseFor(scanner: Scanner): HclExpression | undefined {
  const { at } = scanner;
  const closing = scanner.text[at] === "[" ? "]" : "}";
  scanner.at += 1;
  return scanner.within(false, () => {
    if (scanner.peekIdentifier() !== "for") {
      scanner.at = at;
      return undefined;
    }
    scanner.identifier();
    const introduction = parseForIntroduction(scanner);
    if (!scanner.take(":"))
      throw scanner.error(
        "Invalid 'for' expression: For expression requires a colon after the collection expression.",
      );
    const parts = [introduction.collection, ...parseResult(scanner, closing)];
    scanner.loopVariables.length -= introduction.variables;
    return {
      kind: "for",
      text: scanner.text.slice(at, scanner.at),
      references: parts.flatMap(referencesIn),
      line: scanner.lineAt(at),
    };
  });
}

/** `k, v in x` after `for`, also of a template's directive. The variables are known from here on, until they are taken off again. */
export function parseForIntroduction(scanner: Scanner): { collection: HclExpression; variables: number } {
  const names = [variableName(scanner)];
  if (scanner.take(",")) names.push(variableName(scanner));
  if (scanner.identifier() !== "in")
    throw scanner.error(
      "Invalid 'for' expression: For expression requires the 'in' keyword after its name declarations.",
    );
  const collection = scanner.expression();
  scanner.loopVariables.push(...names);
  return { collection, variables: names.length };
}

function variableName(scanner: Scanner): string {
  const name = scanner.identifier();
  if (name === undefined)
    throw scanner.error("Invalid 'for' expression: For expression requires a variable name after 'for'.");
  return name;
}

/** What stands between the colon and the closing bracket, which is taken. */
function parseResult(scanner: Scanner, closing: "]" | "}"): HclExpression[] {
  const parts = [scanner.expression()];
  if (closing === "}") {
    if (!scanner.take("=>"))
      throw scanner.error(
        "Invalid 'for' expression: A key expression must be followed by a value, introduced by =>.",
      );
    parts.push(scanner.expression());
    scanner.take("...");
  }
  if (scanner.peekIdentifier() === "if") {
    scanner.identifier();
    parts.push(scanner.expression());
  }
  if (!scanner.take(closing))
    throw scanner.error("Invalid 'for' expression: Extra characters after the end of the 'for' expression.");
  return parts;
}
