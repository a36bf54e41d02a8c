import type { PrincipalRow } from "./principals.ts";

/** Of browsers: a cookie `plinth_session`, HttpOnly, SameSite=Lax, Secure where the server is asked by https. */
export type Sessions = {
  /** `cookie` is the value of the cookie, shown only here. */
  createSession(
    principal: Pick<PrincipalRow, "principal_id">,
    from: { method: "password" | "oidc"; address: string; userAgent: string | undefined },
  ): Promise<{ sessionId: string; cookie: string; expiresAt: number }>;
  deleteSession(sessionId: string): Promise<void>;
  listSessions(principalId: number): Promise<
    {
      session_id: string;
      method: string;
      address: string;
      user_agent: string | null;
      creation_timestamp: number;
      last_used_at: number;
      expires_at: number;
    }[]
  >;
};
