// Raw requests: the path goes out byte for byte, which `fetch` would not do (it resolves `..` and `%2e`).
import { request } from "node:http";

export interface RawRequest {
  readonly method: string;
  readonly base: string;
  /** Path and query as they go on the wire. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export function send(what: RawRequest): Promise<RawResponse> {
  const base = new URL(what.base);
  const body = what.body === undefined ? undefined : Buffer.from(what.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        // A connection each: a server may close one after an error, just as the next request goes out on it.
        agent: false,
        hostname: base.hostname,
        port: base.port,
        method: what.method,
        path: what.path,
        headers: {
          ...what.headers,
          ...(body === undefined ? {} : { "content-length": String(body.byteLength) }),
        },
        timeout: 60_000,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.once("timeout", () =>
      outgoing.destroy(new Error(`${what.method} ${what.path}: no answer in 60 s`)),
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
