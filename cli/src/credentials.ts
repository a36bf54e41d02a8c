import { randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CommandFailure, exitCodes } from "./failure.ts";

/** What a command logs in with: `Bearer` of a token or key. */
export type Credential = {
  /** `device`: a token that ends with its device; `made`: a key that `plinth login` made, and logout revokes. */
  kind: "device" | "made" | "key";
  secret: string;
  /** Whose it is. */
  name: string;
  /** The id of the device or key, where there is one to revoke. */
  id?: string;
  /** Milliseconds since 1970. */
  expires_at?: number;
};

type Stored = { servers: Record<string, Credential> };

/** Where logins are kept, one for each server. */
export function credentialsFile(): string {
  const file = findCredentialsFile();
  if (file !== undefined) return file;
  throw new CommandFailure("This user has no home folder to keep logins in: set HOME or XDG_CONFIG_HOME.");
}

/** Undefined for a user without a home folder, such as one that a container gives by its number alone. */
function findCredentialsFile(): string | undefined {
  const configured = process.env["XDG_CONFIG_HOME"] ?? "";
  if (configured !== "") return join(configured, "plinth", "credentials.json");
  const home = process.env["HOME"] ?? findHome();
  return home === undefined ? undefined : join(home, ".config", "plinth", "credentials.json");
}

function findHome(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

/** One spelling of a server's address. A path stays: a proxy may serve several below one name. */
export function serverAddress(given: string, where: string): string {
  if (!/^https?:\/\//i.test(given) || !URL.canParse(given)) {
    throw new CommandFailure(
      `${where}: '${given}' is not an http:// or https:// address.`,
      exitCodes.wrongCall,
    );
  }
  const url = new URL(given);
  if (url.username !== "" || url.password !== "") {
    throw new CommandFailure(
      `${where}: the address holds a name or password; use \`plinth login\`, which keeps them out of sight.`,
      exitCodes.wrongCall,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

export const readCredential = (address: string): Credential | undefined => {
  const { servers } = readStored();
  return Object.hasOwn(servers, address) ? servers[address] : undefined;
};

export const storedServers = (): string[] => Object.keys(readStored().servers);

export function storeCredential(address: string, credential: Credential): void {
  const { servers } = readStored();
  write({ servers: { ...servers, [address]: credential } });
}

export function forgetCredential(address: string): void {
  const { [address]: _forgotten, ...servers } = readStored().servers;
  write({ servers });
}

/** What is not there, and what this user may not even look for. */
const NOTHING: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR", "EACCES"]);

function readStored(): Stored {
  const file = findCredentialsFile();
  if (file === undefined) return { servers: {} };
  let text: string;
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && NOTHING.has(error.code)) return { servers: {} };
    throw new CommandFailure(`${file} cannot be read (${String(error)}).`);
  }
  try {
    // Of the file that is open, not of one that stands in its place a moment later.
    const { mode, uid } = fstatSync(descriptor);
    if ((mode & 0o077) !== 0) {
      throw new CommandFailure(
        `${file} can be read by others, and so can the logins in it: chmod 600 ${file}, and log in anew.`,
        exitCodes.wrongCall,
      );
    }
    const self = process.getuid?.();
    if (self !== undefined && uid !== self && self !== 0) {
      throw new CommandFailure(`${file} belongs to somebody else.`, exitCodes.wrongCall);
    }
    text = readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
  const servers: Record<string, Credential> = {};
  for (const [address, value] of Object.entries(parse(text, file))) {
    if (isCredential(value)) servers[address] = value;
  }
  return { servers };
}

function parse(text: string, file: string): object {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === "object" && content !== null && "servers" in content) {
      const { servers } = content;
      if (typeof servers === "object" && servers !== null) return servers;
    }
  } catch {
    // Told below, without what is in it.
  }
  throw new CommandFailure(`${file} is damaged: remove it, and log in anew.`);
}

const isCredential = (value: unknown): value is Credential =>
  typeof value === "object" &&
  value !== null &&
  "secret" in value &&
  typeof value.secret === "string" &&
  "name" in value &&
  typeof value.name === "string";

/** Whole or not at all, and never readable by others. */
function write(stored: Stored): void {
  const file = credentialsFile();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  const descriptor = openSync(temporary, "wx", 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(stored, undefined, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
