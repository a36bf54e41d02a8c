import { sql, type RawBuilder } from "kysely";
import { int4Array } from "../../kernel/pg-arrays.ts";
import { allows, type PartType, type Policy, type Scope } from "../identity/index.ts";
import { FIRST_LONG, type ExperimentIds } from "./experiment-ids.ts";
import { canonicalExperimentId } from "./object-owners.ts";

/** Which experiments a search may show, by the numbers inside. */
export type VisibleExperiments =
  | { readonly kind: "all" }
  | { readonly kind: "only" | "except"; readonly numbers: readonly number[] };

const everything: VisibleExperiments = { kind: "all" };

/** A policy does not change, and is asked often: what its grants name is read once. */
const known = new WeakMap<Policy, { kind: "only" | "except"; numbers: number[]; long: string[] }>();

/** Nothing is waited for but where a grant names an experiment with a long id. */
export function visibleExperiments(
  { policy }: Scope,
  ids: ExperimentIds,
): VisibleExperiments | Promise<VisibleExperiments> {
  if (policy.uniform !== undefined && allows(policy.uniform, "read")) return everything;
  let found = known.get(policy);
  if (found === undefined) {
    const visible = policy.visible("experiment");
    if (visible.kind === "all") return everything;
    found = { kind: visible.kind, numbers: [], long: [] };
    for (const id of visible.ids) {
      // A pattern in another spelling names none, as it does where one experiment is asked for.
      if (canonicalExperimentId(id) !== id) continue;
      if (Number(id) < FIRST_LONG) found.numbers.push(Number(id));
      else found.long.push(id);
    }
    known.set(policy, found);
  }
  const { kind, numbers, long } = found;
  if (long.length === 0) return { kind, numbers };
  return ids
    .numbersOf(long)
    .then((more) => ({ kind, numbers: [...numbers, ...more.filter((number) => number !== undefined)] }));
}

/** As a condition on experiments; none where all may be seen. */
export function isVisible(id: RawBuilder<unknown>, visible: VisibleExperiments): RawBuilder<unknown>[] {
  if (visible.kind === "all") return [];
  const numbers = sql`${int4Array(visible.numbers)}::integer[]`;
  return [visible.kind === "only" ? sql`${id} = any(${numbers})` : sql`${id} <> all(${numbers})`];
}

/** Those of the experiments that a search names whose parts of a type the caller may read. */
export function readableIn({ policy }: Scope, part: PartType, ids: readonly string[]): readonly string[] {
  if (policy.uniform !== undefined) return allows(policy.uniform, "read") ? ids : [];
  return ids.filter((id) => {
    const canonical = canonicalExperimentId(id);
    // One that is no id is refused by who reads it as one.
    return (
      canonical === undefined || allows(policy.onPart(part, { type: "experiment", id: canonical }), "read")
    );
  });
}
