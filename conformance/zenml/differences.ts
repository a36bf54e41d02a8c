// Where Plinth answers otherwise than ZenML's own server on purpose. Every entry has a reason; an entry that is not
// needed any more fails. Three rules need no entry: of an error, its form and the class of its exception count, not its
// words; where upstream fails (500), Plinth must answer something below 500; and answers may have what `added` names on
// top, which clients of the other version need. Lists are not asked for with a filter of no values (`oneof:[]`): upstream
// leaves such a filter out, and Plinth finds nothing.
import type { ZenmlVersion } from "../src/environment.ts";

export interface Difference {
  /** "scenario > step", or "scenario" for all steps of it */
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

export const differences: readonly Difference[] = [
  {
    at: ["tags > read by what is no id", "tags > deleted by what is no id"],
    versions: ["0.98.0"],
    reason: "Clients of 0.84 ask for tags by name.",
    status: 404,
  },
  {
    at: ["tags > without a color"],
    reason: "Upstream draws lots for it.",
    except: /^body\.body\.color:/,
  },
];
