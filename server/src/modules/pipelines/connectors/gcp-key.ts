import { createPrivateKey, sign } from "node:crypto";
import { invalidParameter } from "../../../kernel/errors.ts";
import { AuthorizationFailure, textOf, type Configuration, type Json } from "./connector.ts";
import { isJson, textIn } from "./http.ts";

/** The JSON files in which Google Cloud hands out credentials. */

const forms = {
  user_account_json: { type: "authorized_user", needs: ["refresh_token", "client_secret", "client_id"] },
  service_account_json: {
    type: "service_account",
    needs: ["project_id", "private_key_id", "private_key", "client_email", "client_id", "token_uri"],
  },
  external_account_json: { type: "external_account", needs: ["subject_token_type", "token_url"] },
} as const;

export type KeyAttribute = keyof typeof forms;

export const keyAttributes = Object.keys(forms) as KeyAttribute[];

/** Throws `invalid_parameter` that says what is missing, and shows nothing of it. */
export function readKey(configuration: Configuration, attribute: KeyAttribute): Json {
  const given = textOf(configuration, attribute);
  const text = /^[A-Za-z0-9+/=\s]+$/.test(given) ? Buffer.from(given, "base64").toString("utf8") : given;
  const key = parsed(text);
  if (key === undefined) throw notValid(attribute, "is not JSON");
  const { type, needs } = forms[attribute];
  if (key["type"] !== type) throw notValid(attribute, `is not of the type '${type}'`);
  const missing = needs.filter((name) => textIn(key, name) === undefined);
  if (missing.length > 0) throw notValid(attribute, `is missing required fields: ${missing.join(", ")}`);
  return key;
}

const notValid = (attribute: string, what: string): Error =>
  invalidParameter(`connector configuration is not valid: attribute '${attribute}' ${what}`);

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const HOUR = 3600;

/** Says who asks for a token, signed with the key of a service account (RFC 7523). */
export function assertionOf(key: Json, { scope, nowSeconds }: { scope: string; nowSeconds: number }): string {
  const header = { alg: "RS256", typ: "JWT", kid: textIn(key, "private_key_id") };
  const claims = {
    iss: textIn(key, "client_email"),
    aud: textIn(key, "token_uri"),
    scope,
    iat: nowSeconds,
    exp: nowSeconds + HOUR,
  };
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${signatureOf(text, textIn(key, "private_key") ?? "")}`;
}

function signatureOf(text: string, privateKey: string): string {
  try {
    return sign("RSA-SHA256", Buffer.from(text), createPrivateKey(privateKey)).toString("base64url");
  } catch {
    throw new AuthorizationFailure("the private key of the service account cannot be read");
  }
}
