import type { Micros } from "../../../kernel/micros.ts";
import { derived } from "./clients.ts";
import { textMapOf } from "./configuration.ts";
import {
  AuthorizationFailure,
  once,
  optionalText,
  textOf,
  type Connector,
  type OpenDriver,
  type Tools,
} from "./connector.ts";
import { basic, formHeaders, reason, textIn } from "./http.ts";

export type Token = { token: string; expiresAt: Micros | null };

const MICROS = 1_000_000;

/** An API that takes bearer tokens of OAuth 2.0. A token that was given cannot be proved without using the API. */
export const openOauth2: OpenDriver = (connector, tools) => {
  const { configuration, method } = connector;
  const token = once<Token>(async () =>
    method.auth_method === "token"
      ? { token: textOf(configuration, "access_token"), expiresAt: connector.expiresAt }
      : requestToken(connector, tools),
  );
  return {
    defaultId: () => textOf(configuration, "api_url"),
    async verify(_type, id) {
      await token();
      return id === undefined ? [] : [id];
    },
    async client(resourceType, id) {
      const fetched = await token();
      return derived(connector, connector.type, {
        method: "token",
        resourceType,
        id,
        expiresAt: fetched.expiresAt,
        configuration: { access_token: fetched.token, api_url: textOf(configuration, "api_url") },
      });
    },
  };
};

/** RFC 6749, 4.4 and 6. */
async function requestToken({ configuration, method }: Connector, { http, now }: Tools): Promise<Token> {
  const client = textOf(configuration, "client_id");
  const secret = optionalText(configuration, "client_secret");
  const form: Record<string, string> =
    method.auth_method === "client-credentials"
      ? { grant_type: "client_credentials" }
      : { grant_type: "refresh_token", refresh_token: textOf(configuration, "refresh_token") };
  const audience = optionalText(configuration, "audience");
  const scope = optionalText(configuration, "scope");
  const inBody = configuration["client_auth_method"] === "client_secret_post";
  if (secret === undefined || inBody) form["client_id"] = client;
  if (secret !== undefined && inBody) form["client_secret"] = secret;
  if (audience !== undefined) form["audience"] = audience;
  if (scope !== undefined) form["scope"] = scope;
  const headers = {
    ...textMapOf(configuration["token_headers"]),
    ...formHeaders,
    ...(secret === undefined || inBody ? {} : { authorization: basic(client, secret) }),
  };
  const body = new URLSearchParams({ ...textMapOf(configuration["token_params"]), ...form }).toString();
  return readToken(await http({ url: textOf(configuration, "token_url"), method: "POST", headers, body }), {
    now: now(),
    what: "Failed to fetch an OAuth2 token",
  });
}

/** The answer of an endpoint for tokens. Its errors are told by their code, which is no secret (RFC 6749, 5.2). */
export function readToken(
  answer: Awaited<ReturnType<Tools["http"]>>,
  { now, what }: { now: Micros; what: string },
): Token {
  const said = answer.json();
  const token = textIn(said, "access_token");
  if (answer.status !== 200 || token === undefined) {
    const why = [textIn(said, "error"), textIn(said, "error_description")].filter(
      (part) => part !== undefined,
    );
    throw new AuthorizationFailure(`${what}: ${reason(why.join(": ")) || `the answer is ${answer.status}`}`);
  }
  const type = said["token_type"];
  if (typeof type === "string" && type.toLowerCase() !== "bearer") {
    throw new AuthorizationFailure(`${what}: the token is no bearer token`);
  }
  const seconds = Number(said["expires_in"]);
  const expires = said["expires_in"] !== undefined && Number.isFinite(seconds);
  return { token, expiresAt: expires ? now + Math.floor(seconds * MICROS) : null };
}
