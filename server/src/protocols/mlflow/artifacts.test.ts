import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROXY, ROOT, json, startArtifactServer } from "./artifacts-fixture.ts";

const server = await startArtifactServer();
const { call, get, put } = server;

afterAll(() => server[Symbol.asyncDispose]());

describe("uploads and downloads", () => {
  test.each([0, 1, 16_384, 16_385, 5_000_000])("%i bytes come back as they were sent", async (size) => {
    const bytes = randomBytes(size);
    const sent = await put(`${ROOT}/size/${size}.bin`, bytes);
    expect([sent.status, sent.text]).toEqual([200, ""]);
    const found = await get(`${ROOT}/size/${size}.bin`);
    expect(found.status).toBe(200);
    expect(found.bytes.equals(bytes)).toBe(true);
    expect(found.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-length": String(size),
      "content-disposition": `attachment; filename=${size}.bin`,
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "accept-ranges": "bytes",
      etag: `"${createHash("sha256").update(bytes).digest("hex")}"`,
    });
  });

  test("an empty file sent in chunks, as MLflow's clients do, is an empty file", async () => {
    const sent = await call("PUT", `${PROXY}/${ROOT}/empty`, {
      body: "",
      headers: { "transfer-encoding": "chunked" },
    });
    expect(sent.status).toBe(200);
    expect((await get(`${ROOT}/empty`)).headers["content-length"]).toBe("0");
  });

  test("a body of unknown length is taken", async () => {
    const bytes = randomBytes(100_000);
    const headers = { "transfer-encoding": "chunked" };
    expect((await call("PUT", `${PROXY}/${ROOT}/chunked`, { body: bytes, headers })).status).toBe(200);
    expect((await get(`${ROOT}/chunked`)).bytes.equals(bytes)).toBe(true);
  });

  test("bodies that say they are JSON or a form are bytes all the same", async () => {
    for (const type of [
      "application/json",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "nonsense",
    ]) {
      const headers = { "content-type": type };
      expect((await call("PUT", `${PROXY}/${ROOT}/typed`, { body: "{not json", headers })).status).toBe(200);
      expect((await get(`${ROOT}/typed`)).text).toBe("{not json");
    }
  });

  test("a later upload replaces the artifact", async () => {
    await put(`${ROOT}/again`, "first");
    const first = await get(`${ROOT}/again`);
    await put(`${ROOT}/again`, randomBytes(20_000));
    const second = await get(`${ROOT}/again`);
    expect(second.bytes.length).toBe(20_000);
    expect(second.headers["etag"]).not.toBe(first.headers["etag"]);
  });

  test("both prefixes, and names of any kind", async () => {
    for (const name of [
      "a b",
      "ü",
      "100%25",
      "日本",
      "'\"",
      "a;b=c",
      "x&y",
      ".hidden",
      "C%3A",
      "a%3Fb",
      "k".repeat(300),
    ]) {
      const path = `${ROOT}/names/${name}`;
      expect((await put(encodeURI(decodeURIComponent(path)).replaceAll("?", "%3F"), name)).status).toBe(200);
    }
    const found = await call("GET", `/ajax-api/2.0/mlflow-artifacts/artifacts/${ROOT}/names/a%20b`);
    expect(found.text).toBe("a b");
    expect(found.headers["content-disposition"]).toBe('attachment; filename="a b"');
    const odd = await call("GET", `${PROXY}/${ROOT}/names/%C3%BC`);
    expect(odd.headers["content-disposition"]).toBe("attachment; filename=u; filename*=UTF-8''%C3%BC");
  });

  test("a path that ends in a slash, is a directory, or is not there, is answered as upstream answers it", async () => {
    const slash = await put(`${ROOT}/size/`, "x");
    expect(slash.status).toBe(400);
    expect(json(slash)).toEqual({ detail: "Artifact path must include a filename (cannot end with '/')." });
    for (const path of [`${ROOT}/size`, `${ROOT}/size/`]) {
      const directory = await get(path);
      expect(directory.status).toBe(400);
      expect(json(directory)).toEqual({
        detail: `Artifact path refers to a directory, not a file: '${path}'`,
      });
    }
    const absent = await get(`${ROOT}/none`);
    expect(absent.status).toBe(404);
    expect(json(absent)).toMatchObject({
      error_code: "RESOURCE_DOES_NOT_EXIST",
      message: `No such artifact: '${ROOT}/none'`,
    });
  });

  test("a name longer than a key may be is a clear error", async () => {
    const answer = await put(`${ROOT}/${"k".repeat(1025)}`, "x");
    expect(answer.status).toBe(400);
    expect(json(answer)).toMatchObject({ error_code: "INVALID_PARAMETER_VALUE" });
  });

  test("HEAD tells what GET would, without the bytes", async () => {
    await put(`${ROOT}/head`, randomBytes(50_000));
    const head = await call("HEAD", `${PROXY}/${ROOT}/head`);
    expect([head.status, head.headers["content-length"], head.bytes.length]).toEqual([200, "50000", 0]);
  });

  test("an upload that stops half-way leaves nothing", async () => {
    const { hostname, port } = new URL(server.url);
    const before = await readdir(join(server.folder, "tmp"));
    await new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `PUT ${PROXY}/${ROOT}/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n`,
        );
        socket.write(randomBytes(1_000_000), () => setTimeout(() => socket.destroy(), 100));
      });
      socket.on("close", () => resolve());
      socket.on("error", reject);
    });
    await expect.poll(async () => (await readdir(join(server.folder, "tmp"))).length).toBe(before.length);
    expect((await get(`${ROOT}/half`)).status).toBe(404);
  });

  test("an upload that cannot fit is refused with a clear answer", async () => {
    const { hostname, port } = new URL(server.url);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = "";
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `PUT ${PROXY}/${ROOT}/huge HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 ** 52}\r\n\r\n`,
        );
        socket.write(randomBytes(20_000));
      });
      socket.on("data", (chunk) => {
        text += chunk.toString();
        if (text.includes("}")) socket.destroy();
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 507 /);
    expect(answer).toContain('"error_code":"RESOURCE_EXHAUSTED"');
  });
});

describe("ranges and conditions", () => {
  const bytes = randomBytes(40_000);
  beforeAll(async () => {
    await put(`${ROOT}/ranges/inline.txt`, "hello");
    await put(`${ROOT}/ranges/blob`, bytes);
  });

  test.each([
    ["bytes=1-2", "bytes 1-2/5", "el"],
    ["bytes=3-", "bytes 3-4/5", "lo"],
    ["bytes=-2", "bytes 3-4/5", "lo"],
    ["bytes=-99", "bytes 0-4/5", "hello"],
    ["bytes=0-99", "bytes 0-4/5", "hello"],
  ])("%s is answered in part", async (range, contentRange, text) => {
    const answer = await get(`${ROOT}/ranges/inline.txt`, { range });
    expect(answer.status).toBe(206);
    expect(answer.headers["content-range"]).toBe(contentRange);
    expect(answer.text).toBe(text);
  });

  test("a range of a large artifact", async () => {
    const answer = await get(`${ROOT}/ranges/blob`, { range: "bytes=100-39998" });
    expect(answer.bytes.equals(bytes.subarray(100, 39_999))).toBe(true);
  });

  test("what cannot be satisfied, and what is no range", async () => {
    const outside = await get(`${ROOT}/ranges/inline.txt`, { range: "bytes=9-" });
    expect([outside.status, outside.headers["content-range"]]).toEqual([416, "bytes */5"]);
    expect((await get(`${ROOT}/ranges/inline.txt`, { range: "bytes=abc" })).status).toBe(400);
    expect((await get(`${ROOT}/ranges/inline.txt`, { range: "lines=1-2" })).status).toBe(400);
    const several = await get(`${ROOT}/ranges/inline.txt`, { range: "bytes=0-0,2-3" });
    expect([several.status, several.text]).toEqual([200, "hello"]);
  });

  test("a client that has the bytes is told so, and one whose bytes are old gets the whole", async () => {
    const { headers } = await get(`${ROOT}/ranges/inline.txt`);
    const etag = String(headers["etag"]);
    const unchanged = await get(`${ROOT}/ranges/inline.txt`, { "if-none-match": `"other", W/${etag}` });
    expect([unchanged.status, unchanged.text]).toEqual([304, ""]);
    const since = await get(`${ROOT}/ranges/inline.txt`, {
      "if-modified-since": String(headers["last-modified"]),
    });
    expect(since.status).toBe(304);
    const old = await get(`${ROOT}/ranges/inline.txt`, { range: "bytes=0-0", "if-range": '"other"' });
    expect([old.status, old.text]).toEqual([200, "hello"]);
    const same = await get(`${ROOT}/ranges/inline.txt`, { range: "bytes=0-0", "if-range": etag });
    expect([same.status, same.text]).toEqual([206, "h"]);
  });
});

describe("an artifact never runs in this origin", () => {
  // CVE-2026-33865, CVE-2023-6568, CVE-2024-0520
  test.each([
    ["page.html", "text/html", "attachment; filename=page.html"],
    ["page.svg", "image/svg+xml", "attachment; filename=page.svg"],
    ["script.js", "text/plain", "attachment; filename=script.js"],
    ["MLmodel", "text/plain", "attachment; filename=MLmodel"],
    ["MLproject", "text/plain", "attachment; filename=MLproject"],
    ["model.tar.gz", "application/x-tar", "attachment; filename=model.tar.gz"],
    ["conda.yaml", "text/plain", "attachment; filename=conda.yaml"],
    ["plot.png", "image/png", "attachment; filename=plot.png"],
    ["model.pkl", "application/octet-stream", "attachment; filename=model.pkl"],
    ['a"b.txt', "text/plain", 'attachment; filename="a\\"b.txt"'],
    ["a\r\nx: y.txt", "text/plain", 'attachment; filename="a%0d%0ax: y.txt"'],
    [
      "日本",
      "application/octet-stream",
      "attachment; filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC",
    ],
  ])("%j is an attachment in a sandbox", async (name, type, disposition) => {
    const path = `${ROOT}/types/${encodeURIComponent(name)}`;
    expect((await put(path, "<script>alert(1)</script>")).status).toBe(200);
    const answer = await get(path);
    expect(answer.headers).toMatchObject({
      "content-type": type,
      "content-disposition": disposition,
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
    });
    expect(answer.headers["x"]).toBeUndefined();
  });
});
