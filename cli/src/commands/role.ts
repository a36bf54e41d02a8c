import {
  assignments,
  grant,
  permission,
  PLATFORM,
  role,
  roleDetail,
  roles,
  type Assignments,
  type Role,
} from "@plinth/contract";
import { openApi } from "../api-choice.ts";
import { pathOf, type Api } from "../api.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";

export async function listRoles(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  const found = roles.parse(
    await api.request("GET", pathOf("roles"), { query: { workspace: placeOf(call) } }),
  );
  const rows = found.roles.map((one) => [one.name, one.kind, one.description ?? ""]);
  call.output.answer(found, table(["ROLE", "KIND", "DESCRIPTION"], rows));
  return exitCodes.ok;
}

/** What a role may, and who has it. */
export async function showRole(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  const found = roleDetail.parse(await api.request("GET", rolePath(call)));
  const held = await holders(api, call);
  const grants = found.grants.map((one) => [one.permission, one.resource_type, one.pattern]);
  call.output.answer({ ...found, assignments: held }, [
    `${found.name} ${whereOf(found)}: ${found.description ?? found.kind}`,
    "",
    ...(grants.length === 0 ? ["It has no grants."] : table(["PERMISSION", "ON", "PATTERN"], grants)),
    "",
    ...(held.length === 0
      ? ["Nobody has it."]
      : table(
          ["PRINCIPAL", "KIND", "BY"],
          held.map((one) => [one.principal, one.kind.replace("_", " "), one.source]),
        )),
  ]);
  return exitCodes.ok;
}

async function holders(api: Api, call: Call): Promise<Assignments["assignments"]> {
  const found: Assignments["assignments"] = [];
  let next: string | undefined;
  do {
    const query = { max_results: 1000, page_token: next };
    const page = assignments.parse(await api.request("GET", rolePath(call, "assignments"), { query }));
    found.push(...page.assignments);
    next = page.next_page_token;
  } while (next !== undefined);
  return found;
}

export async function createRole(call: Call): Promise<ExitCode> {
  const { options } = call;
  await using api = await openApi(call);
  const description = options["description"] === undefined ? {} : { description: options["description"] };
  const body = { workspace: placeOf(call), name: options["role"], ...description };
  const made = role.parse(await api.request("POST", pathOf("roles"), { body }));
  call.output.answer(made, [`Made the role ${made.name} ${whereOf(made)}.`]);
  return exitCodes.ok;
}

export async function deleteRole(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  await api.request("DELETE", rolePath(call));
  const name = String(call.options["role"]);
  call.output.answer({ deleted: name }, [`Deleted the role ${name}: whoever had it has it no more.`]);
  return exitCodes.ok;
}

/** Grants on one thing, all of a kind (`*`), or the keys below a prefix: `bucket projects/team/dev`. */
export async function grantToRole(call: Call): Promise<ExitCode> {
  const { type, pattern, permission: wanted } = call.options;
  const read = permission.safeParse(String(wanted).toUpperCase());
  if (!read.success) {
    throw new CommandFailure(
      `'${String(wanted)}' is no permission: it is one of ${permission.options.join(", ")}.`,
      exitCodes.wrongCall,
    );
  }
  await using api = await openApi(call);
  const body = { resource_type: type, pattern, permission: read.data };
  const given = grant.parse(await api.request("PUT", rolePath(call, "grants"), { body }));
  call.output.answer(given, [
    `${String(call.options["role"])} has ${given.permission} on ${given.resource_type} ${given.pattern}.`,
  ]);
  return exitCodes.ok;
}

export async function revokeFromRole(call: Call): Promise<ExitCode> {
  const [resource_type, pattern] = [String(call.options["type"]), String(call.options["pattern"])];
  await using api = await openApi(call);
  await api.request("DELETE", rolePath(call, "grants"), { query: { resource_type, pattern } });
  call.output.answer({ revoked: { resource_type, pattern } }, [
    `${String(call.options["role"])} has no grant of its own on ${resource_type} ${pattern} any more.`,
  ]);
  return exitCodes.ok;
}

export async function assignRole(call: Call, assigned: boolean): Promise<ExitCode> {
  const principal = String(call.options["principal"]);
  await using api = await openApi(call);
  await api.request(assigned ? "PUT" : "DELETE", rolePath(call, "assignments", principal));
  const name = String(call.options["role"]);
  call.output.answer({ principal, role: name, workspace: placeOf(call), assigned }, [
    `${principal} ${assigned ? "is" : "is no longer"} ${name} in ${placeOf(call)}.`,
  ]);
  return exitCodes.ok;
}

/** The workspace, or `-` for the platform. */
function placeOf({ options }: Call): string {
  const { workspace, platform } = options;
  if (platform === true && workspace !== undefined) {
    throw new CommandFailure("--workspace and --platform must not be given together.", exitCodes.wrongCall);
  }
  return platform === true ? PLATFORM : String(workspace ?? "default");
}

const whereOf = ({ workspace }: Role): string => (workspace === null ? "of the platform" : `in ${workspace}`);

const rolePath = (call: Call, ...more: string[]): string =>
  pathOf("roles", placeOf(call), String(call.options["role"]), ...more);
