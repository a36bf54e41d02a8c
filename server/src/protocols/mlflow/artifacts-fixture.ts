import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testDatabase } from "../../../test/harness.ts";
import type { BlobStore } from "../../kernel/blobs/blob-store.ts";
import { openDiskBlobStore } from "../../kernel/blobs/disk.ts";
import { notFound } from "../../kernel/errors.ts";
import { createHttpServer } from "../../kernel/http.ts";
import { listen } from "../../kernel/listener.ts";
import { createLog } from "../../kernel/log.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { anonymous } from "../../kernel/caller.ts";
import { defaultScope } from "../../modules/identity/index.ts";
import { createStorage, type Storage } from "../../modules/storage/index.ts";
import { artifactEndpoints } from "./artifacts-listing.ts";
import { multipartEndpoints } from "./artifacts-multipart.ts";
import { registerArtifacts, type ArtifactOptions } from "./artifacts.ts";
import { parseBodiesAsBuffers, registerEndpoints } from "./endpoint.ts";
import { renderMlflowError } from "./errors.ts";

export const PROXY = "/api/2.0/mlflow-artifacts/artifacts";
export const ROOT = "1/run/artifacts";

/** What tracking knows, as far as artifacts ask it: also places that today's clients cannot choose. */
export const locations: Record<string, string> = {
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

export type Answer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
  text: string;
};

type Ask = { body?: string | Uint8Array; headers?: Record<string, string> };

export type ArtifactServer = AsyncDisposable & {
  url: string;
  storage: Storage;
  /** The folder of the disk store. */
  folder: string;
  /** Sends the path exactly as given: `fetch` would resolve the dots of a traversal before sending. */
  call(method: string, path: string, ask?: Ask): Promise<Answer>;
  put(path: string, body: string | Uint8Array): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: object): Promise<Answer>;
};

export const json = (answer: Answer): unknown => JSON.parse(answer.text);

export const invalidPath = { error_code: "INVALID_PARAMETER_VALUE", message: "Invalid path" };

/** For tests: the artifact endpoints over a database and a store of their own. */
export async function startArtifactServer(given?: BlobStore): Promise<ArtifactServer> {
  const ground = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), "plinth-artifacts-"));
  const blobs = given ?? (await openDiskBlobStore(folder));
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
    authenticate: () => anonymous("127.0.0.1"),
    admit: () => true,
    renderError: () => renderMlflowError,
  });
  const options: ArtifactOptions = {
    storage,
    runArtifactUri: (_scope, id) => locationOf(id),
    modelArtifactUri: (_scope, id) => locationOf(id),
    scopeOf: () => defaultScope,
    guard: { require: () => undefined, readableKeys: (_scope, keys) => keys },
    keyInScope: (_scope, path) => Promise.resolve(path),
  };
  await http.app.register((scope, _options, done) => {
    parseBodiesAsBuffers(scope);
    const endpoints = [...artifactEndpoints(options), ...multipartEndpoints(options)];
    registerEndpoints(scope, endpoints, options);
    done();
  });
  await http.app.register((scope, _options, done) => {
    registerArtifacts(scope, options);
    done();
  });
  await http.app.ready();
  listener.useHandler(http.handler);
  const { port } = listener.address;
  const call: ArtifactServer["call"] = (method, path, ask) => send({ port, method, path, ...ask });
  return {
    url: `http://127.0.0.1:${port}`,
    storage,
    folder,
    call,
    put: (path, body) => call("PUT", `${PROXY}/${path}`, { body }),
    get: (path, headers = {}) => call("GET", `${PROXY}/${path}`, { headers }),
    post: (path, body) =>
      call("POST", path, { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    async [Symbol.asyncDispose]() {
      await listener.drain(0);
      await http.app.close();
      await blobs.close();
      await ground[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function send({
  port,
  method,
  path,
  body,
  headers = {},
}: Ask & { port: number; method: string; path: string }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (response) => {
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
