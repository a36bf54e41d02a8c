// SIGTERM under load, and two processes on one data folder.
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { artifactPath, createClient, createExperiment, createRun, type Client } from "./client.ts";
import {
  databasePid,
  makeDataDir,
  removeDataDir,
  spawnPlinth,
  startPlinth,
  waitUntilReady,
  type Plinth,
} from "./plinth.ts";
import { createRandom } from "./random.ts";
import { verify } from "./verify.ts";
import { contentOf } from "./write.ts";
import { createLedger, startWriters } from "./writers.ts";

const random = createRandom(process.env["PLINTH_FAULT_SEED"]);

let dataDir: string;
const started: Plinth[] = [];

async function start(): Promise<{ plinth: Plinth; client: Client }> {
  const plinth = await startPlinth(dataDir);
  started.push(plinth);
  return { plinth, client: createClient(plinth.url) };
}

beforeAll(() => {
  dataDir = makeDataDir();
});

afterEach(async () => {
  for (const plinth of started.splice(0)) await plinth.stop();
});

afterAll(() => removeDataDir(dataDir));

test("SIGTERM under load cuts no request, loses nothing and ends with 0", async () => {
  const { plinth, client } = await start();
  const experiment = await createExperiment(client, "stopped under load");
  const runs = [await createRun(client, experiment, "one"), await createRun(client, experiment, "two")];
  client.close();
  const ledger = createLedger();
  const work = { experiment, runs, random, ledger };
  const writers = startWriters(plinth.url, work, { onLostConnection: "end", endsWithConnection: true });
  await sleep(1000);
  const database = databasePid(dataDir);
  const code = await plinth.stop();
  await writers.ended;
  expect(code, plinth.output()).toBe(0);
  expect(() => process.kill(database, 0), "the database has ended too").toThrow("ESRCH");
  // Every writer had an answer to its last request, with the word that the connection ends.
  expect(ledger.uncertain).toEqual([]);
  expect(ledger.acknowledged.length).toBeGreaterThan(16);

  const again = await start();
  expect(await verify(again.client, ledger, experiment)).toEqual([]);
  again.client.close();
});

test("a request that is half sent at SIGTERM is still answered", async () => {
  const { plinth, client } = await start();
  const experiment = await createExperiment(client, "stopped during an upload");
  const run = await createRun(client, experiment, "one");
  client.close();
  const content = contentOf("slow.bin", 3_000_000);
  const upload = startUpload(plinth.url, artifactPath(run, "slow.bin"), content.byteLength);
  upload.write(content.subarray(0, 1_000_000));
  await sleep(300);
  plinth.signal("SIGTERM");
  await sleep(1000);
  upload.write(content.subarray(1_000_000));
  expect(await upload.status).toBe(200);
  expect(await plinth.ended, plinth.output()).toBe(0);

  const again = await start();
  const answer = await again.client.send("GET", artifactPath(run, "slow.bin"));
  expect(answer.status).toBe(200);
  expect(answer.body.equals(content)).toBe(true);
  again.client.close();
});

test("a second Plinth on the same data is refused, and the first goes on", async () => {
  const { plinth, client } = await start();
  const second = spawnPlinth(dataDir);
  const code = await second.ended;
  expect(code).not.toBe(0);
  expect(second.output()).toContain(dataDir);
  expect(second.output()).toContain(String(plinth.pid));
  expect(second.output()).not.toMatch(/\n\s+at /);

  const experiment = await createExperiment(client, "still here");
  expect((await createRun(client, experiment, "one")).info.run_name).toBe("one");
  client.close();
});

test("of two started at once, one serves and the other is refused", async () => {
  const both = [spawnPlinth(dataDir), spawnPlinth(dataDir)];
  const outcomes = await Promise.allSettled(both.map((plinth) => waitUntilReady(plinth, dataDir)));
  const ready = outcomes.filter((outcome) => outcome.status === "fulfilled").map(({ value }) => value);
  started.push(...ready);
  expect(ready).toHaveLength(1);
  const refused = both.find((plinth) => plinth.pid !== ready[0]?.pid);
  expect(await refused?.ended).not.toBe(0);
});

type Upload = { write: (bytes: Buffer) => void; status: Promise<number> };

function startUpload(url: string, path: string, length: number): Upload {
  const outgoing = request(new URL(path, url), {
    method: "PUT",
    headers: { "content-length": String(length), "content-type": "application/octet-stream" },
  });
  const status = new Promise<number>((done, failed) => {
    outgoing.once("error", failed);
    outgoing.once("response", (incoming) => {
      incoming.resume().once("end", () => done(incoming.statusCode ?? 0));
    });
  });
  let left = length;
  return {
    status,
    write(bytes) {
      left -= bytes.byteLength;
      if (left > 0) outgoing.write(bytes);
      else outgoing.end(bytes);
    },
  };
}
