import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { createOutbound } from "../../../kernel/outbound/outbound.ts";
import { openGcsStore } from "./gcs.ts";
import { parseStorePath } from "./location.ts";
import type { StoredFile } from "./store.ts";

/** As Google's JSON API answers for one bucket, two names a page. */
const objects = new Map(
  ["store/logs/a/1.log", "store/logs/a/2.log", "store/logs/a/3 ü.log", "store/logs/ab.log"].map((name) => [
    name,
    `bytes of ${name}`,
  ]),
);
let failure: number | undefined;
const server = createServer((request, response) => {
  const url = new URL(request.url ?? "", "http://server");
  const answer = (status: number, body: string | Buffer, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, headers).end(body);
  if (failure !== undefined) return answer(failure, "{}", { "retry-after": "3" });
  if (request.headers.authorization !== "Bearer a-token") return answer(401, "{}");
  const [, bucket, object] = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
  if (bucket !== "bucket") return answer(404, "{}");
  if (object === undefined) {
    const from = Number(url.searchParams.get("pageToken") ?? 0);
    const names = [...objects.keys()].filter((name) => name.startsWith(url.searchParams.get("prefix") ?? ""));
    const items = names
      .slice(from, from + 2)
      .map((name) => ({ name, size: String(Buffer.byteLength(objects.get(name) ?? "")) }));
    const nextPageToken = names.length > from + 2 ? String(from + 2) : undefined;
    return answer(200, JSON.stringify({ items, nextPageToken }));
  }
  if (request.method === "DELETE") {
    return objects.delete(decodeURIComponent(object)) ? answer(204, "") : answer(404, "{}");
  }
  const body = objects.get(decodeURIComponent(object));
  if (body === undefined || url.searchParams.get("alt") !== "media") return answer(404, "{}");
  const [, first = "0", last = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  if (Number(first) >= Buffer.byteLength(body)) return answer(416, "");
  return answer(206, Buffer.from(body).subarray(Number(first), Number(last) + 1));
});
await new Promise<void>((resolve) => {
  server.listen(0, "127.0.0.1", resolve);
});
afterAll(() => void server.close());

const open = (token = "a-token") =>
  openGcsStore({
    name: "store",
    path: parseStorePath("gs://bucket/store"),
    outbound: createOutbound({ allowed: ["127.0.0.1"], userAgent: "test" }),
    token,
    storage: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
const listed = async (uri: string, token?: string): Promise<StoredFile[]> =>
  (await Array.fromAsync(open(token).list(uri))).flat();

describe("a store of Google's", () => {
  it("lists a folder page by page, or the one file", async () => {
    const files = await listed("gs://bucket/store/logs/a");
    expect(files.map(({ uri }) => uri)).toStrictEqual([
      "gs://bucket/store/logs/a/1.log",
      "gs://bucket/store/logs/a/2.log",
      "gs://bucket/store/logs/a/3 ü.log",
    ]);
    expect(await listed("gs://bucket/store/logs/ab.log")).toStrictEqual([
      { uri: "gs://bucket/store/logs/ab.log", size: 26 },
    ]);
    expect(await listed("gs://bucket/store/none")).toStrictEqual([]);
  });

  it("reads parts of files", async () => {
    const uri = "gs://bucket/store/logs/a/3 ü.log";
    expect((await open().read(uri, 9, 14)).toString()).toBe("store");
    expect((await open().read(uri, 1000, 1001)).length).toBe(0);
    expect((await open().read(uri, 5, 5)).length).toBe(0);
  });

  it("deletes single files", async () => {
    const uri = "gs://bucket/store/logs/a/2.log";
    await open().remove(uri);
    await open().remove(uri);
    expect(objects.has("store/logs/a/2.log")).toBe(false);
    await expect(open("old").remove(uri)).rejects.toMatchObject({ kind: "refused" });
    await expect(open().remove("gs://bucket/store")).rejects.toMatchObject({ kind: "outside" });
  });

  it("says why it cannot be read", async () => {
    const read = (uri: string, token?: string) => open(token).read(uri, 0, 1);
    await expect(read("gs://bucket/store/none")).rejects.toMatchObject({ kind: "missing" });
    await expect(read("gs://bucket/elsewhere")).rejects.toMatchObject({ kind: "outside" });
    await expect(read("gs://bucket/store/logs/ab.log", "old")).rejects.toMatchObject({ kind: "refused" });
    failure = 429;
    await expect(read("gs://bucket/store/x")).rejects.toMatchObject({
      kind: "rate_limited",
      retryAfterSeconds: 3,
    });
    failure = 503;
    await expect(listed("gs://bucket/store/x")).rejects.toMatchObject({ kind: "unreachable" });
    failure = undefined;
  });
});
