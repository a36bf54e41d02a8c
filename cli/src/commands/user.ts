import { randomInt } from "node:crypto";
import { principal, principals, type Principal } from "@plinth/contract";
import { openApi } from "../api-choice.ts";
import { pathOf, type Api } from "../api.ts";
import { timeText } from "../duration.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";
import { askSecret, canAsk, readSecretFromStdin } from "../prompt.ts";

export type Kind = "users" | "service-accounts";

/** Makes a user, also where no server runs: a server that asks for logins does not start without an administrator. */
export async function createUser(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  const password = await readNewPassword(options, { mayBeNone: options["password"] === false });
  await using api = await openApi(call, { creates: true });
  const made = principal.parse(
    await api.request("POST", pathOf("users"), {
      body: {
        name: options["name"],
        is_admin: options["admin"] === true,
        ...about(options),
        ...(password === undefined ? {} : { password: password.text }),
      },
    }),
  );
  const shown = password?.generated === true ? { password: password.text } : {};
  output.answer({ ...made, ...shown }, [
    `Made the ${made.is_admin ? "administrator" : "user"} ${made.name}.`,
    ...generatedLines(password),
  ]);
  return exitCodes.ok;
}

export async function createServiceAccount(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  await using api = await openApi(call);
  const body = { name: options["name"], ...about(options) };
  const made = principal.parse(await api.request("POST", pathOf("service-accounts"), { body }));
  output.answer(made, [
    `Made the service account ${made.name}. Next: plinth key create KEY --for ${made.name}`,
  ]);
  return exitCodes.ok;
}

const about = (options: Call["options"]): Record<string, unknown> => {
  const fields = {
    full_name: options["fullName"],
    email: options["email"],
    description: options["description"],
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
};

export async function listPrincipals(call: Call, kind: Kind): Promise<ExitCode> {
  const { output, options } = call;
  await using api = await openApi(call);
  const found: Principal[] = [];
  let next: string | undefined;
  do {
    const query = {
      contains: options["contains"] as string | undefined,
      max_results: 1000,
      page_token: next,
    };
    const page = principals.parse(await api.request("GET", pathOf(kind), { query }));
    found.push(...page.principals);
    next = page.next_page_token;
  } while (next !== undefined);
  const rows = found.map((one) => [
    one.name,
    stateOf(one),
    one.full_name ?? "",
    timeText(one.creation_timestamp),
  ]);
  output.answer(
    { principals: found },
    found.length === 0
      ? [`There are no ${words[kind]}s.`]
      : table(["NAME", "STATE", "FULL NAME", "MADE"], rows),
  );
  return exitCodes.ok;
}

const words = { users: "user", "service-accounts": "service account" } as const;

function stateOf(one: Principal): string {
  const states = [one.active ? "active" : "inactive"];
  if (one.is_admin) states.push("administrator");
  if (one.kind === "user" && !one.has_password && one.issuer === null) states.push("no password");
  return states.join(", ");
}

export async function showPrincipal(call: Call, kind: Kind): Promise<ExitCode> {
  await using api = await openApi(call);
  const found = principal.parse(await api.request("GET", pathOf(kind, nameOf(call))));
  call.output.answer(found, [
    `name       ${found.name}`,
    `kind       ${found.kind.replace("_", " ")}`,
    `state      ${stateOf(found)}`,
    ...(found.full_name === null ? [] : [`full name  ${found.full_name}`]),
    ...(found.email === null ? [] : [`e-mail     ${found.email}`]),
    ...(found.description === null ? [] : [`about      ${found.description}`]),
    ...(found.issuer === null ? [] : [`provider   ${found.issuer}`]),
    `made       ${timeText(found.creation_timestamp)}`,
    `id         ${found.uuid}`,
  ]);
  return exitCodes.ok;
}

/** Sets the password: one's own on a server that one is logged in to, and as administrator that of anybody. */
export async function setPassword(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  const password = await readNewPassword(options, { mayBeNone: false });
  await using api = await openApi(call);
  const name = nameOf(call);
  const body = { password: password?.text };
  const changed = principal.parse(await api.request("POST", pathOf("users", name, "password"), { body }));
  const shown = password?.generated === true ? { password: password.text } : {};
  output.answer({ ...changed, ...shown }, [
    `Changed the password of ${name}; all its logins have ended.`,
    ...generatedLines(password),
  ]);
  return exitCodes.ok;
}

export async function setActive(call: Call, active: boolean): Promise<ExitCode> {
  await using api = await openApi(call);
  const changed = await patch(api, call, { active });
  call.output.answer(changed, [`${changed.name} is ${active ? "active" : "refused from now on"}.`]);
  return exitCodes.ok;
}

export async function setAdmin(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  const changed = await patch(api, call, { is_admin: call.options["remove"] !== true });
  call.output.answer(changed, [
    `${changed.name} is ${changed.is_admin ? "an administrator" : "no administrator any more"}.`,
  ]);
  return exitCodes.ok;
}

const patch = async (api: Api, call: Call, body: object): Promise<Principal> =>
  principal.parse(await api.request("PATCH", pathOf("users", nameOf(call)), { body }));

export async function deletePrincipal(call: Call, kind: Kind): Promise<ExitCode> {
  await using api = await openApi(call);
  const name = nameOf(call);
  await api.request("DELETE", pathOf(kind, name));
  call.output.answer({ deleted: name }, [
    `Deleted the ${words[kind]} ${name}, with all its keys and logins.`,
  ]);
  return exitCodes.ok;
}

const nameOf = ({ options }: Call): string => String(options["name"]);

type NewPassword = { text: string; generated: boolean };

/** Never from the command line, where every user of the machine could read it. */
async function readNewPassword(
  options: Call["options"],
  { mayBeNone }: { mayBeNone: boolean },
): Promise<NewPassword | undefined> {
  const [generate, stdin] = [options["generate"] === true, options["passwordStdin"] === true];
  if ([generate, stdin, mayBeNone].filter(Boolean).length > 1) {
    throw new CommandFailure(
      "Of --generate, --password-stdin and --no-password only one can be given.",
      exitCodes.wrongCall,
    );
  }
  if (mayBeNone) return undefined;
  if (generate) return { text: generatePassword(), generated: true };
  if (stdin) return { text: await readSecretFromStdin(), generated: false };
  if (!canAsk()) {
    throw new CommandFailure(
      "There is nobody to ask for a password: give --generate, or --password-stdin and the password there.",
      exitCodes.wrongCall,
    );
  }
  const text = await askSecret("New password: ");
  if ((await askSecret("The same again: ")) !== text) {
    throw new CommandFailure("The two are not the same.", exitCodes.wrongCall);
  }
  return { text, generated: false };
}

/** Without those that are taken for one another; 24 of 54 are 138 bits. */
const CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

const generatePassword = (): string =>
  Array.from({ length: 24 }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join("");

const generatedLines = (password: NewPassword | undefined): string[] =>
  password?.generated === true ? ["", `  password  ${password.text}`, "", "It is shown this once."] : [];
