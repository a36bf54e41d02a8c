import type { IncomingMessage } from "node:http";
import type { RequestOptions } from "node:https";
import { isIP, isIPv6, type LookupFunction } from "node:net";
import type { OutboundAnswer, OutboundTls, Step } from "./outbound.ts";
import { OutboundError } from "./outbound-error.ts";
import { http, https } from "../node-http.ts";

export type Answer = OutboundAnswer;

export type Exchange = Step & {
  /** Checked addresses of the target: the connection goes to one of them. */
  addresses: readonly string[];
  signal: AbortSignal;
  maxResponseBytes: number;
  connectMs: number;
  tls?: OutboundTls | undefined;
};

/** One request on a connection of its own, closed behind it. */
export function exchange(call: Exchange): Promise<Answer> {
  const { target, method, body, addresses, signal, maxResponseBytes } = call;
  return new Promise((resolve, reject) => {
    const request = (target.scheme === "https" ? https : http).request({
      protocol: target.url.protocol,
      host: target.hostname,
      port: target.url.port,
      path: target.url.pathname + target.url.search,
      method,
      headers: {
        ...call.headers,
        host: target.url.host,
        connection: "close",
        ...(body === undefined ? {} : { "content-length": body.length }),
      },
      // An agent of its own: neither a kept connection nor the process' proxy settings come in between.
      agent:
        target.scheme === "https"
          ? new https.Agent({ keepAlive: false })
          : new http.Agent({ keepAlive: false }),
      lookup: lookupOf(addresses),
      maxHeaderSize: 16 * 1024,
      signal,
      ...trustOf(call.tls),
      ...(isIP(target.hostname) === 0 ? { servername: target.hostname } : {}),
    });
    const timer = setTimeout(() => {
      request.destroy(new OutboundError("timeout", `no connection within ${call.connectMs} ms`));
    }, call.connectMs);
    request.once("socket", (socket) => {
      socket.once(target.scheme === "https" ? "secureConnect" : "connect", () => clearTimeout(timer));
    });
    // Not once: what comes after the first, from a connection being closed, must find somebody too.
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(
        error instanceof OutboundError ? error : new OutboundError("connection", reasonOf(error), error),
      );
    });
    request.once("upgrade", (_response, socket) => {
      socket.on("error", () => undefined).destroy();
      reject(new OutboundError("protocol", "the answer switches protocols"));
    });
    request.once("response", (response) => {
      response.on("error", () => undefined);
      readBody(response, maxResponseBytes)
        .then(({ bytes, truncated }) => {
          const { statusCode: status = 0, headers } = response;
          return resolve({ status, headers, body: bytes, truncated });
        })
        .catch((error: unknown) => {
          reject(new OutboundError("connection", `the answer broke off: ${reasonOf(error)}`, error));
        })
        .finally(() => request.destroy());
    });
    request.end(body);
  });
}

const trustOf = ({ ca, cert, key, insecure = false }: OutboundTls = {}): RequestOptions => ({
  rejectUnauthorized: !insecure,
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
});

/** Answers with what was checked, whatever is asked. */
export const lookupOf =
  (addresses: readonly string[]): LookupFunction =>
  (_hostname, options, callback) => {
    const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
    const [first] = found;
    if (options.all === true) callback(null, found);
    else callback(null, first?.address ?? "", first?.family ?? 4);
  };

async function readBody(
  response: IncomingMessage,
  limit: number,
): Promise<{ bytes: Buffer; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    chunks.push(bytes);
    size += bytes.length;
    if (size > limit) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, limit), truncated: size > limit };
}

/** Without the addresses that Node's own messages hold. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return known[code] ?? (code === "" ? error.message : `${code} ${error.message}`);
}

const known: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "connection timed out",
  HPE_HEADER_OVERFLOW: "the answer's head is too long",
};
