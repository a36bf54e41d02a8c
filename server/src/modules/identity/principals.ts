import type { Caller } from "../../kernel/caller.ts";
import type { PrincipalRow } from "./principals.sql.ts";

export type { PrincipalRow } from "./principals.sql.ts";

export type PrincipalKind = "user" | "service_account";

export type PrincipalFields = {
  full_name?: string | null;
  email?: string | null;
  description?: string | null;
};

export type NewPrincipal = PrincipalFields & {
  kind: PrincipalKind;
  name: string;
  /** Users only; without one the user cannot log in by password until activated. */
  password?: string;
  isAdmin?: boolean;
};

export type PrincipalRef = { principalId: number } | { uuid: string } | { name: string };

/** Users and service accounts. Nobody may make a principal that may more than its maker. */
export type Principals = {
  /** Throws `already_exists`, `invalid_parameter` for a bad name or a weak password (under 12 characters). */
  createPrincipal(given: NewPrincipal): Promise<PrincipalRow>;
  /** Throws `not_found`. */
  getPrincipal(ref: PrincipalRef): Promise<PrincipalRow>;
  findPrincipal(ref: PrincipalRef): Promise<PrincipalRow | undefined>;
  listPrincipals(page: {
    kind?: PrincipalKind;
    /** Names that hold this text. */
    contains?: string;
    maxResults: number;
    pageToken?: string;
  }): Promise<{ principals: PrincipalRow[]; nextPageToken: string | undefined }>;
  /** A new name goes with all grants, since those are by id. */
  updatePrincipal(ref: PrincipalRef, change: PrincipalFields & { name?: string }): Promise<PrincipalRow>;
  /** All sessions, tokens and remembered logins end with it. `current` is checked where it is given. */
  setPassword(ref: PrincipalRef, password: string, options?: { current?: string }): Promise<PrincipalRow>;
  /** Throws `invalid_state` for the last active administrator who can log in. */
  setAdmin(ref: PrincipalRef, isAdmin: boolean): Promise<PrincipalRow>;
  /** Who is not active is refused at once. Throws as `setAdmin`. */
  setActive(ref: PrincipalRef, active: boolean): Promise<PrincipalRow>;
  /** With keys, sessions, personal grants. Throws as `setAdmin`. */
  deletePrincipal(ref: PrincipalRef): Promise<void>;
  /** A token with which somebody else may set the first password, once; shown only here. */
  issueActivationToken(ref: PrincipalRef): Promise<string>;
  activate(
    ref: PrincipalRef,
    given: { token: string; password?: string } & PrincipalFields,
  ): Promise<PrincipalRow>;
  /** Whether a person could log in as administrator: else a server that needs logins does not start. */
  hasAdmin(): Promise<boolean>;
  /**
   * The user with this name and password, else undefined: of the same answer and time for names that do not exist.
   * Limited by account and address: throws `too_many_requests`. Does not remember (see `authenticate`).
   */
  checkPassword(
    name: string,
    password: string,
    from: Pick<Caller, "address">,
  ): Promise<PrincipalRow | undefined>;
};
