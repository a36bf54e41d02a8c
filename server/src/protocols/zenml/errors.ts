import type { FastifyReply } from "fastify";
import { PlinthError, type ErrorCode } from "../../kernel/errors.ts";

/**
 * How ZenML's clients see each error: the status, and the name of the Python exception that they raise. They repeat
 * 408, 429, 502, 503 and 504 up to ten times, so nothing that would fail again is one of these.
 */
const answers: Record<ErrorCode, readonly [status: number, exception: string]> = {
  invalid_parameter: [400, "ValueError"],
  bad_request: [400, "ValueError"],
  already_exists: [409, "EntityExistsError"],
  not_found: [404, "KeyError"],
  unknown_endpoint: [404, ""],
  method_not_allowed: [405, ""],
  invalid_state: [403, "IllegalOperationError"],
  unauthenticated: [401, "CredentialsNotValid"],
  permission_denied: [403, "IllegalOperationError"],
  too_large: [413, "ValueError"],
  too_many_requests: [429, "MaxConcurrentTasksError"],
  range_not_satisfiable: [416, "ValueError"],
  precondition_failed: [412, "ValueError"],
  not_implemented: [501, "NotImplementedError"],
  // A statement that ran too long would run too long again.
  statement_timeout: [400, "RuntimeError"],
  no_space: [507, "RuntimeError"],
  unavailable: [503, "RuntimeError"],
  internal: [500, "RuntimeError"],
};

/** An answer in a form of its own: ZenML has several besides `{"detail": [exception, message]}`. */
export class ZenmlError extends PlinthError {
  readonly status: number;
  readonly body: unknown;

  constructor(
    code: ErrorCode,
    message: string,
    answer: { status: number; body: unknown; retryAfterSeconds?: number | undefined },
  ) {
    const { retryAfterSeconds } = answer;
    super(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
    this.status = answer.status;
    this.body = answer.body;
  }
}

/** Wrong credentials, told apart from none by its form. */
export const credentialsNotValid = (message: string): ZenmlError =>
  new ZenmlError("unauthenticated", message, {
    status: 401,
    body: { detail: ["CredentialsNotValid", message] },
  });

/** A login that lacks something. */
export const plainBadRequest = (message: string): ZenmlError =>
  new ZenmlError("bad_request", message, { status: 400, body: { detail: message } });

export type OAuthErrorCode =
  | "authorization_pending"
  | "slow_down"
  | "expired_token"
  | "access_denied"
  | "invalid_grant"
  | "unauthorized_client";

/** RFC 6749, 5.2, and RFC 8628, 3.5. */
export const oauthError = (error: OAuthErrorCode, description: string): ZenmlError =>
  new ZenmlError("bad_request", description, {
    status: 400,
    body: { error, error_description: description, error_uri: null },
  });

export type Problem = { type: string; loc: readonly (string | number)[]; msg: string };

/** A request that does not fit its endpoint: a bare list. */
export function invalidRequest(problems: readonly Problem[]): ZenmlError {
  const lines = problems.map(
    ({ type, loc, msg }) => `  {'type': '${type}', 'loc': ${tuple(loc)}, 'msg': '${msg}'}`,
  );
  const count = `${problems.length} validation error${problems.length === 1 ? "" : "s"}`;
  const message = `${count}:\n${lines.join("\n")}`;
  return new ZenmlError("invalid_parameter", message, { status: 422, body: ["ValueError", message] });
}

/** Filters and orders that do not fit what they are about: wrapped, unlike the others. */
export const invalidFilter = (message: string): ZenmlError =>
  new ZenmlError("invalid_parameter", message, { status: 422, body: { detail: ["ValueError", message] } });

/** As Python writes it, with a comma behind a single part. */
const tuple = (parts: readonly (string | number)[]): string =>
  `(${parts.map(quoted).join(", ")}${parts.length === 1 ? "," : ""})`;

const quoted = (part: string | number): string => (typeof part === "number" ? String(part) : `'${part}'`);

export function renderZenmlError(error: PlinthError, reply: FastifyReply): FastifyReply {
  if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
  const [status, body] = error instanceof ZenmlError ? [error.status, error.body] : answerTo(error, reply);
  return reply.code(status).header("content-type", "application/json").send(JSON.stringify(body));
}

function answerTo(error: PlinthError, reply: FastifyReply): [status: number, body: unknown] {
  const [status, exception] = answers[error.code];
  switch (error.code) {
    case "unknown_endpoint":
      return [status, { detail: "Not Found" }];
    case "method_not_allowed":
      return [status, { detail: "Method Not Allowed" }];
    case "unauthenticated":
      // Clients begin without a token, and log in when they are told so in these words or by this header.
      if (reply.request.headers.authorization !== undefined) break;
      reply.header("www-authenticate", "Bearer");
      return [status, { detail: "Not authenticated" }];
    case "not_found":
      return [status, { detail: [exception, keyErrorText(error.message)] }];
    default:
  }
  return [status, { detail: [exception, error.message] }];
}

/** Python shows what a KeyError is about in quotes, and the clients expect them. */
const keyErrorText = (message: string): string => (message.includes("'") ? `"${message}"` : `'${message}'`);
