// An import that is killed again and again shows nothing before its end, and ends with the same as one that was not.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPlinth, type Target } from "../src/target.ts";
import { runImport, startImport } from "./plinth.ts";
import { postJson, type Json } from "./rest.ts";
import { readStore, type StoreView } from "./store-view.ts";
import { fillStore } from "./stores.ts";

let folder: string;
let database: string;
let whole: Target;
let killed: Target;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "plinth-import-kill-"));
  database = `sqlite:///${join(folder, "mlflow.db")}`;
  [whole, killed] = await Promise.all([startPlinth(), startPlinth()]);
  await fillStore("3.17.2", database, { folder, runs: 120 });
});

afterAll(async () => {
  await whole?.stop();
  await killed?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function visible(url: string): Promise<number> {
  const search = async (path: string, body: Json): Promise<Json> =>
    postJson(`${url}/api/2.0/mlflow/${path}`, body);
  const experiments = (await search("experiments/search", { max_results: 1000, view_type: "ALL" }))[
    "experiments"
  ] as Json[];
  const ids = experiments.map((one) => one["experiment_id"]);
  const runs = (await search("runs/search", { experiment_ids: ids, run_view_type: "ALL" }))["runs"] as
    | Json[]
    | undefined;
  return experiments.length - 1 + (runs?.length ?? 0);
}

it("goes on after every kill, to the same end", async () => {
  await runImport(whole.dataDir ?? "", [database]);
  const expected: StoreView = await readStore(whole.url, { loggedModels: true });
  // How long one takes is not known: the waits grow until one comes to its end.
  let kills = 0;
  for (let wait = 300; ; wait *= 1.15) {
    const child = startImport(killed.dataDir ?? "", [database]);
    await Promise.race([child.ended, sleep(wait)]);
    if (!child.hasEnded()) {
      process.kill(child.pid, "SIGKILL");
      kills += 1;
    }
    const code = await child.ended;
    if (code === 0) break;
    expect(code, child.output()).toBe("SIGKILL");
    // The very last transaction may have been on its way already.
    const seen = await visible(killed.url);
    if (seen > 0) {
      expect(seen).toBe(expected.runs.length + expected.experiments.length - 1);
      break;
    }
  }
  expect(kills).toBeGreaterThan(3);
  expect(await readStore(killed.url, { loggedModels: true })).toEqual(expected);
});
