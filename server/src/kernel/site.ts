import type { FastifyRequest } from "fastify";
import { PlinthError } from "./errors.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The origin under which whoever asks knows this server, such as `https://plinth.example.org`. */
    readonly site: string;
  }
}

/**
 * Host and scheme are what trusted proxies say. One that ends TLS and is not trusted is made up for by the public
 * address: whoever asks for that host is taken to have asked by its scheme.
 */
export function siteOf(
  { host, protocol }: Pick<FastifyRequest, "host" | "protocol">,
  publicUrl: URL | undefined,
): string {
  return publicUrl?.host === host.toLowerCase() ? publicUrl.origin : `${protocol}://${host}`;
}

const CHANGING: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/**
 * A page of another site must not be able to use a server on loopback (CVE-2025-14279,
 * CVE-2023-43472): names that are not ours are refused (DNS rebinding), and so are changes
 * whose Origin is not ours. An IP literal cannot be rebound.
 */
export function refuseForeignSite(
  request: Pick<FastifyRequest, "headers" | "host" | "method">,
  known: {
    /** Names by which this server may be addressed besides IP literals and localhost; "*" is any. */
    allowedHosts: readonly string[];
    /** Other sites whose pages may ask. */
    corsOrigins: readonly string[];
  },
): PlinthError | undefined {
  const { allowedHosts } = known;
  if (allowedHosts.includes("*")) return undefined;
  const { host, headers } = request;
  if (host !== "" && !isOurs(hostname(host), allowedHosts)) {
    return new PlinthError(
      "permission_denied",
      "Invalid Host header: this server is not known by that name.",
    );
  }
  const { origin } = headers;
  if (origin === undefined || !CHANGING.has(request.method)) return undefined;
  if (isOurSite(origin, host, allowedHosts) || known.corsOrigins.includes(origin)) return undefined;
  return new PlinthError("permission_denied", "Cross-origin request blocked");
}

const hostname = (host: string): string => {
  const name = host.startsWith("[") ? host.slice(0, host.indexOf("]") + 1) : (host.split(":", 1)[0] ?? "");
  return name.toLowerCase();
};

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;
const LOOPBACK = /^(?:localhost|.*\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

const isOurs = (name: string, allowedHosts: readonly string[]): boolean =>
  LOOPBACK.test(name) || ADDRESS.test(name) || allowedHosts.includes(name);

/** A page of this machine, of this very server, or of a name given to it; not of another machine's address. */
function isOurSite(origin: string, host: string, allowedHosts: readonly string[]): boolean {
  const separator = origin.indexOf("://");
  if (separator === -1) return false;
  const authority = origin.slice(separator + 3);
  const name = hostname(authority);
  return authority === host || LOOPBACK.test(name) || allowedHosts.includes(name);
}
