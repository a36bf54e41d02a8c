import { Unreadable } from "./local-folder.ts";
import type { SourceArtifacts } from "./source.ts";

/** Several ways to artifacts: each location is read in the first way that can. */
export function composeArtifacts(parts: readonly SourceArtifacts[]): SourceArtifacts {
  const wayTo = (location: string): SourceArtifacts => {
    const found = parts.find((part) => part.unreadable(location) === undefined);
    if (found === undefined) throw new Unreadable(location, parts.at(-1)?.unreadable(location) ?? "");
    return found;
  };
  return {
    unreadable(location) {
      const reasons = parts.map((part) => part.unreadable(location));
      return reasons.includes(undefined) ? undefined : reasons.at(-1);
    },
    list: (location, after) => wayTo(location).list(location, after),
    open: (location, path) => wayTo(location).open(location, path),
  };
}
