/**
 * For a test: fills the disk under the folder given and prints what the store made of it. It runs in
 * a process of its own because only there can a file system of 4 MiB be mounted without harm.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PlinthError } from "../errors.ts";
import { randomHex32 } from "../ids.ts";
import { openDiskBlobStore } from "./disk.ts";

const root = process.argv[2] ?? "";
const store = await openDiskBlobStore(root);
const small = randomHex32();
const first = await store.create(small);
await first.write(Buffer.alloc(1024, 1));
await first.finish();

const writer = await store.create(randomHex32());
let code = "none";
try {
  for (let times = 0; times < 8; times += 1) await writer.write(Buffer.alloc(1024 * 1024));
  await writer.finish();
} catch (error) {
  code = error instanceof PlinthError ? error.code : String(error);
  await writer.abort();
}
const left = await readdir(join(root, "tmp"));
const again = randomHex32();
const second = await store.create(again);
await second.write(Buffer.alloc(1024 * 1024, 2));
await second.finish();
let bytes = 0;
for await (const chunk of store.read(again, { start: 0, end: 1024 * 1024 })) bytes += chunk.byteLength;
process.stdout.write(JSON.stringify({ code, left, bytes }));
