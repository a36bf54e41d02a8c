import { isoToMicros } from "../../../kernel/micros.ts";
import {
  AuthorizationFailure,
  notImplicit,
  textOf,
  type Connector,
  type HttpAnswer,
  type Json,
  type Tools,
} from "./connector.ts";
import { assertionOf, readKey } from "./gcp-key.ts";
import { bearer, formHeaders, isJson, reason, textIn } from "./http.ts";
import { readToken, type Token } from "./oauth2.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const USER_TOKEN_URI = "https://oauth2.googleapis.com/token";
const WHAT = "Could not fetch GCP OAuth2 token";

export type GcpToken = Token & { readonly email: string | undefined };

/** A token of Google Cloud, in each way that needs nothing of the place where this server runs. */
export async function fetchGcpToken(connector: Connector, tools: Tools): Promise<GcpToken> {
  const { configuration } = connector;
  switch (connector.method.auth_method) {
    case "oauth2-token": {
      const email = textOf(configuration, "service_account_email") || undefined;
      return { token: textOf(configuration, "token"), expiresAt: connector.expiresAt, email };
    }
    case "user-account": {
      const key = readKey(configuration, "user_account_json");
      const form = {
        grant_type: "refresh_token",
        refresh_token: textIn(key, "refresh_token") ?? "",
        client_id: textIn(key, "client_id") ?? "",
        client_secret: textIn(key, "client_secret") ?? "",
      };
      return { ...(await post(tools, textIn(key, "token_uri") ?? USER_TOKEN_URI, form)), email: undefined };
    }
    case "service-account":
      return serviceAccountToken(readKey(configuration, "service_account_json"), tools);
    case "impersonation":
      return impersonated(connector, tools);
    case "external-account":
      return externalToken(readKey(configuration, "external_account_json"), tools);
    default:
      throw notImplicit();
  }
}

async function post(tools: Tools, url: string, form: Readonly<Record<string, string>>): Promise<Token> {
  const body = new URLSearchParams(form).toString();
  const answer = await tools.http({ url, method: "POST", headers: formHeaders, body });
  return readToken(answer, { now: tools.now(), what: WHAT });
}

async function serviceAccountToken(key: Json, tools: Tools): Promise<GcpToken> {
  const assertion = assertionOf(key, { scope: SCOPE, nowSeconds: Math.floor(tools.now() / 1_000_000) });
  const form = { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion };
  return { ...(await post(tools, textIn(key, "token_uri") ?? "", form)), email: textIn(key, "client_email") };
}

async function impersonated(
  { configuration, expirationSeconds }: Connector,
  tools: Tools,
): Promise<GcpToken> {
  const own = await serviceAccountToken(readKey(configuration, "service_account_json"), tools);
  const target = textOf(configuration, "target_principal");
  return actAs(
    `${tools.places.google.iamCredentials}/v1/projects/-/serviceAccounts/${encodeURIComponent(target)}:generateAccessToken`,
    {
      own,
      target,
      tools,
      seconds: expirationSeconds ?? 3600,
    },
  );
}

type ActAs = { own: Token; target: string | undefined; tools: Tools; seconds: number };

async function actAs(url: string, { own, target, tools, seconds }: ActAs): Promise<GcpToken> {
  const answer = await tools.http({
    url,
    method: "POST",
    headers: { ...bearer(own.token), "content-type": "application/json" },
    body: JSON.stringify({ scope: [SCOPE], lifetime: `${seconds}s` }),
  });
  const token = textIn(answer.json(), "accessToken");
  if (answer.status !== 200 || token === undefined) {
    throw gcpFailure(`Failed to impersonate service account '${target ?? ""}'`, answer);
  }
  return { token, expiresAt: isoToMicros(textIn(answer.json(), "expireTime") ?? "") ?? null, email: target };
}

/**
 * Exchanges the token of another provider (https://google.aip.dev/auth/4117). It comes from an address; files, programs
 * and the surroundings of this server are not for those who use it.
 */
async function externalToken(key: Json, tools: Tools): Promise<GcpToken> {
  const subject = await subjectToken(isJson(key["credential_source"]) ? key["credential_source"] : {}, tools);
  const federated = await post(tools, textIn(key, "token_url") ?? "", {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token_type: textIn(key, "subject_token_type") ?? "",
    subject_token: subject,
    scope: SCOPE,
    ...(textIn(key, "audience") === undefined ? {} : { audience: textIn(key, "audience") ?? "" }),
  });
  const url = textIn(key, "service_account_impersonation_url");
  if (url === undefined) return { ...federated, email: undefined };
  const email = /\/serviceAccounts\/([^/:]+):/.exec(url)?.[1];
  return actAs(url, { own: federated, target: email, tools, seconds: 3600 });
}

async function subjectToken(source: Json, { http }: Tools): Promise<string> {
  const url = textIn(source, "url");
  if (url === undefined || source["environment_id"] !== undefined) {
    throw new AuthorizationFailure(
      "External accounts are supported with a credential_source that is a url: this server reads no files, runs no " +
        "programs and does not lend out the credentials of the place where it runs.",
    );
  }
  const given = isJson(source["headers"]) ? source["headers"] : {};
  const headers = Object.fromEntries(
    Object.entries(given).filter((one): one is [string, string] => typeof one[1] === "string"),
  );
  const answer = await http({ url, headers });
  const format = isJson(source["format"]) ? source["format"] : {};
  const field = textIn(format, "subject_token_field_name");
  const token =
    format["type"] === "json" && field !== undefined ? textIn(answer.json(), field) : answer.text.trim();
  if (answer.status !== 200 || token === undefined || token === "") {
    throw new AuthorizationFailure(`${WHAT}: the address of the external account answers ${answer.status}`);
  }
  return token;
}

export function gcpFailure(what: string, answer: HttpAnswer): AuthorizationFailure {
  const error = answer.json()["error"];
  const said = isJson(error) ? textIn(error, "message") : typeof error === "string" ? error : undefined;
  return new AuthorizationFailure(`${what}: ${reason(said) || `the answer is ${answer.status}`}`);
}
