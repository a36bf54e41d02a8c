import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findRunningPostgres } from "../../server/src/kernel/postgres/embedded.ts";
import { newFolder, spawnPlinth, whenReady } from "./plinth.ts";

const anyPorts = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];
const password = "the word of the first one";
const basic = (name: string, word: string): string =>
  `Basic ${Buffer.from(`${name}:${word}`).toString("base64")}`;
const admin = basic("admin", password);

type Ask = { method?: string; by: string; body?: unknown };

async function ask(address: string, path: string, { method = "GET", by, body }: Ask): Promise<Response> {
  return fetch(address + path, {
    method,
    headers: { authorization: by, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const me = async (address: string, by: string): Promise<number> =>
  (await ask(address, "/console/api/me", { by })).status;

/** 2 s are promised; the machine that runs this may be busy besides. */
const DEADLINE_MS = 2000 + 3000;

test(
  "what one process revokes it refuses at once, and another on the same database within 2 s",
  { timeout: 120_000 },
  async () => {
    await using ground = await newFolder();
    await using one = await newFolder();
    await using other = await newFolder();
    const database = spawnPlinth(["up", ...anyPorts, "--data-dir", ground.path]);
    await whenReady(database, ground.path);
    const found = findRunningPostgres(ground.path);
    const env = {
      PLINTH_DATABASE_URL: `postgres://${found?.user}:${found?.password}@/plinth?host=${found?.host}`,
      PLINTH_SECRETS_KEY: randomBytes(32).toString("hex"),
      PLINTH_ADMIN_PASSWORD: password,
    };
    const start = (folder: string): ReturnType<typeof spawnPlinth> =>
      spawnPlinth(["server", ...anyPorts, "--pool-size", "2", "--login", "required", "--data-dir", folder], {
        env,
      });
    const servers = [start(one.path), start(other.path)] as const;
    const here = (await whenReady(servers[0], one.path))["http"] ?? "";
    const there = (await whenReady(servers[1], other.path))["http"] ?? "";
    const change = async (path: string, rest: Omit<Ask, "by">): Promise<unknown> => {
      const answer = await ask(here, path, { by: admin, ...rest });
      const text = await answer.text();
      expect([path, answer.status < 300, text]).toEqual([path, true, expect.any(String)]);
      return text === "" ? undefined : JSON.parse(text);
    };
    const refusedSoon = async (by: string): Promise<void> => {
      expect(await me(here, by)).toBe(401);
      const deadline = Date.now() + DEADLINE_MS;
      while ((await me(there, by)) !== 401) {
        if (Date.now() > deadline) expect.fail("It still works in the other process.");
        await sleep(50);
      }
    };

    const word = "a word that is long enough";
    await change("/console/api/users", { method: "POST", body: { name: "ada", password: word } });
    const made = (await change("/console/api/principals/ada/keys", {
      method: "POST",
      body: { name: "laptop" },
    })) as { key: string };
    const key = `Bearer ${made.key}`;
    for (const by of [key, basic("ada", word)]) {
      expect([await me(here, by), await me(there, by)]).toEqual([200, 200]);
    }
    await change("/console/api/principals/ada/keys/laptop", { method: "DELETE" });
    await refusedSoon(key);
    await change("/console/api/users/ada", { method: "PATCH", body: { active: false } });
    await refusedSoon(basic("ada", word));

    for (const server of servers) server.kill("SIGTERM");
    expect(await Promise.all(servers.map(async (server) => (await server.ended).code))).toEqual([0, 0]);
    database.kill("SIGTERM");
    await database.ended;
  },
);
