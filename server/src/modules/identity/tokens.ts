import type * as jose from "jose";
import type { CredentialLimit, Principal } from "../../kernel/caller.ts";
import type { Database } from "../../kernel/database.ts";
import { unauthenticated } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { limitOf } from "./credentials.sql.ts";
import { localPrincipal } from "./local-principal.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { selectServerId, selectStanding, type TokenOrigin } from "./tokens.sql.ts";

/** What a token says besides whose it is; names as in ZenML's tokens. */
export type TokenClaims = {
  /** The uuid of the principal. */
  sub: string;
  api_key_id?: string;
  device_id?: string;
  session_id?: string;
  pipeline_run_id?: string;
  schedule_id?: string;
  deployment_id?: string;
  /** Made on demand of somebody who was logged in, not by a login: no further token is made from it. */
  generic?: true;
};

/** `iat` and `exp` in seconds since 1970, to the millisecond. */
export type ReadClaims = TokenClaims & { iat: number; exp: number };

/** Whose token it is, and what it may. */
export type TokenHolder = {
  claims: ReadClaims;
  principal: Principal;
  /** Of the key, device or session that it was made from. */
  credentialId: string | undefined;
  /** That of the API key it was made from. */
  limit: CredentialLimit | undefined;
  /** When the first of the token and of what it was made from ends; milliseconds since 1970. */
  endsAt: number;
};

/**
 * Short-lived JWTs (HS256), signed with keys that rotate: made in the database, sealed, the same for all processes.
 * A token ends with what it was made from: its key, device or session, a password change, the principal.
 */
export type Tokens = {
  /** Of this installation: issuer and audience of its tokens, and what ZenML's clients know a server by. */
  serverId(): Promise<string>;
  /**
   * Good for so long, or until what it is made from ends; `MAX_TOKEN_SECONDS` at most. Throws `unauthenticated` when
   * that has ended already, `invalid_state` where the server has no key to seal secrets with.
   */
  issueToken(
    claims: TokenClaims,
    options: {
      expiresInSeconds: number;
      /** When it was begun to check what it is made from: what ended since then ends the token, too. */
      checkedAt?: number;
    },
  ): Promise<{ token: string; expiresInSeconds: number; expiresAt: number }>;
  /** Undefined for whatever is not a token of this server that has not ended. Any algorithm but HS256 is refused. */
  readToken(token: string): Promise<ReadClaims | undefined>;
  /** Undefined besides when what it was made from is no more, which is looked up: to be remembered until a change. */
  resolveToken(token: string): Promise<TokenHolder | undefined>;
  /** Removes keys that nothing good is signed with. */
  purge(): Promise<void>;
};

/** What a token may be bound to besides its principal: it ends with that. */
export type WorkloadClaims = Pick<TokenClaims, "pipeline_run_id" | "schedule_id" | "deployment_id">;

export type TokensDeps = {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
  secrets: Secrets;
  log: Log;
  loginRequired: boolean;
  /** When what a token is bound to ends, in milliseconds since 1970; undefined: it has ended. */
  workloadEnd?(claims: WorkloadClaims): Promise<number | undefined>;
};

export const MAX_TOKEN_SECONDS = 7 * 24 * 60 * 60;
/** What runs for weeks, or again and again, has no one who could log in for it: its token ends with it. */
export const MAX_WORKLOAD_SECONDS = 366 * 24 * 60 * 60;

/** How long it takes at most until a token has ended with what it is bound to. */
const WORKLOAD_KNOWN_MS = 2000;

/** What clocks of processes may differ by. */
const TOLERANCE_SECONDS = 60;

const ALGORITHM = "HS256";

/** Takes 40 ms and 15 MB, which only servers shall pay that somebody sends tokens. */
const loadJose = (): Promise<typeof jose> => import("jose");

export function createTokens(deps: TokensDeps): Tokens {
  const { database, now } = deps;
  const keys = createSigningKeys(deps, (MAX_WORKLOAD_SECONDS + 2 * TOLERANCE_SECONDS) * 1000);
  let known: Promise<string> | undefined;

  const serverId = (): Promise<string> => {
    known ??= selectServerId(database).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };

  const readToken = async (token: string): Promise<ReadClaims | undefined> => {
    const id = await serverId();
    const { errors, jwtVerify } = await loadJose();
    try {
      const { payload } = await jwtVerify(
        token,
        async ({ kid }) => {
          const key = kid === undefined ? undefined : await keys.byId(kid);
          if (key === undefined) throw new errors.JWSInvalid("unknown key");
          return key.key;
        },
        {
          algorithms: [ALGORITHM],
          typ: "JWT",
          issuer: id,
          audience: id,
          requiredClaims: ["sub", "iat", "exp"],
          clockTolerance: TOLERANCE_SECONDS,
          maxTokenAge: MAX_WORKLOAD_SECONDS,
          currentDate: new Date(now()),
        },
      );
      const claims = claimsOf(payload);
      if (claims === undefined || isWorkload(claims)) return claims;
      return now() / 1000 > claims.iat + MAX_TOKEN_SECONDS + TOLERANCE_SECONDS ? undefined : claims;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };

  /** On an open server whoever asks is the local administrator; where logins are required nobody is. */
  const standingOf = async (origin: TokenOrigin): Promise<Omit<TokenHolder, "claims"> | undefined> => {
    if (origin.principalUuid === localPrincipal.uuid) {
      if (deps.loginRequired) return undefined;
      return {
        principal: localPrincipal,
        credentialId: origin.deviceId,
        limit: undefined,
        endsAt: Infinity,
      };
    }
    const row = await selectStanding(database, origin, now());
    if (row === undefined) return undefined;
    return {
      principal: {
        principalId: row.principal_id,
        uuid: origin.principalUuid,
        kind: row.kind,
        name: row.name,
        isAdmin: row.is_admin,
      },
      credentialId: origin.apiKeyId ?? origin.deviceId ?? origin.sessionId,
      limit: limitOf(row),
      endsAt: row.ends_at ?? Infinity,
    };
  };

  return {
    serverId,
    async issueToken(claims, { expiresInSeconds, checkedAt: issuedAt = now() }) {
      const standing = await standingOf(originOf(claims, issuedAt));
      if (standing === undefined) throw unauthenticated("The credentials are no longer valid.");
      const most = isWorkload(claims) ? MAX_WORKLOAD_SECONDS : MAX_TOKEN_SECONDS;
      const wanted = issuedAt + Math.min(expiresInSeconds, most) * 1000;
      const expiresAt = Math.min(wanted, standing.endsAt);
      const id = await serverId();
      const { keyId, key } = await keys.current();
      const { SignJWT } = await loadJose();
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: ALGORITHM, typ: "JWT", kid: keyId })
        .setIssuer(id)
        .setAudience(id)
        // To the millisecond: a login in the second of a password change is told from one before it.
        .setIssuedAt(issuedAt / 1000)
        .setExpirationTime(expiresAt / 1000)
        .sign(key);
      return { token, expiresAt, expiresInSeconds: Math.floor((expiresAt - issuedAt) / 1000) };
    },
    readToken,
    async resolveToken(token) {
      const claims = await readToken(token);
      if (claims === undefined) return undefined;
      const standing = await standingOf(originOf(claims, Math.round(claims.iat * 1000)));
      if (standing === undefined) return undefined;
      const ownEnd = (claims.exp + TOLERANCE_SECONDS) * 1000;
      const endsAt = Math.min(ownEnd, standing.endsAt);
      if (!isWorkload(claims)) return { claims, ...standing, endsAt };
      const workloadEnd = await deps.workloadEnd?.(claims);
      if (workloadEnd === undefined) return undefined;
      // Nothing tells of its end: it is looked up again and again.
      return { claims, ...standing, endsAt: Math.min(endsAt, workloadEnd, now() + WORKLOAD_KNOWN_MS) };
    },
    purge: () => keys.purge(),
  };
}

const isWorkload = (claims: TokenClaims): boolean =>
  claims.pipeline_run_id !== undefined ||
  claims.schedule_id !== undefined ||
  claims.deployment_id !== undefined;

const originOf = (claims: TokenClaims, issuedAt: number): TokenOrigin => ({
  principalUuid: claims.sub,
  apiKeyId: claims.api_key_id,
  deviceId: claims.device_id,
  sessionId: claims.session_id,
  issuedAt,
});

const idClaims = [
  "api_key_id",
  "device_id",
  "session_id",
  "pipeline_run_id",
  "schedule_id",
  "deployment_id",
] as const;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Only this server's own keys sign: whatever does not fit is of a release that wrote other claims. */
function claimsOf(payload: jose.JWTPayload): ReadClaims | undefined {
  const { sub, iat, exp, generic } = payload;
  if (sub === undefined || !UUID.test(sub) || iat === undefined || exp === undefined) return undefined;
  const claims: ReadClaims = { sub, iat, exp };
  for (const name of idClaims) {
    const value = payload[name];
    if (value === undefined) continue;
    if (typeof value !== "string" || !UUID.test(value)) return undefined;
    claims[name] = value;
  }
  if (generic === true) claims.generic = true;
  return claims;
}
