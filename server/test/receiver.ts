import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "./harness.ts";

/** A request as a webhook's receiver gets it. */
export type Received = {
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  json: Json;
  /** When it came, in milliseconds since 1970. */
  at: number;
};

export type Receiver = AsyncDisposable & {
  url: string;
  received: Received[];
  /** Waits until so many have come, below this path if one is given. */
  wait(count: number, path?: string): Promise<Received[]>;
};

/** Answers a request; `nth` counts those of the same path from 1. */
export type Answering = (response: ServerResponse, request: Received, nth: number) => unknown;

const PATIENCE_MS = 20_000;

/** A receiver on loopback, which answers 200 unless it is told otherwise. */
export async function startReceiver(answer: Answering = (response) => response.end()): Promise<Receiver> {
  const received: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const path = request.url ?? "";
    const json = text === "" ? undefined : JSON.parse(text);
    const one = { path, headers: request.headers, text, json, at: Date.now() };
    received.push(one);
    await answer(response, one, received.filter((other) => other.path === path).length);
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async wait(count, path) {
      const until = Date.now() + PATIENCE_MS;
      for (;;) {
        const found = received.filter((one) => path === undefined || one.path === path);
        if (found.length >= count) return found;
        if (Date.now() > until)
          throw new Error(`${found.length} of ${count} requests came in ${PATIENCE_MS} ms.`);
        await sleep(10);
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** The signature that MLflow documents, made from what arrived. */
export function expectedSignature({ headers, text }: Received, secret: string): string {
  const signed = `${String(headers["x-mlflow-delivery-id"])}.${String(headers["x-mlflow-timestamp"])}.${text}`;
  return `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`;
}
