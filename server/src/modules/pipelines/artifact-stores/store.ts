import type { OutboundError } from "../../../kernel/outbound/outbound-error.ts";

/** A file in an artifact store, by its whole address. */
export type StoredFile = { uri: string; size: number };

/**
 * What is read from where clients keep artifacts and logs, and deleted there. Addresses are those that clients wrote down; each lies below
 * the path of its store, or there is no such file. Throws `StoreError` whatever happens.
 */
export type ArtifactStore = {
  readonly name: string;
  /** The file of this address, or else what lies below it, by name: page by page, none where there is nothing. */
  list(uri: string): AsyncIterable<StoredFile[]>;
  /** The bytes from `start` up to but without `end`, less where the file is shorter; `MAX_READ` at most. */
  read(uri: string, start: number, end: number): Promise<Buffer>;
  /** Deletes one file; nothing where there is none. */
  remove(uri: string): Promise<void>;
};

/** What is held in memory of a file. */
export const MAX_READ = 8 * 1024 * 1024;

export type StoreErrorKind =
  /** There is no such file. */
  | "missing"
  /** There is no such store, or the address is not one of its own. */
  | "outside"
  /** Only the machine of a client has it. */
  | "local"
  /** This server cannot read such stores, or was given no credentials for it. */
  | "unsupported"
  /** The store's answer was no: wrong credentials, no such bucket, an address that requests may not go to. */
  | "refused"
  | "rate_limited"
  /** Later it may work. */
  | "unreachable";

/** Why nothing could be read, in words that may be shown; the store's own are the cause. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly kind: StoreErrorKind;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    kind: StoreErrorKind,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const missingFile = (uri: string, name: string): StoreError =>
  new StoreError("missing", `File '${uri}' does not exist in artifact store '${name}'.`);

export function outboundStoreError(error: OutboundError, name: string): StoreError {
  const kind = error.kind === "refused" ? "refused" : "unreachable";
  return new StoreError(kind, `Artifact store '${name}' cannot be reached: ${error.message}.`, {
    cause: error,
  });
}
