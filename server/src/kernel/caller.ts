/** Who sends a request, as far as its credentials prove it. */
export type Caller = {
  /** Undefined where the request carries no credentials and the server asks for some. */
  readonly principal: Principal | undefined;
  readonly credential: Credential;
  /** Where the request comes from: the peer, or what a trusted proxy says. */
  readonly address: string;
  /** Which workspace this caller entered last, as of which knowledge of rights; weak, since that is bounded. */
  entered?:
    | { readonly version: number; readonly workspaceId: number; readonly scope: WeakRef<object> }
    | undefined;
};

export type Principal = {
  /** 0 for the local administrator of an open server, who has no row. */
  readonly principalId: number;
  readonly uuid: string;
  readonly kind: "user" | "service_account" | "local";
  readonly name: string;
  /** Administrator of the whole platform. */
  readonly isAdmin: boolean;
};

export type Credential = {
  readonly kind: "none" | "local" | "password" | "api_key" | "session" | "token" | "s3_key";
  /** Of the key, session or device. */
  readonly id?: string;
  /** What the credential may at most, where that is less than its principal may. */
  readonly limit?: CredentialLimit;
};

export type CredentialLimit = {
  readonly maxPermission: "READ" | "USE" | "EDIT" | "MANAGE";
  /** Undefined: no limit. */
  readonly workspaceIds: ReadonlySet<number> | undefined;
};

export const anonymous = (address: string): Caller => ({
  principal: undefined,
  credential: { kind: "none" },
  address,
});

/** Whether this caller administers the platform: a limited key of an administrator does not. */
export const isPlatformAdmin = ({ principal, credential }: Caller): boolean =>
  principal !== undefined && principal.isAdmin && credential.limit === undefined;
