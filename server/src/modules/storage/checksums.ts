import { createHash } from "node:crypto";

/** The reflected polynomial of CRC-32 as in zlib, gzip and S3. */
const POLYNOMIAL = 0xedb88320;

/**
 * The CRC-32 of two pieces put together, from that of each and the length of the second: the first
 * is shifted by as many zero bits as the second has, by squaring the matrix of one shift.
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  if (secondLength === 0) return first;
  let shift = Array.from({ length: 32 }, (_none, bit) => (bit === 0 ? POLYNOMIAL : 2 ** (bit - 1)));
  // One bit squared three times is one byte.
  for (let times = 0; times < 3; times += 1) shift = square(shift);
  let crc = first;
  for (let length = secondLength; length > 0; length = Math.floor(length / 2)) {
    if (length % 2 === 1) crc = multiply(shift, crc);
    shift = square(shift);
  }
  return (crc ^ second) >>> 0;
}

function multiply(matrix: readonly number[], vector: number): number {
  let sum = 0;
  for (let bit = 0, rest = vector; rest !== 0; bit += 1, rest >>>= 1) {
    if ((rest & 1) === 1) sum ^= matrix[bit] as number;
  }
  return sum >>> 0;
}

const square = (matrix: readonly number[]): number[] => matrix.map((row) => multiply(matrix, row));

/** S3's ETag of an object that came in parts: the MD5 of the parts' MD5s, and their number. */
export function multipartEtag(etags: readonly string[]): string {
  const hash = createHash("md5");
  for (const etag of etags) hash.update(Buffer.from(etag, "hex"));
  return `${hash.digest("hex")}-${etags.length}`;
}
