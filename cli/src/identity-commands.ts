import { Option, type Command } from "commander";
import type { ExitCode } from "./failure.ts";
import type { Call } from "./program.ts";
import type { SettingName } from "./server-door.ts";

type Action = (call: Call) => Promise<ExitCode>;
type Words = { name: string; description: string };

export type AddTools = {
  add(parent: Command, words: Words, action: Action): Command;
  addSettings(command: Command, names: readonly SettingName[]): Command;
  /** Where the database is, and with what its secrets are sealed. */
  settings: readonly SettingName[];
  sealing: readonly SettingName[];
};

/** Adds what names the server that a command talks to. */
export const withServer = (command: Command): Command =>
  command
    .option(
      "--server <address>",
      "server to talk to, instead of the one the data folder names (PLINTH_SERVER)",
    )
    .option(
      "--api-key-file <file>",
      "file with the key to log in with (PLINTH_API_KEY, PLINTH_API_KEY_FILE)",
    );

/** Users, keys, roles, workspaces, the audit log, and logging in. */
export function addIdentityCommands(program: Command, tools: AddTools): void {
  const group = (name: string, description: string): Command =>
    program.command(name).description(description);
  /** A command that talks to a server, or right to the database. */
  const add = (parent: Command, words: Words, action: Action): Command =>
    tools.addSettings(withServer(tools.add(parent, words, action)), tools.settings);
  const kit = { group, add };
  addUsers(kit);
  addServiceAccounts(kit);
  addKeys({
    group,
    add: (parent, words, action) => tools.addSettings(add(parent, words, action), tools.sealing),
  });
  addRoles(kit);
  addWorkspaces(kit);
  addAudit(kit);
  addDevices(kit);
  addLogin(program, tools, kit);
}

type Kit = {
  group(name: string, description: string): Command;
  add(parent: Command, words: Words, action: Action): Command;
};

function addUsers({ group, add }: Kit): void {
  const user = group("user", "people who log in");
  const load = () => import("./commands/user.ts");
  const withPassword = (command: Command): Command =>
    command
      .option("--generate", "make up a password, and show it this once")
      .option("--password-stdin", "read the password from standard input");
  withPassword(
    add(user, { name: "create", description: "make a user" }, async (call) => (await load()).createUser(call))
      .argument("<name>", "name to log in with")
      .option("--admin", "administrator of the whole platform"),
  )
    .option("--no-password", "nobody can log in by a password")
    .option("--full-name <name>", "name to show")
    .option("--email <address>", "e-mail address")
    .option("--description <text>", "what there is to say");
  add(user, { name: "list", description: "list the users" }, async (call) =>
    (await load()).listPrincipals(call, "users"),
  ).option("--contains <text>", "only names that hold this text");
  const one = (name: string, description: string, action: Action): Command =>
    add(user, { name, description }, action).argument("<name>", "the user");
  one("show", "show a user", async (call) => (await load()).showPrincipal(call, "users"));
  withPassword(one("password", "set a user's password", async (call) => (await load()).setPassword(call)));
  one("activate", "let a user in again", async (call) => (await load()).setActive(call, true));
  one("deactivate", "refuse a user from now on", async (call) => (await load()).setActive(call, false));
  one("admin", "make a user administrator of the platform", async (call) =>
    (await load()).setAdmin(call),
  ).option("--remove", "take that away");
  one("delete", "delete a user, with all keys and logins", async (call) =>
    (await load()).deletePrincipal(call, "users"),
  );
}

function addServiceAccounts({ group, add }: Kit): void {
  const account = group("service-account", "programs that log in, by keys");
  const load = () => import("./commands/user.ts");
  add(account, { name: "create", description: "make a service account" }, async (call) =>
    (await load()).createServiceAccount(call),
  )
    .argument("<name>", "its name")
    .option("--description <text>", "what it is for");
  add(account, { name: "list", description: "list the service accounts" }, async (call) =>
    (await load()).listPrincipals(call, "service-accounts"),
  ).option("--contains <text>", "only names that hold this text");
  add(account, { name: "show", description: "show a service account" }, async (call) =>
    (await load()).showPrincipal(call, "service-accounts"),
  ).argument("<name>", "the service account");
  add(account, { name: "delete", description: "delete a service account, with all its keys" }, async (call) =>
    (await load()).deletePrincipal(call, "service-accounts"),
  ).argument("<name>", "the service account");
}

function addKeys({ group, add }: Kit): void {
  const key = group("key", "API keys, and key pairs for S3");
  const load = () => import("./commands/key.ts");
  const owned = (name: string, description: string, action: Action): Command =>
    add(key, { name, description }, action)
      .option("--for <name>", "of this user or service account, instead of one's own")
      .option("--s3", "key pairs for S3's clients");
  owned("create", "make a key, and show it this once", async (call) => (await load()).createKey(call))
    .argument("[name]", "name of the key; of a pair for S3, its description")
    .option("--expires <duration>", "good for so long, such as 90d (default: for ever)")
    .addOption(
      new Option("--max-permission <permission>", "what the key may at most").choices([
        "READ",
        "USE",
        "EDIT",
      ]),
    )
    .option("--workspaces <names>", "only in these workspaces, separated by commas")
    .option("--description <text>", "what it is for");
  owned("list", "list the keys, and when they were used last", async (call) => (await load()).listKeys(call));
  add(key, { name: "rotate", description: "give a key a new secret" }, async (call) =>
    (await load()).rotateKey(call),
  )
    .argument("<name>", "name or id of the key")
    .option("--for <name>", "of this user or service account, instead of one's own")
    .option("--retain <duration>", "the old secret works for so long, such as 1h (default: 0s)");
  owned("revoke", "refuse a key from now on", async (call) => (await load()).revokeKey(call)).argument(
    "<name>",
    "name or id of the key, or the access key id of a pair",
  );
}

function addRoles({ group, add }: Kit): void {
  const role = group("role", "what a role may, and who has it");
  const load = () => import("./commands/role.ts");
  const placed = (name: string, description: string, action: Action): Command =>
    add(role, { name, description }, action)
      .option("--workspace <name>", "workspace of the role (default: default)")
      .option("--platform", "a role of the whole platform");
  placed("list", "list the roles of a workspace", async (call) => (await load()).listRoles(call));
  placed("show", "show what a role may, and who has it", async (call) =>
    (await load()).showRole(call),
  ).argument("<role>", "the role");
  placed("create", "make a role", async (call) => (await load()).createRole(call))
    .argument("<role>", "its name")
    .option("--description <text>", "what it is for");
  placed("delete", "delete a role", async (call) => (await load()).deleteRole(call)).argument(
    "<role>",
    "the role",
  );
  placed("grant", "let a role do something", async (call) => (await load()).grantToRole(call))
    .argument("<role>", "the role")
    .argument("<type>", "experiment, registered_model, bucket, workspace, ...")
    .argument("<pattern>", "id, name of a model, bucket or bucket/prefix, or '*' for all")
    .argument("<permission>", "READ, USE, EDIT, MANAGE, NO_PERMISSIONS or DENY");
  placed("revoke", "take a grant from a role", async (call) => (await load()).revokeFromRole(call))
    .argument("<role>", "the role")
    .argument("<type>", "as it was granted")
    .argument("<pattern>", "as it was granted");
  placed("assign", "give somebody a role", async (call) => (await load()).assignRole(call, true))
    .argument("<principal>", "user or service account")
    .argument("<role>", "the role: viewer, editor, admin, or one that was made");
  placed("unassign", "take a role from somebody", async (call) => (await load()).assignRole(call, false))
    .argument("<principal>", "user or service account")
    .argument("<role>", "the role");
}

function addWorkspaces({ group, add }: Kit): void {
  const workspace = group("workspace", "workspaces: what is in one cannot be seen from another");
  const load = () => import("./commands/workspace.ts");
  add(workspace, { name: "list", description: "list the workspaces" }, async (call) =>
    (await load()).listWorkspaces(call),
  );
  const one = (name: string, description: string, action: Action): Command =>
    add(workspace, { name, description }, action).argument("<name>", "the workspace");
  const described = (command: Command): Command =>
    command
      .option("--description <text>", "what it is for")
      .option("--artifact-root <uri>", "where artifacts of its experiments go");
  described(one("create", "make a workspace", async (call) => (await load()).createWorkspace(call))).option(
    "--protected",
    "record all changes and reads of artifacts",
  );
  described(one("update", "change a workspace", async (call) => (await load()).updateWorkspace(call)));
  one("delete", "delete a workspace", async (call) => (await load()).deleteWorkspace(call)).addOption(
    new Option(
      "--contents <what>",
      "what happens to what is in it: refuse to delete it, move it to `default`, or delete it",
    )
      .choices(["refuse", "move", "delete"])
      .default("refuse"),
  );
  one("protect", "record all changes and reads of artifacts in a workspace", async (call) =>
    (await load()).protectWorkspace(call),
  ).option("--off", "no longer");
}

function addAudit({ group, add }: Kit): void {
  const audit = group("audit", "who did what, from where");
  const load = () => import("./commands/audit.ts");
  const filtered = (name: string, description: string, action: Action): Command =>
    add(audit, { name, description }, action)
      .option("--from <time>", "since then: 2026-01-31T12:00:00Z, or 7d ago")
      .option("--to <time>", "before then")
      .option("--principal <name>", "who did it")
      .option(
        "--action <action>",
        "what was done, such as users.create, or experiments.* for all that begin so",
      )
      .option("--resource <type[/id]>", "on what, such as experiment/7")
      .option("--workspace <name>", "where")
      .addOption(new Option("--outcome <outcome>", "how it ended").choices(["allowed", "denied", "failed"]))
      .option("--address <address>", "from where");
  filtered("list", "list the newest events", async (call) => (await load()).listAudit(call)).option(
    "--limit <count>",
    "so many at most (default: 100)",
  );
  filtered("export", "print all events, oldest first, as lines of JSON", async (call) =>
    (await load()).exportAudit(call),
  );
}

function addDevices({ group, add }: Kit): void {
  const device = group("device", "command lines that were let in as oneself");
  const load = () => import("./commands/device.ts");
  add(device, { name: "list", description: "list one's devices" }, async (call) =>
    (await load()).listDevices(call),
  );
  add(device, { name: "approve", description: "let in the command line that shows a code" }, async (call) =>
    (await load()).approveDevice(call),
  )
    .argument("<code>", "the code that it shows")
    .option("--trusted", "for longer than a day")
    .option("--yes", "ask nothing");
  for (const [name, description] of [
    ["lock", "refuse a device until it is unlocked"],
    ["unlock", "let a locked device in again"],
  ] as const) {
    add(device, { name, description }, async (call) =>
      (await load()).lockDevice(call, name === "lock"),
    ).argument("<device>", "id of the device");
  }
  add(device, { name: "revoke", description: "refuse a device from now on" }, async (call) =>
    (await load()).revokeDevice(call),
  ).argument("<device>", "id of the device");
}

function addLogin(program: Command, tools: AddTools, { add }: Kit): void {
  const load = () => import("./commands/login.ts");
  const words = { name: "login", description: "log in to a server, and keep the login for other commands" };
  tools
    .addSettings(
      tools.add(program, words, async (call) => (await load()).login(call)),
      ["dataDir"],
    )
    .argument("[url]", "address of the server (PLINTH_SERVER)")
    .option("--username [name]", "log in by a password, instead of a code that is approved in a browser")
    .option("--password-stdin", "read the password from standard input")
    .option("--api-key", "log in by a key, which is asked for")
    .option("--api-key-file <file>", "file with that key (PLINTH_API_KEY, PLINTH_API_KEY_FILE)");
  tools
    .addSettings(
      tools.add(program, { name: "logout", description: "end a login" }, async (call) =>
        (await load()).logout(call),
      ),
      ["dataDir"],
    )
    .argument("[url]", "address of the server (PLINTH_SERVER)")
    .option("--all", "all of them");
  add(
    program,
    { name: "whoami", description: "say who one is to a server, and what one may do" },
    async (call) => (await load()).whoami(call),
  );
}
