import type { Batch, Column } from "../../kernel/copy-out.ts";

export const exportFormats = ["parquet", "jsonl"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export type WrittenFile = { rows: number; bytes: number; sha256: string; outOfRange: number };

/** A file of one table that is being written. */
export type TableFile = {
  readonly columns: readonly Column[];
  append(batch: Batch): Promise<void>;
  finish(): Promise<WrittenFile>;
  /** Gives up what is open; the file stays half. */
  abort(): Promise<void>;
};
