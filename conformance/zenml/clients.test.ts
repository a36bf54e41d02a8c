// Both real clients work with one Plinth at the same time and in the same project: pipelines with caching, artifacts,
// metadata, tags, models, failures, retries and hooks, then every command of the CLI that the server has a part in.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zenmlClients, type ZenmlVersion } from "../src/environment.ts";
import { startGuardedPlinth, type Target } from "../src/target.ts";
import { commandsOf } from "./commands.ts";
import { asAdmin, runZenmlFlow } from "./flow.ts";

interface Done {
  readonly command: string;
  readonly code: number;
  readonly output: string;
}

const nameOf = (version: ZenmlVersion): string => `v${version.replaceAll(".", "")}`;

let target: Target | undefined;
const pipelines = new Map<ZenmlVersion, Readonly<Record<string, unknown>>>();
const commands = new Map<ZenmlVersion, readonly Done[]>();

beforeAll(async () => {
  target = await startGuardedPlinth();
  const { url } = target;
  await Promise.all(
    zenmlClients.map(async (version) => {
      const name = nameOf(version);
      const env = { ...asAdmin(url), OWN_FLAVOR: `${name}-flavor` };
      pipelines.set(version, await runZenmlFlow({ version, script: "pipelines", url, args: [name], env }));
      const args = [JSON.stringify(commandsOf(version, name))];
      commands.set(version, await runZenmlFlow<Done[]>({ version, script: "commands", url, args, env }));
    }),
  );
});
afterAll(async () => {
  if (target !== undefined) expect(await target.stop()).toBe(0);
});

describe.each(zenmlClients)("pipelines with zenml %s", (version) => {
  const isNew = version === "0.98.0";
  const name = nameOf(version);
  const seen = (part: string): unknown => pipelines.get(version)?.[part];
  const seed = Number(name.slice(1));

  it("runs two steps, and runs neither again; reads artifacts, metadata, tags and filters", () => {
    expect(seen("two_steps")).toEqual({
      statuses: ["completed", "completed"],
      steps: [
        { double: "completed", make: "completed" },
        { double: "cached", make: "cached" },
      ],
      loaded: [seed, seed * 2],
      "same artifact": true,
      original: true,
      inputs: [true],
      metadata: { accuracy: 0.5, rows: 3, nested: { a: [1, 2, null] } },
      "cached metadata": ["accuracy", "nested", "rows"],
      tags: ["cascading", "nightly"],
      "artifact tags": ["cascading", "made"],
      producer: true,
      parameters: true,
      "found by tag": true,
      pipeline: "shared",
      stack: "default",
      "by name": true,
      "by filters": true,
    });
  });

  it("fails where a step fails", () => {
    expect(seen("fails")).toEqual({
      raised: true,
      status: "failed",
      steps: { breaks: "failed" },
      message: isNew,
    });
  });

  it("tries a step again", () => {
    expect(seen("retries")).toEqual({
      status: "completed",
      steps: { flaky: "completed" },
      attempts: [
        [1, "retried"],
        [2, "retried"],
        [3, "completed"],
      ],
      loaded: 7,
    });
  });

  it("calls hooks", () => {
    expect(seen("hooks")).toEqual({
      steps: { bad: "failed", good: "completed" },
      metadata: { good: "success", bad: "KeyError" },
      invocations: isNew ? 2 : null,
    });
  });

  it("keeps models, their versions and stages", () => {
    expect(seen("models")).toEqual({
      again: isNew ? "RuntimeError" : "EntityExistsError",
      version: ["1", 1, "staging"],
      loaded: { w: [1.5, 2.5] },
      runs: 1,
      metadata: 0.25,
      taken: expect.stringMatching(/Error$/),
      stages: { "1": "archived", "2": null, second: "staging" },
      latest: "second",
      "by stage": "second",
      tags: [],
      "run's model": "1",
      "wrong name": "ValueError",
      twice: "EntityExistsError",
    });
  });

  it("keeps artifacts and their versions", () => {
    expect(seen("artifacts")).toEqual({
      versions: ["1", "2", "3", "ten"],
      twice: "EntityExistsError",
      tags: ["later"],
      metadata: { by: "hand", storage_size: 8, length: 1 },
      listed: ["1", "2", "3", "ten"],
      loaded: 0,
      latest: "3",
      gone: "KeyError",
    });
  });

  // Pipelines of 0.84 know their steps before they run.
  it.each(isNew ? [200] : [])("maps a step over %i numbers that it finds while it runs", (steps) => {
    expect(seen("fan_out")).toEqual({ status: "completed", steps, statuses: ["completed"], loaded: true });
  });

  it("runs many steps, and deletes the run with them", () => {
    expect(seen("runs")).toEqual({ steps: [20, 20], status: "completed", gone: "KeyError", "steps gone": 0 });
  });
});

describe.each(zenmlClients)("commands of zenml %s", (version) => {
  for (const [index, { args, code = 0, says }] of commandsOf(version, nameOf(version)).entries()) {
    // The same words may be given twice, after something else has changed.
    it(`${index + 1}: zenml ${args.join(" ")}`, () => {
      const done = commands.get(version)?.[index];
      expect(done?.code, done?.output.slice(-700)).toBe(code);
      if (says !== undefined) expect(done?.output).toMatch(says);
    });
  }
});
