import type { FastifyReply, FastifyRequest } from "fastify";

/**
 * What every answer tells browsers, whatever it is. Pages say more for themselves.
 *
 * - What is no page of ours, such as an error or an artifact, runs nothing and is framed by nobody else.
 * - Pages of other sites cannot put answers of this server into themselves, as pictures or scripts.
 * - Referrers stay here: addresses hold names of experiments. Not `no-referrer`: with it browsers send
 *   `Origin: null` with our own forms (Fetch, 3.2).
 */
const everywhere: readonly (readonly [name: string, value: string])[] = [
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "SAMEORIGIN"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'self'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "same-origin"],
];

const YEAR_SECONDS = 365 * 24 * 60 * 60;

export function setSiteHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  { publicUrl, corsOrigins = [] }: { publicUrl?: URL | undefined; corsOrigins?: readonly string[] },
): void {
  for (const [name, value] of everywhere) reply.header(name, value);
  if (publicUrl?.protocol === "https:" && request.site === publicUrl.origin) {
    reply.header("strict-transport-security", `max-age=${YEAR_SECONDS}`);
  }
  if (corsOrigins.length > 0) allowOrigin(request, reply, corsOrigins);
}

/**
 * Cross-origin resource sharing (Fetch, 3.3), for the origins of the configuration alone. Credentials are never
 * allowed: a script of another site sends a key of its own in `Authorization`, and no cookie of ours.
 */
function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): void {
  // Also where the origin is none of them: a cache must not keep that answer for one that is.
  reply.header("vary", "Origin");
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return;
  reply.header("access-control-allow-origin", origin);
  reply.header("access-control-expose-headers", EXPOSED);
}

const EXPOSED =
  "x-request-id, etag, content-disposition, content-range, content-length, retry-after, www-authenticate";
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const TOKENS = /^[\w-]+(?:\s*,\s*[\w-]+)*$/;
/** Browsers keep it for so long at most, some for less. */
const PREFLIGHT_SECONDS = 600;

/** Whether the request is a browser's question if a page may ask, from an origin that may: then it is answered. */
export function answerPreflight(
  request: FastifyRequest,
  reply: FastifyReply,
  origins: readonly string[],
): boolean {
  const { origin, "access-control-request-method": method, ...headers } = request.headers;
  if (request.method !== "OPTIONS" || method === undefined) return false;
  if (origin === undefined || !origins.includes(origin)) return false;
  const asked = headers["access-control-request-headers"];
  if (asked !== undefined && TOKENS.test(asked)) reply.header("access-control-allow-headers", asked);
  reply
    .code(204)
    .header("access-control-allow-methods", METHODS)
    .header("access-control-max-age", String(PREFLIGHT_SECONDS))
    .send();
  return true;
}
