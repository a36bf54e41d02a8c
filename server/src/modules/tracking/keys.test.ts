import { expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import { createKeys } from "./keys.ts";

const numbered = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_one, index) => `key ${from + index}`);

test("a key keeps its id, in every process", async () => {
  await using ground = await testDatabase();
  const [here, there] = [createKeys(ground.database), createKeys(ground.database)];
  const words = numbered(0, 50);
  await Promise.all([here.ensure(words), there.ensure(words.toReversed()), here.ensure(words.slice(20))]);
  const ids = words.map((key) => here.idOf(key));
  expect(new Set(ids).size).toBe(50);
  expect(words.map((key) => there.idOf(key))).toEqual(ids);
  expect(ids.map((id) => there.keyOf(id))).toEqual(words);
  expect(here.jsonOf(here.idOf("key 7"))).toBe('"key 7"');
});

test("a search does not make keys", async () => {
  await using ground = await testDatabase();
  const keys = createKeys(ground.database);
  await keys.ensure(["known"]);
  expect([...(await createKeys(ground.database).find(["known", "unknown"]))]).toEqual([
    ["known", keys.idOf("known")],
  ]);
  expect([...(await keys.find(["unknown"]))]).toEqual([]);
});

test("keys that were ensured or loaded are found, however many others come meanwhile", async () => {
  await using ground = await testDatabase();
  const keys = createKeys(ground.database, 40);
  await createKeys(ground.database).ensure(numbered(0, 300));
  await Promise.all(
    Array.from({ length: 100 }, async (_one, index) => {
      const mine = numbered((index * 37) % 290, 10);
      await keys.ensure(mine);
      const ids = mine.map((key) => keys.idOf(key));
      await keys.load(ids);
      expect(ids.map((id) => keys.keyOf(id))).toEqual(mine);
    }),
  );
  // More at once than are remembered.
  const all = numbered(0, 300);
  await keys.ensure(all);
  const ids = all.map((key) => keys.idOf(key));
  await keys.load(ids);
  expect(ids.map((id) => keys.keyOf(id))).toEqual(all);
});
