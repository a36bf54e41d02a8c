// The parsers of the real Python clients, asked about command lines that an output tells people or containers to run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureClient, ensureZenml } from "../src/environment.ts";

const script = join(import.meta.dirname, "python", "parse_command.py");

export type Client = "mlflow" | "zenml";

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
        PYTHONDONTWRITEBYTECODE: "1",
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

/** Commands of this client in lines of shell; words may be quoted. What follows a pipe or another command is another one. */
export function commandsIn(client: Client, text: string): string[][] {
  const lines = text.replaceAll(/\\\n/g, " ").split(/\n|&&|\|\|?|;/);
  return lines
    .map((line) => line.trim().replace(/^(?:\$ |exec )/, ""))
    .filter((line) => line.startsWith(`${client} `))
    .map((line) => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)])
    .map((words) => words.slice(1).map(([, double, single, bare]) => double ?? single ?? bare ?? ""));
}
