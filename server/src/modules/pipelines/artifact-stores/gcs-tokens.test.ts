import { createVerify, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, it } from "vitest";
import { createOutbound } from "../../../kernel/outbound/outbound.ts";
import { createGcsTokens } from "./gcs-tokens.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
let asked = 0;
/** Google's endpoint for tokens: checks who asks (RFC 7523). */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    asked += 1;
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const [header = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".");
    const isSigned = createVerify("RSA-SHA256")
      .update(`${header}.${claims}`)
      .verify(publicKey, signature, "base64url");
    response.writeHead(isSigned ? 200 : 400, { "content-type": "application/json" });
    response.end(JSON.stringify({ access_token: `token ${asked}`, expires_in: 3600 }));
  });
});
await new Promise<void>((resolve) => {
  server.listen(0, "127.0.0.1", resolve);
});
afterAll(() => void server.close());

const key = (pem: string): string =>
  JSON.stringify({
    type: "service_account",
    project_id: "project",
    private_key_id: "1",
    private_key: pem,
    client_email: "reader@project.iam.gserviceaccount.com",
    client_id: "2",
    token_uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
  });
const pemOf = (from: typeof privateKey): string => from.export({ type: "pkcs8", format: "pem" }).toString();

it("asks for a token with the key of a service account, and not again before it ends", async () => {
  let now = 1_767_225_600_000_000;
  const outbound = createOutbound({ allowed: ["127.0.0.1"], userAgent: "test" });
  const tokenOf = createGcsTokens({ outbound, clock: () => now });
  const secret = { token: key(pemOf(privateKey)) };
  expect(await tokenOf("store", { connector: undefined, secret })).toBe("token 1");
  expect(await tokenOf("store", { connector: undefined, secret })).toBe("token 1");
  now += 31 * 60 * 1_000_000;
  expect(await tokenOf("store", { connector: undefined, secret })).toBe("token 2");

  const connector = { type: "gcp", configuration: { token: "by a connector" } };
  expect(await tokenOf("store", { connector, secret })).toBe("by a connector");
  const stolen = { token: key(pemOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey)) };
  const refused = tokenOf("store", { connector: undefined, secret: stolen });
  await expect(refused).rejects.toMatchObject({ kind: "refused" });
  const none = tokenOf("store", { connector: undefined, secret: undefined });
  await expect(none).rejects.toMatchObject({ kind: "unsupported" });
});
