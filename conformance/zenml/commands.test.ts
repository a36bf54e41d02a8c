// The commands of both CLIs that clients.test.ts leaves: every command that has a part in the server is run by one of
// the two suites, or stands in commands-not-run.ts with its reason.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zenmlClients, type ZenmlVersion } from "../src/environment.ts";
import { startGuardedPlinth, type Target } from "../src/target.ts";
import { commandsOf, type Command } from "./commands.ts";
import { notRun } from "./commands-not-run.ts";
import { asAdmin, runZenmlFlow } from "./flow.ts";
import { moreCommands } from "./more-commands.ts";

interface Done {
  readonly command: string;
  readonly code: number;
  readonly output: string;
}

interface Ground {
  readonly commands: readonly string[];
  readonly ids: Readonly<Record<string, string>>;
}

const nameOf = (version: ZenmlVersion): string => `more${version.replaceAll(".", "")}`;

let target: Target | undefined;
const done = new Map<ZenmlVersion, readonly Done[]>();
const trees = new Map<ZenmlVersion, readonly string[]>();

const moreOf = (version: ZenmlVersion): readonly Command[] =>
  commandsOf(version, nameOf(version), moreCommands);

beforeAll(async () => {
  target = await startGuardedPlinth();
  const { url } = target;
  await Promise.all(
    zenmlClients.map(async (version) => {
      const env = { ...asAdmin(url), OWN_NAME: nameOf(version) };
      const ground = await runZenmlFlow<Ground>({ version, script: "command_ground", url, env });
      trees.set(version, ground.commands);
      const given = (word: string): string =>
        word.replace(/<(\w+)>/g, (all, name: string) => ground.ids[name] ?? all);
      const list = moreOf(version).map((one) => ({ args: one.args.map(given), tail: 1800 }));
      const args = [JSON.stringify(list)];
      done.set(version, await runZenmlFlow<Done[]>({ version, script: "commands", url, args, env }));
    }),
  );
});
afterAll(async () => {
  if (target !== undefined) expect(await target.stop()).toBe(0);
});

/** Whether `args` are of this command; a service account's name stands between the words of its keys' commands. */
function isOf(command: string, args: readonly string[]): boolean {
  const words = command.split(" ");
  const [first, second] = args;
  const named = first === "service-account" && second === "api-key" ? args.toSpliced(2, 1) : args;
  return words.every((word, index) => named[index] === word);
}

describe.each(zenmlClients)("commands of zenml %s", (version) => {
  it("are all run, or stand with the reason why not", () => {
    const run = [...commandsOf(version, "x"), ...moreOf(version)];
    const left = (trees.get(version) ?? []).filter((command) => !run.some(({ args }) => isOf(command, args)));
    expect(trees.get(version)?.length).toBeGreaterThan(300);
    expect(left.filter((command) => !notRun.some(([pattern]) => pattern.test(command)))).toEqual([]);
    const unneeded = notRun.filter(([pattern]) => !left.some((command) => pattern.test(command)));
    expect(unneeded).toEqual([]);
  });

  for (const [index, { args, code = 0, says }] of moreOf(version).entries()) {
    it(`${index + 1}: zenml ${args.join(" ")}`, () => {
      const seen = done.get(version)?.[index];
      expect(seen?.code, seen?.output).toBe(code);
      if (says !== undefined) expect(seen?.output).toMatch(says);
    });
  }
});
