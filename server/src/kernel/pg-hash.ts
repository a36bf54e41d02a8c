/**
 * PostgreSQL's own 64-bit hashes (`hashfloat8extended` and its like), so that what was read can be compared with what is
 * stored without reading it back: both sides add up the hashes of their rows. Each is 64 bits as two
 * unsigned halves. Algorithm: Bob Jenkins' lookup3, as src/common/hashfn.c has it for little-endian machines.
 */
export type Hash = { high: number; low: number };

const START = 0x9e3779b9 + 3_923_095;

// The three registers. Module state instead of results: a hash a point must not make garbage.
let a = 0;
let b = 0;
let c = 0;

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

function mix(): void {
  a = (a - c) | 0;
  a ^= rotate(c, 4);
  c = (c + b) | 0;
  b = (b - a) | 0;
  b ^= rotate(a, 6);
  a = (a + c) | 0;
  c = (c - b) | 0;
  c ^= rotate(b, 8);
  b = (b + a) | 0;
  a = (a - c) | 0;
  a ^= rotate(c, 16);
  c = (c + b) | 0;
  b = (b - a) | 0;
  b ^= rotate(a, 19);
  a = (a + c) | 0;
  c = (c - b) | 0;
  c ^= rotate(b, 4);
  b = (b + a) | 0;
}

function finish(): void {
  c ^= b;
  c = (c - rotate(b, 14)) | 0;
  a ^= c;
  a = (a - rotate(c, 11)) | 0;
  b ^= a;
  b = (b - rotate(a, 25)) | 0;
  c ^= b;
  c = (c - rotate(b, 16)) | 0;
  a ^= c;
  a = (a - rotate(c, 4)) | 0;
  b ^= a;
  b = (b - rotate(a, 14)) | 0;
  c ^= b;
  c = (c - rotate(b, 24)) | 0;
}

function begin(length: number, seed: Hash): void {
  a = b = c = (START + length) | 0;
  if (seed.high === 0 && seed.low === 0) return;
  a = (a + seed.high) | 0;
  b = (b + seed.low) | 0;
  mix();
}

/** `hashtextextended(text, seed)` of a text with collation "C". */
export function hashText(text: string, seed: Hash): Hash {
  const bytes = Buffer.from(text, "utf8");
  begin(bytes.length, seed);
  let at = 0;
  for (; bytes.length - at >= 12; at += 12) {
    a = (a + bytes.readInt32LE(at)) | 0;
    b = (b + bytes.readInt32LE(at + 4)) | 0;
    c = (c + bytes.readInt32LE(at + 8)) | 0;
    mix();
  }
  const byte = (offset: number): number => bytes[at + offset] ?? 0;
  a = (a + (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24))) | 0;
  b = (b + (byte(4) | (byte(5) << 8) | (byte(6) << 16) | (byte(7) << 24))) | 0;
  c = (c + ((byte(8) << 8) | (byte(9) << 16) | (byte(10) << 24))) | 0;
  finish();
  return { high: b >>> 0, low: c >>> 0 };
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

function foldInt8(value: number | bigint): number {
  let high: number;
  let low: number;
  if (typeof value === "number") {
    high = Math.floor(value / 4_294_967_296);
    low = value - high * 4_294_967_296;
  } else {
    high = Number(BigInt.asIntN(32, value >> 32n));
    low = Number(BigInt.asUintN(32, value));
  }
  return low ^ (high >= 0 ? high : ~high);
}

function hashFolded(folded: number, high: number, low: number): void {
  a = b = c = (START + 4) | 0;
  if (high !== 0 || low !== 0) {
    a = (a + high) | 0;
    b = (b + low) | 0;
    mix();
  }
  a = (a + folded) | 0;
  finish();
}

/** A sum of hashes modulo 2^64. */
export type HashSum = {
  add(hash: Hash): void;
  /** Adds `hashint8extended(step, hashint8extended(timestamp, hashfloat8extended(value, seed)))`. */
  addPoint(seed: Hash, value: number, [timestamp, step]: readonly [number | bigint, number | bigint]): void;
  /** As a signed 64-bit integer. */
  total(): bigint;
};

export function createHashSum(): HashSum {
  let high = 0;
  let low = 0;
  const add = (moreHigh: number, moreLow: number): void => {
    low += moreLow;
    high += moreHigh;
    if (low >= 4_294_967_296) {
      low -= 4_294_967_296;
      high += 1;
    }
    if (high >= 4_294_967_296) high -= 4_294_967_296;
  };
  return {
    add: (hash) => add(hash.high, hash.low),
    addPoint(seed, value, [timestamp, step]) {
      // Zero of either sign has no bits to hash.
      b = seed.high | 0;
      c = seed.low | 0;
      if (value !== 0) {
        double[0] = value;
        begin(8, seed);
        // The sign bit of a NaN is not PostgreSQL's.
        a = (a + (Number.isNaN(value) ? 0 : (halves[0] as number))) | 0;
        b = (b + (Number.isNaN(value) ? 0x7ff80000 : (halves[1] as number))) | 0;
        finish();
      }
      hashFolded(foldInt8(timestamp), b, c);
      hashFolded(foldInt8(step), b, c);
      add(b >>> 0, c >>> 0);
    },
    total: () => BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)),
  };
}
