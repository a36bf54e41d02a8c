import type { FastifyRequest } from "fastify";

type Asked = Pick<FastifyRequest, "headers" | "method">;

/** Whether somebody opens this address in a browser, rather than a script or another program asking. */
export function isNavigation({ headers, method }: Asked): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const mode = headers["sec-fetch-mode"];
  // Browsers say so but by plain http; programs accept whatever comes.
  return mode === undefined ? /\btext\/html\b/.test(headers.accept ?? "") : mode === "navigate";
}

/**
 * Whether a script of a page asks: a 401 that names a scheme would make the browser ask for a password in a window
 * of its own, in front of the page. Programs that are no browser send no `Sec-Fetch-Site`.
 */
export const isFromScript = ({ headers }: Pick<Asked, "headers">): boolean =>
  headers["sec-fetch-site"] !== undefined && headers["sec-fetch-mode"] !== "navigate";
