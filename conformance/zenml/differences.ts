// Where Plinth answers otherwise than ZenML's own server on purpose. Every entry has a reason; an entry that is not
// needed any more fails. Two rules need no entry: of an error, its form and the class of its exception count, not its
// words; and answers may have what `added` names on top, which clients of the other version need.
import type { ZenmlVersion } from "../src/environment.ts";

export interface Difference {
  /** "scenario > step" */
  readonly at: readonly string[];
  readonly reason: string;
  /** Beside these versions; both unless said. */
  readonly versions?: readonly ZenmlVersion[];
  /** What Plinth answers; nothing of the body is compared then. */
  readonly status?: number;
  /** Paths of the body that are other, by regular expression. */
  readonly except?: RegExp;
}

/** Keys that Plinth's answers have for clients of the other version, by path. */
export const added: readonly RegExp[] = [];

export const differences: readonly Difference[] = [];
