import type { Database } from "../../kernel/database.ts";
import { textOf } from "./artifact-stores/credentials.ts";
import type { ArtifactStores } from "./artifact-stores/open-store.ts";
import { StoreError } from "./artifact-stores/store.ts";
import type { LogChunks } from "./log-chunks.ts";
import type { LogFiles } from "./log-files.ts";
import { readLogPage, type LogBytes, type LogPage, type PageOptions } from "./log-page.ts";
import { selectRow } from "./records.ts";
import type { LogsRow } from "./run-tables.ts";
import type { SecretReader } from "./secrets.ts";
import { components } from "./stack-tables.ts";

/** Where this server takes what OpenTelemetry's exporters send. */
export const INGEST_PATH = "/otlp/v1/logs";

/** `from` is the beginning or, backwards, the end where it is not said. */
export type ReadPage = Omit<PageOptions, "logId" | "from"> & { from?: number | undefined };

export type LogReader = {
  /** A page, and how long the whole is in bytes. Nothing where nothing was written yet. Throws a `StoreError`. */
  page(row: LogsRow, reader: SecretReader, options: ReadPage): Promise<LogPage & { size: number }>;
  /** Bytes of it as they were written, from an offset on, which counts from the end where it is negative. */
  bytes(row: LogsRow, reader: SecretReader, part: { offset: number; length: number }): Promise<Buffer>;
};

export type LogReaderDeps = {
  database: Database;
  stores: ArtifactStores;
  files: LogFiles;
  chunks: LogChunks;
};

const nothing: LogBytes = { size: 0, read: async () => Buffer.alloc(0) };

export function createLogReader({ database, stores, files, chunks }: LogReaderDeps): LogReader {
  /** What was sent here is read wherever the client was told to send it. */
  const openSent = async (logId: string, logStoreId: string): Promise<LogBytes> => {
    const sent = await chunks.open(logId);
    if (sent !== undefined) return sent;
    const store = await selectRow(database, components, logStoreId);
    if (store === undefined) throw new StoreError("outside", `Log store '${logStoreId}' does not exist.`);
    if (store.type !== "log_store") {
      throw new StoreError("outside", `Stack component '${logStoreId}' is not a log store.`);
    }
    const { endpoint } = JSON.parse(store.configuration_json) as { endpoint?: unknown };
    const address = textOf(endpoint) ?? "";
    const isHere = URL.canParse(address) && new URL(address).pathname === INGEST_PATH;
    if (store.flavor_name === "otel" && isHere) return nothing;
    throw new StoreError(
      "unsupported",
      `Log fetching is not supported for the log store '${store.name}' of flavor '${store.flavor_name}'.`,
    );
  };

  const read = async <T>(
    row: LogsRow,
    reader: SecretReader,
    work: (bytes: LogBytes) => Promise<T>,
  ): Promise<T> => {
    if (row.log_store_id !== null) return work(await openSent(row.id, row.log_store_id));
    if (row.artifact_store_id === null || row.uri === null)
      return work((await chunks.open(row.id)) ?? nothing);
    return files.read(await stores.open(row.artifact_store_id, reader), row.uri, work);
  };

  return {
    async page(row, reader, { from, ...options }) {
      const turn = async (bytes: LogBytes): Promise<LogPage & { size: number }> => {
        const place = from ?? (options.backwards ? bytes.size : 0);
        return {
          ...(await readLogPage(bytes, { ...options, logId: row.id, from: place })),
          size: bytes.size,
        };
      };
      try {
        return await read(row, reader, turn);
      } catch (error) {
        if (error instanceof StoreError && error.kind === "missing") return turn(nothing);
        throw error;
      }
    },
    bytes: (row, reader, { offset, length }) =>
      read(row, reader, async (bytes) => {
        const start = offset < 0 ? Math.max(0, bytes.size + offset) : offset;
        return bytes.read(start, Math.min(start + length, bytes.size));
      }),
  };
}
