import { workspace, workspaces } from "@plinth/contract";
import { openApi } from "../api-choice.ts";
import { pathOf } from "../api.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";

export async function listWorkspaces(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  const found = workspaces.parse(await api.request("GET", pathOf("workspaces")));
  const rows = found.workspaces.map((one) => [one.name, one.protected ? "yes" : "no", one.description ?? ""]);
  call.output.answer(found, table(["WORKSPACE", "PROTECTED", "DESCRIPTION"], rows));
  return exitCodes.ok;
}

export async function createWorkspace(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  const body = { name: nameOf(call), ...fieldsOf(call) };
  const made = workspace.parse(await api.request("POST", pathOf("workspaces"), { body }));
  call.output.answer(made, [`Made the workspace ${made.name}.`]);
  return exitCodes.ok;
}

export async function updateWorkspace(call: Call): Promise<ExitCode> {
  const body = fieldsOf(call);
  if (Object.keys(body).length === 0) {
    throw new CommandFailure(
      "Nothing to change: give --description or --artifact-root.",
      exitCodes.wrongCall,
    );
  }
  await using api = await openApi(call);
  const changed = workspace.parse(await api.request("PATCH", pathOf("workspaces", nameOf(call)), { body }));
  call.output.answer(changed, [`Changed the workspace ${changed.name}.`]);
  return exitCodes.ok;
}

export async function deleteWorkspace(call: Call): Promise<ExitCode> {
  const modes: Readonly<Record<string, string>> = {
    refuse: "RESTRICT",
    move: "SET_DEFAULT",
    delete: "CASCADE",
  };
  const mode = modes[String(call.options["contents"])];
  await using api = await openApi(call);
  await api.request("DELETE", pathOf("workspaces", nameOf(call)), { query: { mode } });
  call.output.answer({ deleted: nameOf(call) }, [`Deleted the workspace ${nameOf(call)}.`]);
  return exitCodes.ok;
}

/** All changes and reads of artifacts in a protected workspace are in the audit log. */
export async function protectWorkspace(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  const body = { protected: call.options["off"] !== true };
  const changed = workspace.parse(await api.request("PATCH", pathOf("workspaces", nameOf(call)), { body }));
  call.output.answer(changed, [
    `The workspace ${changed.name} is ${changed.protected ? "protected" : "not protected any more"}.`,
  ]);
  return exitCodes.ok;
}

const nameOf = ({ options }: Call): string => String(options["name"]);

function fieldsOf({ options }: Call): Record<string, unknown> {
  const { description, artifactRoot, protected: isProtected } = options;
  return {
    ...(description === undefined ? {} : { description }),
    ...(artifactRoot === undefined ? {} : { default_artifact_root: artifactRoot }),
    ...(isProtected === true ? { protected: true } : {}),
  };
}
