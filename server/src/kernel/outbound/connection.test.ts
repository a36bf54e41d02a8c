import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOutbound } from "./outbound.ts";

let server: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined).end("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

const open = (host: string, allowed: readonly string[] = [], found: readonly string[] = []) =>
  createOutbound({ allowed, userAgent: "test", resolve: async () => [...found] }).connect({
    host,
    port,
    timeoutMs: 5000,
  });

describe("connections", () => {
  test("go to the address that was checked, and stay open", async () => {
    for (const host of ["127.0.0.1", "127.1", "0x7f000001"]) {
      const socket = await open(host, ["127.0.0.1"]);
      const [said] = (await once(socket, "data")) as [Buffer];
      expect([socket.remoteAddress, said.toString()]).toEqual(["127.0.0.1", "hello"]);
      socket.destroy();
    }
    const named = await open("build.example.org", ["build.example.org"], ["127.0.0.1"]);
    expect(named.remoteAddress).toBe("127.0.0.1");
    named.destroy();
  });

  test("lead nowhere that requests may not go to", async () => {
    const before = connections;
    const hosts = [
      "127.0.0.1",
      "127.1",
      "0x7f000001",
      "2130706433",
      "::1",
      "::ffff:127.0.0.1",
      "169.254.169.254",
    ];
    for (const host of hosts) {
      await expect(open(host), host).rejects.toMatchObject({ kind: "refused" });
    }
    await expect(open("a.example.org", [], ["127.0.0.1"])).rejects.toMatchObject({ kind: "refused" });
    await expect(open("a.example.org", [], ["198.51.100.7", "10.0.0.1"])).rejects.toMatchObject({
      kind: "refused",
    });
    expect(connections).toBe(before);
  });

  test("need a host, without anything else", async () => {
    const hosts = [
      "",
      ".",
      "a b",
      "a:22",
      "127.0.0.1:22",
      "[::1]",
      "u@a",
      "a/b",
      "a?b",
      "a#b",
      "a\\b",
      "a\nb",
    ];
    for (const host of hosts) {
      await expect(open(host, ["127.0.0.1"], ["127.0.0.1"]), host).rejects.toMatchObject({
        kind: "refused",
        message: "this is no host name or address",
      });
    }
  });

  test("that are not made are said to be so", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port: gone } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    const outbound = createOutbound({ allowed: ["127.0.0.1"], userAgent: "test" });
    const asked = { host: "127.0.0.1", port: gone };
    await expect(outbound.connect({ ...asked, timeoutMs: 5000 })).rejects.toMatchObject({
      kind: "connection",
      message: "connection refused",
    });
    const signal = AbortSignal.abort();
    await expect(outbound.connect({ ...asked, timeoutMs: 5000, signal })).rejects.toMatchObject({
      kind: "aborted",
    });
  });
});
