import { createHmac, timingSafeEqual } from "node:crypto";
import { sql } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { permissionDenied } from "../../kernel/errors.ts";

/** Tokens that let their bearer do one thing for a while, good for any process on the same database. */
export type Signer = {
  /** `claim` says what is allowed; it can be read by whoever has the token. */
  sign(claim: readonly string[], seconds: number): Promise<string>;
  /** The claim. Throws `permission_denied` when the token is not ours or has expired. */
  verify(token: string): Promise<string[]>;
};

export function createSigner(database: Database, now: () => number = Date.now): Signer {
  let secret: Promise<Buffer> | undefined;
  const loadSecret = async (): Promise<Buffer> => {
    const query = sql<{ secret: Buffer }>`
      select secret from storage.signing_keys order by signing_key_id desc limit 1`;
    const rows = await database.run(query.compile(database.kysely));
    if (rows[0] === undefined) throw new Error("storage.signing_keys is empty.");
    return rows[0].secret;
  };
  const mac = async (text: string): Promise<Buffer> => {
    secret ??= loadSecret().catch((error: unknown) => {
      secret = undefined;
      throw error;
    });
    return createHmac("sha256", await secret)
      .update(text)
      .digest();
  };

  return {
    async sign(claim, seconds) {
      const expires = Math.floor(now() / 1000) + seconds;
      const text = Buffer.from(JSON.stringify([expires, ...claim])).toString("base64url");
      return `${text}.${(await mac(text)).toString("base64url")}`;
    },
    async verify(token) {
      const [text = "", signature = "", ...more] = token.split(".");
      const given = Buffer.from(signature, "base64url");
      const expected = await mac(text);
      if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw permissionDenied("The address is not one that this server signed.");
      }
      const [expires, ...claim] = JSON.parse(Buffer.from(text, "base64url").toString()) as [
        number,
        ...string[],
      ];
      if (expires < now() / 1000) throw permissionDenied("The address has expired; ask for a new one.");
      return claim;
    },
  };
}
