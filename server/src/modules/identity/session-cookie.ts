import type { FastifyRequest } from "fastify";
import { permissionDenied } from "../../kernel/errors.ts";

/** What of a request tells how a browser sent it; `site` is this server's origin as the browser knows it. */
export type BrowserRequest = Pick<FastifyRequest, "headers" | "method" | "site">;

const NAME = "plinth_session";

/**
 * The cookie's name. By https it has the prefix `__Host-`, which no plain http answer, and no host beside this one
 * under the same domain, can set (RFC 6265bis, 4.1.3): nobody can slip a session of theirs to a browser.
 */
const nameOf = (request: Pick<BrowserRequest, "site">, name: string): string =>
  isSecure(request) ? `__Host-${name}` : name;

const isSecure = ({ site }: Pick<BrowserRequest, "site">): boolean => site.startsWith("https:");

/** The value of the session's cookie. A cookie that means nothing is no credential: another server may have set it. */
export const readSessionCookie = (request: BrowserRequest): string | undefined => readCookie(request, NAME);

export const setSessionCookie = (request: BrowserRequest, value: string): string =>
  setCookie(request, { name: NAME, value });

export const clearSessionCookie = (request: BrowserRequest): string =>
  setCookie(request, { name: NAME, value: "", maxAgeSeconds: 0 });

export function readCookie(
  request: Pick<BrowserRequest, "headers" | "site">,
  name: string,
): string | undefined {
  const { cookie } = request.headers;
  if (cookie === undefined) return undefined;
  const start = `${nameOf(request, name)}=`;
  for (const pair of cookie.split(";")) {
    const text = pair.trim();
    if (text.startsWith(start)) return text.slice(start.length);
  }
  return undefined;
}

/**
 * A `Set-Cookie` that scripts cannot read. Lax: links from other sites lead to a page where one is logged in, their
 * forms and scripts do not. Without an age it ends with the browser; the server ends sessions by itself.
 */
export function setCookie(
  request: Pick<BrowserRequest, "site">,
  given: { name: string; value: string; maxAgeSeconds?: number },
): string {
  const age = given.maxAgeSeconds === undefined ? "" : `; Max-Age=${given.maxAgeSeconds}`;
  const secure = isSecure(request) ? "; Secure" : "";
  return `${nameOf(request, given.name)}=${given.value}; Path=/; HttpOnly; SameSite=Lax${age}${secure}`;
}

/**
 * MLflow's web UI has a button to log out. All that it does is delete this cookie, by script, and open the page anew:
 * a session that comes to that page without it is over.
 */
const MARK = "mlflow_user";

export const setMlflowMark = (request: Pick<BrowserRequest, "site">, name: string): string =>
  `${MARK}=${encodeURIComponent(name.toWellFormed())}; Path=/; SameSite=Lax${isSecure(request) ? "; Secure" : ""}`;

export const clearMlflowMark = (): string => `${MARK}=; Path=/; SameSite=Lax; Max-Age=0`;

export const hasMlflowMark = ({ headers }: Pick<BrowserRequest, "headers">): boolean =>
  headers.cookie?.split(";").some((pair) => pair.trim().startsWith(`${MARK}=`)) === true;

const READING = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * A browser sends the cookie by itself, whoever made it ask. So what changes something must come from a page of this
 * server: the browser says so in `Sec-Fetch-Site`, or in `Origin` where it sends no such header (plain http).
 */
export function refuseForgery(request: BrowserRequest): void {
  if (READING.has(request.method) || isFromOwnPage(request)) return;
  throw permissionDenied(
    "Cross-site request blocked: with a browser's session, changes come from pages of this server alone.",
  );
}

function isFromOwnPage({ headers, site }: BrowserRequest): boolean {
  const from = headers["sec-fetch-site"];
  if (from !== undefined) return from === "same-origin";
  const { origin } = headers;
  // Behind a proxy that nobody told of, https looks like http; the other way round it is another site.
  return origin !== undefined && (origin === site || origin === site.replace(/^http:/, "https:"));
}
