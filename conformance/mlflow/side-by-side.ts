// Two servers' answers to the same requests, side by side: equal, or different as a table says and why.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlinth, type Target } from "../src/target.ts";
import type { Difference } from "./differences.ts";
import { sqlMark, type Answer } from "./normal-answer.ts";
import { play } from "./player.ts";
import { pick, type Login, type Scenario } from "./scenario.ts";

export interface SideBySide {
  readonly scenarios: readonly Scenario[];
  readonly differences: readonly Difference[];
  readonly startReference: () => Promise<Target>;
  /** As everybody starts it unless said. */
  readonly startPlinth?: () => Promise<Target>;
  /** Who asks where a step does not say. */
  readonly login?: Login;
  /** Keys of numbers that each server counts by itself. */
  readonly ids?: readonly string[];
  /** Keys that Plinth's answers have on top, for clients of another version. */
  readonly added?: readonly string[];
}

/** Plays every scenario on Plinth and on the reference, and compares status, error code, message and body. */
export function compareServers({ scenarios, differences, ...options }: SideBySide): void {
  const { login, ids, added = [] } = options;
  let plinth: Target;
  let reference: Target;

  beforeAll(async () => {
    [plinth, reference] = await Promise.all([
      (options.startPlinth ?? startPlinth)(),
      options.startReference(),
    ]);
  });

  afterAll(async () => {
    await reference?.stop();
    if (plinth) expect(await plinth.stop()).toBe(0);
  });

  const suite = randomBytes(3).toString("hex");
  const unique = (scenario: Scenario) => `u${suite}${scenarios.indexOf(scenario)}`;
  const byStep = new Map<string, Difference>(differences.flatMap((one) => one.at.map((at) => [at, one])));

  for (const scenario of scenarios) {
    describe(scenario.name, () => {
      let ours: Answer[] = [];
      let theirs: Answer[] = [];

      beforeAll(async () => {
        const playOn = ({ url: base }: Target): Promise<Answer[]> =>
          play(scenario, { base, unique: unique(scenario), login, ids });
        [ours, theirs] = await Promise.all([playOn(plinth), playOn(reference)]);
      });

      for (const [index, step] of scenario.steps.entries()) {
        it(step.label, () => {
          const [own, upstream] = [ours[index], theirs[index]];
          if (!own || !upstream) throw new Error("the scenario ended before this step");
          const mine = { ...own, body: withoutKeys(own.body, added) };
          compare(mine, upstream, byStep.get(`${scenario.name} > ${step.label}`));
          if (mine.status >= 400 && /^\/(ajax-)?api\//.test(step.path) && step.method !== "HEAD") {
            const { body } = mine;
            expect(
              pick(body, "error_code") ?? pick(body, "detail"),
              "an error in MLflow's format",
            ).toBeTypeOf("string");
          }
        });
      }
    });
  }

  describe("the table of differences", () => {
    it("names only steps that exist", () => {
      const known = new Set(
        scenarios.flatMap((one) => one.steps.map((step) => `${one.name} > ${step.label}`)),
      );
      expect([...byStep.keys()].filter((at) => !known.has(at))).toEqual([]);
    });

    it("finds no two steps of one name", () => {
      const known = scenarios.flatMap((one) => one.steps.map((step) => `${one.name} > ${step.label}`));
      expect(known.filter((at, index) => known.indexOf(at) !== index)).toEqual([]);
    });
  });
}

/** What clients repeat seven times; 501 they take as "not here". */
const retried = new Set([500, 502, 503, 504]);

function compare(mine: Answer, upstream: Answer, difference: Difference | undefined): void {
  if (difference === undefined) {
    if (retried.has(upstream.status)) {
      expect(mine.status, `upstream answers ${upstream.status}; say in differences.ts what we answer`).toBe(
        0,
      );
    }
    // A page of upstream's framework has no meaning for a client: there, the status alone is the answer.
    const body = upstream.body === "<a page>" ? "<a page>" : mine.body;
    expect(withoutSql({ ...mine, body }, upstream)).toEqual(upstream);
    return;
  }
  if ("ignore" in difference) {
    expect(without(mine, difference.ignore)).toEqual(without(upstream, difference.ignore));
    expect(mine, "this entry of differences.ts is not needed any more").not.toEqual(upstream);
    return;
  }
  const { status, error_code, finds } = difference.answers;
  if (status === "4xx") expect(Math.floor(mine.status / 100), difference.reason).toBe(4);
  else if (status === "below 500") expect(mine.status, difference.reason).toBeLessThan(500);
  else expect(mine.status, difference.reason).toBe(status);
  if (error_code !== undefined) expect(pick(mine.body, "error_code"), difference.reason).toBe(error_code);
  if (finds !== undefined) expect(foundNames(mine.body), difference.reason).toEqual(finds);
}

interface Named {
  readonly name: string;
}

interface Found {
  readonly experiments?: readonly Named[];
  readonly registered_models?: readonly Named[];
  readonly model_versions?: readonly Named[];
  readonly models?: readonly { readonly info: Named }[];
}

/** Last words of the names in a search's answer: experiments carry a prefix of their scenario. */
function foundNames(body: unknown): readonly string[] {
  const { experiments = [], registered_models = [], model_versions = [], models = [] } = body as Found;
  return [...experiments, ...registered_models, ...model_versions, ...models.map(({ info }) => info)].map(
    ({ name }) => name.split(" ").at(-1) ?? "",
  );
}

function without(answer: Answer, what: "message" | "body" | "headers"): unknown {
  if (what === "headers") return { ...answer, headers: {} };
  if (what === "body") return { ...answer, body: undefined };
  const { body } = answer;
  return body !== null && typeof body === "object" ? { ...answer, body: { ...body, message: "" } } : answer;
}

function withoutKeys(value: unknown, keys: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => withoutKeys(one, keys));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !keys.includes(key))
      .map(([key, one]) => [key, withoutKeys(one, keys)]),
  );
}

/** Where upstream's message ends in SQL text, ours must begin with the same words and hold no SQL. */
function withoutSql(mine: Answer, upstream: Answer): Answer {
  const theirs = pick(upstream.body, "message") ?? "";
  const ours = pick(mine.body, "message");
  if (!theirs.endsWith(sqlMark) || ours === undefined) return mine;
  const words = theirs.slice(0, -sqlMark.length);
  expect(ours.startsWith(words), `'${ours}' does not begin with '${words}'`).toBe(true);
  expect(ours).not.toMatch(/\bselect\b|\binsert into\b|\bconstraint\b|sqlite|postgres/i);
  return { ...mine, body: { ...(mine.body as object), message: theirs } };
}
