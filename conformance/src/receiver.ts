// What webhooks are sent to: an HTTP server of the suite that writes down what it gets.
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Waits for so many requests to this path. */
  wait(count: number, path: string): Promise<readonly Received[]>;
  stop(): Promise<void>;
}

const patience = 30_000;

/** Answers 200, and 404 where the path says `failing`. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      received.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      response.writeHead(path.includes("failing") ? 404 : 200, { "content-type": "text/plain" });
      response.end("noted");
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async wait(count, path) {
      const until = Date.now() + patience;
      for (;;) {
        const found = received.filter((one) => one.path === path);
        if (found.length >= count) return found;
        if (Date.now() > until) throw new Error(`${found.length} of ${count} requests came to ${path}`);
        await sleep(20);
      }
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** The signature as MLflow's documentation has a receiver make it. */
export function signatureOf({ headers, body }: Received, secret: string): string {
  const signed = `${String(headers["x-mlflow-delivery-id"])}.${String(headers["x-mlflow-timestamp"])}.${body}`;
  return `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`;
}
