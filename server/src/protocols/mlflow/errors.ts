import type { FastifyReply } from "fastify";
import type { ErrorCode, PlinthError } from "../../kernel/errors.ts";
import { isFromScript } from "../../kernel/navigation.ts";

/**
 * How MLflow's clients see each error: HTTP status and `error_code`. They retry 408, 429 and most of
 * 5xx up to seven times, so nothing that would fail again is one of these; where upstream answers
 * 500 to a caller's mistake (INVALID_STATE), Plinth answers 400 with the same `error_code`.
 */
const answers: Record<ErrorCode, readonly [status: number, errorCode: string]> = {
  invalid_parameter: [400, "INVALID_PARAMETER_VALUE"],
  bad_request: [400, "BAD_REQUEST"],
  already_exists: [400, "RESOURCE_ALREADY_EXISTS"],
  not_found: [404, "RESOURCE_DOES_NOT_EXIST"],
  unknown_endpoint: [404, "ENDPOINT_NOT_FOUND"],
  method_not_allowed: [405, "ENDPOINT_NOT_FOUND"],
  invalid_state: [400, "INVALID_STATE"],
  unauthenticated: [401, "UNAUTHENTICATED"],
  permission_denied: [403, "PERMISSION_DENIED"],
  too_large: [413, "INVALID_PARAMETER_VALUE"],
  too_many_requests: [429, "REQUEST_LIMIT_EXCEEDED"],
  range_not_satisfiable: [416, "INVALID_PARAMETER_VALUE"],
  precondition_failed: [412, "INVALID_PARAMETER_VALUE"],
  not_implemented: [501, "NOT_IMPLEMENTED"],
  // A statement that ran too long would run too long again: not one of the retried statuses.
  statement_timeout: [400, "DEADLINE_EXCEEDED"],
  no_space: [507, "RESOURCE_EXHAUSTED"],
  unavailable: [503, "TEMPORARILY_UNAVAILABLE"],
  internal: [500, "INTERNAL_ERROR"],
};

export function renderMlflowError(error: PlinthError, reply: FastifyReply): FastifyReply {
  const [status, errorCode] = answers[error.code];
  if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
  // Programs are told how to log in (RFC 9110, 11.6.1).
  if (error.code === "unauthenticated" && !isFromScript(reply.request)) {
    reply.header("www-authenticate", 'Basic realm="mlflow"');
  }
  return reply
    .code(status)
    .header("content-type", "application/json")
    .send(JSON.stringify({ error_code: errorCode, message: error.message }));
}
