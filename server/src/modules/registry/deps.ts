import type { Database } from "../../kernel/database.ts";
import type { Log } from "../../kernel/log.ts";
import type { Outbound } from "../../kernel/outbound/outbound.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import type { Roles } from "../identity/index.ts";
import type { Tracking } from "../tracking/index.ts";
import type { VersionMemory } from "./version-memory.ts";

/** What the parts of the registry are made of. */
export type RegistryDeps = {
  database: Database;
  /** Runs and logged models, which versions are made from. */
  tracking: Tracking;
  /** What is granted on models follows their names, and goes with them. */
  grants: Pick<Roles, "deleteGrantsOn" | "readChanges" | "renameGrantsOn">;
  /** Milliseconds since 1970. */
  now(): number;
  /** Told how many requests shared a commit. */
  onBatch(name: string, size: number): void;
  /** What webhooks are made of. */
  outbound: Outbound;
  secrets: Secrets;
  log: Log;
  webhookTimeoutMs: number;
  webhookMaxAttempts: number;
  /** Told of every attempt to deliver. */
  onDelivery(outcome: "delivered" | "repeated" | "given_up"): void;
};

export type ChangeDeps = RegistryDeps & {
  /** Tells that webhooks have something to be told, as many as that. */
  announce(recorded: number): void;
  /** Versions that lists have shown before. */
  memory: VersionMemory;
};

export type KeyValue = { key: string; value: string };
