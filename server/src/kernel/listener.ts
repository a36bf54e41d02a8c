import type { RequestListener, Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { PlinthError } from "./errors.ts";
import { http } from "./node-http.ts";

/**
 * The HTTP socket. It listens before the database is up, so that a port in use is known at once and
 * `/health` answers as soon as the process lives; until a handler is set all else is 503.
 */
export type Listener = {
  server: Server;
  address: { host: string; port: number };
  useHandler(handler: RequestListener): void;
  readonly draining: boolean;
  /** Stops accepting, lets running requests end (at most `timeoutMs`), then closes every connection. */
  drain(timeoutMs: number): Promise<void>;
};

const NOT_READY = JSON.stringify({
  error_code: "TEMPORARILY_UNAVAILABLE",
  message: "Plinth is starting. Try again.",
});

const starting: RequestListener = (request, response) => {
  const path = request.url?.split("?", 1)[0];
  if (path === "/health") {
    response.writeHead(200, { "content-type": "text/plain" }).end("OK");
    return;
  }
  response.writeHead(503, { "content-type": "application/json", "retry-after": "1" }).end(NOT_READY);
};

/** How long an idle connection may still bring a request after the stop began. */
const GRACE_MS = 200;

export async function listen(host: string, port: number): Promise<Listener> {
  let handler: RequestListener = starting;
  let draining = false;
  const server = http.createServer(
    {
      maxHeaderSize: 32 * 1024,
      keepAliveTimeout: 75_000,
      headersTimeout: 60_000,
      // A 20 GB upload may take as long as it takes; API bodies have their own limit.
      requestTimeout: 0,
      noDelay: true,
    },
    (request, response) => handler(request, response),
  );
  server.on("clientError", refuseMalformed);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, host, port)));
    server.listen({ host, port, backlog: 1024 }, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    server,
    address: { host: bound.address, port: bound.port },
    useHandler(next) {
      handler = next;
    },
    get draining() {
      return draining;
    },
    async drain(timeoutMs) {
      draining = true;
      const force = setTimeout(() => server.closeAllConnections(), timeoutMs);
      // Answers carry `Connection: close` from now on, so clients that are at work part in order.
      // Idle connections get a moment: `server.close` would cut a request that is on its way.
      await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      await closed;
      clearInterval(idle);
      clearTimeout(force);
    },
  };
}

/** Node could not parse what came: there is no request and no route. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const tooBig = error.code === "HPE_HEADER_OVERFLOW";
  const body = JSON.stringify({
    error_code: "BAD_REQUEST",
    message: tooBig
      ? "The request's headers are larger than this server accepts."
      : "Malformed HTTP request.",
  });
  const status = tooBig ? "431 Request Header Fields Too Large" : "400 Bad Request";
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}

export function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const place = `${host}:${port}`;
  if (error.code === "EADDRINUSE") {
    return new PlinthError(
      "invalid_state",
      `Port ${port} on ${host} is in use. Choose another with --port, or 0 for any.`,
    );
  }
  if (error.code === "EACCES") {
    return new PlinthError(
      "invalid_state",
      `This user may not listen on ${place}. Choose a port above 1023 with --port.`,
    );
  }
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND") {
    return new PlinthError(
      "invalid_state",
      `${host} is not an address of this machine. Choose another with --host.`,
    );
  }
  return error;
}
