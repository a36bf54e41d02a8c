import { invalidParameter } from "../../kernel/errors.ts";

export type GraphStep = { readonly name: string; readonly upstream: readonly string[] };

/** Throws `invalid_parameter` where a step waits for one that is not there, or for itself by way of others. */
export function checkStepGraph(steps: readonly GraphStep[]): void {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const waiting = new Map<string, number>();
  const followers = new Map<string, string[]>();
  for (const { name, upstream } of steps) {
    const needed = new Set(upstream);
    waiting.set(name, needed.size);
    for (const one of needed) {
      if (!byName.has(one)) {
        throw invalidParameter(
          `The step '${name}' has the upstream step '${one}', which is not among the steps of this pipeline.`,
        );
      }
      const others = followers.get(one);
      if (others === undefined) followers.set(one, [name]);
      else others.push(name);
    }
  }
  const ready = [...waiting].filter(([, count]) => count === 0).map(([name]) => name);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    waiting.delete(name);
    for (const follower of followers.get(name) ?? []) {
      const count = (waiting.get(follower) ?? 0) - 1;
      waiting.set(follower, count);
      if (count === 0) ready.push(follower);
    }
  }
  if (waiting.size === 0) return;
  const cycle = cycleAmong(new Set(waiting.keys()), byName);
  throw invalidParameter(`These steps wait for one another in a circle: ${cycle.join(" -> ")}.`);
}

/** One circle among steps of which each waits for another of them. */
function cycleAmong(stuck: ReadonlySet<string>, steps: ReadonlyMap<string, GraphStep>): string[] {
  const path: string[] = [];
  const seen = new Set<string>();
  let at = [...stuck][0] ?? "";
  while (!seen.has(at)) {
    seen.add(at);
    path.push(at);
    at = steps.get(at)?.upstream.find((one) => stuck.has(one)) ?? at;
  }
  return [...path.slice(path.indexOf(at)), at];
}
