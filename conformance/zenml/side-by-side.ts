// Two servers' answers to the same requests, side by side: equal, or different as a table says and why.
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pick, type Variables } from "../mlflow/scenario.ts";
import type { ZenmlVersion } from "../src/environment.ts";
import { differencesOf, normalAnswer } from "./answers.ts";
import { added, type Difference } from "./differences.ts";
import { startComparedPlinth, startZenmlReference, type Server } from "./reference.ts";
import { get, perform, type RawAnswer, type Scenario } from "./requests.ts";
import { sweep } from "./sweep.ts";

export interface SideBySide {
  readonly version: ZenmlVersion;
  readonly scenarios: readonly Scenario[];
  readonly differences: readonly Difference[];
}

/** Plays every scenario on Plinth and on ZenML's own server of this version, and compares status and body. */
export function compareWithZenml({ version, scenarios, differences }: SideBySide): void {
  let plinth: Server | undefined;
  let reference: Server | undefined;
  beforeAll(async () => {
    [plinth, reference] = await Promise.all([startComparedPlinth(version), startZenmlReference(version)]);
  });
  afterAll(async () => {
    await reference?.stop();
    if (plinth) expect(await plinth.stop()).toBe(0);
  });
  // The filters of 0.98 are those of 0.84 and more, so they are swept beside one server.
  const isSwept = version === "0.98.0" || process.env["ZENML_SWEEP"] === "whole";
  const played = scenarios
    .filter((one) => one.versions?.includes(version) ?? true)
    .map((one) => ({ ...one, steps: one.steps.filter(({ sweep: list }) => isSwept || list === undefined) }));
  const known = differences.filter((one) => one.versions?.includes(version) ?? true);
  const needed = new Set<Difference>();
  const byStep = new Map(known.flatMap((one) => one.at.map((at) => [at, one] as const)));
  const suite = randomBytes(3).toString("hex");

  for (const scenario of played) {
    const unique = `u${suite}${String(scenarios.findIndex(({ name }) => name === scenario.name)).padStart(3, "0")}`;
    describe(`${scenario.name} (zenml ${version})`, () => {
      let played: readonly Played[] = [];
      beforeAll(async () => {
        if (!plinth || !reference) throw new Error("the servers are not there yet");
        played = await play(scenario, [plinth, reference], unique);
      });
      for (const [index, step] of scenario.steps.entries()) {
        it(step.label, () => {
          const answers = played[index];
          if (!answers) throw new Error("the scenario ended before this step");
          // Nothing would be asked of what was not made.
          if (step.label.startsWith("given ") && "theirs" in answers) expect(answers.theirs.status).toBe(200);
          const all = byStep.get(scenario.name);
          if (
            compare(
              { played: answers, isOld: version === "0.84.0" },
              byStep.get(`${scenario.name} > ${step.label}`),
              all,
            ) &&
            all
          )
            needed.add(all);
        });
      }
    });
  }

  it("every entry of differences.ts names a step", () => {
    const steps = new Set(
      played.flatMap((one) => [one.name, ...one.steps.map(({ label }) => `${one.name} > ${label}`)]),
    );
    expect([...byStep.keys()].filter((at) => !steps.has(at))).toEqual([]);
  });

  it("every entry about all steps of a scenario is needed by one", () => {
    const general = known.filter(({ at }) => at.some((one) => !one.includes(" > ")));
    expectNone(general.filter((one) => !needed.has(one)).map(({ reason }) => reason));
  });

  it("no two steps have one name", () => {
    const steps = played.flatMap((one) => one.steps.map(({ label }) => `${one.name} > ${label}`));
    expect(steps.filter((one, index) => steps.indexOf(one) !== index)).toEqual([]);
  });
}

type Played =
  | { readonly mine: RawAnswer; readonly theirs: RawAnswer }
  | { readonly swept: readonly string[] };

/** Both servers are asked the same at the same time, step by step. */
async function play(
  scenario: Scenario,
  servers: readonly [Server, Server],
  unique: string,
): Promise<Played[]> {
  const given: [string, string][] = [
    ["unique", unique],
    ["uuid", randomUUID()],
  ];
  const names = [new Map(given), new Map(given)] as const;
  await Promise.all(servers.map((server, side) => nameDefaults(server, names[side] ?? new Map())));
  const [plinth, reference] = servers;
  const played: Played[] = [];
  for (const step of scenario.steps) {
    if (step.sweep !== undefined) {
      played.push({ swept: await sweep(step.sweep, servers, names) });
      continue;
    }
    const [mine, theirs] = await Promise.all([
      perform(step, plinth, names[0]),
      perform(step, reference, names[1]),
    ]);
    played.push({ mine: normalAnswer(mine, names[0]), theirs: normalAnswer(theirs, names[1]) });
  }
  return played;
}

/** What every server has from the beginning, by the names that scenarios know it by. */
async function nameDefaults(server: Server, variables: Variables): Promise<void> {
  const ask = async (name: string, path: string, at: string): Promise<void> => {
    const { body } = await perform(get(name, path), server, variables);
    variables.set(name, pick(body, at) ?? `no-${name}`);
  };
  await ask("project", "/projects/default", "id");
  await ask("admin", "/current-user", "id");
  await ask("stack", "/stacks?name=default", "items.0.id");
  await ask("orchestrator", "/components?name=default&type=orchestrator", "items.0.id");
  await ask("artifact_store", "/components?name=default&type=artifact_store", "items.0.id");
}

interface Compared {
  readonly played: Played;
  /** Answers for 0.84 have all that 0.98 has on top. */
  readonly isOld: boolean;
}

/** Answers whether `general`, which holds for all steps of the scenario, was needed. */
function compare(compared: Compared, difference?: Difference, general?: Difference): boolean {
  const isExcepted = (line: string, one: Difference | undefined): boolean => one?.except?.test(line) ?? false;
  const found = linesOf(compared, difference);
  if (found === undefined) return false;
  const rest = found.filter((line) => !isExcepted(line, difference) && !isExcepted(line, general));
  expectNone(rest);
  if (difference?.except !== undefined && difference.byChance === undefined) {
    expect(
      found.some((line) => isExcepted(line, difference)),
      "this entry is not needed any more",
    ).toBe(true);
  }
  return found.some((line) => isExcepted(line, general));
}

/** A line for each difference; undefined where the status alone was compared. */
function linesOf(
  { played, isOld }: Compared,
  difference: Difference | undefined,
): readonly string[] | undefined {
  if ("swept" in played) return played.swept;
  const { mine, theirs } = played;
  if (difference?.status !== undefined) {
    expect(mine.status, difference.reason).toBe(difference.status);
    expect(mine, "this entry of differences.ts is not needed any more").not.toEqual(theirs);
    return undefined;
  }
  if (theirs.status === 500) {
    expect(mine.status, "upstream fails, which Plinth must not").toBeLessThan(500);
    return undefined;
  }
  return differencesOf(mine, theirs, (path) => isOld || added.some((pattern) => pattern.test(path)));
}

/** The lines themselves are what a person reads of a failure. */
function expectNone(lines: readonly string[]): void {
  expect(lines, lines.slice(0, 40).join("\n")).toEqual([]);
}
