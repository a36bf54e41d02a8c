import { decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import type { Database } from "../../kernel/database.ts";
import { createLog } from "../../kernel/log.ts";
import { createSecrets } from "../../kernel/secrets.ts";
import { createTokens, MAX_TOKEN_SECONDS, MAX_WORKLOAD_SECONDS, type Tokens } from "./tokens.ts";

const HOUR = 3600;
const DAY_MS = 24 * HOUR * 1000;
const secretsKey = Buffer.alloc(32, 7);
/** Of the local administrator of an open server, who needs no row. */
const sub = "00000000-0000-0000-0000-000000000000";

/** A process of its own on the same database, by a clock that the test sets. */
const startProcess = (database: Database, clock: { at: number }, key: Buffer = secretsKey): Tokens =>
  createTokens({
    database,
    now: () => clock.at,
    secrets: createSecrets([key]),
    log: createLog({ level: "fatal" }),
    loginRequired: false,
  });

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("signing keys", () => {
  const kidOf = (token: string): string | undefined => decodeProtectedHeader(token).kid;

  test("rotate after a day, are accepted as long as a token may be, and then removed", async () => {
    await using own = await testDatabase();
    const clock = { at: Date.UTC(2026, 2, 1) };
    const tokens = startProcess(own.database, clock);
    const other = startProcess(own.database, clock);
    const issue = async (from: Tokens): Promise<string> =>
      (await from.issueToken({ sub }, { expiresInSeconds: MAX_TOKEN_SECONDS })).token;
    const first = await issue(tokens);
    clock.at += DAY_MS - 1;
    const last = await issue(tokens);
    expect(kidOf(last)).toBe(kidOf(first));
    clock.at += 1;
    const second = await issue(tokens);
    expect(kidOf(second)).not.toBe(kidOf(first));
    // The other process has not seen either key.
    expect(await other.readToken(first)).toBeDefined();
    expect(await other.readToken(second)).toBeDefined();
    clock.at += 6 * DAY_MS;
    await tokens.purge();
    expect(await startProcess(own.database, clock).readToken(last)).toBeDefined();
    const purged = async (): Promise<unknown[]> => {
      await tokens.purge();
      const rows = await own.database.prepared(
        { name: "test_keys", text: "select key_id from identity.signing_keys" },
        [],
      );
      return rows.map((row) => row["key_id"]);
    };
    clock.at += 2 * DAY_MS;
    expect(await tokens.readToken(last)).toBeUndefined();
    // Tokens of workloads may be good for longer.
    clock.at += MAX_WORKLOAD_SECONDS * 1000 - 7 * DAY_MS;
    expect(await purged()).toEqual([kidOf(second)]);
    clock.at += DAY_MS;
    expect(await purged()).toEqual([]);
  });

  test("made by many processes at once are one", async () => {
    await using own = await testDatabase();
    const clock = { at: Date.UTC(2026, 3, 1) };
    const processes = Array.from({ length: 6 }, () => startProcess(own.database, clock));
    const issued = await Promise.all(
      processes.flatMap((process) => [
        process.issueToken({ sub }, { expiresInSeconds: HOUR }),
        process.issueToken({ sub }, { expiresInSeconds: HOUR }),
      ]),
    );
    expect(new Set(issued.map(({ token }) => kidOf(token))).size).toBe(1);
    for (const process of processes) {
      for (const { token } of issued) expect(await process.readToken(token)).toBeDefined();
    }
  });

  test("stand sealed, and one that another secret sealed is passed over", async () => {
    await using own = await testDatabase();
    const clock = { at: Date.UTC(2026, 4, 1) };
    const here = startProcess(own.database, clock);
    const there = startProcess(own.database, clock, Buffer.alloc(32, 8));
    const first = (await here.issueToken({ sub }, { expiresInSeconds: HOUR })).token;
    const second = (await there.issueToken({ sub }, { expiresInSeconds: HOUR })).token;
    expect(kidOf(second)).not.toBe(kidOf(first));
    expect(await there.readToken(first)).toBeUndefined();
    expect(await here.readToken(second)).toBeUndefined();
    const rows = await own.database.prepared(
      { name: "test_sealed", text: "select sealed_key from identity.signing_keys" },
      [],
    );
    expect(rows.map((row) => String(row["sealed_key"]).slice(0, 3))).toEqual(["v1.", "v1."]);
  });

  test("of invented ids are looked up together, not once a request", async () => {
    await using own = await testDatabase();
    const clock = { at: Date.UTC(2026, 5, 1) };
    let selects = 0;
    const counting: Database = {
      ...own.database,
      prepared: (statement, values) => {
        if (statement.name === "identity_select_signing_keys") selects += 1;
        return own.database.prepared(statement, values);
      },
    };
    const { token } = await startProcess(own.database, clock).issueToken({ sub }, { expiresInSeconds: HOUR });
    const tokens = startProcess(counting, clock);
    const [, payload = "", signature = ""] = token.split(".");
    const invented = Array.from({ length: 200 }, (_, index) => {
      const kid = index.toString(16).padStart(32, "0");
      return `${part({ alg: "HS256", typ: "JWT", kid })}.${payload}.${signature}`;
    });
    const read = await Promise.all([
      ...invented.map((text) => tokens.readToken(text)),
      tokens.readToken(token),
    ]);
    expect(read.filter((claims) => claims !== undefined)).toHaveLength(1);
    expect(selects).toBe(1);
  });
});
