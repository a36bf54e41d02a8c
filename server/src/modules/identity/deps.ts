import type { Database } from "../../kernel/database.ts";
import type { Log } from "../../kernel/log.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import type { PasswordCost } from "./passwords.ts";
import type { Oidc } from "./oidc.ts";
import type { OidcUsersDeps } from "./oidc-users.ts";
import type { Permission } from "./policy.ts";
import type { TokensDeps } from "./tokens.ts";

export type IdentityDeps = {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
  secrets: Secrets;
  log: Log;
  onBatch?(name: string, size: number): void;
  /** What a password costs to hash; less in tests. */
  passwordCost?: PasswordCost | undefined;
  /**
   * Whether requests without credentials are refused. Where not, they come from the local administrator; credentials
   * that are given are checked all the same.
   */
  loginRequired: boolean;
  workloadEnd?: NonNullable<TokensDeps["workloadEnd"]>;
  /** Where people can log in besides here. */
  /** Logins at a provider, where one is configured. */
  oidc?: ((deps: OidcUsersDeps) => Oidc) | undefined;
  /** What every user may do in the workspace `default` besides what was granted. */
  defaultPermission: Extract<Permission, "NO_PERMISSIONS" | "READ" | "USE" | "EDIT">;
};
