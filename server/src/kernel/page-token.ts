import { invalidParameter } from "./errors.ts";

/**
 * Page tokens hold the place of the last row of a page (keyset paging), as JSON in base64: opaque to
 * clients, worth nothing to forge, since a place outside of what the request may see shows nothing.
 */
export type TokenPart = string | number | null;

export const encodePageToken = (parts: readonly TokenPart[]): string =>
  Buffer.from(JSON.stringify(parts)).toString("base64url");

export const foreignToken = (): Error =>
  invalidParameter("Invalid page token: it was not made by this server for this request.");

export function decodePageToken(token: string, length: number): TokenPart[] {
  const parts = parse(token);
  const valid = (part: unknown): part is TokenPart =>
    part === null || typeof part === "string" || typeof part === "number";
  if (!Array.isArray(parts) || parts.length !== length || !(parts as unknown[]).every(valid)) {
    throw foreignToken();
  }
  return parts as TokenPart[];
}

function parse(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
