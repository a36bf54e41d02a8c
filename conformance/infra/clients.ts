// The parsers of the real Python clients, asked about command lines that an output tells people or containers to run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytecode, ensureClient, ensureZenml } from "../src/environment.ts";
import { ensurePrograms } from "./tools.ts";

const script = join(import.meta.dirname, "python", "parse_command.py");

export type Client = "mlflow" | "zenml";

/** What `kubectl` says against each command. Flags are parsed before help is shown, so nothing is run. */
export async function complaintsOfKubectl(commands: readonly (readonly string[])[]): Promise<string[]> {
  const program = join(await ensurePrograms("kubernetes"), "kubectl");
  return commands.flatMap((args) => {
    const end = args.indexOf("--");
    const own = end < 0 ? args : args.slice(0, end);
    const done = spawnSync(program, [...own, "--help"], { encoding: "utf8", env: { HOME: "/nonexistent" } });
    return done.status === 0 && done.stderr === ""
      ? []
      : [`kubectl ${args.join(" ")}: ${done.stderr.trim()}`];
  });
}

/** What the client's parser says against each command, given as its arguments; a line for each that it refuses. */
export async function complaintsOf(
  client: Client,
  commands: readonly (readonly string[])[],
): Promise<string[]> {
  if (commands.length === 0) return [];
  const environment = await (client === "zenml" ? ensureZenml() : ensureClient("3.17.2"));
  const home = mkdtempSync(join(tmpdir(), "plinth-clients-"));
  try {
    const done = spawnSync(join(environment, "bin", "python"), [script, client], {
      input: JSON.stringify(commands),
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: home,
        ZENML_CONFIG_PATH: home,
        ZENML_ANALYTICS_OPT_IN: "false",
        MLFLOW_DISABLE_TELEMETRY: "true",
        PYTHONWARNINGS: "ignore",
        ...bytecode,
      },
    });
    const line = done.stdout.split("\n").find((one) => one.startsWith("OBSERVED "));
    if (line === undefined)
      throw new Error(`${script} ended with ${done.status}: ${done.stdout}${done.stderr}`);
    const answers = JSON.parse(line.slice("OBSERVED ".length)) as (string | null)[];
    return answers.flatMap((answer, index) =>
      answer === null ? [] : [`${client} ${(commands[index] ?? []).join(" ")}: ${answer}`],
    );
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Calls of a program in lines of shell, as argument lists. Variables stay as they are written. */
export function commandsIn(program: string, text: string): string[][] {
  return simpleCommands(text)
    .map((words) => words.slice(words[0] === "exec" ? 1 : 0))
    .filter(([first]) => first === program)
    .map((words) => words.slice(1));
}

/** Splits at newlines, pipes and the other operators, outside of quotes. */
function simpleCommands(text: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  const endWord = (): void => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  const pieces = text
    .replaceAll("\\\n", " ")
    .matchAll(
      /"(?<double>(?:[^"\\]|\\.)*)"|'(?<single>[^']*)'|(?<end>[\n;|&()<>])|(?<space>[ \t]+)|\\?(?<plain>.)/gs,
    );
  for (const { groups } of pieces) {
    if (groups?.["end"] !== undefined) {
      endWord();
      commands.push([]);
    } else if (groups?.["space"] !== undefined) {
      endWord();
    } else {
      const double = groups?.["double"]?.replaceAll(/\\(["$`\\])/g, "$1");
      word = `${word ?? ""}${double ?? groups?.["single"] ?? groups?.["plain"] ?? ""}`;
    }
  }
  endWord();
  return commands;
}
