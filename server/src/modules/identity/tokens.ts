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
};

/**
 * Short-lived JWTs (HS256), signed with keys that rotate: made in the database, sealed, the same for all processes.
 * A token ends with what it was made from: its key, device or session, a password change, the principal.
 */
export type Tokens = {
  /** Throws `invalid_state` where the server has no key to seal secrets with. */
  issueToken(
    claims: TokenClaims,
    options: { expiresInSeconds: number },
  ): Promise<{ token: string; expiresAt: number }>;
  /** Undefined for whatever is not a token of this server that is still good. Any algorithm but HS256 is refused. */
  readToken(token: string): Promise<(TokenClaims & { iat: number; exp: number }) | undefined>;
};
