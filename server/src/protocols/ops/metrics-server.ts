import type { AddressInfo } from "node:net";
import type { Metrics } from "../../kernel/metrics.ts";
import { listenError } from "../../kernel/listener.ts";
import { http } from "../../kernel/node-http.ts";

/**
 * `/metrics` on a port of its own, which asks for no login: for a network that only the monitoring reaches, where
 * scrapers need no credentials of this server. Nothing else is there.
 */
export async function startMetricsServer(
  metrics: Metrics,
  { host, port }: { host: string; port: number },
): Promise<{ address: string; close(): Promise<void> }> {
  const server = http.createServer(
    { requestTimeout: 10_000, headersTimeout: 10_000 },
    (request, response) => {
      const path = request.url?.split("?", 1)[0];
      if (path !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
        response.writeHead(404, { "content-type": "text/plain" }).end("Only GET /metrics is here.\n");
        return;
      }
      metrics.registry.metrics().then(
        (text) => response.writeHead(200, { "content-type": metrics.registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, host, port)));
    server.listen({ host, port }, resolve);
  });
  const bound = server.address() as AddressInfo;
  const name = bound.address.includes(":") ? `[${bound.address}]` : bound.address;
  return {
    address: `http://${name}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
