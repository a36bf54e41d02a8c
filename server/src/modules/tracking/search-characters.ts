/**
 * Which characters make up words, by the rules of Python's `re`: letters, digits and numerals of all
 * scripts and `_`, but no combining marks. A name begins with a Latin letter up to `ü`; a word that
 * begins otherwise is one too, but MLflow's tokenizer tells the two apart.
 */

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

const otherWord = /[\p{L}\p{N}]/u;

export function isWord(code: number): boolean {
  if (code < 128) return isDigit(code) || isLatin(code) || code === 95;
  return otherWord.test(String.fromCodePoint(code));
}

const isLatin = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** The first letter of a name; the range from `À` to `Ü` includes the multiplication sign. */
export const startsName = (code: number): boolean =>
  isLatin(code) || (code >= 0xc0 && code <= 0xdc) || (code >= 0xe0 && code <= 0xfc && code !== 0xf7);

/** What may not follow a number: `5x` and `5_000` are words. */
export const extendsNumber = (code: number): boolean => code === 95 || startsName(code);

export function isSpace(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31);
  return code === 0x85 || (code >= 0xa0 && code !== 0xfeff && /\s/.test(String.fromCharCode(code)));
}

/** The code point at a place, or -1 behind the end. */
export const codeAt = (text: string, at: number): number => text.codePointAt(at) ?? -1;

/** The code point that ends at a place, or -1 at the start. */
export function codeBefore(text: string, at: number): number {
  const last = text.charCodeAt(at - 1);
  return last >= 0xdc00 && last <= 0xdfff && at > 1 ? codeAt(text, at - 2) : codeAt(text, at - 1);
}

/** Where the run of characters that begins at `start` ends. */
export function endOfRun(text: string, start: number, belongs: (code: number) => boolean): number {
  let at = start;
  while (at < text.length) {
    const code = codeAt(text, at);
    if (!belongs(code)) break;
    at += code > 0xffff ? 2 : 1;
  }
  return at;
}
