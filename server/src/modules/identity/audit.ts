import type { Caller } from "../../kernel/caller.ts";
import type { Queryable } from "../../kernel/database.ts";

/** `login`, `user.create`, `role.assign`, `experiment.delete`, `secret.read`, `access` (a refused request), ... */
export type AuditEvent = {
  action: string;
  /** What it was done to: `experiment`, `7`. */
  resource_type?: string;
  resource_id?: string;
  workspace?: string;
  outcome: "allowed" | "denied" | "failed";
  /** Small, and never a secret. */
  details?: Readonly<Record<string, string | number | boolean | null>>;
};

export type AuditRow = AuditEvent & {
  event_id: number;
  /** Milliseconds since 1970. */
  at: number;
  principal: string | null;
  principal_kind: string | null;
  credential_kind: string;
  credential_id: string | null;
  address: string;
  /** How many requests of the same kind this stands for: denials of one minute are counted. */
  count: number;
};

/** Who did what, from where; append-only. */
export type Audit = {
  /** Resolves when the event is on the disk; events of one moment share a commit. */
  record(caller: Caller, event: AuditEvent): Promise<void>;
  /** Within the transaction that does what the event tells. */
  recordIn(transaction: Queryable, caller: Caller, event: AuditEvent): Promise<void>;
  /** Does not wait; like ones within a minute are counted in one row. */
  recordDenied(caller: Caller, event: Omit<AuditEvent, "outcome">): void;
};
