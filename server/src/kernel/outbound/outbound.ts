import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { isIP, type Socket } from "node:net";
import { createAllowedHosts } from "./allowed-hosts.ts";
import { connect, readHost } from "./connection.ts";
import { exchange, type Answer } from "./exchange.ts";
import { OutboundError, refused } from "./outbound-error.ts";
import { createSystemResolver, type Resolve } from "./resolver.ts";

/**
 * The one way out of Plinth for requests whose address a caller chose. Every address that a name resolves to is
 * checked, the connection goes to an address that was checked, and every redirect is checked anew.
 */
export type Outbound = {
  /** Throws an `OutboundError` unless an answer came, whatever its status. */
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Throws an `OutboundError` when a request to this address would be refused as things stand. */
  check(url: string): Promise<void>;
  /**
   * An open connection to one of the checked addresses of a host, for protocols that encrypt what they say themselves;
   * who gets it closes it. Throws an `OutboundError`.
   */
  connect(request: OutboundConnection): Promise<Socket>;
};

export type OutboundConnection = { host: string; port: number; timeoutMs: number; signal?: AbortSignal };

export type OutboundRequest = {
  url: string;
  method: OutboundMethod;
  headers?: Readonly<Record<string, string>>;
  body?: Buffer;
  /** Gives up; the error is of kind `aborted`. */
  signal?: AbortSignal;
  /** Longest time of the whole, redirects included. */
  timeoutMs: number;
  /** More of an answer's body is not read. */
  maxResponseBytes: number;
  /** False: a redirect is an answer like any other. */
  followRedirects?: boolean;
  tls?: OutboundTls;
};

export type OutboundMethod = "GET" | "HEAD" | "POST" | "DELETE";

/** What a server's certificate is checked against, and how this side proves itself; texts in PEM. */
export type OutboundTls = {
  /** In place of the authorities that the system trusts. */
  ca?: string;
  cert?: string;
  key?: string;
  /** Whoever configured the address said not to check the certificate. */
  insecure?: boolean;
};

export type OutboundAnswer = {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The body went on. */
  truncated: boolean;
};

export type OutboundOptions = {
  /** Host names, addresses and networks that may be reached though they are private, and by plain http. */
  allowed: readonly string[];
  userAgent: string;
  /** How names are resolved; the system's way unless given. */
  resolve?: Resolve;
};

const MAX_REDIRECTS = 5;
const CONNECT_MS = 10_000;

export function createOutbound(options: OutboundOptions): Outbound {
  const allowed = createAllowedHosts(options.allowed);
  const resolve = options.resolve ?? createSystemResolver();

  /** The addresses that `target` leads to, each of them checked. */
  const addressesOf = async (
    { hostname, scheme }: { hostname: string; scheme: string },
    signal: AbortSignal,
  ): Promise<string[]> => {
    const found = isIP(hostname) === 0 ? await resolved(resolve, hostname, signal) : [hostname];
    for (const address of found) {
      if (!allowed.permits(hostname, address)) throw refused(notPublic(hostname, address));
    }
    if (scheme === "http" && !found.every((address) => allowed.names(hostname, address))) {
      throw refused(
        `http is only spoken to hosts of --outbound-allowed-hosts, and '${hostname}' is none; use https`,
      );
    }
    return found;
  };

  const within = async <T>(
    request: Pick<OutboundRequest, "timeoutMs" | "signal">,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const { signal, timeoutMs } = request;
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    const timer = setTimeout(abort, timeoutMs);
    // Not `AbortSignal.any`: a signal that outlives many requests would remember each of them.
    signal?.addEventListener("abort", abort, { once: true });
    try {
      if (signal?.aborted === true) stop.abort();
      return await work(stop.signal);
    } catch (error) {
      if (signal?.aborted === true) throw new OutboundError("aborted", "the request was given up");
      if (stop.signal.aborted)
        throw new OutboundError("timeout", `no complete answer within ${timeoutMs} ms`);
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  };

  return {
    check: (url) =>
      within({ timeoutMs: CONNECT_MS }, async (signal) => void (await addressesOf(readTarget(url), signal))),
    connect: (request) =>
      within(request, async (signal) => {
        const hostname = readHost(request.host);
        const addresses = await addressesOf({ hostname, scheme: "tcp" }, signal);
        return connect({ addresses, port: request.port, signal, connectMs: CONNECT_MS });
      }),
    send: (request) =>
      within(request, async (signal) => {
        const headers = {
          "user-agent": options.userAgent,
          "accept-encoding": "identity",
          ...request.headers,
        };
        let step: Step = {
          target: readTarget(request.url),
          method: request.method,
          headers,
          body: request.body,
        };
        for (let redirects = 0; ; redirects += 1) {
          const addresses = await addressesOf(step.target, signal);
          const { maxResponseBytes } = request;
          const answer = await exchange({
            ...step,
            addresses,
            signal,
            maxResponseBytes,
            connectMs: CONNECT_MS,
            tls: request.tls,
          });
          const next = request.followRedirects === false ? undefined : redirectOf(step, answer);
          if (next === undefined) return answer;
          if (redirects === MAX_REDIRECTS) {
            throw new OutboundError("protocol", `more than ${MAX_REDIRECTS} redirects`);
          }
          step = next;
        }
      }),
  };
}

export type Target = { url: URL; scheme: "http" | "https"; hostname: string };

export type Step = {
  target: Target;
  method: OutboundMethod;
  headers: OutgoingHttpHeaders;
  body: Buffer | undefined;
};

/** Read once, and only what was read is checked and used: odd spellings of addresses are plain from here on. */
function readTarget(text: string): Target {
  if (/\p{Cc}|^ | $/u.test(text)) throw refused("the address holds control characters or ends in blanks");
  if (!URL.canParse(text)) throw refused("the address is not a URL");
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== "http" && scheme !== "https")
    throw refused(`the scheme '${scheme}' is neither https nor http`);
  if (url.username !== "" || url.password !== "") throw refused("the address holds a user name or password");
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  if (hostname === "" || hostname.endsWith(".")) throw refused("the address has no host name");
  return { url, scheme, hostname };
}

async function resolved(resolve: Resolve, hostname: string, signal: AbortSignal): Promise<string[]> {
  signal.throwIfAborted();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new Error("the name server did not answer in time"));
  const timer = setTimeout(giveUp, CONNECT_MS);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const found = await Promise.race([resolve(hostname), late]);
    if (found.length > 0) return found;
    throw new Error("it has no address");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OutboundError("unresolved", `'${hostname}' cannot be resolved: ${reason}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

/**
 * What is asked next after a redirect. The body goes along but for 303, which says to GET something else: with
 * 301 and 302 the method may stay (RFC 9110, 15.4), and a GET there would lose what was to be delivered.
 */
function redirectOf(step: Step, { status, headers }: Answer): Step | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined;
  const { location } = headers;
  if (!URL.canParse(location, step.target.url.href)) {
    throw new OutboundError("protocol", "a redirect to what is not a URL");
  }
  const target = readTarget(new URL(location, step.target.url).href);
  if (status !== 303) return { ...step, target };
  const plain = Object.entries(step.headers).filter(([name]) => KEPT_FOR_GET.has(name));
  return { target, method: "GET", headers: Object.fromEntries(plain), body: undefined };
}

const KEPT_FOR_GET = new Set(["user-agent", "accept-encoding"]);

/** Says not which address it is: that would tell a stranger about the network behind. */
const notPublic = (hostname: string, address: string): string =>
  `'${hostname}' ${hostname === address ? "is" : "leads to what is"} not a public address ` +
  "(an operator can allow it with --outbound-allowed-hosts)";
