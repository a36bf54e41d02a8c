import type { Database } from "../../kernel/database.ts";
import type { Tracking } from "../tracking/index.ts";

/** What the parts of the registry are made of. */
export type RegistryDeps = {
  database: Database;
  /** Runs and logged models, which versions are made from. */
  tracking: Tracking;
  /** Milliseconds since 1970. */
  now(): number;
};

export type KeyValue = { key: string; value: string };
