import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHmac } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from "jose";

/** An OpenID Connect provider that answers whatever a test wants. */
export type HostileProvider = AsyncDisposable & {
  issuer: string;
  /** The next answer of the token endpoint. */
  answer: { status: number; body: unknown; location?: string };
  /** Which addresses were asked, with what. */
  asked: { path: string; body: string }[];
  /** In the discovery document. */
  metadata: Record<string, unknown>;
  /** A token as it should be. */
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>;
  /** Signed with a key that is not the provider's. */
  signByStranger(claims: JWTPayload): Promise<string>;
  /** HS256 with what everybody knows: the public key, in the ways it may be written. */
  signWithPublicKey(claims: JWTPayload): Promise<string[]>;
};

export async function startHostileProvider(): Promise<HostileProvider> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const stranger = await generateKeyPair("RS256");
  const jwk = await exportJWK(publicKey);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      provider.asked.push({ path, body: Buffer.concat(chunks).toString("utf8") });
      const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(JSON.stringify(body));
      };
      if (path === "/.well-known/openid-configuration") send(200, provider.metadata);
      else if (path === "/jwks") send(200, { keys: [{ ...jwk, kid: "one", use: "sig" }] });
      else if (path === "/token") {
        const { status, body, location } = provider.answer;
        send(status, body, location === undefined ? {} : { location });
      } else send(404, {});
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const signWith = (
    key: CryptoKey,
    claims: JWTPayload,
    header: Record<string, unknown> = {},
  ): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "one", ...header }).sign(key);
  const provider: HostileProvider = {
    issuer,
    answer: { status: 500, body: {} },
    asked: [],
    metadata: {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256", "HS256", "none"],
      token_endpoint_auth_methods_supported: ["client_secret_post"],
    },
    sign: (claims, header) => signWith(privateKey, claims, header),
    signByStranger: (claims) => signWith(stranger.privateKey, claims),
    async signWithPublicKey(claims) {
      const head = encode({ alg: "HS256", kid: "one", typ: "JWT" });
      const pem = await exportSPKI(publicKey);
      const keys = [pem, `${pem}\n`, pem.trim(), String(jwk.n), Buffer.from(String(jwk.n), "base64url")];
      return keys.map((key) => {
        const text = `${head}.${encode(claims)}`;
        return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
      });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return provider;
}

export const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString("base64url");
