import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import { OutboundError } from "../../../kernel/outbound/outbound-error.ts";
import type { Outbound } from "../../../kernel/outbound/outbound.ts";

type Handler = NonNullable<S3ClientConfig["requestHandler"]>;

/** What the SDK wants to send. */
type SdkRequest = {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: Readonly<Record<string, string | string[] | null>>;
  headers: Readonly<Record<string, string>>;
};

const TIMEOUT_MS = 30_000;

/**
 * The way out for Amazon's SDK: each of its requests goes through the guarded client, which checks where it leads.
 * Only what reads is sent, and what deletes one object.
 */
export function createOutboundHandler(outbound: Outbound, maxResponseBytes: number): Handler {
  return {
    async handle(request: SdkRequest, { abortSignal }: { abortSignal?: unknown } = {}) {
      const { method } = request;
      if (!isSent(method)) throw new Error(`${method} is not sent to artifact stores`);
      const { status, headers, body, truncated } = await outbound.send({
        url: urlOf(request),
        method,
        headers: headersOf(request),
        ...(abortSignal instanceof AbortSignal ? { signal: abortSignal } : {}),
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes,
        // To another region, which the SDK signs anew for; anything else would take the signature elsewhere.
        followRedirects: false,
      });
      if (truncated) throw new OutboundError("protocol", "the answer is longer than what was asked for");
      const flat = Object.entries(headers).map(([name, value]) => [name, String(value)]);
      return {
        response: {
          statusCode: status,
          headers: Object.fromEntries(flat),
          body: Readable.from(body.length === 0 ? [] : [body]),
        },
      };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  } as Handler;
}

const isSent = (method: string): method is "GET" | "DELETE" => method === "GET" || method === "DELETE";

function urlOf({ protocol, hostname, port, path, query }: SdkRequest): string {
  const parts = Object.entries(query ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one) => (one === null ? encode(name) : `${encode(name)}=${encode(one)}`)),
  );
  const at = port === undefined ? hostname : `${hostname}:${port}`;
  return `${protocol}//${at}${path}${parts.length === 0 ? "" : `?${parts.join("&")}`}`;
}

/** As it is signed (RFC 3986). */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** The guarded client says itself where it goes and how long its body is. */
function headersOf({ headers }: SdkRequest): Record<string, string> {
  const own = new Set(["host", "content-length", "connection"]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !own.has(name.toLowerCase())));
}
