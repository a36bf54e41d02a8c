import { createTwoFilesPatch } from "diff";
import type { Change } from "./output-folder.ts";

/** Changes as one unified diff, as `git diff` shows them. */
export const unifiedDiff = (changes: readonly Change[]): string =>
  changes
    .map(({ path, kind, before, after }) =>
      createTwoFilesPatch(
        kind === "added" ? "/dev/null" : `a/${path}`,
        kind === "removed" ? "/dev/null" : `b/${path}`,
        before,
        after,
        "",
        "",
        { context: 3 },
      ).replace(/^=+\n/, ""),
    )
    .join("");

/** Lines that come and go. */
export function lineCounts({ before, after }: Change): { added: number; removed: number } {
  const patch = createTwoFilesPatch("a", "b", before, after, "", "", { context: 0 }).split("\n").slice(4);
  return {
    added: patch.filter((line) => line.startsWith("+")).length,
    removed: patch.filter((line) => line.startsWith("-")).length,
  };
}
