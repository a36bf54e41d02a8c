import { expect, test } from "vitest";
import { postgresSettings, readMachine } from "./settings.ts";

const GIB = 1024 ** 3;
const megabytes = (text: string | undefined): number => Number(/^(\d+)MB$/.exec(text ?? "")?.[1]);

test("commits are durable on every machine", () => {
  for (const memoryBytes of [0.25 * GIB, 4 * GIB, 512 * GIB]) {
    const settings = postgresSettings({ memoryBytes, cpus: 2, sharedMemoryBytes: GIB });
    expect(settings).toMatchObject({ fsync: "on", synchronous_commit: "on", full_page_writes: "on" });
  }
});

test("memory follows the machine and never asks for more than it has", () => {
  let before = 0;
  for (const gib of [0.25, 1, 8, 64, 1024]) {
    const settings = postgresSettings({ memoryBytes: gib * GIB, cpus: 4, sharedMemoryBytes: GIB });
    const shared = megabytes(settings["shared_buffers"]);
    expect(shared).toBeGreaterThanOrEqual(before);
    expect(shared).toBeLessThanOrEqual((gib * 1024) / 4);
    expect(megabytes(settings["maintenance_work_mem"])).toBeLessThanOrEqual((gib * 1024) / 4);
    before = shared;
  }
});

test("a container with a small /dev/shm gets files instead", () => {
  const machine = { memoryBytes: GIB, cpus: 2, sharedMemoryBytes: 64 * 1024 * 1024 };
  expect(postgresSettings(machine)["dynamic_shared_memory_type"]).toBe("mmap");
});

test("reads this machine", () => {
  const machine = readMachine();
  expect(machine.memoryBytes).toBeGreaterThan(64 * 1024 * 1024);
  expect(machine.cpus).toBeGreaterThanOrEqual(1);
});
