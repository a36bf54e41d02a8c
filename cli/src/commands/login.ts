import { randomUUID } from "node:crypto";
import { hostname, platform } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { me, shownApiKey, type Me } from "@plinth/contract";
import { ApiFailure, pathOf, type Api } from "../api.ts";
import { basicApi, httpApi, noAnswer } from "../api-http.ts";
import { checkKey, findServer, givenKey, namedServer, openApi } from "../api-choice.ts";
import {
  credentialsFile,
  forgetCredential,
  readCredential,
  serverAddress,
  storeCredential,
  storedServers,
  type Credential,
} from "../credentials.ts";
import { timeText } from "../duration.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { ask, askSecret, canAsk, readSecretFromStdin } from "../prompt.ts";
import { isLoopback, readConfig } from "../server-door.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Of a key that a login by password makes. */
const KEY_DAYS = 30;

/** Logs in to a server, by a code that is approved in a browser, by a key, or by a password; keeps what the server gave. */
export async function login(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  const address = addressOf(call);
  readCredential(address);
  const url = new URL(address);
  if (url.protocol === "http:" && !isLoopback(url.hostname.replace(/^\[(.*)\]$/, "$1"))) {
    output.progress(`Warning: ${address} is not encrypted: whoever is on the way can read the login.`);
  }
  const ways = [options["apiKey"] === true || givenFile(options), options["username"] !== undefined];
  if (ways.every(Boolean)) {
    throw new CommandFailure("Log in by a key or as a user, not by both.", exitCodes.wrongCall);
  }
  if (!ways.some(Boolean)) {
    const open = await whoIs(httpApi(address, undefined)).catch((error: unknown) => {
      if (error instanceof ApiFailure && error.status === 401) return undefined;
      throw error;
    });
    if (open !== undefined) {
      output.answer({ server: address, ...open }, [`${address} asks nobody to log in: nothing was stored.`]);
      return exitCodes.ok;
    }
  }
  const credential = await (ways[0] === true
    ? byKey(address, options)
    : ways[1] === true
      ? byPassword(address, options)
      : byDevice(address));
  const earlier = readCredential(address);
  storeCredential(address, credential);
  if (earlier !== undefined && earlier.secret !== credential.secret) await revoke(address, earlier);
  const { name, expires_at: expiresAt = null } = credential;
  const until = expiresAt === null ? "" : `, until ${timeText(expiresAt)}`;
  output.answer({ address, name, expires_at: expiresAt, file: credentialsFile() }, [
    `Logged in to ${address} as ${name}${until}.`,
  ]);
  return exitCodes.ok;
}

function addressOf({ options, flags }: Call): string {
  const { url } = options;
  if (typeof url === "string") return serverAddress(url, "login");
  return namedServer(options) ?? findServer(readConfig(flags, process.env).config, {}).address;
}

const givenFile = (options: Call["options"]): boolean => options["apiKeyFile"] !== undefined;

const whoIs = async (api: Api): Promise<Me> => me.parse(await api.request("GET", pathOf("me")));

async function byKey(address: string, options: Call["options"]): Promise<Credential> {
  const given = givenKey(options["apiKeyFile"]);
  if (given === undefined && !canAsk()) {
    throw new CommandFailure(
      "There is nobody to ask for a key: give --api-key-file, or PLINTH_API_KEY.",
      exitCodes.wrongCall,
    );
  }
  const secret = given ?? checkKey((await askSecret("API key: ")).trim(), "API key");
  const { name } = await whoIs(httpApi(address, secret));
  return { kind: "key", secret, name };
}

/** The password is not kept: a key is made with it, which is listed, expires, and is revoked by logout. */
async function byPassword(address: string, options: Call["options"]): Promise<Credential> {
  const name = options["username"] === true ? await askName() : String(options["username"]);
  if (name.includes(":")) {
    throw new CommandFailure(
      "--username: names with a colon cannot log in by password.",
      exitCodes.wrongCall,
    );
  }
  const password = await readPassword(name, options);
  const api = basicApi(address, name, password);
  const expiresAt = Date.now() + KEY_DAYS * DAY_MS;
  const body = {
    name: `plinth login, ${hostname()}, ${new Date().toISOString()}`,
    expires_at: expiresAt,
  };
  const made = shownApiKey.parse(
    await api.request("POST", pathOf("me", "keys"), { body }).catch((error: unknown) => {
      if (!(error instanceof ApiFailure && error.status === 401)) throw error;
      throw new CommandFailure("The name or the password is wrong.");
    }),
  );
  return { kind: "made", secret: made.key, name, id: made.key_id, expires_at: expiresAt };
}

async function askName(): Promise<string> {
  if (canAsk()) return ask("Name: ");
  throw new CommandFailure("There is nobody to ask for a name: give --username NAME.", exitCodes.wrongCall);
}

async function readPassword(name: string, options: Call["options"]): Promise<string> {
  if (options["passwordStdin"] === true) return readSecretFromStdin();
  if (canAsk()) return askSecret(`Password of ${name}: `);
  throw new CommandFailure(
    "There is nobody to ask for the password: give --password-stdin, and the password there.",
    exitCodes.wrongCall,
  );
}

type DeviceAnswer = Readonly<Record<string, unknown>>;

/** The OAuth2 device flow (RFC 8628): the password goes to the server's own page, and never through here. */
async function byDevice(address: string): Promise<Credential> {
  const clientId = randomUUID();
  const started = await postForm(`${address}/api/v1/device_authorization`, { client_id: clientId });
  if (started.status !== 200) throw refused(started);
  const { device_code, user_code, interval } = started.body;
  const page = pageOf(address, started.body["verification_uri"]);
  process.stderr.write(
    `Open ${pageOf(address, started.body["verification_uri_complete"])}\n` +
      `and approve the code ${String(user_code)} (or enter it at ${page}, or run \`plinth device approve ${String(user_code)}\`\n` +
      "where you are logged in). Waiting ...\n",
  );
  let seconds = Number(interval);
  for (;;) {
    await sleep(seconds * 1000);
    const polled = await postForm(`${address}/api/v1/login`, {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      client_id: clientId,
      device_code: String(device_code),
    });
    if (polled.status === 200) return deviceCredential(address, polled.body);
    if (polled.body["error"] === "slow_down") seconds += 5;
    else if (polled.body["error"] !== "authorization_pending") throw refused(polled);
  }
}

async function deviceCredential(address: string, granted: DeviceAnswer): Promise<Credential> {
  const secret = String(granted["access_token"]);
  const expiresAt = Date.now() + Number(granted["expires_in"]) * 1000;
  const { name } = await whoIs(httpApi(address, secret));
  return { kind: "device", secret, name, id: String(granted["device_id"]), expires_at: expiresAt };
}

/** Of the server's own address, whatever it says its address is. */
function pageOf(address: string, uri: unknown): string {
  const { pathname, search } = new URL(String(uri), `${address}/`);
  return `${address}${pathname}${search}`;
}

const refused = ({ status, body }: { status: number; body: DeviceAnswer }): CommandFailure =>
  new CommandFailure(
    `The login was refused: ${String(body["error_description"] ?? body["detail"] ?? "no reason given")} (${status})`,
  );

/** `Host/laptop OS/linux` is what the person who approves gets to see. */
const AGENT = `Host/${hostname().replaceAll(/[^\w.-]/g, "_")} OS/${platform()}`;

async function postForm(
  url: string,
  fields: Record<string, string>,
): Promise<{ status: number; body: DeviceAnswer }> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: { "user-agent": AGENT },
      body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(60_000),
    });
  } catch (error) {
    throw noAnswer(new URL(url).origin, error);
  }
  const body: unknown = await response.json().catch(() => ({}));
  return { status: response.status, body: typeof body === "object" && body !== null ? { ...body } : {} };
}

/** Revokes what the server gave, where it was made by a login, and forgets it here in any case. */
export async function logout(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  const addresses = options["all"] === true ? storedServers() : [addressOf(call)];
  const done: { address: string; revoked: boolean }[] = [];
  for (const address of addresses) {
    const stored = readCredential(address);
    if (stored === undefined) {
      throw new CommandFailure(`You are not logged in to ${address}.`, exitCodes.no);
    }
    const revoked = await revoke(address, stored);
    forgetCredential(address);
    done.push({ address, revoked });
  }
  output.answer(
    { logged_out: done },
    done.length === 0
      ? ["You are not logged in anywhere."]
      : done.map(({ address, revoked }) =>
          revoked
            ? `Logged out of ${address}.`
            : `Forgot the login at ${address}; there it goes on until it ends, or is revoked.`,
        ),
  );
  return exitCodes.ok;
}

/** False for a key that the user brought, and where the server cannot be asked. */
async function revoke(address: string, { kind, id, secret }: Credential): Promise<boolean> {
  if (kind === "key" || id === undefined) return false;
  try {
    await httpApi(address, secret).request("DELETE", pathOf("me", kind === "made" ? "keys" : "devices", id));
    return true;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    // It had ended already.
    return error instanceof ApiFailure && error.status === 401;
  }
}

export async function whoami(call: Call): Promise<ExitCode> {
  await using api = await openApi(call);
  const found = await whoIs(api);
  call.output.answer({ place: api.place, ...found }, [
    `server     ${api.place}`,
    `name       ${found.kind === "local" ? "local administrator" : found.name}`,
    `by         ${found.credential.kind.replace("_", " ")}${
      found.credential.max_permission === null ? "" : `, at most ${found.credential.max_permission}`
    }`,
    ...(found.is_admin ? ["may        everything, as administrator of the platform"] : []),
    ...(found.is_admin ? [] : found.workspaces.map(workspaceLine)),
  ]);
  return exitCodes.ok;
}

const workspaceLine = ({ name, permission, is_admin: isAdmin }: Me["workspaces"][number]): string =>
  `workspace  ${name}: ${isAdmin ? "administrator" : permission}`;
