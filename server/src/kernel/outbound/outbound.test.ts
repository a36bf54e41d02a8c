import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import {
  createServer,
  get,
  setGlobalProxyFromEnv,
  type IncomingMessage,
  type RequestListener,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import * as tls from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { createOutbound, type Outbound, type OutboundRequest } from "./outbound.ts";
import type { Resolve } from "./resolver.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Seen = { method: string; url: string; headers: IncomingMessage["headers"]; body: string };

/** A receiver on loopback that writes down what it gets. */
async function receiver(
  answer: RequestListener,
  host = "127.0.0.1",
): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, headers, body });
      return answer(request, response);
    });
  });
  return { port: await listening(server, host), seen };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function listening(server: Server, host = "127.0.0.1"): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const ok: RequestListener = (_request, response) => void response.end("fine");

const open = (allowed: readonly string[], resolve?: Resolve): Outbound =>
  createOutbound({ allowed, userAgent: "test", ...(resolve === undefined ? {} : { resolve }) });

const request = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  url,
  method: "POST",
  headers: { "content-type": "application/json", "x-signature": "s" },
  body: Buffer.from("{}"),
  timeoutMs: 5000,
  maxResponseBytes: 1000,
  ...more,
});

const refusal = (message: string): object =>
  expect.objectContaining({ kind: "refused", message: expect.stringContaining(message) });

describe("requests go out", () => {
  test("whole, on a connection that ends with the answer", async () => {
    const { port, seen } = await receiver(ok);
    const answer = await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/a?b=c`));
    expect([answer.status, answer.body.toString(), answer.truncated]).toEqual([200, "fine", false]);
    expect(seen).toEqual([expect.objectContaining({ method: "POST", url: "/a?b=c", body: "{}" })]);
    expect(seen[0]?.headers).toMatchObject({
      connection: "close",
      host: `127.0.0.1:${port}`,
      "user-agent": "test",
      "content-length": "2",
      "x-signature": "s",
    });
  });

  test("to an allowed name, wherever it is", async () => {
    const { port, seen } = await receiver(ok);
    const outbound = open(["hooks.inside"], async () => ["127.0.0.1"]);
    expect((await outbound.send(request(`http://hooks.inside.:${port}/`))).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  test("over TLS to the checked address, with the name's certificate", async () => {
    const folder = join(import.meta.dirname, "..", "..", "..", "test", "postgres", "certificates");
    const cert = readFileSync(join(folder, "localhost.crt"), "utf8");
    const server = createTlsServer({ cert, key: readFileSync(join(folder, "localhost.key"), "utf8") }, ok);
    const port = await listening(server);
    const outbound = open(["127.0.0.1"], async () => ["127.0.0.1"]);
    const url = `https://localhost:${port}/`;
    await expect(outbound.send(request(url))).rejects.toMatchObject({ kind: "connection" });
    const before = tls.getCACertificates();
    tls.setDefaultCACertificates([...before, cert]);
    closers.push(() => tls.setDefaultCACertificates(before));
    expect((await outbound.send(request(url))).status).toBe(200);
    // The same machine by a name that the certificate is not for.
    await expect(outbound.send(request(`https://other.test:${port}/`))).rejects.toMatchObject({
      kind: "connection",
    });
  });

  test("past the process' proxy settings", async () => {
    const proxy = await receiver(ok);
    const { port, seen } = await receiver(ok);
    closers.push(setGlobalProxyFromEnv({ http_proxy: `http://127.0.0.1:${proxy.port}`, no_proxy: "" }));
    await once(get(`http://127.0.0.1:${port}/`), "response");
    expect([seen.length, proxy.seen.length]).toEqual([0, 1]);
    await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/`));
    expect([seen.length, proxy.seen.length]).toEqual([1, 1]);
  });
});

describe("requests are refused", () => {
  const outbound = open([]);

  test.each([
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://0177.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://127.1/",
    "https://%31%32%37.0.0.1/",
    "https://１２７.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0xa9.0xfe.0xa9.0xfe/",
    "https://[::ffff:169.254.169.254]/",
    "https://10.0.0.1/",
    "https://192.168.0.1/",
    "https://172.16.0.1/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://localhost/",
    "https://LOCALHOST./",
  ])("to %s", async (url) => {
    await expect(outbound.send(request(url))).rejects.toEqual(refusal("not a public address"));
    await expect(outbound.check(url)).rejects.toEqual(refusal("not a public address"));
  });

  test.each([
    ["ftp://8.8.8.8/", "neither https nor http"],
    ["file:///etc/passwd", "neither https nor http"],
    ["gopher://8.8.8.8/", "neither https nor http"],
    ["https://user:word@8.8.8.8/", "user name or password"],
    ["https://user@8.8.8.8/", "user name or password"],
    ["https://8.8.8.8/ ", "ends in blanks"],
    ["https://8.8. 8.8/", "not a URL"],
    ["https://8.8.8.8/\r\nX: y", "control characters"],
    ["https://", "not a URL"],
    ["https://8.8.8.8:99999/", "not a URL"],
    ["https://256.256.256.256/", "not a URL"],
    ["https://./", "no host name"],
    ["nothing", "not a URL"],
    ["http://8.8.8.8/", "use https"],
  ])("to %s, which is no good address", async (url, message) => {
    await expect(outbound.send(request(url))).rejects.toEqual(refusal(message));
    await expect(outbound.check(url)).rejects.toEqual(refusal(message));
  });

  test("where one address of several is private", async () => {
    const mixed = open([], async () => ["8.8.8.8", "10.0.0.1"]);
    await expect(mixed.send(request("https://mixed.test/"))).rejects.toEqual(
      refusal("'mixed.test' leads to what is not a public address"),
    );
  });

  test("to names that cannot be resolved, or not in time", async () => {
    const none = open([], async () => []);
    await expect(none.send(request("https://none.test/"))).rejects.toMatchObject({ kind: "unresolved" });
    const broken = open([], () => Promise.reject(new Error("queryA ESERVFAIL")));
    await expect(broken.check("https://broken.test/")).rejects.toMatchObject({ kind: "unresolved" });
    const hangs = open([], () => new Promise(() => undefined));
    await expect(hangs.send(request("https://slow.test/", { timeoutMs: 50 }))).rejects.toMatchObject({
      kind: "timeout",
    });
  });
});

describe("a name that changes", () => {
  test("leads nowhere but where it was when it was checked", async () => {
    const { port, seen } = await receiver(ok);
    let asked = 0;
    // Allowed at first, metadata and loopback ever after; a second look-up would go there.
    const lying: Resolve = async () => {
      asked += 1;
      return [asked === 1 ? "127.0.0.1" : "127.0.0.2"];
    };
    const outbound = open(["127.0.0.1"], lying);
    const url = `http://rebind.test:${port}/`;
    expect((await outbound.send(request(url))).status).toBe(200);
    expect([asked, seen.length]).toEqual([1, 1]);
    await expect(outbound.send(request(url))).rejects.toEqual(refusal("not a public address"));
    expect(seen).toHaveLength(1);
  });

  test("as a real name server tells it", async () => {
    const { port, seen } = await receiver(ok);
    const addresses = ["127.0.0.1", "169.254.169.254"];
    const server = createSocket("udp4");
    server.on("message", (query, peer) =>
      server.send(dnsAnswer(query, addresses.shift() ?? "10.0.0.1"), peer.port, peer.address),
    );
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    closers.push(() => server.close());
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${server.address().port}`]);
    const outbound = open(["127.0.0.1"], (hostname) => resolver.resolve4(hostname));
    const url = `http://rebind.test:${port}/`;
    expect((await outbound.send(request(url))).status).toBe(200);
    await expect(outbound.send(request(url))).rejects.toEqual(refusal("not a public address"));
    await expect(outbound.send(request(url))).rejects.toEqual(refusal("not a public address"));
    expect(seen).toHaveLength(1);
  });
});

describe("redirects", () => {
  const to =
    (status: number, location: string): RequestListener =>
    (_request, response) =>
      void response.writeHead(status, { location }).end();

  test.each([301, 302, 307, 308])("%i take the body and its signature along", async (status) => {
    const end = await receiver(ok);
    const start = await receiver(to(status, `http://127.0.0.1:${end.port}/end`));
    const answer = await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${start.port}/`));
    expect(answer.status).toBe(200);
    expect(end.seen).toEqual([expect.objectContaining({ method: "POST", url: "/end", body: "{}" })]);
    expect(end.seen[0]?.headers).toMatchObject({ "x-signature": "s", host: `127.0.0.1:${end.port}` });
  });

  test("303 asks for something else", async () => {
    const end = await receiver(ok);
    const start = await receiver(to(303, `http://127.0.0.1:${end.port}/end`));
    await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${start.port}/`));
    expect(end.seen).toEqual([expect.objectContaining({ method: "GET", body: "" })]);
    expect(Object.keys(end.seen[0]?.headers ?? {})).not.toContain("x-signature");
  });

  test("relative ones stay on the host", async () => {
    let count = 0;
    const { port, seen } = await receiver((_request, response) => {
      count += 1;
      if (count === 1) response.writeHead(307, { location: "next?x=1" });
      response.end();
    });
    await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/a/b`));
    expect(seen.map(({ url }) => url)).toEqual(["/a/b", "/a/next?x=1"]);
  });

  test.each([
    "https://10.0.0.1/",
    "https://169.254.169.254/latest",
    "http://[::1]/",
    "//127.0.0.2/",
    "http://8.8.8.8/",
    "file:///etc/passwd",
    "https://u:p@8.8.8.8/",
  ])("to %s are not followed", async (location) => {
    const { port, seen } = await receiver(to(307, location));
    await expect(open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/`))).rejects.toMatchObject({
      kind: "refused",
    });
    expect(seen).toHaveLength(1);
  });

  test("go to a name that is resolved and checked anew", async () => {
    const hidden = await receiver(ok, "127.0.0.2");
    const { port } = await receiver(to(307, `http://second.test:${hidden.port}/`));
    const resolve: Resolve = async (name) => [name === "first.test" ? "127.0.0.1" : "127.0.0.2"];
    const outbound = open(["127.0.0.1"], resolve);
    await expect(outbound.send(request(`http://first.test:${port}/`))).rejects.toEqual(
      refusal("not a public address"),
    );
    expect(hidden.seen).toEqual([]);
  });

  test("are followed five times", async () => {
    const { port, seen } = await receiver(to(307, "/again"));
    const sent = open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/`));
    await expect(sent).rejects.toMatchObject({ kind: "protocol", message: "more than 5 redirects" });
    expect(seen).toHaveLength(6);
  });

  test("without a target are an answer", async () => {
    const { port } = await receiver((_request, response) => void response.writeHead(302).end());
    expect((await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/`))).status).toBe(302);
  });
});

describe("a receiver", () => {
  const outbound = open(["127.0.0.1"]);
  const send = (port: number, more: Partial<OutboundRequest> = {}): ReturnType<Outbound["send"]> =>
    outbound.send(request(`http://127.0.0.1:${port}/`, more));

  test("that never answers is given up", async () => {
    const { port } = await receiver(() => undefined);
    await expect(send(port, { timeoutMs: 50 })).rejects.toMatchObject({ kind: "timeout" });
  });

  test("that answers drop by drop is given up", async () => {
    const { port } = await receiver((_request, response) => {
      const timer = setInterval(() => response.write("x"), 10);
      response.on("close", () => clearInterval(timer));
    });
    await expect(send(port, { timeoutMs: 100 })).rejects.toMatchObject({ kind: "timeout" });
  });

  test("is not asked any longer by who gives up", async () => {
    const stop = new AbortController();
    const { port } = await receiver(() => stop.abort());
    await expect(send(port, { signal: stop.signal })).rejects.toMatchObject({ kind: "aborted" });
  });

  test("that answers without end is cut off", async () => {
    const { port } = await receiver((_request, response) => {
      const more = (): void => {
        while (response.write("x".repeat(10_000)));
        response.once("drain", more);
      };
      more();
    });
    const answer = await send(port);
    expect([answer.status, answer.body.length, answer.truncated]).toEqual([200, 1000, true]);
  });

  test("that is not there, hangs up, or speaks no HTTP is an error", async () => {
    const gone = createTcpServer();
    const port = await listening(gone);
    await new Promise((done) => gone.close(done));
    await expect(send(port)).rejects.toMatchObject({ kind: "connection", message: "connection refused" });
    const rude = await listening(createTcpServer((socket) => socket.destroy()));
    await expect(send(rude)).rejects.toMatchObject({ kind: "connection" });
    const foreign = await listening(createTcpServer((socket) => void socket.end("220 mail ready\r\n")));
    await expect(send(foreign)).rejects.toMatchObject({ kind: "connection" });
    const half = await receiver((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("x", () => response.destroy());
    });
    await expect(send(half.port)).rejects.toMatchObject({ kind: "connection" });
    const long = await receiver(
      (_request, response) => void response.writeHead(200, { x: "y".repeat(20_000) }).end(),
    );
    await expect(send(long.port)).rejects.toMatchObject({ message: "the answer's head is too long" });
    const switching = await listening(
      createTcpServer(
        (socket) => void socket.write("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
      ),
    );
    await expect(send(switching)).rejects.toMatchObject({ kind: "protocol" });
  });
});

/** The answer of a name server to a question for an A record (RFC 1035, 4.1), not to be kept. */
function dnsAnswer(query: Buffer, address: string): Buffer {
  let end = 12;
  while (query[end] !== 0) end += (query[end] ?? 0) + 1;
  const question = query.subarray(12, end + 5);
  const head = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split(".").map(Number)]);
  return Buffer.concat([head, question, record]);
}
