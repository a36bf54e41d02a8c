/** Where the run of characters that begins at `start` ends; `start` itself when the first is none of them. */
export type RunEnd = (text: string, start: number) => number;

/**
 * Takes a pattern `[...]*` with the sticky flag: one class, repeated. It matches everywhere, reads each
 * character once and never goes back.
 */
export const runOf =
  (pattern: RegExp): RunEnd =>
  (text, start) => {
    pattern.lastIndex = start;
    pattern.test(text);
    return pattern.lastIndex;
  };

/**
 * Words by the rules of Python's `re`: letters, digits and numerals of all scripts and `_`, but no combining
 * marks.
 */
export const endOfWord = runOf(/[\p{L}\p{N}_]*/uy);

/** Some words go on with signs that could not begin one. */
export const endOfLongWord = runOf(/[\p{L}\p{N}_#$]*/uy);

export const endOfDigits = runOf(/[0-9]*/y);

const spaces = new Set(
  "\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000",
);

/** Blanks and line ends by the rules of Python, whose separators of records and files are blanks too. */
export const isSpace = (character: string | undefined): boolean =>
  character !== undefined && spaces.has(character);

export function endOfSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text[at])) at += 1;
  return at;
}

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

const isLatin = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** The first letter of a name, a Latin one up to `ü`; the range from `À` to `Ü` includes the sign of multiplication. */
export const startsName = (code: number): boolean =>
  isLatin(code) || (code >= 0xc0 && code <= 0xdc) || (code >= 0xe0 && code <= 0xfc && code !== 0xf7);

/** What may not follow a number: `5x` and `5_000` are words. */
export const extendsNumber = (code: number): boolean => code === 95 || startsName(code);

/** The code point at a place, or -1 behind the end. */
export const codeAt = (text: string, at: number): number => text.codePointAt(at) ?? -1;

/** A word ends at this place. */
export function followsWord(text: string, at: number): boolean {
  if (at === 0) return false;
  const last = text.charCodeAt(at - 1);
  const start = last >= 0xdc00 && last <= 0xdfff && at > 1 ? at - 2 : at - 1;
  return endOfWord(text.slice(start, at), 0) > 0;
}
