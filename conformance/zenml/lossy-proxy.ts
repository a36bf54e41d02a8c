// Stands between a client and Plinth, and loses what it is told to lose: the answer of a request that the server has
// answered, or the server itself. The client on the other side sees a connection that ends without an answer.
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface LossyProxy {
  readonly url: string;
  /** Requests that came since `/lossy/arm`, and what was lost. */
  readonly lost: readonly string[];
  /** Sends everything from now on there; nothing while it is undefined, until it is there again. */
  pointTo(url: string | undefined): void;
  /** Called with each request before it is sent on. */
  onRequest(act: (line: string) => void): void;
  stop(): Promise<void>;
}

/**
 * `GET /lossy/arm/{n}` has the answer of the n-th request from then on lost; `GET /lossy/state` answers how many came
 * since, and the request whose answer was lost.
 */
export async function startLossyProxy(): Promise<LossyProxy> {
  const agent = new Agent({ keepAlive: true });
  const lost: string[] = [];
  let target: string | undefined;
  let waiting: (() => void)[] = [];
  let act: (line: string) => void = () => undefined;
  let armed = 0;
  let count = 0;
  let last = "";

  const ready = async (): Promise<string> => {
    if (target !== undefined) return target;
    await new Promise<void>((go) => waiting.push(go));
    return ready();
  };

  const forward = async (
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    body: Buffer,
  ): Promise<void> => {
    const line = `${incoming.method} ${incoming.url}`;
    const to = new URL(await ready());
    act(line);
    count += 1;
    const isLost = count === armed;
    const sent = request(
      {
        agent,
        hostname: to.hostname,
        port: to.port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...incoming.headers, host: to.host },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.once("error", () => incoming.socket.destroy());
        answer.once("end", () => {
          if (isLost) {
            last = line;
            lost.push(line);
            incoming.socket.destroy();
            return;
          }
          const { "transfer-encoding": _chunked, ...headers } = answer.headers;
          outgoing.writeHead(answer.statusCode ?? 502, headers);
          outgoing.end(Buffer.concat(chunks));
        });
      },
    );
    sent.once("error", () => incoming.socket.destroy());
    sent.end(body);
  };

  const server = createServer((incoming, outgoing) => {
    const [, arm] = /^\/lossy\/arm\/(\d+)$/.exec(incoming.url ?? "") ?? [];
    if (arm !== undefined) {
      [armed, count, last] = [Number(arm), 0, ""];
      outgoing.end("{}");
      return;
    }
    if (incoming.url === "/lossy/state") {
      outgoing.end(JSON.stringify({ count, lost: last }));
      return;
    }
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.once("end", () => void forward(incoming, outgoing, Buffer.concat(chunks)));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    lost,
    pointTo(url) {
      target = url;
      if (url === undefined) return;
      for (const go of waiting) go();
      waiting = [];
    },
    onRequest(what) {
      act = what;
    },
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
