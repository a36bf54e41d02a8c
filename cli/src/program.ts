import { Command, CommanderError, Option } from "commander";
import { closest } from "fastest-levenshtein";
import manifest from "../package.json" with { type: "json" };
import { addIdentityCommands, withServer } from "./identity-commands.ts";
import { exitCodes, explain, type ExitCode } from "./failure.ts";
import { createOutput, type Output } from "./output.ts";
import { addPlatformCommands } from "./platform-commands.ts";
import { addSettings, givenFlags } from "./setting-flags.ts";
import type { Flags, SettingName } from "./server-door.ts";

/** What a command gets to work with, and how it ends. */
export type Call = { flags: Flags; output: Output; options: Readonly<Record<string, unknown>> };
type Action = (call: Call) => Promise<ExitCode>;

const DATABASE_SETTINGS: SettingName[] = ["dataDir", "databaseUrl"];

const SEALING_SETTINGS: SettingName[] = ["secretsKey", "secretsKeyFile", "secretsKeyCommand"];

const SECRETS_SETTINGS: SettingName[] = [...DATABASE_SETTINGS, ...SEALING_SETTINGS];

const STORAGE_SETTINGS: SettingName[] = [
  ...DATABASE_SETTINGS,
  "blobStore",
  "s3Endpoint",
  "s3Region",
  "s3AccessKeyId",
  "s3SecretAccessKey",
  "s3PathStyle",
];

/** Runs one command line to its end and returns the exit code. Commands load their code when they run. */
export async function run(args: readonly string[]): Promise<number> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = createProgram((action) => async (...given: unknown[]) => {
    const command = given.at(-1) as Command;
    const output = createOutput(command.getOptionValue("json") === true);
    const positional = Object.fromEntries(
      command.registeredArguments.map((argument, index) => [argument.name(), given[index]]),
    );
    const options = { ...positional, ...command.opts<Record<string, unknown>>() };
    exitCode = await action({ flags: givenFlags(command), output, options });
  });
  const json = args.includes("--json");
  for (const command of everyCommand(program)) {
    command.configureOutput({
      outputError: (text) => report(explainCall(text, command), exitCodes.wrongCall, json),
    });
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.wrongCall;
    const { message, exitCode: code } = explain(error);
    report(message, code, json);
    return code;
  }
}

function report(message: string, exitCode: ExitCode, json: boolean): void {
  const line = json ? JSON.stringify({ error: message, exit_code: exitCode }) : `plinth: ${message}`;
  process.stderr.write(`${line}\n`);
}

/** Commander's words in one line. It suggests only what is very near; here something is always suggested. */
function explainCall(text: string, command: Command): string {
  const words = text
    .trim()
    .replace(/^error: /, "")
    .replaceAll("\n", " ");
  const unknown = /^unknown (option|command) '(?<given>.*)'$/.exec(words)?.groups?.["given"];
  if (unknown === undefined) return words;
  const help = command.createHelp();
  const flags = help.visibleOptions(command).flatMap((option) => option.long ?? []);
  const known = unknown.startsWith("-") ? flags : help.visibleCommands(command).map((sub) => sub.name());
  return known.length === 0 ? words : `${words} (Did you mean ${closest(unknown, known)}?)`;
}

const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];

/** `--url` is what `--server` was called. */
const asking = (command: Command): Command =>
  withServer(command).addOption(new Option("--url <address>").hideHelp());

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

export function createProgram(bind: (action: Action) => (...given: unknown[]) => Promise<void>): Command {
  const program = new Command("plinth");
  program
    .description("The MLOps platform as one program: experiment tracking, artifacts, and what grows on them.")
    .version(manifest.version, "-V, --version", "print the version")
    .helpCommand("help [command]", "print help for a command")
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .exitOverride();

  const add = (parent: Command, words: { name: string; description: string }, action: Action): Command =>
    parent
      .command(words.name)
      .description(words.description)
      .option("--json", "print the answer as JSON")
      .allowExcessArguments(false)
      .action(bind(action));

  addSettings(
    add(
      program,
      { name: "up", description: "run everything here, with its own PostgreSQL, until stopped" },
      async (call) => (await import("./commands/up.ts")).up(call),
    ),
  );
  addSettings(
    add(
      program,
      { name: "server", description: "run for production, on the PostgreSQL of --database-url" },
      async (call) => (await import("./commands/server.ts")).server(call),
    ),
  );
  addSettings(
    asking(
      add(program, { name: "status", description: "ask a running Plinth how it is" }, async (call) =>
        (await import("./commands/status.ts")).status(call),
      ),
    ),
    ["dataDir"],
  );
  addSettings(
    add(
      program,
      {
        name: "doctor",
        description: "check this machine, the database and the settings, and say what to do",
      },
      async (call) => (await import("./commands/doctor.ts")).doctor(call),
    ),
  );
  const db = program.command("db").description("the schema of the database");
  addSettings(
    add(db, { name: "migrate", description: "bring the schema up to this version" }, async (call) =>
      (await import("./commands/db.ts")).migrateDatabase(call),
    ),
    DATABASE_SETTINGS,
  );
  addSettings(
    add(
      db,
      { name: "status", description: "list the migrations and whether they are applied" },
      async (call) => (await import("./commands/db.ts")).databaseStatus(call),
    ),
    DATABASE_SETTINGS,
  );
  addSettings(
    asking(
      add(
        program,
        { name: "gc", description: "remove for good what was deleted: rows, names and bytes" },
        async (call) => (await import("./commands/gc.ts")).gc(call),
      ),
    ).option(
      "--older-than <duration>",
      "leave what was deleted later than this ago, such as 30d (default: 0s)",
    ),
    STORAGE_SETTINGS,
  );
  const secrets = program.command("secrets").description("what is encrypted in the database");
  addSettings(
    add(
      secrets,
      { name: "rotate", description: "encrypt all secrets anew with the first key of the settings" },
      async (call) => (await import("./commands/secrets.ts")).rotateSecrets(call),
    ),
    SECRETS_SETTINGS,
  );
  const imports = program.command("import").description("bring over what another system has");
  addSettings(
    add(
      imports,
      {
        name: "mlflow",
        description: "bring over everything of an MLflow: database, mlruns folder or server",
      },
      async (call) => (await import("./commands/import.ts")).importMlflow(call),
    )
      .argument("<source>", "sqlite:///file.db, postgresql://..., mysql://..., a folder, or http://...")
      .option("--workspace <name>", "workspace to import into (default: default)")
      .option("--dry-run", "read, count and look for conflicts, and write nothing")
      .option("--skip-existing", "leave alone what is in Plinth already, and bring only what is new")
      .option("--renumber", "give experiments whose id is taken a new one")
      .option("--restart", "throw away what an import that was stopped has loaded, and begin anew")
      .option("--skip-broken", "leave out what cannot be read of the source, and show the rest")
      .option("--without-artifacts", "leave files, and the places that name them, as they are")
      .option(
        "--allow-path <folder>",
        "folder whose files may be copied; may be given several times",
        collect,
      )
      .option("--copy-remote", "copy files in S3 buckets too, which otherwise stay there")
      .option(
        "--artifacts-destination <folder>",
        "what mlflow-artifacts:/ means to the server of the source",
      ),
    STORAGE_SETTINGS,
  );
  addSettings(
    add(
      imports,
      {
        name: "zenml",
        description: "bring over a ZenML server: stacks, pipelines, runs, artifacts and models",
      },
      async (call) => (await import("./commands/import-zenml.ts")).importFromZenml(call),
    )
      .argument(
        "<source>",
        "http://...: the server's address; ZENML_STORE_API_KEY, or ZENML_STORE_USERNAME and _PASSWORD",
      )
      .option("--project <name>", "only this project; may be given several times", collect)
      .option("--into <name>", "name of the project here, where only one is brought over"),
    SECRETS_SETTINGS,
  );
  addSettings(
    add(
      program,
      { name: "export", description: "write experiments and models to Parquet files or JSON lines" },
      async (call) => (await import("./commands/export.ts")).exportData(call),
    )
      .requiredOption("--output <folder>", "folder to make")
      .option("--format <format>", "parquet or jsonl", "parquet")
      .option("--experiment <id-or-name>", "only this experiment; may be given several times", collect)
      .option("--models", "the model registry too, where only some experiments are asked for")
      .option("--workspace <name>", "only this workspace")
      .option("--include-deleted", "deleted experiments, runs and logged models too")
      .option("--wide-columns <n>", "most columns of runs_wide for keys, 0 for no such file (default: 2000)")
      .option("--overwrite", "replace an earlier export"),
    DATABASE_SETTINGS,
  );
  addSettings(
    asking(
      add(
        program,
        {
          name: "lineage",
          description: "ask where a model version comes from, or what was made from something",
        },
        async (call) => (await import("./commands/lineage.ts")).lineage(call),
      ),
    )
      .argument("[model]", "NAME/VERSION or NAME@ALIAS")
      .option("--experiment <id>", "model versions made from this experiment")
      .option("--run <id>", "model versions made from this run")
      .option("--logged-model <id>", "model versions made from this logged model")
      .option("--dataset <name@digest>", "model versions made from this dataset")
      .option("--workspace <name>", "the workspace to look in (default: default)"),
    ["dataDir"],
  );
  add(
    program,
    {
      name: "lint",
      description:
        "find mistakes in Terraform, Kubernetes, Helm and Argo CD files, and in documents about them",
    },
    async (call) => (await import("./commands/lint.ts")).lint(call),
  )
    .argument("[path...]", "files and folders to look at")
    .option("--sarif", "print the findings as SARIF 2.1.0, for code hosts")
    .option("--rules", "list the rules, and the mistakes that no rule can see")
    .option("--only <rule>", "only this rule or family of rules; may be given several times", collect)
    .option("--severity <level>", "leave out what is less bad than error, warning or info");
  addIdentityCommands(program, { add, addSettings, settings: DATABASE_SETTINGS, sealing: SEALING_SETTINGS });
  const config = add(
    program,
    { name: "config", description: "print every setting, its value and where that comes from" },
    async (call) => (await import("./commands/config.ts")).showConfig(call),
  );
  // What stands behind `show` is meant for it: both have --json.
  addSettings(config).enablePositionalOptions();
  addPlatformCommands(program, config, add);
  add(program, { name: "completion", description: "print a completion script for a shell" }, async (call) =>
    (await import("./commands/completion.ts")).completion(call, program),
  ).argument("<shell>", "bash, zsh or fish");
  return program;
}
