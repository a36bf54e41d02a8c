import { createHash, type Hash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { crc32 } from "node:zlib";

/** MD5 is what S3 calls the ETag of an object; SHA-256 takes half its time where processors know it. */
export type HashName = "md5" | "sha256";

/** What is known of bytes that were received. */
export type Digest = { hash: Buffer; crc32: number };

export type Digester = {
  /** Resolves when `chunk` has been read, in shared memory by another thread. One call at a time. */
  update(chunk: Buffer): Promise<void>;
  finish(): Promise<Digest>;
  /** Forgets what was begun. */
  abort(): void;
};

export function digestOf(name: HashName, bytes: Uint8Array): Digest {
  return { hash: createHash(name).update(bytes).digest(), crc32: crc32(bytes) };
}

type Question =
  | { id: number; name: HashName; memory: SharedArrayBuffer; offset: number; length: number }
  | { id: number; name: HashName; end: true }
  | { id: number; drop: true };

type Answer = { id: number; digest?: { hash: Uint8Array; crc32: number } };

/**
 * Runs in the thread, from its own source text: it sees nothing of this file. A thread that loaded a
 * TypeScript file would also load what strips the types, 12 MiB.
 */
function threadMain(): void {
  const crypto = process.getBuiltinModule("node:crypto");
  const zlib = process.getBuiltinModule("node:zlib");
  const { parentPort } = process.getBuiltinModule("node:worker_threads");
  const begun = new Map<number, { hash: Hash; crc: number }>();
  const answer = (message: Answer): void => parentPort?.postMessage(message);
  parentPort?.on("message", (question: Question) => {
    if ("drop" in question) {
      begun.delete(question.id);
      return;
    }
    const state = begun.get(question.id) ?? { hash: crypto.createHash(question.name), crc: 0 };
    if ("end" in question) {
      begun.delete(question.id);
      answer({ id: question.id, digest: { hash: state.hash.digest(), crc32: state.crc } });
      return;
    }
    begun.set(question.id, state);
    const bytes = new Uint8Array(question.memory, question.offset, question.length);
    state.hash.update(bytes);
    state.crc = zlib.crc32(bytes, state.crc);
    answer({ id: question.id });
  });
}

/**
 * MD5 and CRC-32 of 1 GiB take 1.9 s of one core, SHA-256 and CRC-32 1 s, in which the event loop would answer nobody. A thread
 * of its own does them while the next chunk arrives and the last one is written. It starts with the
 * first large upload.
 */
let thread: Worker | undefined;
let nextId = 1;
const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();

function digestThread(): Worker {
  if (thread !== undefined) return thread;
  const started = new Worker(`(${threadMain.toString()})()`, {
    eval: true,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 },
  });
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
  // After the listeners: adding one makes the process wait for the thread again.
  started.unref();
  thread = started;
  return started;
}

function ask(question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    waiting.set(question.id, { resolve, reject });
    digestThread().postMessage(question);
  });
}

export function createDigester(name: HashName): Digester {
  const id = nextId;
  nextId += 1;
  return {
    async update(chunk) {
      const memory = chunk.buffer;
      if (!(memory instanceof SharedArrayBuffer)) throw new Error("Chunks to digest are in shared memory.");
      await ask({ id, name, memory, offset: chunk.byteOffset, length: chunk.byteLength });
    },
    async finish() {
      const { digest } = await ask({ id, name, end: true });
      if (digest === undefined) throw new Error("The digest thread gave no digest.");
      return { hash: Buffer.from(digest.hash), crc32: digest.crc32 };
    },
    abort() {
      thread?.postMessage({ id, drop: true } satisfies Question);
    },
  };
}
