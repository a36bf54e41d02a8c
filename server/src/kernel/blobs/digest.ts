import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Worker } from "node:worker_threads";

/** What is known of bytes that were received: MD5, which S3 calls their ETag, and CRC-32. */
export type Digest = { md5: Buffer; crc32: number };

export type Digester = {
  /** Resolves when `chunk` has been read, in shared memory by another thread. One call at a time. */
  update(chunk: Buffer): Promise<void>;
  finish(): Promise<Digest>;
  /** Forgets what was begun. */
  abort(): void;
};

export function digestOf(bytes: Uint8Array): Digest {
  return { md5: createHash("md5").update(bytes).digest(), crc32: crc32(bytes) };
}

export type Question =
  | { id: number; memory: SharedArrayBuffer; offset: number; length: number }
  | { id: number; end: true }
  | { id: number; drop: true };
export type Answer = { id: number; digest?: { md5: Uint8Array; crc32: number } };

/**
 * MD5 and CRC-32 of 1 GiB take 1.9 s of one core, in which the event loop would answer nobody. A thread
 * of its own does them while the next chunk arrives and the last one is written. It starts with the
 * first large upload.
 */
let thread: Worker | undefined;
let nextId = 1;
const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();

function digestThread(): Worker {
  if (thread !== undefined) return thread;
  // Compiled, the file next to this one is called .js.
  const file = import.meta.url.endsWith(".ts") ? "./digest-thread.ts" : "./digest-thread.js";
  const started = new Worker(new URL(file, import.meta.url));
  started.unref();
  started.on("message", (answer: Answer) => {
    const asker = waiting.get(answer.id);
    waiting.delete(answer.id);
    asker?.resolve(answer);
  });
  started.on("error", (error) => {
    thread = undefined;
    for (const asker of waiting.values()) asker.reject(error);
    waiting.clear();
  });
  thread = started;
  return started;
}

function ask(question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    waiting.set(question.id, { resolve, reject });
    digestThread().postMessage(question);
  });
}

export function createDigester(): Digester {
  const id = nextId;
  nextId += 1;
  return {
    async update(chunk) {
      const memory = chunk.buffer;
      if (!(memory instanceof SharedArrayBuffer)) throw new Error("Chunks to digest are in shared memory.");
      await ask({ id, memory, offset: chunk.byteOffset, length: chunk.byteLength });
    },
    async finish() {
      const { digest } = await ask({ id, end: true });
      if (digest === undefined) throw new Error("The digest thread gave no digest.");
      return { md5: Buffer.from(digest.md5), crc32: digest.crc32 };
    },
    abort() {
      thread?.postMessage({ id, drop: true } satisfies Question);
    },
  };
}
