/** What an `Authorization` header says: a name with a password, or a text that stands for both. */
export type Authorization =
  | { scheme: "basic"; name: string; password: string }
  | { scheme: "bearer"; token: string };

const BASIC = /^basic +([A-Za-z0-9+/_-]*={0,2}) *$/i;
const BEARER = /^bearer +([^\s]+) *$/i;

/** Undefined for whatever else it may be. */
export function readAuthorization(header: string): Authorization | undefined {
  const token = BEARER.exec(header)?.[1];
  if (token !== undefined) return { scheme: "bearer", token };
  const encoded = BASIC.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = decode(Buffer.from(encoded, "base64"));
  const colon = text.indexOf(":");
  if (colon === -1) return undefined;
  return { scheme: "basic", name: text.slice(0, colon), password: text.slice(colon + 1) };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8, as browsers and curl send it (RFC 7617); Python's requests sends what Latin-1 has as Latin-1. */
function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
