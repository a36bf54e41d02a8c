/**
 * The one error type inside Plinth. Rules throw it, each protocol renders it through its own
 * exhaustive table (for MLflow: `protocols/mlflow/errors.ts`).
 */
export type ErrorCode =
  | "invalid_parameter"
  | "bad_request"
  | "already_exists"
  | "not_found"
  | "unknown_endpoint"
  | "method_not_allowed"
  | "invalid_state"
  | "unauthenticated"
  | "permission_denied"
  | "too_large"
  | "too_many_requests"
  | "range_not_satisfiable"
  | "precondition_failed"
  | "not_implemented"
  | "statement_timeout"
  | "no_space"
  | "unavailable"
  | "internal";

export class PlinthError extends Error {
  override readonly name = "PlinthError";
  readonly code: ErrorCode;
  /** Seconds after which the same call may succeed; only for `unavailable` and `too_many_requests`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const invalidParameter = (message: string): PlinthError =>
  new PlinthError("invalid_parameter", message);
export const badRequest = (message: string): PlinthError => new PlinthError("bad_request", message);
export const alreadyExists = (message: string): PlinthError => new PlinthError("already_exists", message);
export const notFound = (message: string): PlinthError => new PlinthError("not_found", message);
export const invalidState = (message: string): PlinthError => new PlinthError("invalid_state", message);
export const notImplemented = (message: string): PlinthError => new PlinthError("not_implemented", message);
export const methodNotAllowed = (message: string): PlinthError =>
  new PlinthError("method_not_allowed", message);
export const permissionDenied = (message: string): PlinthError =>
  new PlinthError("permission_denied", message);
export const unauthenticated = (
  message = "You are not authenticated: send the credentials of a user or service account of this server.",
): PlinthError => new PlinthError("unauthenticated", message);
export const internal = (message: string, cause?: unknown): PlinthError =>
  new PlinthError("internal", message, { cause });
export const unavailable = (message: string, cause?: unknown): PlinthError =>
  new PlinthError("unavailable", message, { cause, retryAfterSeconds: 1 });
