import { badRequest } from "../../kernel/errors.ts";
import type { BlobStore, BlobWriter } from "../../kernel/blobs/blob-store.ts";
import { returnBuffer, takeBuffer } from "../../kernel/blobs/buffers.ts";
import { createDigester, digestOf, type Digest, type HashName } from "../../kernel/blobs/digest.ts";
import { randomHex32 } from "../../kernel/ids.ts";

/** Bytes that arrive. A chunk is valid until the next one is asked for. */
export type Source = AsyncIterable<Uint8Array>;

export type Received = { size: number; digest: Digest } & (
  | { body: Buffer; blobId?: undefined }
  | { blobId: string; body?: undefined }
);

export type ReceiveOptions = {
  blobs: BlobStore;
  hash: HashName;
  /** Up to this many bytes are kept in memory for the row. */
  inlineBytes: number;
  /** Bytes announced; fewer or more is an error. */
  expectedSize?: number | undefined;
  /** Records the blob before it can exist, so that it is found should this process die. */
  recordPending(blobId: string): Promise<void>;
};

/** Takes all bytes of `source` in constant memory. Whatever goes wrong, no blob is left. */
export async function receive(source: Source, options: ReceiveOptions): Promise<Received> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await iterator.next();
      if (done === true) break;
      size += value.byteLength;
      if (size > options.inlineBytes) return await receiveBlob([...chunks, value], iterator, options);
      chunks.push(Buffer.from(value));
    }
  } catch (error) {
    await iterator.return?.();
    throw error;
  }
  checkSize(size, options);
  const body = Buffer.concat(chunks, size);
  return { size, digest: digestOf(options.hash, body), body };
}

function checkSize(size: number, { expectedSize }: ReceiveOptions): void {
  if (expectedSize !== undefined && expectedSize !== size) {
    throw badRequest(`The body has ${size} bytes where ${expectedSize} were announced.`);
  }
}

async function receiveBlob(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  options: ReceiveOptions,
): Promise<Received> {
  const blobId = randomHex32();
  const [recorded, created] = await Promise.allSettled([
    options.recordPending(blobId),
    options.blobs.create(blobId, options.expectedSize),
  ]);
  if (created.status === "rejected") throw created.reason;
  const writer = created.value;
  const pipe = createPipe(writer, options);
  try {
    if (recorded.status === "rejected") throw recorded.reason;
    for (const chunk of first) await pipe.push(chunk);
    for (;;) {
      const { value, done } = await rest.next();
      if (done === true) break;
      await pipe.push(value);
    }
    const { size, digest } = await pipe.end();
    checkSize(size, options);
    await writer.finish();
    return { size, digest, blobId };
  } catch (error) {
    // What went wrong first is what the client should hear.
    await pipe.settle();
    await writer.abort().catch(() => undefined);
    throw error;
  } finally {
    await pipe.close();
  }
}

type Pipe = {
  push(chunk: Uint8Array): Promise<void>;
  end(): Promise<{ size: number; digest: Digest }>;
  /** Waits until nothing is being written. */
  settle(): Promise<void>;
  /** To be called once, whether the end was reached or not. */
  close(): Promise<void>;
};

/** Waits for both, also when one fails, since both read the same memory. */
async function both(first: Promise<void>, second: Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled([first, second]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** Two buffers: one fills from the network while the other is written and digested. */
function createPipe(writer: BlobWriter, { hash, expectedSize }: ReceiveOptions): Pipe {
  let filling = takeBuffer(expectedSize ?? Number.POSITIVE_INFINITY);
  let filled = 0;
  let size = 0;
  let leaving: Promise<void> | undefined;
  const digester = createDigester(hash);
  let digestBegun = false;

  const passOn = async (): Promise<void> => {
    await leaving;
    const full = filling;
    const view = full.subarray(0, filled);
    digestBegun = true;
    leaving = both(writer.write(view), digester.update(view)).finally(() => returnBuffer(full));
    // It is awaited with the next buffer; until then it must not count as unhandled.
    leaving.catch(() => undefined);
    filling = takeBuffer(expectedSize === undefined ? Number.POSITIVE_INFINITY : expectedSize - size);
    filled = 0;
  };

  return {
    async push(chunk) {
      for (let at = 0; at < chunk.byteLength;) {
        if (filled === filling.length) await passOn();
        const length = Math.min(chunk.byteLength - at, filling.length - filled);
        filling.set(chunk.subarray(at, at + length), filled);
        filled += length;
        size += length;
        at += length;
      }
    },
    async end() {
      await leaving;
      const view = filling.subarray(0, filled);
      if (digestBegun) {
        await both(writer.write(view), digester.update(view));
        return { size, digest: await digester.finish() };
      }
      // One buffer was enough: at most 2 ms of work, no reason to wake the thread.
      await writer.write(view);
      return { size, digest: digestOf(hash, view) };
    },
    async settle() {
      await leaving?.catch(() => undefined);
    },
    async close() {
      await leaving?.catch(() => undefined);
      if (digestBegun) digester.abort();
      returnBuffer(filling);
    },
  };
}
