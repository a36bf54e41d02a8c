import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";

/** A request as a service of somebody else gets it. */
export type Asked = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The fields of a form. */
  readonly form: URLSearchParams;
  /** Whether the client proved itself with a certificate that the service trusts. */
  readonly hasCertificate: boolean;
};

export type Said = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
};

export type Service = AsyncDisposable & { readonly url: string; readonly asked: readonly Asked[] };

const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, "..", "postgres", "certificates", name), "utf8");

/** Of `localhost`, signed by itself. */
export const certificate = { cert: read("localhost.crt"), key: read("localhost.key") };

/** A service on loopback; by TLS it has the certificate above, and asks clients for one. */
export async function startService(
  answer: (asked: Asked, service: { url: string }) => Said,
  options: { tls?: true } = {},
): Promise<Service> {
  const asked: Asked[] = [];
  const about = { url: "" };
  const listener: RequestListener = (request, response) => {
    void take(request).then((one) => {
      asked.push(one);
      const { status = 200, headers = {}, body = "" } = answer(one, about);
      const isText = typeof body === "string";
      response.writeHead(status, { "content-type": isText ? "text/plain" : "application/json", ...headers });
      return response.end(isText ? body : JSON.stringify(body));
    });
  };
  const server =
    options.tls === undefined
      ? createServer(listener)
      : createTlsServer(
          { ...certificate, ca: certificate.cert, requestCert: true, rejectUnauthorized: false },
          listener,
        );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  about.url = options.tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
  return {
    url: about.url,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function take(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  return {
    method: request.method ?? "",
    url: new URL(request.url ?? "", "http://service"),
    headers: request.headers,
    body,
    form: new URLSearchParams(body),
    hasCertificate: (request.socket as Partial<TLSSocket>).authorized === true,
  };
}

export const basicOf = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
