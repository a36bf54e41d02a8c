import { median, type Measurement } from "./measurement.ts";
import { readMemory, together } from "./memory.ts";
import { settle } from "./settle.ts";
import type { Target } from "./target.ts";

/** The first start is the one that made the data; then starts on the same data. The target must be fresh. */
export async function measureStart(target: Target, repeat: number): Promise<Measurement[]> {
  const first = target.startSeconds;
  const warm: number[] = [];
  for (let i = 0; i < Math.max(3, repeat); i++) {
    await settle(target.pids, 30);
    await target.restart();
    warm.push(target.startSeconds);
  }
  const common = { target: target.name, unit: "s" } as const;
  return [
    { ...common, metric: "first-start", value: first },
    { ...common, metric: "warm-start", value: median(warm, (seconds) => seconds) },
  ];
}

/** Memory of a server that was started and asked nothing yet. */
export async function measureIdleMemory(target: Target): Promise<Measurement> {
  await settle(target.pids, 60);
  const memory = readMemory(target.pids);
  const { rss } = together(memory);
  const value = together(memory).pss;
  return {
    metric: "idle-memory",
    target: target.name,
    unit: "MiB",
    value,
    serverMemory: memory.server.pss,
    postgresMemory: memory.postgres.pss,
    check: { ok: true, text: `RSS ${rss.toFixed(0)} MiB (counts shared pages once a process)` },
  };
}
