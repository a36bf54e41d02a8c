/** A generator that can be repeated from its seed (mulberry32). */
export type Random = {
  seed: number;
  /** 0 <= x < 1. */ next: () => number;
  below: (limit: number) => number;
};

export function createRandom(given: string | undefined): Random {
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  if (!Number.isInteger(seed)) throw new Error(`PLINTH_FAULT_SEED must be a whole number, not '${given}'`);
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, next, below: (limit) => Math.floor(next() * limit) };
}
