import { Option, type Command } from "commander";
import type { Call } from "./program.ts";
import type { ExitCode } from "./failure.ts";

type Add = (
  parent: Command,
  words: { name: string; description: string },
  action: (call: Call) => Promise<ExitCode>,
) => Command;

/** The commands of the platform as code: from `plinth.config.ts` to files, without a server. */
export function addPlatformCommands(program: Command, config: Command, add: Add): void {
  const withFile = (command: Command): Command =>
    command.option("--config <file>", "configuration of the platform", "plinth.config.ts");
  const withEnvironment = (command: Command): Command =>
    withFile(command)
      .argument("[environment]", "environment of the configuration")
      .option("--env <name>", "the same as an option");
  const withOutput = (command: Command): Command =>
    command.option("--out <folder>", "folder of the output (default: what gitOps.path says)");

  add(program, { name: "init", description: "write a commented plinth.config.ts" }, async (call) =>
    (await import("./commands/init.ts")).init(call),
  )
    .argument("[folder]", "folder to write it to", ".")
    .addOption(
      new Option("--target <target>", "where the platform runs").choices(["civo", "gcp", "kubernetes"]),
    )
    .option("--yes", "ask nothing: take the defaults for what is not given")
    .option("--name <name>", "name of the platform, the beginning of all names")
    .option("--owner <team>", "team that answers for it")
    .option("--domain <domain>", "domain that components get hosts below")
    .option("--repository <address>", "Git repository of the output")
    .option("--contact <e-mail>", "whom Let's Encrypt writes")
    .option("--project <id>", "project of Google Cloud")
    .option("--region <region>", "region of Civo or Google Cloud")
    .option("--registry <address>", "where Plinth's image is pushed to")
    .option("--without-pipelines", "no ZenML")
    .option("--without-serving", "no KServe");
  withEnvironment(
    add(
      program,
      { name: "check", description: "report every problem of a platform's configuration" },
      async (call) => (await import("./commands/check.ts")).check(call),
    ),
  ).option("--sarif", "print the findings as SARIF 2.1.0");
  withOutput(
    withEnvironment(
      add(
        program,
        { name: "synth", description: "write Terraform, Kustomize and Argo CD of an environment" },
        async (call) => (await import("./commands/synth.ts")).synth(call),
      ),
    ),
  ).option("--overwrite", "replace files that were edited by hand");
  withOutput(
    withEnvironment(
      add(program, { name: "diff", description: "show what synth would change" }, async (call) =>
        (await import("./commands/synth.ts")).diff(call),
      ),
    ),
  )
    .option("--exit-code", "end with 1 when something would change")
    .option("--stat", "only the files, and how many lines of each");
  withFile(
    add(
      program,
      { name: "explain", description: "say which setting a file or resource is there for, and why" },
      async (call) => (await import("./commands/explain.ts")).explainOutput(call),
    ),
  )
    .argument(
      "<file-or-resource>",
      "a path of the output, Deployment/plinth, or google_storage_bucket.artifacts",
    )
    .option("--env <name>", "environment (default: the only one, or all)");
  withFile(
    add(
      config,
      {
        name: "show",
        description: "print every setting of an environment of plinth.config.ts, with its source",
      },
      async (call) => (await import("./commands/config-show.ts")).showSettings(call),
    ),
  )
    .argument("[environment]", "environment of the configuration")
    .option("--env <name>", "the same as an option");
}
