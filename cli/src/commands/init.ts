import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import {
  checkProject,
  configurationText,
  defaultAnswers,
  targets,
  type Answers,
  type TargetKind,
} from "@plinth/infra";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";

/** Writes a commented `plinth.config.ts`, from flags and, on a terminal, questions. */
export async function init({ options, output }: Call): Promise<ExitCode> {
  const folder = options["folder"] as string;
  const file = join(folder, "plinth.config.ts");
  if (existsSync(file)) throw new CommandFailure(`${file} is there already: nothing was written`);
  const answers = options["yes"] === true ? given(options) : await ask(options);
  const text = configurationText(answers);
  await refuseErrors(text);
  mkdirSync(folder, { recursive: true });
  // "wx": one that came up meanwhile is not overwritten either.
  writeFileSync(file, text, { flag: "wx" });
  output.answer({ file, ...answers }, [
    `${file} is written. Next:`,
    `  plinth check --config ${file}`,
    `  plinth synth dev --config ${file}`,
  ]);
  return exitCodes.ok;
}

/** What was given may not fit: better said now than by the first check. */
async function refuseErrors(text: string): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), "plinth-init-"));
  try {
    const file = join(place, "plinth.config.ts");
    writeFileSync(file, text);
    const { findings } = await checkProject(file);
    const error = findings.find(({ severity }) => severity === "error");
    if (error !== undefined)
      throw new CommandFailure(`${error.message}. ${error.remedy}`, exitCodes.wrongCall);
  } finally {
    rmSync(place, { recursive: true });
  }
}

type Options = Call["options"];

const QUESTIONS: [key: keyof Answers, question: string, only?: readonly TargetKind[]][] = [
  ["name", "Name of the platform"],
  ["owner", "Team that answers for it"],
  ["domain", "Domain that components get hosts below"],
  ["project", "Project of Google Cloud", ["gcp"]],
  ["region", "Region", ["civo", "gcp"]],
  ["registry", "Registry that Plinth's image is pushed to", ["civo", "kubernetes"]],
  ["repository", "Git repository of the output"],
  ["contact", "E-mail address for Let's Encrypt"],
];

function given(options: Options): Answers {
  const target = options["target"] as TargetKind | undefined;
  if (target === undefined) {
    throw new CommandFailure(`--yes needs --target: ${targets.join(", ")}`, exitCodes.wrongCall);
  }
  const named = QUESTIONS.flatMap(([key]) => (options[key] === undefined ? [] : [[key, options[key]]]));
  return {
    ...defaultAnswers(target),
    pipelines: options["withoutPipelines"] !== true,
    serving: options["withoutServing"] !== true,
    ...(Object.fromEntries(named) as Partial<Answers>),
  };
}

async function ask(options: Options): Promise<Answers> {
  if (!process.stdin.isTTY) {
    throw new CommandFailure("there is no terminal to ask on: give --target and --yes", exitCodes.wrongCall);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = async (text: string, otherwise: string): Promise<string> =>
      (await terminal.question(`${text} [${otherwise}]: `)).trim() || otherwise;
    let target = options["target"] as TargetKind | undefined;
    while (target === undefined) {
      const answer = await question(`Where does it run (${targets.join(", ")})`, "kubernetes");
      target = targets.find((known) => known === answer);
    }
    const answers = given({ ...options, target });
    for (const [key, text, only] of QUESTIONS) {
      if (options[key] !== undefined || (only !== undefined && !only.includes(target))) continue;
      Object.assign(answers, { [key]: await question(text, String(answers[key])) });
    }
    return answers;
  } finally {
    terminal.close();
  }
}
