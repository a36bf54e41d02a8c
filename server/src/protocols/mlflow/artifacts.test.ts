import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import type { BlobStore } from "../../kernel/blobs/blob-store.ts";
import { openDiskBlobStore } from "../../kernel/blobs/disk.ts";
import { notFound } from "../../kernel/errors.ts";
import { createHttpServer } from "../../kernel/http.ts";
import { listen } from "../../kernel/listener.ts";
import { createLog } from "../../kernel/log.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { createStorage, type Storage } from "../../modules/storage/index.ts";
import { artifactEndpoints } from "./artifacts-listing.ts";
import { multipartEndpoints } from "./artifacts-multipart.ts";
import { registerArtifacts } from "./artifacts.ts";
import { parseBodiesAsBuffers, registerEndpoints } from "./endpoint.ts";
import { renderMlflowError } from "./errors.ts";

const PROXY = "/api/2.0/mlflow-artifacts/artifacts";
const ROOT = "1/run/artifacts";

/** What tracking knows, as far as artifacts ask it. */
const locations: Record<string, string> = {
  run: "mlflow-artifacts:/1/run/artifacts",
  hosted: "mlflow-artifacts://another.example:5000/1/run/artifacts",
  linked: "http://another.example/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts",
  bucket: "s3://somebody/else",
  file: "file:///etc",
  proc: "//proc/self/root",
};
const locationOf = async (id: string): Promise<string> => {
  const location = locations[id];
  if (location === undefined) throw notFound(`Run with id=${id} not found`);
  return location;
};

export type ArtifactServer = AsyncDisposable & { url: string; storage: Storage };

async function startArtifactServer(
  ground: Awaited<ReturnType<typeof testDatabase>>,
  blobs: BlobStore,
): Promise<ArtifactServer> {
  const { database } = ground;
  const storage = createStorage({ database, blobs, inlineBytes: 16_384, onBatch: () => undefined });
  await storage.ensureBucket("mlflow-artifacts");
  const listener = await listen("127.0.0.1", 0);
  const http = createHttpServer({
    server: listener.server,
    draining: () => listener.draining,
    requestTimeoutMs: 0,
    log: createLog({ level: "fatal" }),
    metrics: createMetrics(),
    maxBodyBytes: 1024 * 1024,
    maxConcurrentRequests: 100,
    allowedHosts: [],
    authorize: () => undefined,
    renderError: () => renderMlflowError,
  });
  const options = { storage, runArtifactUri: locationOf, modelArtifactUri: locationOf };
  await http.app.register((scope, _options, done) => {
    parseBodiesAsBuffers(scope);
    registerEndpoints(scope, [...artifactEndpoints(options), ...multipartEndpoints(storage)]);
    done();
  });
  await http.app.register((scope, _options, done) => {
    registerArtifacts(scope, options);
    done();
  });
  await http.app.ready();
  listener.useHandler(http.handler);
  return {
    url: `http://127.0.0.1:${listener.address.port}`,
    storage,
    async [Symbol.asyncDispose]() {
      await listener.drain(0);
      await http.app.close();
      await blobs.close();
    },
  };
}

let ground: Awaited<ReturnType<typeof testDatabase>>;
let folder = "";
let server: ArtifactServer;

beforeAll(async () => {
  ground = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "plinth-artifacts-"));
  server = await startArtifactServer(ground, await openDiskBlobStore(folder));
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Answer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
  text: string;
};
type Ask = { body?: string | Uint8Array; headers?: Record<string, string> };

/** Sends the path exactly as given: `fetch` would resolve the dots of a traversal before sending. */
function call(method: string, path: string, { body, headers = {} }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const request = httpRequest({ hostname, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text: bytes.toString(),
        });
      });
    });
    request.on("error", reject);
    if (body !== undefined && headers["transfer-encoding"] === undefined) {
      request.setHeader("content-length", Buffer.byteLength(body));
    }
    request.end(body);
  });
}

const put = (path: string, body: string | Uint8Array): Promise<Answer> =>
  call("PUT", `${PROXY}/${path}`, { body });
const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  call("GET", `${PROXY}/${path}`, { headers });
const json = (answer: Answer): unknown => JSON.parse(answer.text);

async function post(path: string, body: object): Promise<Answer> {
  return call("POST", path, { body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

const invalidPath = { error_code: "INVALID_PARAMETER_VALUE", message: "Invalid path" };

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
      etag: `"${createHash("md5").update(bytes).digest("hex")}"`,
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
    const before = await readdir(join(folder, "tmp"));
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
    await expect.poll(async () => (await readdir(join(folder, "tmp"))).length).toBe(before.length);
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

describe("paths that try to leave", () => {
  // CVE-2023-6015, 6018, 6753, 6831, 6909, 6975, 6977; CVE-2024-1483, 1558, 1560, 1593, 1594; CVE-2026-2033
  const traversals = [
    "../x",
    "a/../../x",
    "..",
    "%2e%2e/x",
    "%2E%2E%2Fx",
    "%252e%252e/x",
    "%252E%252E%252Fx",
    "%25252e%25252e%25252fx",
    "..%2fx",
    "..%5c..%5cx",
    "%5c..%5cfilename",
    "a%5cb",
    "..%255cx",
    "/etc/passwd",
    "%2fetc/passwd",
    "%252fetc%252fpasswd",
    "//proc/self/root/etc/passwd",
    "C:/Windows/win.ini",
    "C%3A%5CWindows",
    "C:x",
    "file:///etc/passwd",
    "FILE:etc",
    "a%23/../../x",
    "a%23b",
    "%2523",
    "a%00b",
    "a%2500b",
    "a%FFb",
    "%ED%A0%80",
    `%${"25".repeat(13)}2e%${"25".repeat(13)}2e/x`,
  ];

  test.each(traversals)("%s", async (path) => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      const answer = await call(method, `${PROXY}/${path}`, method === "PUT" ? { body: "x" } : {});
      expect(answer.status).toBe(400);
      if (method !== "HEAD" && !/%FF|%ED/.test(path))
        expect(json(answer)).toMatchObject({
          error_code: expect.stringMatching(/^(INVALID_PARAMETER_VALUE|BAD_REQUEST)$/) as string,
        });
    }
    const body = { path: "x", num_parts: 1, upload_id: "x", parts: [{ part_number: 1, etag: "x" }] };
    for (const action of ["create", "complete", "abort"]) {
      expect((await post(`/api/2.0/mlflow-artifacts/mpu/${action}/${path}`, body)).status).toBe(400);
    }
    expect((await call("GET", `/api/2.0/mlflow-artifacts/presigned/${path}`)).status).toBe(400);
  });

  test.each(traversals.filter((path) => !/%FF|%ED/.test(path)))("%s in a query", async (path) => {
    const given = path.replaceAll("%", "%25");
    for (const url of [
      `${PROXY}?path=${given}`,
      `/api/2.0/mlflow/artifacts/list?run_id=run&path=${given}`,
      `/get-artifact?run_uuid=run&path=${given}`,
      `/get-artifact?run_id=run&path=${path}`,
      `/api/2.0/mlflow/logged-models/run/artifacts/directories?artifact_directory_path=${given}`,
      `/ajax-api/2.0/mlflow/logged-models/run/artifacts/files?artifact_file_path=${given}`,
    ]) {
      const answer = await call("GET", url);
      expect([url, answer.status, json(answer)]).toEqual([url, 400, invalidPath]);
    }
    const upload = await call("POST", `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=run&path=${given}`, {
      body: "x",
    });
    expect(json(upload)).toEqual(invalidPath);
    for (const url of ["presigned-upload-url", "presigned-download-url"]) {
      const answer = await post(`/api/2.0/mlflow/artifacts/${url}`, {
        run_id: "run",
        path: decodeURIComponent(given),
      });
      expect(json(answer)).toEqual(invalidPath);
    }
  });

  test("a name that hides a traversal in its local part is refused where parts are created", async () => {
    for (const name of ["..", "a/..", "x\\..", "", "a/", "%2e%2e", "%252e%252e%252fx"]) {
      const answer = await post(`/api/2.0/mlflow-artifacts/mpu/create/${ROOT}`, { path: name, num_parts: 1 });
      expect(answer.status).toBe(400);
    }
  });

  test("all artifacts of all runs cannot be deleted at once", async () => {
    await put("9/keep/artifacts/x", "x");
    for (const path of ["", ".", "./", "%2e", "%252e/."]) {
      expect((await call("DELETE", `${PROXY}/${path}`)).status).toBe(400);
    }
    expect((await get("9/keep/artifacts/x")).status).toBe(200);
  });

  test("what was checked is what is used: an encoded name is stored decoded", async () => {
    await put(`${ROOT}/twice%2520encoded`, "x");
    expect((await get(`${ROOT}/twice%20encoded`)).text).toBe("x");
  });
});

describe("listing and deleting", () => {
  beforeAll(async () => {
    for (const path of ["a.txt", "d/x.html", "d/e/f", "d.txt", "empty"]) {
      await put(`2/run/artifacts/${path}`, path === "empty" ? "" : path);
    }
    locations["second"] = "mlflow-artifacts:/2/run/artifacts";
  });

  test("the proxy lists names, in order, sizes of files only", async () => {
    expect(json(await call("GET", `${PROXY}?path=2/run/artifacts`))).toEqual({
      files: [
        { path: "a.txt", is_dir: false, file_size: 5 },
        { path: "d", is_dir: true },
        { path: "d.txt", is_dir: false, file_size: 5 },
        { path: "empty", is_dir: false },
      ],
    });
    expect(json(await call("GET", `${PROXY}?path=2/run/artifacts/d/`))).toEqual({
      files: [
        { path: "e", is_dir: true },
        { path: "x.html", is_dir: false, file_size: 8 },
      ],
    });
    for (const path of ["none", "2/run/artifacts/a.txt", "2/run/artifacts/d/e/f"]) {
      expect(json(await call("GET", `${PROXY}?path=${path}`))).toEqual({});
    }
    expect(json(await call("GET", PROXY))).toMatchObject({
      files: expect.arrayContaining([{ path: "2", is_dir: true }]) as unknown,
    });
  });

  test("a run lists paths below its root", async () => {
    expect(json(await call("GET", "/ajax-api/2.0/mlflow/artifacts/list?run_uuid=second&path=d"))).toEqual({
      root_uri: "mlflow-artifacts:/2/run/artifacts",
      files: [
        { path: "d/e", is_dir: true },
        { path: "d/x.html", is_dir: false, file_size: 8 },
      ],
    });
    expect(json(await call("GET", "/api/2.0/mlflow/artifacts/list?run_id=second&path=none"))).toEqual({
      root_uri: "mlflow-artifacts:/2/run/artifacts",
    });
    const missing = await call("GET", "/api/2.0/mlflow/artifacts/list");
    expect(json(missing)).toMatchObject({
      message: expect.stringContaining("Missing value for required parameter 'run_id'") as string,
    });
    const model = await call(
      "GET",
      "/api/2.0/mlflow/logged-models/second/artifacts/directories?artifact_directory_path=d/e",
    );
    expect(json(model)).toEqual({
      root_uri: "mlflow-artifacts:/2/run/artifacts",
      files: [{ path: "d/e/f", is_dir: false, file_size: 5 }],
    });
  });

  test("roots given with a host or as an address of the proxy are this server's own", async () => {
    await put(`${ROOT}/own`, "x");
    for (const run of ["hosted", "linked"]) {
      expect((await call("GET", `/get-artifact?run_id=${run}&path=own`)).text).toBe("x");
    }
  });

  test("artifacts elsewhere are the client's business, and never a path of this machine", async () => {
    // CVE-2023-1177, 2780, 6977; CVE-2024-2928, 3573
    for (const run of ["bucket", "file", "proc"]) {
      for (const url of [
        `/api/2.0/mlflow/artifacts/list?run_id=${run}`,
        `/get-artifact?run_id=${run}&path=passwd`,
        `/ajax-api/2.0/mlflow/logged-models/${run}/artifacts/files?artifact_file_path=passwd`,
      ]) {
        expect((await call("GET", url)).status).toBe(501);
      }
    }
  });

  test("deleting takes a file, a directory, or nothing", async () => {
    await Promise.all(["f", "f/g", "f/h/i", "ff"].map((path) => put(`3/${path}`, "x")));
    const answer = await call("DELETE", `${PROXY}/3/f/h`);
    expect([answer.status, answer.text]).toEqual([200, "{}"]);
    expect((await get("3/f/h/i")).status).toBe(404);
    expect((await get("3/f/g")).status).toBe(200);
    await call("DELETE", `${PROXY}/3/f/`);
    expect((await get("3/f/g")).status).toBe(404);
    expect((await get("3/ff")).status).toBe(200);
    expect((await call("DELETE", `${PROXY}/3/none`)).status).toBe(200);
  });
});

describe("what the web interface asks", () => {
  test("get-artifact", async () => {
    await put(`${ROOT}/ui/plot.json`, "{}");
    const found = await call("GET", "/get-artifact?path=ui%2Fplot.json&run_uuid=run");
    expect([found.status, found.text, found.headers["content-type"]]).toEqual([200, "{}", "text/plain"]);
    expect((await call("GET", "/get-artifact?run_id=run")).status).toBe(400);
    expect((await call("GET", "/get-artifact?run_id=unknown&path=x")).status).toBe(404);
    const directory = await call("GET", "/get-artifact?run_id=run&path=ui");
    expect([directory.status, json(directory)]).toMatchObject([
      400,
      { error_code: "INVALID_PARAMETER_VALUE" },
    ]);
    expect((await call("GET", "/get-artifact?run_id=run&path=none")).status).toBe(404);
  });

  test("a logged model's files", async () => {
    const url = "/ajax-api/2.0/mlflow/logged-models/run/artifacts/files";
    expect((await call("GET", `${url}?artifact_file_path=ui/plot.json`)).text).toBe("{}");
    const missing = await call("GET", url);
    expect(json(missing)).toMatchObject({ error_code: "BAD_REQUEST" });
    expect((await call("GET", url.replace("ajax-api", "api"))).status).toBe(404);
  });

  test("upload-artifact takes up to 10 MB", async () => {
    const url = "/ajax-api/2.0/mlflow/upload-artifact";
    const sent = await call("POST", `${url}?run_uuid=run&path=ui/sent.txt`, { body: "x".repeat(1_000_000) });
    expect([sent.status, sent.text]).toEqual([200, ""]);
    expect((await get(`${ROOT}/ui/sent.txt`)).bytes.length).toBe(1_000_000);
    const message = async (path: string, body: string | Uint8Array, headers = {}): Promise<unknown> =>
      json(await call("POST", `${url}${path}`, { body, headers }));
    expect(await message("?path=x", "x")).toMatchObject({ message: "Request must specify run_uuid." });
    expect(await message("?run_uuid=run", "x")).toMatchObject({ message: "Request must specify path." });
    expect(await message("?run_uuid=run&path=x", "")).toMatchObject({
      message: "Request must specify data.",
    });
    const large = Buffer.alloc(10 * 1024 * 1024 + 1);
    const tooLarge = { message: "Artifact size is too large. Max size is 10MB." };
    expect(await message("?run_uuid=run&path=big", large)).toMatchObject(tooLarge);
    const chunked = { "transfer-encoding": "chunked" };
    expect(await message("?run_uuid=run&path=big", large, chunked)).toMatchObject(tooLarge);
    expect((await get(`${ROOT}/big`)).status).toBe(404);
  });
});

describe("uploads in parts", () => {
  const mpu = "/api/2.0/mlflow-artifacts/mpu";
  type Created = { upload_id: string; credentials: { url: string; part_number: number }[] };

  const create = async (path: string, count: number, directory = ROOT): Promise<Created> =>
    json(await post(`${mpu}/create/${directory}`, { path, num_parts: count })) as Created;

  const send = (url: string, body: Uint8Array): Promise<Answer> =>
    call("PUT", new URL(url).pathname, { body });

  test("the client sends parts to the addresses it is given and completes them", async () => {
    const pieces = [randomBytes(70_000), randomBytes(70_000), randomBytes(3)];
    const created = await create("/home/someone/big model.bin", 3);
    expect(created.credentials.map((credential) => credential.part_number)).toEqual([1, 2, 3]);
    const parts = await Promise.all(
      created.credentials.map(async ({ url, part_number }, index) => {
        expect(url.startsWith(`${server.url}/api/2.0/mlflow-artifacts/mpu/part/`)).toBe(true);
        const answer = await send(url, pieces[index] as Buffer);
        expect(answer.status).toBe(200);
        return { part_number, etag: answer.headers["etag"], url };
      }),
    );
    expect((await get(`${ROOT}/big%20model.bin`)).status).toBe(404);
    const body = { path: "/home/someone/big model.bin", upload_id: created.upload_id, parts };
    const completed = await post(`${mpu}/complete/${ROOT}`, body);
    expect([completed.status, json(completed)]).toEqual([200, {}]);
    const found = await get(`${ROOT}/big%20model.bin`);
    expect(found.bytes.equals(Buffer.concat(pieces))).toBe(true);
    expect(found.headers["etag"]).toMatch(/^"[0-9a-f]{32}-3"$/);
    const across = await get(`${ROOT}/big%20model.bin`, { range: "bytes=69999-140001" });
    expect(across.bytes.equals(Buffer.concat(pieces).subarray(69_999, 140_002))).toBe(true);
    expect((await post(`${mpu}/complete/${ROOT}`, body)).status).toBe(404);
  });

  test("a local path of Windows counts by its last part only", async () => {
    const { upload_id: id, credentials } = await create("C:\\models\\m.bin", 1);
    const etag = (await send(credentials[0]?.url ?? "", Buffer.from("x"))).headers["etag"];
    const parts = [{ part_number: 1, etag }];
    expect(
      (await post(`${mpu}/complete/${ROOT}`, { path: "C:\\models\\m.bin", upload_id: id, parts })).status,
    ).toBe(200);
    expect((await get(`${ROOT}/m.bin`)).text).toBe("x");
  });

  test("an aborted upload takes nothing more", async () => {
    const { upload_id: id, credentials } = await create("aborted", 2);
    await send(credentials[0]?.url ?? "", Buffer.from("x"));
    const answer = await post(`${mpu}/abort/${ROOT}`, { path: "aborted", upload_id: id });
    expect([answer.status, json(answer)]).toEqual([200, {}]);
    expect((await send(credentials[1]?.url ?? "", Buffer.from("x"))).status).toBe(404);
    expect((await get(`${ROOT}/aborted`)).status).toBe(404);
  });

  test("another run's upload can neither be completed nor aborted, nor parts forged", async () => {
    // CVE-2026-2651
    const { upload_id: id, credentials } = await create("mine", 1);
    const url = credentials[0]?.url ?? "";
    const etag = (await send(url, Buffer.from("x"))).headers["etag"];
    const body = { path: "mine", upload_id: id, parts: [{ part_number: 1, etag }] };
    expect((await post(`${mpu}/complete/1/other/artifacts`, body)).status).toBe(404);
    expect((await post(`${mpu}/abort/1/other/artifacts`, body)).status).toBe(404);
    expect((await send(`${url}x`, Buffer.from("y"))).status).toBe(403);
    const read = await server.storage.signer.sign(["read", `${ROOT}/mine`], 60);
    expect(
      (
        await send(
          `${server.url}${PROXY.replace("artifacts/artifacts", "artifacts/mpu/part")}/${read}`,
          Buffer.from("y"),
        )
      ).status,
    ).toBe(403);
  });

  test("wrong requests are answered clearly", async () => {
    const none = await post(`${mpu}/create/${ROOT}`, {});
    expect(json(none)).toMatchObject({
      error_code: "INVALID_PARAMETER_VALUE",
      message: expect.stringContaining("'path'") as string,
    });
    expect((await post(`${mpu}/create/${ROOT}`, { path: "x", num_parts: 10_001 })).status).toBe(400);
    expect((await post(`${mpu}/create/${ROOT}`, { path: "x", num_parts: -1 })).status).toBe(400);
    const parts = await post(`${mpu}/complete/${ROOT}`, { path: "x" });
    expect(json(parts)).toMatchObject({ message: expect.stringContaining("'parts'") as string });
    const unknown = { path: "x", upload_id: "0".repeat(32), parts: [{ part_number: 1, etag: "x" }] };
    expect((await post(`${mpu}/complete/${ROOT}`, unknown)).status).toBe(404);
  });

  test("a download by signed address falls back where the store has no addresses of its own", async () => {
    const answer = await call("GET", `/api/2.0/mlflow-artifacts/presigned/${ROOT}/own`);
    expect(answer.status).toBe(501);
    expect(json(answer)).toEqual({
      error_code: "NOT_IMPLEMENTED",
      message: "Multipart download is not supported for the current artifact repository",
    });
  });

  test("the tracking endpoints for signed addresses say why there are none", async () => {
    const up = await post("/api/2.0/mlflow/artifacts/presigned-upload-url", { run_id: "run", path: "x" });
    expect([up.status, json(up)]).toMatchObject([
      400,
      {
        message:
          "Presigned upload is not supported for proxied artifact storage (artifact URI scheme: mlflow-artifacts). " +
          "This endpoint requires a direct cloud storage artifact URI.",
      },
    ]);
    const both = await post("/api/2.0/mlflow/artifacts/presigned-upload-url", {
      run_id: "run",
      model_id: "m",
      path: "x",
    });
    expect(json(both)).toMatchObject({ message: "Exactly one of run_id and model_id must be provided." });
    const late = { run_id: "run", path: "x", expiration: 604_801 };
    const down = await post("/api/2.0/mlflow/artifacts/presigned-download-url", late);
    expect(json(down)).toMatchObject({
      message: "expiration must be between 1 and 604800 seconds (got 604801).",
    });
    const elsewhere = await post("/api/2.0/mlflow/artifacts/presigned-download-url", {
      run_id: "bucket",
      path: "x",
    });
    expect(elsewhere.status).toBe(501);
  });
});
