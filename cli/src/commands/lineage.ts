import { lineageVersions, modelLineage, type LineageVersions, type ModelLineage } from "@plinth/contract";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";
import { readConfig } from "../server-door.ts";
import { findServer } from "../api-choice.ts";
import { httpApi } from "../api-http.ts";
import type { Api } from "../api.ts";
import { timeText as time } from "../duration.ts";

/** Asks a running server where a model version comes from, or what became of a run, experiment, model or dataset. */
export async function lineage({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const question = readQuestion(options);
  const { address, secret } = findServer(config, options);
  const api = httpApi(address, secret);
  if ("name" in question) {
    const found = await ask(api, "model-version", { question, schema: modelLineage });
    output.answer(found, tree(found));
    return exitCodes.ok;
  }
  const model_versions: LineageVersions["model_versions"] = [];
  let next: string | undefined;
  do {
    const fields = { ...question, max_results: "1000", ...(next === undefined ? {} : { page_token: next }) };
    const page = await ask(api, "model-versions", { question: fields, schema: lineageVersions });
    model_versions.push(...page.model_versions);
    next = page.next_page_token;
  } while (next !== undefined);
  output.answer({ model_versions }, versionLines(model_versions));
  return exitCodes.ok;
}

type Question = Readonly<Record<string, string>>;

/** The fields to ask the server with; `name` where it is about one version. */
function readQuestion(options: Call["options"]): Question {
  const asked: Question[] = [];
  if (typeof options["model"] === "string") asked.push(readModel(options["model"]));
  for (const [option, field] of [
    ["experiment", "experiment_id"],
    ["run", "run_id"],
    ["loggedModel", "model_id"],
  ] as const) {
    const value = options[option];
    if (typeof value === "string") asked.push({ [field]: value });
  }
  if (typeof options["dataset"] === "string") asked.push(readDataset(options["dataset"]));
  const [question, ...others] = asked;
  if (question === undefined || others.length > 0) {
    throw new CommandFailure(
      "Name one thing: a model as NAME/VERSION or NAME@ALIAS, or --run, --experiment, --logged-model or --dataset.",
      exitCodes.wrongCall,
    );
  }
  const { workspace } = options;
  return typeof workspace === "string" ? { ...question, workspace } : question;
}

/** Names of models hold no slash; an alias holds no `@`. */
function readModel(text: string): Question {
  const { name, version } = /^(?<name>[^/]+)\/(?<version>\d+)$/.exec(text)?.groups ?? {};
  if (name !== undefined && version !== undefined) return { name, version };
  const at = text.lastIndexOf("@");
  if (at > 0 && at < text.length - 1 && !text.includes("/"))
    return { name: text.slice(0, at), alias: text.slice(at + 1) };
  throw new CommandFailure(`'${text}' is neither NAME/VERSION nor NAME@ALIAS.`, exitCodes.wrongCall);
}

function readDataset(text: string): Question {
  const at = text.lastIndexOf("@");
  if (at > 0 && at < text.length - 1)
    return { dataset_name: text.slice(0, at), dataset_digest: text.slice(at + 1) };
  throw new CommandFailure(`--dataset: '${text}' is not NAME@DIGEST.`, exitCodes.wrongCall);
}

async function ask<T>(
  api: Api,
  what: string,
  { question, schema }: { question: Question; schema: { parse(value: unknown): T } },
): Promise<T> {
  return schema.parse(await api.request("GET", `/console/api/lineage/${what}`, { query: question }));
}

function tree(found: ModelLineage): string[] {
  const { model_version: version, logged_model: model, run, experiment } = found;
  const aliases = version.aliases.map((alias) => `@${alias}`).join(" ");
  const rows: string[][] = [["version", `${version.name}/${version.version}`, aliases]];
  if (model !== null) rows.push(["logged model", model.model_id, model.name]);
  else if (version.model_id !== null) rows.push(["logged model", version.model_id, "is not there"]);
  if (run !== null) rows.push(["run", run.run_id, `${run.run_name}, ${run.status}, ${time(run.start_time)}`]);
  else if (version.run_id !== null) rows.push(["run", version.run_id, "is not there"]);
  for (const parent of found.parent_runs) rows.push(["parent run", parent.run_id, parent.run_name]);
  if (experiment !== null) rows.push(["experiment", experiment.experiment_id, experiment.name]);
  for (const one of found.datasets)
    rows.push(["dataset", `${one.name}@${one.digest}`, one.context ?? "without a context"]);
  for (const one of found.input_models) rows.push(["used model", one.model_id, one.name ?? "is not there"]);
  for (const one of found.output_models) rows.push(["made model", one.model_id, one.name ?? "is not there"]);
  return [...table(["", "", ""], rows).slice(1), ...(found.truncated ? ["There is more than this."] : [])];
}

function versionLines(versions: LineageVersions["model_versions"]): string[] {
  if (versions.length === 0) return ["No model version was made from it."];
  const rows = versions.map((one) => [
    `${one.name}/${one.version}`,
    one.aliases.map((alias) => `@${alias}`).join(" "),
    time(one.creation_time),
    one.run_id ?? "",
  ]);
  return table(["VERSION", "ALIASES", "MADE", "RUN"], rows);
}
