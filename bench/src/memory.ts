// Memory of a whole process tree, from Linux's /proc.
import { readdirSync, readFileSync } from "node:fs";

/** MiB. `pss` counts a page shared by n processes 1/n times in each, so its sum is the memory really taken. */
export type Memory = { rss: number; pss: number };

export type TreeMemory = { server: Memory; postgres: Memory };

const none = (): Memory => ({ rss: 0, pss: 0 });

/** Memory of the processes `roots` and all they started, PostgreSQL's apart. */
export function readMemory(roots: readonly number[]): TreeMemory {
  const total: TreeMemory = { server: none(), postgres: none() };
  for (const pid of familyOf(roots)) {
    const found = readOne(pid);
    if (found === undefined) continue;
    const sum = isPostgres(pid) ? total.postgres : total.server;
    sum.rss += found.rss;
    sum.pss += found.pss;
  }
  return total;
}

export const together = ({ server, postgres }: TreeMemory): Memory => ({
  rss: server.rss + postgres.rss,
  pss: server.pss + postgres.pss,
});

/** Samples until stopped; answers how much the tree grew above its first sample, in MiB of PSS. */
export function watchGrowth(roots: readonly number[]): { stop: () => number } {
  const first = together(readMemory(roots)).pss;
  let peak = first;
  const timer = setInterval(() => {
    peak = Math.max(peak, together(readMemory(roots)).pss);
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(peak, together(readMemory(roots)).pss) - first;
    },
  };
}

/** The processes `roots` and all they started. */
export function familyOf(roots: readonly number[]): Set<number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${name}/status`))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const family = new Set(roots);
  for (let before = 0; before !== family.size;) {
    before = family.size;
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid);
  }
  return family;
}

function readOne(pid: number): Memory | undefined {
  const text = read(`/proc/${pid}/smaps_rollup`);
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]);
  const [rss, pss] = [field("Rss"), field("Pss")];
  return Number.isNaN(rss) || Number.isNaN(pss) ? undefined : { rss: rss / 1024, pss: pss / 1024 };
}

const isPostgres = (pid: number): boolean => read(`/proc/${pid}/comm`).startsWith("postgres");

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process is gone.
    return "";
  }
}
