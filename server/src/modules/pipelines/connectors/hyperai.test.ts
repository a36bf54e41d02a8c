import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generateKeyPairSync } from "node:crypto";
import ssh2 from "ssh2";
import { describe, expect, test } from "vitest";
import { createMicroClock } from "../../../kernel/micros.ts";
import { createOutbound } from "../../../kernel/outbound/outbound.ts";
import { connectorOf } from "../../../../test/services/connectors.ts";
import { startSshHost, startTcpHost } from "../../../../test/services/ssh.ts";
import { publicPlaces, type Tools } from "./connector.ts";
import { createSsh } from "./ssh.ts";
import { createTools } from "./tools.ts";
import { connectorClient, verifyConnector } from "./verification.ts";

const { generateKeyPairSync: generate } = ssh2.utils;
const ed25519 = generate("ed25519");
const ecdsa = generate("ecdsa", { bits: 384 });
const rsa = generate("rsa", { bits: 2048 });
const locked = generate("ed25519", { passphrase: "open sesame", cipher: "aes256-ctr", rounds: 2 });
const dsa = readFileSync(join(import.meta.dirname, "../../../../test/services/dsa.pem"), "utf8");

const outbound = createOutbound({ allowed: ["127.0.0.1", "localhost"], userAgent: "test" });
const clock = createMicroClock(() => Date.now());
const toolsAt = (sshPort: number, timeoutMs = 12_000): Tools => ({
  ...createTools({ outbound, clock }),
  ssh: createSsh({ outbound, port: sshPort, timeoutMs }),
});
const hosts = ["127.0.0.1", " localhost "];
const resource = { resourceType: "hyperai-instance" };

type Given = { kind?: string; key?: string; passphrase?: string; hostnames?: string[]; user?: string };
const hyperai = (given: Given = {}) =>
  connectorOf({
    type: "hyperai",
    method: `${given.kind ?? "ed25519"}-key`,
    configuration: {
      base64_ssh_key: Buffer.from(given.key ?? ed25519.private).toString("base64"),
      ...(given.passphrase === undefined ? {} : { ssh_passphrase: given.passphrase }),
      hostnames: given.hostnames ?? ["127.0.0.1"],
      username: given.user ?? "trainer",
    },
  });

const verified = (given: Given, tools: Tools) => verifyConnector(hyperai(given), tools, { list: true });
const errorOf = async (given: Given, tools: Tools): Promise<string | null> =>
  (await verified(given, tools)).error;
const trusted = (publicKey: string, server?: Partial<ssh2.ServerConfig>) =>
  startSshHost({ user: "trainer", publicKey, ...(server === undefined ? {} : { server }) });

describe("machines reached by SSH", () => {
  test("are those that let the key in, each of them, and nothing is run there", async () => {
    await using host = await trusted(ed25519.public);
    const found = await verified({ hostnames: hosts }, toolsAt(host.port));
    expect(found).toMatchObject({
      error: null,
      resources: [{ resource_type: "hyperai-instance", resource_ids: hosts, error: null }],
    });
    expect(host.seen).toEqual(["trainer ssh-ed25519", "trainer ssh-ed25519"]);
  });

  test.each([
    ["rsa", rsa.private, rsa.public],
    ["ecdsa", ecdsa.private, ecdsa.public],
    ["dsa", dsa, dsa],
  ])("take keys of the kind %s", async (kind, key, publicKey) => {
    await using host = await trusted(publicKey);
    expect(await errorOf({ kind, key }, toolsAt(host.port))).toBeNull();
    expect(host.seen).toHaveLength(1);
  });

  test("take keys with a passphrase", async () => {
    await using host = await trusted(locked.public);
    const tools = toolsAt(host.port);
    const key = locked.private;
    expect(await errorOf({ key, passphrase: "open sesame" }, tools)).toBeNull();
    expect(await errorOf({ key }, tools)).toMatch(/encrypted, and there is no passphrase/);
    const wrong = await errorOf({ key, passphrase: "close sesame" }, tools);
    expect(wrong).toMatch(/cannot be decrypted with the passphrase/);
    expect(wrong).not.toContain("sesame");
    expect(host.seen).toHaveLength(1);
  });

  test("are asked one by one when they are named, and give what the connector has", async () => {
    await using host = await trusted(ed25519.public);
    const tools = toolsAt(host.port);
    const connector = hyperai({ hostnames: ["127.0.0.1", "192.0.2.1"] });
    const client = await connectorClient(connector, tools, { ...resource, resourceId: "127.0.0.1" });
    expect(client).toMatchObject({ resourceId: "127.0.0.1", configuration: connector.configuration });
    expect(host.seen).toHaveLength(1);
    await expect(
      connectorClient(connector, tools, { ...resource, resourceId: "elsewhere.example.org" }),
    ).rejects.toThrow("not in the list of configured hostnames");
  });
});

describe("machines that do not let the key in", () => {
  test("are said to be so, by their names", async () => {
    await using host = await trusted(ecdsa.public);
    const tools = toolsAt(host.port);
    const refused = "'127.0.0.1': it does not accept the username and the key";
    expect(await errorOf({}, tools)).toContain(refused);
    expect(await errorOf({ kind: "ecdsa", key: ecdsa.private, user: "root" }, tools)).toContain(refused);
    await expect(connectorClient(hyperai(), tools, { ...resource, resourceId: "127.0.0.1" })).rejects.toThrow(
      refused,
    );
  });

  test("are not asked with a key of another kind, or with what is none", async () => {
    await using host = await trusted(ed25519.public);
    const tools = toolsAt(host.port);
    expect(await errorOf({ kind: "rsa" }, tools)).toContain("of the type ssh-ed25519, not ssh-rsa");
    const pkcs8 = generateKeyPairSync("ed25519")
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString();
    for (const key of [ed25519.public, "no key", "", pkcs8]) {
      expect(await errorOf({ key }, tools)).toContain("the SSH key cannot be read");
    }
    expect(host.seen).toEqual([]);
  });

  test("may be closed, out of reach, or say nothing", async () => {
    const closed = await startTcpHost(() => undefined);
    await closed[Symbol.asyncDispose]();
    expect(await errorOf({}, toolsAt(closed.port))).toContain("cannot be reached by SSH: connection refused");
    await using silent = await startTcpHost(() => undefined);
    expect(await errorOf({}, toolsAt(silent.port, 1000))).toContain("does not answer in time");
  });

  test("may speak something else, or break off", async () => {
    const answers = { web: "HTTP/1.1 400 Bad Request\r\n\r\n", nothing: "", old: "SSH-1.5-x\r\n" };
    for (const text of Object.values(answers)) {
      await using host = await startTcpHost((socket) => socket.end(text));
      expect(await errorOf({}, toolsAt(host.port))).toContain("does not speak SSH");
    }
    await using broken = await startTcpHost((socket) => socket.end("SSH-2.0-secret_banner\r\ngarbage"));
    const said = await errorOf({}, toolsAt(broken.port));
    expect(said).toContain("the SSH handshake fails");
    expect(said).not.toContain("secret_banner");
    await using strange = await trusted(ed25519.public, { algorithms: { cipher: ["3des-cbc"] } });
    expect(await errorOf({}, toolsAt(strange.port))).toContain("the SSH handshake fails");
    await using endless = await startTcpHost((socket) => {
      const more = (): void => void (socket.destroyed || socket.write("x".repeat(16_384), more));
      more();
    });
    expect(await errorOf({}, toolsAt(endless.port))).toContain("more than a login needs");
  });

  test("are not those behind this server, unless the operator says so", async () => {
    await using host = await trusted(ed25519.public);
    const guarded = createOutbound({ allowed: [], userAgent: "test" });
    const tools = { ...toolsAt(host.port), ssh: createSsh({ outbound: guarded, port: host.port }) };
    expect(await errorOf({ hostnames: ["127.1"] }, tools)).toContain("'127.0.0.1' is not a public address");
    expect(host.seen).toEqual([]);
  });

  test("do not keep this server busy with keys that take long to decrypt", async () => {
    const { private: key } = generate("ed25519", { passphrase: "p", cipher: "aes256-ctr", rounds: 1 });
    const heavy = withRounds(key, 2 ** 31);
    const started = performance.now();
    expect(await errorOf({ key: heavy, passphrase: "p" }, toolsAt(publicPlaces.sshPort, 700))).toContain(
      "takes too long to decrypt",
    );
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

/** The same key with another number of rounds, which stand in front of the number of keys. */
function withRounds(key: string, rounds: number): string {
  const bytes = Buffer.from(key.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const at = bytes.indexOf(Buffer.from([0, 0, 0, 1, 0, 0, 0, 1]));
  bytes.writeUInt32BE(rounds, at);
  const name = "OPENSSH PRIVATE KEY";
  const lines = bytes.toString("base64").replaceAll(/(.{70})/g, "$1\n");
  return `-----BEGIN ${name}-----\n${lines}\n-----END ${name}-----\n`;
}
