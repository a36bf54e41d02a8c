export type OutboundErrorKind =
  /** The address is one that requests may not go to; asking again changes nothing. */
  | "refused"
  | "unresolved"
  | "connection"
  | "timeout"
  /** What came was no HTTP, or led nowhere. */
  | "protocol"
  /** Whoever asked for it gave up. */
  | "aborted";

/** Why no answer came. The message shows addresses of the public network at most, never a header or a secret. */
export class OutboundError extends Error {
  override readonly name = "OutboundError";
  readonly kind: OutboundErrorKind;

  constructor(kind: OutboundErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

export const refused = (message: string): OutboundError => new OutboundError("refused", message);
