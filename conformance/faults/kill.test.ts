// SIGKILL at random moments under load: what was acknowledged is there afterwards, once, and nothing by halves.
// PLINTH_FAULT_ROUNDS sets the number of rounds (100 in the long suite), PLINTH_FAULT_SEED repeats one.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createExperiment, createRun, inClient } from "./client.ts";
import { databasePid, makeDataDir, removeDataDir, spawnPlinth, startPlinth, type Plinth } from "./plinth.ts";
import { createRandom } from "./random.ts";
import { verify } from "./verify.ts";
import { createLedger, startWriters, type Ledger } from "./writers.ts";

const rounds = Number(process.env["PLINTH_FAULT_ROUNDS"] ?? "5");
const random = createRandom(process.env["PLINTH_FAULT_SEED"]);

let dataDir: string;
let plinth: Plinth | undefined;

beforeAll(() => {
  expect(rounds).toBeGreaterThan(0);
  dataDir = makeDataDir();
});

afterAll(async () => {
  await plinth?.stop();
  removeDataDir(dataDir);
});

type Round = { experiment: string; ledger: Ledger };

test(
  `everything acknowledged survives ${rounds} kills (seed ${random.seed})`,
  { timeout: 3_600_000 },
  async () => {
    const done: Round[] = [];
    plinth = await startPlinth(dataDir);
    for (let round = 1; round <= rounds; round++) {
      const { experiment, ledger } = await writeUntilKilled(plinth, round);
      done.push({ experiment, ledger });
      // One start in three is itself killed, at any moment of it.
      if (random.below(3) === 0) await killDuringStart();
      plinth = await startPlinth(dataDir);
      const complaints = await inClient(plinth, (client) => verify(client, ledger, experiment));
      expect(complaints, `round ${round}, seed ${random.seed}`).toEqual([]);
    }
    const acknowledged = done.reduce((sum, { ledger }) => sum + ledger.acknowledged.length, 0);
    expect(acknowledged, "writes acknowledged in all rounds").toBeGreaterThan(rounds * 10);
    // Later kills must not have touched what earlier rounds left; of many rounds, the first and the last few.
    for (const { experiment, ledger } of [...done.slice(0, 3), ...done.slice(-3)]) {
      expect(await inClient(plinth, (client) => verify(client, ledger, experiment))).toEqual([]);
    }
    expect(await plinth.stop(), plinth.output()).toBe(0);
  },
);

async function writeUntilKilled(target: Plinth, round: number): Promise<Round> {
  const ledger = createLedger();
  const work = await inClient(target, async (client) => {
    const experiment = await createExperiment(client, `round ${round}`);
    const runs = [await createRun(client, experiment, "one"), await createRun(client, experiment, "two")];
    return { experiment, runs, random, ledger };
  });
  const writers = startWriters(target.url, work, { onLostConnection: "end" });
  await sleep(50 + random.below(1500));
  // One kill in three takes the database along, as when the machine runs out of memory.
  const database = random.below(3) === 0 ? databasePid(dataDir) : undefined;
  target.signal("SIGKILL");
  if (database !== undefined) process.kill(database, "SIGKILL");
  expect(await target.ended).toBe("SIGKILL");
  await writers.ended;
  return { experiment: work.experiment, ledger };
}

async function killDuringStart(): Promise<void> {
  const starting = spawnPlinth(dataDir);
  await sleep(random.below(2000));
  starting.signal("SIGKILL");
  expect(await starting.ended, starting.output()).toBe("SIGKILL");
}
