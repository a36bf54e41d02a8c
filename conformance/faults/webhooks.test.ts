// SIGKILL while the registry changes and webhooks are told of it: every change that was acknowledged is told at least
// once, by one id, and nothing is told that did not happen.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startReceiver, type Receiver } from "../src/receiver.ts";
import { call, inClient, type Client } from "./client.ts";
import { makeDataDir, removeDataDir, startPlinth, type Plinth } from "./plinth.ts";
import { createRandom } from "./random.ts";

const rounds = Number(process.env["PLINTH_FAULT_ROUNDS"] ?? "3");
const random = createRandom(process.env["PLINTH_FAULT_SEED"]);
const flags = ["--outbound-allowed-hosts", "127.0.0.1"];

let dataDir: string;
let receiver: Receiver;
let plinth: Plinth | undefined;

beforeAll(async () => {
  expect(rounds).toBeGreaterThan(0);
  dataDir = makeDataDir();
  receiver = await startReceiver();
});

afterAll(async () => {
  await plinth?.stop();
  await receiver.stop();
  removeDataDir(dataDir);
});

test(
  `every acknowledged change is told after ${rounds} kills (seed ${random.seed})`,
  { timeout: 3_600_000 },
  async () => {
    plinth = await startPlinth(dataDir, flags);
    const events = [{ entity: "REGISTERED_MODEL", action: "CREATED" }];
    const hook = { name: "hook", url: `${receiver.url}/hook`, events, secret: "quiet" };
    await inClient(plinth, (client) => call(client, "POST", "webhooks", hook));
    const acknowledged: string[] = [];
    const asked = new Set<string>();
    for (let round = 1; round <= rounds; round++) {
      const writing = inClient(plinth, (client) => write(client, `round ${round}`, asked, acknowledged));
      await sleep(300 + random.below(1200));
      plinth.signal("SIGKILL");
      expect(await plinth.ended).toBe("SIGKILL");
      await writing;
      plinth = await startPlinth(dataDir, flags);
    }
    expect(acknowledged.length, "changes acknowledged in all rounds").toBeGreaterThan(rounds);
    const until = Date.now() + 60_000;
    while (acknowledged.some((name) => !told().has(name)) && Date.now() < until) await sleep(50);
    const byName = told();
    expect(acknowledged.filter((name) => !byName.has(name))).toEqual([]);
    expect([...byName.keys()].filter((name) => !asked.has(name))).toEqual([]);
    // Told twice is told by the same id, so that a receiver can tell.
    expect([...byName.values()].filter((ids) => ids.size > 1)).toEqual([]);
    expect(await plinth.stop(), plinth.output()).toBe(0);
  },
);

/** The ids of the deliveries that told of each model. */
function told(): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const { body, headers } of receiver.received) {
    const { data } = JSON.parse(body) as { data: { name: string } };
    const known = ids.get(data.name) ?? new Set();
    ids.set(data.name, known.add(String(headers["x-mlflow-delivery-id"])));
  }
  return ids;
}

/** Registers one model after the other until the server is gone. */
async function write(
  client: Client,
  prefix: string,
  asked: Set<string>,
  acknowledged: string[],
): Promise<void> {
  for (let count = 0; ; count++) {
    const name = `${prefix} model ${count}`;
    asked.add(name);
    try {
      await call(client, "POST", "registered-models/create", { name });
    } catch {
      return;
    }
    acknowledged.push(name);
  }
}
