import { expect, test } from "vitest";
import type { ListedVersion } from "./model-versions.sql.ts";
import { createVersionMemory } from "./version-memory.ts";

const version = (number: number, description = ""): ListedVersion => ({
  model_key: 1,
  name: "m",
  version: number,
  creation_timestamp: 0,
  last_updated_timestamp: 0,
  stage: "None",
  status: "READY",
  status_message: null,
  description,
  user_id: null,
  source: "",
  run_uuid: "",
  run_link: "",
  tags: [],
});

test("what was read in one state and by one name is recalled as the same object, else not at all", () => {
  const memory = createVersionMemory(1_000_000);
  const one = version(1);
  memory.remember({ key: 7, state: "a", name: "m" }, one);
  expect(memory.recall({ key: 7, state: "a", name: "m" })).toBe(one);
  expect(memory.recall({ key: 7, state: "b", name: "m" })).toBeUndefined();
  expect(memory.recall({ key: 7, state: "a", name: "n" })).toBeUndefined();
  expect(memory.recall({ key: 8, state: "a", name: "m" })).toBeUndefined();
});

test("forgets what was not asked for, and keeps what was, within its size", () => {
  const memory = createVersionMemory(20_000);
  const found = (key: number): { key: number; state: string; name: string } => ({
    key,
    state: "a",
    name: "m",
  });
  for (let key = 0; key < 1000; key += 1) {
    memory.remember(found(key), version(key));
    expect(memory.recall(found(0))).toBeDefined();
  }
  const kept = Array.from({ length: 1000 }, (_, key) => memory.recall(found(key))).filter(Boolean);
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.length).toBeLessThan(40);
});

test("one version larger than the whole memory does not stay", () => {
  const memory = createVersionMemory(2000);
  memory.remember({ key: 1, state: "a", name: "m" }, version(1, "x".repeat(5000)));
  memory.remember({ key: 2, state: "a", name: "m" }, version(2));
  memory.remember({ key: 3, state: "a", name: "m" }, version(3));
  expect(memory.recall({ key: 1, state: "a", name: "m" })).toBeUndefined();
});
