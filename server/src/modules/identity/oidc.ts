import { createHmac, randomBytes } from "node:crypto";
import * as client from "openid-client";
import { permissionDenied, PlinthError, unavailable } from "../../kernel/errors.ts";
import type { Outbound } from "../../kernel/outbound/outbound.ts";
import { OutboundError } from "../../kernel/outbound/outbound-error.ts";
import { claimOf, readPerson, type ClaimNames, type Claims } from "./oidc-claims.ts";
import { loginExternal, type GroupRole, type OidcUsersDeps } from "./oidc-users.ts";
import type { PrincipalRow } from "./principals.ts";

export type { GroupRole } from "./oidc-users.ts";

/** Logins at an OpenID Connect provider: the authorization code flow with PKCE, state and nonce. */
export type Oidc = {
  /** The provider's host, for people. */
  readonly label: string;
  /** The origin that the provider sends people back to. */
  readonly site: string;
  /** Where the browser goes, and what it must bring back in a cookie. Throws `unavailable`. */
  begin(next: string): Promise<{ url: string; ticket: string }>;
  /**
   * Who came back with `callback`, and where to go on to, as the cookie has it. Throws `permission_denied` for whatever the provider does
   * not vouch for, `unavailable` when it does not answer.
   */
  finish(callback: URL, ticket: string): Promise<{ principal: PrincipalRow; isNew: boolean; next: string }>;
  /** Where a browser goes to end its session at the provider, where that has such a place. */
  logoutUrl(): Promise<string | undefined>;
};

export type OidcSettings = {
  issuer: string;
  clientId: string;
  clientSecret: string | undefined;
  scopes: string;
  claims: ClaimNames;
  groupRoles: readonly GroupRole[];
  /** The origin that people know this server by. */
  site: string;
  outbound: Outbound;
};

export const CALLBACK_PATH = "/plinth/sso/callback";

const TIMEOUT_SECONDS = 10;
/** Discovery documents and key sets take some kilobytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Providers change their endpoints at leisure. Keys are asked for anew by themselves. */
const REDISCOVER_MS = 60 * 60 * 1000;

/** Signatures with a private key of the provider. `none` proves nothing; HS256 needs a secret that others know, too. */
const ASYMMETRIC: ReadonlySet<string> = new Set([
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
]);

export function createOidc(deps: OidcUsersDeps, settings: OidcSettings): Oidc {
  const { now, log } = deps;
  const label = new URL(settings.issuer).host;
  const redirectUri = settings.site + CALLBACK_PATH;
  let discovered: { at: number; configuration: Promise<client.Configuration> } | undefined;

  const discover = (): Promise<client.Configuration> => {
    if (discovered !== undefined && now() - discovered.at < REDISCOVER_MS) return discovered.configuration;
    const configuration = discoverProvider(settings);
    discovered = { at: now(), configuration };
    configuration.catch(() => {
      if (discovered?.configuration === configuration) discovered = undefined;
    });
    return configuration;
  };

  const reach = async (): Promise<client.Configuration> => {
    try {
      return await discover();
    } catch (error) {
      log.warn({ provider: label, reason: reasonOf(error) }, "the provider of logins cannot be used");
      throw unreachable(label);
    }
  };

  return {
    label,
    site: settings.site,
    async begin(next) {
      const configuration = await reach();
      const secret = randomBytes(32).toString("base64url");
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: settings.scopes,
        code_challenge: await client.calculatePKCECodeChallenge(derive(secret, "verifier")),
        code_challenge_method: "S256",
        state: derive(secret, "state"),
        nonce: derive(secret, "nonce"),
      });
      return { url: url.href, ticket: `${secret}.${Buffer.from(next).toString("base64url")}` };
    },
    async finish(callback, ticket) {
      const [secret = "", next = ""] = ticket.split(".");
      if (!/^[\w-]{43}$/.test(secret)) throw notCompleted();
      const configuration = await reach();
      try {
        const tokens = await client.authorizationCodeGrant(configuration, callback, {
          pkceCodeVerifier: derive(secret, "verifier"),
          expectedState: derive(secret, "state"),
          expectedNonce: derive(secret, "nonce"),
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw notCompleted();
        const names = settings.claims;
        const all = await completeClaims(configuration, { accessToken: tokens.access_token, claims, names });
        const user = await loginExternal(deps, readPerson(all, names), settings.groupRoles);
        return { ...user, next: Buffer.from(next, "base64url").toString("utf8") };
      } catch (error) {
        if (error instanceof PlinthError) throw error;
        log.warn({ provider: label, reason: reasonOf(error) }, "a login at the provider failed");
        if (outboundErrorOf(error) !== undefined) throw unreachable(label);
        throw error instanceof client.AuthorizationResponseError
          ? refusedBy(label, error.error)
          : notCompleted();
      }
    },
    async logoutUrl() {
      // Whoever logs out is out here in any case.
      const configuration = await discover().catch(() => undefined);
      if (configuration?.serverMetadata().end_session_endpoint === undefined) return undefined;
      const parameters = { post_logout_redirect_uri: `${settings.site}/plinth/logged-out` };
      return client.buildEndSessionUrl(configuration, parameters).href;
    },
  };
}

/**
 * State, nonce and PKCE verifier all come from the secret in the browser's cookie: they differ, none tells another,
 * and the server keeps nothing of logins that strangers begin.
 */
const derive = (secret: string, use: "state" | "nonce" | "verifier"): string =>
  createHmac("sha256", secret).update(`plinth sso ${use}`).digest("base64url");

async function discoverProvider(settings: OidcSettings): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret, outbound } = settings;
  const isPlain = issuer.startsWith("http:");
  const fetch = createFetch(outbound);
  const auth = clientSecret === undefined ? client.None() : secretOf(clientSecret);
  const found = await client.discovery(new URL(issuer), clientId, {}, auth, {
    [client.customFetch]: fetch,
    timeout: TIMEOUT_SECONDS,
    execute: isPlain ? [client.allowInsecureRequests] : [],
  });
  // Without the functions that come with it.
  const metadata: client.ServerMetadata = JSON.parse(JSON.stringify(found.serverMetadata()));
  const offered = metadata.id_token_signing_alg_values_supported ?? ["RS256"];
  const algorithms = offered.filter((algorithm) => ASYMMETRIC.has(algorithm));
  if (algorithms.length === 0) {
    throw new Error(`it signs ID tokens with ${offered.join(", ")} alone, which does not prove who signed`);
  }
  const server = { ...metadata, id_token_signing_alg_values_supported: algorithms };
  const configuration = new client.Configuration(server, clientId, {}, auth);
  configuration[client.customFetch] = fetch;
  configuration.timeout = TIMEOUT_SECONDS;
  // Without these checks an ID token is taken for good because TLS brought it.
  client.enableNonRepudiationChecks(configuration);
  if (isPlain) client.allowInsecureRequests(configuration);
  return configuration;
}

/** As the provider says it takes the secret; `client_secret_basic` where it says nothing (Discovery, 3). */
function secretOf(secret: string): client.ClientAuth {
  const basic = client.ClientSecretBasic(secret);
  const post = client.ClientSecretPost(secret);
  return (...given) => {
    const methods = given[0].token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    return methods.includes("client_secret_basic") ? basic(...given) : post(...given);
  };
}

/** The guarded client in place of `fetch`. Redirects are followed by nobody: they would take a secret along. */
function createFetch(outbound: Outbound): client.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    if (method !== "GET" && method !== "POST") throw new TypeError(`not a method of a login: ${method}`);
    const answer = await outbound.send({
      url,
      method,
      headers: Object.fromEntries(new Headers(headers)),
      timeoutMs: TIMEOUT_SECONDS * 1000,
      maxResponseBytes: MAX_ANSWER_BYTES,
      followRedirects: false,
      ...(body === undefined || body === null
        ? {}
        : { body: Buffer.from(await new Response(body).arrayBuffer()) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const contentType = answer.headers["content-type"];
    const hasBody = answer.status !== 204 && answer.status !== 304;
    return new Response(hasBody ? new Uint8Array(answer.body) : null, {
      status: answer.status,
      headers: contentType === undefined ? {} : { "content-type": contentType },
    });
  };
}

/** What the ID token leaves out is asked for: many providers put groups and names there only. */
async function completeClaims(
  configuration: client.Configuration,
  given: { accessToken: string; claims: Claims & { sub: string }; names: ClaimNames },
): Promise<Claims> {
  const { accessToken, claims: idToken, names } = given;
  const wanted = [names.name, names.groups, "name", "email"];
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return idToken;
  if (wanted.every((claim) => claimOf(idToken, claim) !== undefined)) return idToken;
  const userInfo = await client.fetchUserInfo(configuration, accessToken, idToken.sub);
  // What is signed wins.
  return { ...userInfo, ...idToken };
}

function outboundErrorOf(error: unknown): OutboundError | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof OutboundError) return at;
  }
  return undefined;
}

/** For the log: what failed, without what was sent or received. */
function reasonOf(error: unknown): string {
  const outbound = outboundErrorOf(error);
  if (outbound !== undefined) return outbound.message;
  if (!(error instanceof Error)) return "unknown";
  const code = "code" in error ? ` (${String(error.code)})` : "";
  return `${error.message}${code}`;
}

const unreachable = (label: string): PlinthError =>
  unavailable(`The provider ${label} cannot be reached right now. Try again in a while.`);

/** The code is one of a short list (RFC 6749, 4.1.2.1); what else the address says, anybody may have written. */
const refusedBy = (label: string, code: string): PlinthError =>
  permissionDenied(
    `The provider ${label} did not log you in${/^[a-z_]{1,64}$/.test(code) ? ` (${code})` : ""}.`,
  );

const notCompleted = (): PlinthError =>
  permissionDenied(
    "The login could not be completed: what came back from the provider is not the answer to it. Log in anew.",
  );
