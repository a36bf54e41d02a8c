import { createHash, randomBytes, randomUUID } from "node:crypto";

/** What a key says: which one it is, and the secret, 64 hexadecimal digits. */
export type ApiKeyText = { keyId: string; secret: string };

const PLINTH = /^plinth_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([0-9a-f]{64})$/;
const ZENML = "ZENKEY_";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SECRET = /^[0-9a-f]{64}$/;
/** Nothing that long is a key. */
const MAX_LENGTH = 512;

export const newKeyId = (): string => randomUUID();
export const newSecret = (): string => randomBytes(32).toString("hex");

/** 256 random bits need no slow hash. */
export const hashSecret = (secret: string): Buffer => createHash("sha256").update(secret).digest();

export const writeKey = ({ keyId, secret }: ApiKeyText): string =>
  `plinth_${keyId.replaceAll("-", "")}_${secret}`;

/** As ZenML's clients know them. */
export const writeZenmlKey = ({ keyId, secret }: ApiKeyText): string =>
  ZENML + Buffer.from(JSON.stringify({ id: keyId, key: secret })).toString("base64");

/** Undefined for what cannot be a key of this server. */
export function readKey(text: string): ApiKeyText | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const found = PLINTH.exec(text);
  if (found !== null) return { keyId: found.slice(1, 6).join("-"), secret: found[6] ?? "" };
  return text.startsWith(ZENML) ? readZenmlKey(text.slice(ZENML.length)) : undefined;
}

function readZenmlKey(encoded: string): ApiKeyText | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
    if (typeof read !== "object" || read === null || !("id" in read) || !("key" in read)) return undefined;
    const { id, key } = read;
    if (typeof id !== "string" || typeof key !== "string") return undefined;
    return UUID.test(id) && SECRET.test(key) ? { keyId: id, secret: key } : undefined;
  } catch {
    return undefined;
  }
}
