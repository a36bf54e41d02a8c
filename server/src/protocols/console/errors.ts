import type { FastifyReply } from "fastify";
import type { ErrorCode, PlinthError } from "../../kernel/errors.ts";

export const statuses: Record<ErrorCode, number> = {
  invalid_parameter: 400,
  bad_request: 400,
  already_exists: 409,
  not_found: 404,
  unknown_endpoint: 404,
  method_not_allowed: 405,
  invalid_state: 409,
  unauthenticated: 401,
  permission_denied: 403,
  too_large: 413,
  too_many_requests: 429,
  range_not_satisfiable: 416,
  precondition_failed: 412,
  not_implemented: 501,
  statement_timeout: 504,
  no_space: 507,
  unavailable: 503,
  internal: 500,
};

/** Errors of Plinth's own API: the code is the one inside, `contract/src/console-error.ts` has the shape. */
export function renderConsoleError(error: PlinthError, reply: FastifyReply): FastifyReply {
  if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
  // RFC 9110, 15.5.2. Not `Basic`, for which browsers would ask in a window of their own.
  if (error.code === "unauthenticated") reply.header("www-authenticate", 'Bearer realm="plinth"');
  return reply
    .code(statuses[error.code])
    .header("content-type", "application/json")
    .send(JSON.stringify({ error: { code: error.code, message: error.message } }));
}
