import { execFile } from "node:child_process";
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { invalidState, PlinthError } from "./errors.ts";

/**
 * Secrets at rest: AES-256-GCM. A sealed text is `v1.<key id>.<base64url of nonce, ciphertext and tag>`, so that
 * it says which key opens it, and is bound to the place it stands at (table, row and column): copied to another
 * row it does not open. Several keys may be given; the first seals, all of them open.
 */
export type Secrets = {
  /** Throws where no key was given. */
  seal(text: string, place: string): string;
  open(sealed: string, place: string): string;
  /** Whether a sealed text was sealed with the first key. */
  isCurrent(sealed: string): boolean;
  /** What texts sealed with the first key begin with; undefined where no key was given. */
  readonly currentPrefix: string | undefined;
};

type Key = { id: string; bytes: Buffer };

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSecrets(keys: readonly Buffer[]): Secrets {
  const ring = keys.map(deriveKey);
  const byId = new Map(ring.map((key) => [key.id, key]));
  const [first] = ring;
  const currentPrefix = first === undefined ? undefined : `v1.${first.id}.`;
  return {
    currentPrefix,
    isCurrent: (sealed) => currentPrefix !== undefined && sealed.startsWith(currentPrefix),
    seal(text, place) {
      if (first === undefined) throw noKey();
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", first.bytes, nonce);
      cipher.setAAD(bindingOf(first, place));
      const sealed = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
      return `v1.${first.id}.${Buffer.concat(sealed).toString("base64url")}`;
    },
    open(sealed, place) {
      const [version, id = "", body = "", ...more] = sealed.split(".");
      const bytes = Buffer.from(body, "base64url");
      if (version !== "v1" || more.length > 0 || bytes.length < NONCE_BYTES + TAG_BYTES) throw damaged(place);
      const key = byId.get(id);
      if (key === undefined) throw unknownKey(id, place);
      const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(bindingOf(key, place));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
        return Buffer.concat([text, decipher.final()]).toString("utf8");
      } catch {
        throw damaged(place);
      }
    },
  };
}

const bindingOf = (key: Key, place: string): Buffer => Buffer.from(`plinth v1 ${key.id} ${place}`);

/** The id names a key without telling it: a hash of it, shortened. */
function deriveKey(key: Buffer): Key {
  const id = createHash("sha256").update("plinth key id").update(key).digest("hex").slice(0, 8);
  return { id, bytes: Buffer.from(hkdfSync("sha256", key, "", "plinth secrets v1", KEY_BYTES)) };
}

const noKey = (): PlinthError =>
  invalidState(
    "This server has no key to encrypt secrets with. Start it with --secrets-key-file (or PLINTH_SECRETS_KEY), the " +
      "same for every process on this database; `openssl rand -base64 32` makes one.",
  );

const unknownKey = (id: string, place: string): PlinthError =>
  invalidState(
    `The secret of ${place} was encrypted with the key '${id}', which this server was not given. Add that key to ` +
      "--secrets-key-file, or set the secret anew.",
  );

const damaged = (place: string): PlinthError =>
  invalidState(`The secret of ${place} cannot be decrypted: what is stored was changed. Set it anew.`);

export type KeySource = {
  /** Keys as text: 32 bytes each, in base64 or hexadecimal, separated by commas or blanks. */
  key: string | undefined;
  keyFile: string | undefined;
  /** A program that writes the key to its standard output, such as the client of a key management service. */
  keyCommand: readonly string[] | undefined;
  /** Made with a new key when it is not there; only for a database that no other machine shares. */
  ownFile: string | undefined;
};

export async function readKeys({ key, keyFile, keyCommand, ownFile }: KeySource): Promise<Buffer[]> {
  if (key !== undefined) return parseKeys(key, "--secrets-key");
  if (keyFile !== undefined) return parseKeys(await readText(keyFile), keyFile);
  if (keyCommand !== undefined) return parseKeys(await runKeyCommand(keyCommand), "--secrets-key-command");
  if (ownFile === undefined) return [];
  const keys = parseKeys(await ownKey(ownFile), ownFile);
  const { mode } = await stat(ownFile);
  if ((mode & 0o077) !== 0)
    throw wrong(`${ownFile} can be read by others than its owner: chmod 600 ${ownFile}.`);
  return keys;
}

export function parseKeys(text: string, where: string): Buffer[] {
  const keys = text.split(/[\s,]+/).filter((word) => word !== "");
  const read = keys.map((word) => Buffer.from(word, /^[0-9a-f]{64}$/i.test(word) ? "hex" : "base64"));
  if (read.length === 0 || read.some((bytes) => bytes.length !== KEY_BYTES)) {
    throw wrong(
      `${where} holds no key: a key is 32 random bytes in base64 or hexadecimal, such as \`openssl rand -base64 32\` ` +
        "makes; several are separated by commas or line breaks, the first one encrypts.",
    );
  }
  return read;
}

const COMMAND_MS = 30_000;

/** Run without a shell; what it writes is the key, and is shown nowhere. */
async function runKeyCommand([program = "", ...words]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: COMMAND_MS, maxBuffer: 64 * 1024, encoding: "utf8" } as const;
    execFile(program, words, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else {
        const reason =
          stderr.trim().slice(-500) || (error.killed === true ? "it took too long" : error.message);
        reject(wrong(`--secrets-key-command: ${program} gave no key: ${reason}`));
      }
    });
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw wrong(`The key file ${file} cannot be read: ${reason}.`);
  }
}

/** The key in `file`; a new one appears there whole, on the disk, and readable by its owner alone. */
async function ownKey(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString("base64")}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A link fails where a rename would replace: of two that start at once, one key stays.
  await link(temporary, file).catch((error: unknown) => {
    if (!hasCode(error, "EEXIST")) throw error;
  });
  await rm(temporary);
  const folder = await open(dirname(file));
  await folder.sync();
  await folder.close();
  return readFile(file, "utf8");
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

const wrong = (message: string): PlinthError => new PlinthError("invalid_parameter", message);
