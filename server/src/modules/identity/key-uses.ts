import type { Database } from "../../kernel/database.ts";
import type { Log } from "../../kernel/log.ts";
import { updateApiKeysUsed } from "./api-keys.sql.ts";
import { updateS3KeysUsed } from "./s3-keys.sql.ts";

/** When which key was used last, written down together, after the requests that used them. */
export type KeyUses = {
  note(kind: "api_key" | "s3_key", id: string, at: number): void;
  /** Writes what was noted. */
  flush(): Promise<void>;
  close(): Promise<void>;
};

const FLUSH_AFTER_MS = 10_000;

export function createKeyUses({ database, log }: { database: Database; log: Log }): KeyUses {
  const noted = { api_key: new Map<string, number>(), s3_key: new Map<string, number>() };
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const [apiKeys, s3Keys] = [[...noted.api_key], [...noted.s3_key]];
    noted.api_key.clear();
    noted.s3_key.clear();
    if (apiKeys.length > 0) await updateApiKeysUsed(database, apiKeys);
    if (s3Keys.length > 0) await updateS3KeysUsed(database, s3Keys);
  };
  // What is lost is the time of one use; the next one is written down.
  const flushQuietly = (): Promise<void> =>
    flush().catch((error: unknown) => log.warn({ err: error }, "the last use of keys could not be written"));

  return {
    note(kind, id, at) {
      noted[kind].set(id, at);
      if (!closed) timer ??= setTimeout(() => void flushQuietly(), FLUSH_AFTER_MS).unref();
    },
    flush,
    async close() {
      closed = true;
      await flushQuietly();
    },
  };
}
