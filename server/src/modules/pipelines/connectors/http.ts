import { OutboundError } from "../../../kernel/outbound/outbound-error.ts";
import type { Outbound } from "../../../kernel/outbound/outbound.ts";
import { AuthorizationFailure, type Http, type Json } from "./connector.ts";

const TIMEOUT_MS = 15_000;
/** Enough for lists of tens of thousands of names. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Through the guarded client: no address inside is asked unless the operator allowed it, and no redirect is followed. */
export const createHttp =
  (outbound: Outbound): Http =>
  async ({ url, method = "GET", headers = {}, body, tls }) => {
    try {
      const answer = await outbound.send({
        url,
        method,
        headers,
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
        ...(tls === undefined ? {} : { tls }),
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes: MAX_BYTES,
        followRedirects: false,
      });
      if (answer.truncated)
        throw new AuthorizationFailure(`${placeOf(url)} answered with more than can be read`);
      const text = answer.body.toString("utf8");
      return { status: answer.status, headers: answer.headers, text, json: () => readJson(text) };
    } catch (error) {
      if (error instanceof OutboundError) throw new AuthorizationFailure(`${placeOf(url)}: ${error.message}`);
      // What OpenSSL says of a certificate or key that it cannot read.
      if (
        tls !== undefined &&
        error instanceof Error &&
        "code" in error &&
        /^ERR_(?:OSSL|SSL|CRYPTO)/.test(String(error.code))
      )
        throw new AuthorizationFailure("the configured certificate or key cannot be read");
      throw error;
    }
  };

/** Without the path and the query, which may hold credentials. */
function placeOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "the address";
}

function readJson(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : {};
  } catch {
    return {};
  }
}

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The objects of a list, none where there is no list. */
export const objectsOf = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.filter(isJson) : [];

export const textIn = (value: Json, name: string): string | undefined => {
  const found = value[name];
  return typeof found === "string" ? found : undefined;
};

const MAX_REASON = 300;

/** What somebody else's server says of an error, short, on one line. */
export const reason = (text: string | undefined): string =>
  (text ?? "")
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, MAX_REASON);

export const formHeaders = {
  "content-type": "application/x-www-form-urlencoded",
  accept: "application/json",
};

export const bearer = (token: string): { authorization: string; accept: string } => ({
  authorization: `Bearer ${token}`,
  accept: "application/json",
});

export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
