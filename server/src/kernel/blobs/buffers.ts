/**
 * Large buffers that are used again. Fresh memory for every chunk of a 1 GiB transfer costs 262,144
 * page faults and grows the process until the collector looks; 16 buffers of 1 MiB cost neither.
 * They are shared memory, so that the digest thread reads them without a copy.
 */
export const LARGE = 1024 * 1024;
const SMALL = 64 * 1024;
const MAX_LARGE = 16;

const idle: Buffer[] = [];
let large = 0;

/** A buffer of 1 MiB, or of 64 KiB when little is needed or all large ones are in use. */
export function takeBuffer(wanted: number): Buffer {
  if (wanted <= SMALL) return shared(SMALL);
  const found = idle.pop();
  if (found !== undefined) return found;
  if (large === MAX_LARGE) return shared(SMALL);
  large += 1;
  return shared(LARGE);
}

/** To be called once for each buffer taken, when nobody reads or writes it any more. */
export function returnBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE) idle.push(buffer);
}

const shared = (size: number): Buffer => Buffer.from(new SharedArrayBuffer(size));
