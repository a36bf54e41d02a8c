import type { HclExpression } from "./syntax.ts";

/**
 * What `<<-` takes off: as much white space from each line as the least indented one has. Lines of nothing but white
 * space stay as they are and count for nothing; a line that begins with an interpolation has no white space.
 */
export function dedented(parts: readonly (string | HclExpression)[]): (string | HclExpression)[] {
  const indent = Math.min(...lineStarts(parts).map(({ indent }) => indent));
  if (indent === 0 || indent === Infinity) return [...parts];
  return parts
    .map((part, index) =>
      typeof part === "string"
        ? part.replaceAll(/^[^\S\n]+/gm, (space, at: number) => {
            const startsLine = at > 0 || index === 0 || endsLine(parts[index - 1]);
            const rest = part.slice(at + space.length);
            const isBlank = rest === "" ? index === parts.length - 1 : rest.startsWith("\n");
            return startsLine && !isBlank ? space.slice(indent) : space;
          })
        : part,
    )
    .filter((part) => part !== "");
}

const endsLine = (part: string | HclExpression | undefined): boolean =>
  typeof part === "string" && part.endsWith("\n");

function lineStarts(parts: readonly (string | HclExpression)[]): { indent: number }[] {
  const starts: { indent: number }[] = [];
  let atLineStart = true;
  for (const [index, part] of parts.entries()) {
    if (typeof part !== "string") {
      if (atLineStart) starts.push({ indent: 0 });
      atLineStart = false;
      continue;
    }
    const isLast = index === parts.length - 1;
    const lines = part.split("\n");
    for (const [at, line] of lines.entries()) {
      const isRemainder = at === lines.length - 1;
      if ((at > 0 || atLineStart) && !(isRemainder && line === "")) {
        const blank = line.trim() === "" && (!isRemainder || isLast);
        if (!blank) starts.push({ indent: line.length - line.trimStart().length });
      }
    }
    atLineStart = part.endsWith("\n");
  }
  return starts;
}
