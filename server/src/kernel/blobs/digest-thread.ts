import { createHash, type Hash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";
import type { Answer, Question } from "./digest.ts";

const begun = new Map<number, { hash: Hash; crc: number }>();

parentPort?.on("message", (question: Question) => {
  if ("drop" in question) {
    begun.delete(question.id);
    return;
  }
  const state = begun.get(question.id) ?? { hash: createHash("md5"), crc: 0 };
  if ("end" in question) {
    begun.delete(question.id);
    answer({ id: question.id, digest: { md5: state.hash.digest(), crc32: state.crc } });
    return;
  }
  begun.set(question.id, state);
  const bytes = new Uint8Array(question.memory, question.offset, question.length);
  state.hash.update(bytes);
  state.crc = crc32(bytes, state.crc);
  answer({ id: question.id });
});

function answer(message: Answer): void {
  parentPort?.postMessage(message);
}
