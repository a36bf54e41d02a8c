import { invalidParameter } from "../../kernel/errors.ts";

/** Longest key, in bytes of UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const MAX_KEY_BYTES = 1024;

/** Any Unicode text but the empty one and what PostgreSQL cannot hold: null characters and halves of surrogate pairs. */
export function checkKey(key: string): void {
  if (key === "") throw invalidParameter("An object key must not be empty.");
  if (key.includes("\0")) throw invalidParameter("An object key must not hold a null character.");
  if (!key.isWellFormed()) throw invalidParameter("An object key must be valid Unicode text.");
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) {
    throw invalidParameter(
      `An object key must be at most ${MAX_KEY_BYTES} bytes of UTF-8; this one has ${bytes}.`,
    );
  }
}

/** Sorts after every key, being longer than the longest. */
const END = "\u{10ffff}".repeat(MAX_KEY_BYTES / 4 + 1);

const LAST = 0x10ffff;

/** The first text in byte order that is greater than everything that starts with `prefix`. */
export function afterPrefix(prefix: string): string {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number);
  while (points.length > 0) {
    const last = points.pop() as number;
    if (last === LAST) continue;
    // Code points of surrogates are no characters.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return END;
}

/** The smallest text greater than `key`: null characters do not occur. */
export const afterKey = (key: string): string => `${key}\u0001`;
