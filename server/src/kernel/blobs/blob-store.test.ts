import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test, type TestContext } from "vitest";
import { randomHex32 } from "../ids.ts";
import { BlobMissing, type BlobStore } from "./blob-store.ts";
import { openDiskBlobStore } from "./disk.ts";
import { createMemoryBlobStore } from "./memory.ts";
import { startS3Server, type S3Server } from "./moto-server.ts";
import { createS3BlobStore } from "./s3.ts";

const MIB = 1024 * 1024;

let folder = "";
let s3: S3Server | { missing: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-blobs-"));
  s3 = await startS3Server();
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  if ("client" in s3) await s3[Symbol.asyncDispose]();
});

function s3Server(context: TestContext): S3Server {
  if ("missing" in s3) return context.skip(s3.missing);
  return s3;
}

async function write(store: BlobStore, chunks: readonly Uint8Array[], size?: number): Promise<string> {
  const blobId = randomHex32();
  const writer = await store.create(blobId, size);
  for (const chunk of chunks) await writer.write(chunk);
  await writer.finish();
  return blobId;
}

async function read(
  store: BlobStore,
  blobId: string,
  range: { start: number; end: number },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of store.read(blobId, range)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const stores: [string, (context: TestContext) => Promise<BlobStore>][] = [
  ["memory", async () => createMemoryBlobStore()],
  ["disk", () => openDiskBlobStore(join(folder, "disk"))],
  ["s3", async (context) => createS3BlobStore(s3Server(context).options)],
];

describe.each(stores)("the %s store", (_name, open) => {
  test("gives back what was written, whole and in part", async (context) => {
    const store = await open(context);
    const bytes = randomBytes(3 * MIB + 17);
    const blobId = await write(store, [bytes.subarray(0, 5), bytes.subarray(5, MIB), bytes.subarray(MIB)]);
    expect((await read(store, blobId, { start: 0, end: bytes.length })).equals(bytes)).toBe(true);
    expect(
      (await read(store, blobId, { start: MIB - 3, end: MIB + 9 })).equals(bytes.subarray(MIB - 3, MIB + 9)),
    ).toBe(true);
    expect((await read(store, blobId, { start: bytes.length - 1, end: bytes.length })).length).toBe(1);
    expect((await read(store, blobId, { start: 7, end: 7 })).length).toBe(0);
    await store.close();
  });

  test("keeps no reference to memory that the writer uses again", async (context) => {
    const store = await open(context);
    const blobId = randomHex32();
    const writer = await store.create(blobId);
    const chunk = Buffer.alloc(1000);
    for (const value of [1, 2, 3]) {
      chunk.fill(value);
      await writer.write(chunk);
    }
    await writer.finish();
    const bytes = await read(store, blobId, { start: 0, end: 3000 });
    expect([bytes[0], bytes[1500], bytes[2999]]).toEqual([1, 2, 3]);
    await store.close();
  });

  test("takes blobs of no bytes", async (context) => {
    const store = await open(context);
    const blobId = await write(store, []);
    expect((await read(store, blobId, { start: 0, end: 0 })).length).toBe(0);
    await store.close();
  });

  test("shows nothing of a blob that is aborted or not finished", async (context) => {
    const store = await open(context);
    const blobId = randomHex32();
    const writer = await store.create(blobId);
    await writer.write(randomBytes(MIB));
    await expect(read(store, blobId, { start: 0, end: 10 })).rejects.toThrow(BlobMissing);
    await writer.abort();
    await writer.abort();
    await expect(read(store, blobId, { start: 0, end: 10 })).rejects.toThrow(BlobMissing);
    await store.close();
  });

  test("deletes, also what is not there", async (context) => {
    const store = await open(context);
    const blobId = await write(store, [Buffer.from("gone soon")]);
    await store.delete([blobId, randomHex32()]);
    await expect(read(store, blobId, { start: 0, end: 4 })).rejects.toThrow(BlobMissing);
    await store.close();
  });

  test("can be left in the middle of a read", async (context) => {
    const store = await open(context);
    const blobId = await write(store, [randomBytes(4 * MIB)]);
    for (let times = 0; times < 40; times += 1) {
      for await (const chunk of store.read(blobId, { start: 0, end: 4 * MIB })) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
    }
    await store.close();
  });

  test("refuses ids that are not its own kind", async (context) => {
    const store = await open(context);
    await expect(store.create("../../etc/passwd")).rejects.toThrow("32 lower-case hex");
    await store.close();
  });
});

describe("the disk store", () => {
  test("leaves no file behind after aborted writes, and keeps its files to itself", async () => {
    const root = join(folder, "aborted");
    const store = await openDiskBlobStore(root);
    const writer = await store.create(randomHex32());
    await writer.write(Buffer.from("half"));
    expect((await readdir(join(root, "tmp"))).length).toBe(1);
    await writer.abort();
    expect(await readdir(join(root, "tmp"))).toEqual([]);
    const blobId = await write(store, [Buffer.from("whole")]);
    const file = await stat(join(root, blobId.slice(0, 2), blobId));
    expect(file.mode & 0o777).toBe(0o600);
    expect((await stat(root)).mode & 0o777).toBe(0o700);
  });

  test("removes files of dead uploads at start, but not those of running ones", async () => {
    const root = join(folder, "stale");
    await mkdir(join(root, "tmp"), { recursive: true });
    await writeFile(join(root, "tmp", "old"), "x");
    await writeFile(join(root, "tmp", "new"), "x");
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await utimes(join(root, "tmp", "old"), yesterday, yesterday);
    await openDiskBlobStore(root);
    expect(await readdir(join(root, "tmp"))).toEqual(["new"]);
  });

  test("says so when the disk is full, and leaves nothing of what did not fit", async (context) => {
    const mount = await mkdtemp(join(folder, "full-"));
    const inside = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" "$3" "$1"';
    const script = join(import.meta.dirname, "full-disk.ts");
    const asUser = process.getuid?.() === 0 ? [] : ["--map-root-user"];
    const child = spawnSync(
      "unshare",
      [...asUser, "--mount", "sh", "-c", inside, "sh", mount, process.execPath, script],
      { encoding: "utf8" },
    );
    if (
      child.status !== 0 &&
      process.env["CI"] !== "true" &&
      /unshare|mount|ENOENT/.test(`${child.stderr}${child.error}`)
    ) {
      context.skip(`no small file system can be mounted here: ${child.stderr}${child.error}`);
    }
    expect(child.stderr).toBe("");
    expect(JSON.parse(child.stdout)).toEqual({ code: "no_space", left: [], bytes: MIB });
  });

  test("says at once that an announced size cannot fit", async () => {
    const store = await openDiskBlobStore(join(folder, "huge"));
    await expect(store.create(randomHex32(), 2 ** 60)).rejects.toMatchObject({ code: "no_space" });
  });
});

describe("the s3 store", () => {
  test("shows nothing of an upload in parts that is aborted", async (context) => {
    const { client, options } = s3Server(context);
    const store = createS3BlobStore({ ...options, prefix: "aborted/" });
    const writer = await store.create(randomHex32());
    for (let times = 0; times < 20; times += 1) await writer.write(Buffer.alloc(MIB, times));
    await writer.abort();
    const objects = await client.send(
      new ListObjectsV2Command({ Bucket: options.bucket, Prefix: "aborted/" }),
    );
    const uploads = await client.send(
      new ListMultipartUploadsCommand({ Bucket: options.bucket, Prefix: "aborted/" }),
    );
    expect(objects.Contents ?? []).toEqual([]);
    expect(uploads.Uploads ?? []).toEqual([]);
    await store.close();
  });

  test("uploads more than its parts in memory hold", async (context) => {
    const store = createS3BlobStore(s3Server(context).options);
    const hash = createHash("md5");
    const blobId = randomHex32();
    const writer = await store.create(blobId);
    for (let times = 0; times < 41; times += 1) {
      const chunk = randomBytes(MIB);
      hash.update(chunk);
      await writer.write(chunk);
    }
    await writer.finish();
    const bytes = await read(store, blobId, { start: 0, end: 41 * MIB });
    expect(createHash("md5").update(bytes).digest("hex")).toBe(hash.digest("hex"));
    await store.close();
  });

  test("lets clients send parts and read by signed addresses", async (context) => {
    const { direct, ...store } = createS3BlobStore(s3Server(context).options);
    if (direct === undefined) throw new Error("S3 transfers directly.");
    const blobId = randomHex32();
    const uploadId = await direct.createUpload(blobId);
    const parts = [];
    for (const [index, body] of [Buffer.alloc(5 * MIB, 1), Buffer.alloc(10, 2)].entries()) {
      const url = await direct.signPart(blobId, uploadId, index + 1);
      const answer = await fetch(url, { method: "PUT", body });
      expect(answer.status).toBe(200);
      parts.push({ partNumber: index + 1, etag: answer.headers.get("etag") ?? "" });
    }
    const blob = await direct.completeUpload(blobId, uploadId, parts);
    expect(blob.size).toBe(5 * MIB + 10);
    expect(blob.etag).toMatch(/^[0-9a-f]{32}-2$/);
    const url = await direct.signRead(blobId, { contentType: "text/plain", disposition: "attachment" });
    const answer = await fetch(url, { headers: { range: `bytes=${5 * MIB}-` } });
    expect(answer.status).toBe(206);
    expect((await answer.arrayBuffer()).byteLength).toBe(10);
    // The server of this test does not act on it, Amazon's does.
    expect(new URL(url).searchParams.get("response-content-disposition")).toBe("attachment");
    await store.close();
  });

  test("an upload that is aborted twice or completed with a wrong part is answered clearly", async (context) => {
    const { direct, ...store } = createS3BlobStore(s3Server(context).options);
    if (direct === undefined) throw new Error("S3 transfers directly.");
    const blobId = randomHex32();
    const uploadId = await direct.createUpload(blobId);
    const wrong = [{ partNumber: 1, etag: '"0123456789abcdef0123456789abcdef"' }];
    await expect(direct.completeUpload(blobId, uploadId, wrong)).rejects.toMatchObject({
      code: "invalid_parameter",
    });
    await direct.abortUpload(blobId, uploadId);
    await direct.abortUpload(blobId, uploadId);
    expect(await direct.head(blobId)).toBeUndefined();
    await store.close();
  });

  test("a bucket that does not answer is an error that may be tried again", async (context) => {
    const { options } = s3Server(context);
    const store = createS3BlobStore({ ...options, endpoint: "http://127.0.0.1:1" });
    await expect(read(store, randomHex32(), { start: 0, end: 1 })).rejects.toMatchObject({
      code: "unavailable",
    });
    const writer = await store.create(randomHex32());
    await expect(writer.finish()).rejects.toMatchObject({ code: "unavailable" });
    await store.close();
  });
});
