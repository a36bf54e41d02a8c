import { invalidParameter } from "../../kernel/errors.ts";

const MAX_CHARACTERS = 255;
/** Of the open server's administrator; and what stands for a name where an API key is the password. */
const RESERVED: ReadonlySet<string> = new Set(["local", "token", "anonymous"]);
/** Control, formatting (right-to-left marks, zero-width ones), private and line-breaking characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/** One spelling for names that look the same. */
export const normalizeName = (name: string): string => name.normalize("NFC");

/** The name as it is stored. Throws `invalid_parameter`. */
export function readPrincipalName(given: string): string {
  const name = normalizeName(given);
  if (name === "" || Array.from(name).length > MAX_CHARACTERS) {
    throw invalidParameter(`A name must have 1 to ${MAX_CHARACTERS} characters.`);
  }
  if (INVISIBLE.test(name)) {
    throw invalidParameter("A name must not hold control characters or others that cannot be seen.");
  }
  if (name.trim() !== name) throw invalidParameter("A name must not begin or end with a blank.");
  // HTTP Basic ends the name at the first colon.
  if (name.includes(":")) throw invalidParameter("A name must not hold a colon.");
  if (name.startsWith("__") || RESERVED.has(name.toLowerCase())) {
    throw invalidParameter(`The name '${name}' is reserved.`);
  }
  return name;
}

/** What is shown to people besides the name. Throws `invalid_parameter`. */
export function readText(text: string | null | undefined, field: string): string | null {
  if (text === null || text === undefined || text === "") return null;
  if (text.length > 4096) throw invalidParameter(`The ${field} is longer than 4096 characters.`);
  if (!text.isWellFormed() || text.includes("\0")) {
    throw invalidParameter(`The ${field} holds characters that cannot be stored.`);
  }
  return text;
}
