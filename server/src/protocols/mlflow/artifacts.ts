import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { requestBody } from "../../kernel/blobs/request-body.ts";
import { edits, manages, publicAccess, reads, type Access, type Action } from "../../kernel/access.ts";
import { badRequest, invalidParameter, permissionDenied } from "../../kernel/errors.ts";
import type { Scope } from "../../modules/identity/index.ts";
import type { Source, Storage } from "../../modules/storage/index.ts";
import { DirectoryError, findArtifact, sendArtifact } from "./artifacts-download.ts";
import { PART_PATH, SIGNED_PATH } from "./artifacts-multipart.ts";
import { ARTIFACT_BUCKET, joinPath, ownKey, readArtifactPath } from "./artifacts-paths.ts";
import type { KeyInScope } from "./artifacts-scope.ts";
import { prefixes } from "./endpoint.ts";
import { needs, requireFor, type Guard, type ObjectRef } from "./guard.ts";
import type { ScopeOf } from "./scope.ts";
import { missingParameter } from "./wire.ts";

export type ArtifactOptions = {
  storage: Storage;
  /** Where a run's artifacts are. Throws `not_found`. */
  runArtifactUri(scope: Scope, runId: string): Promise<string>;
  /** Where a logged model's artifacts are. Throws `not_found`. */
  modelArtifactUri(scope: Scope, modelId: string): Promise<string>;
  scopeOf: ScopeOf;
  guard: Guard;
  keyInScope: KeyInScope;
};

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;
type Route = { access: Access; handle: Handler };
type Add = (methods: readonly Method[], urls: readonly string[], route: Route) => void;
type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

const PROXY = "/2.0/mlflow-artifacts/artifacts";
const MAX_UPLOAD = 10 * 1024 * 1024;

/**
 * The routes whose bodies are bytes, either way. To be registered in a scope of their own: nothing
 * here parses a body, uploads are read as they arrive.
 */
export function registerArtifacts(app: FastifyInstance, options: ArtifactOptions): void {
  const { storage } = options;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.addHook("onRequest", (request, _reply, done) => {
    // An artifact may say it is of any type, also of one that is not well-formed.
    delete request.raw.headers["content-type"];
    done();
  });

  const add: Add = (methods, urls, route) => {
    const config = { access: route.access, protocol: "mlflow", streams: true };
    for (const url of urls) {
      app.route({ method: [...methods], url, config, exposeHeadRoute: false, handler: route.handle });
    }
  };
  addProxy(add, options);
  addSigned(add, storage);
  addForWebInterface(add, options);
}

const both = (path: string): string[] => prefixes.map((prefix) => prefix + path);
const read: readonly Method[] = ["GET", "HEAD"];

/** Enters the workspace of a request, and asks for what it names. */
async function enterFor(
  request: FastifyRequest,
  { scopeOf, guard }: ArtifactOptions,
  { action, on }: { action: Action; on: ObjectRef },
): Promise<Scope> {
  const scope = await scopeOf(request);
  await requireFor(request, guard, { scope, wanted: [needs(action, on)] });
  return scope;
}

function addProxy(add: Add, { storage, scopeOf, guard, keyInScope }: ArtifactOptions): void {
  /** The key that a path means to the caller, who may do this to it. */
  const keyFor = async (request: FastifyRequest, path: string, action: Action): Promise<string> => {
    const scope = await scopeOf(request);
    const key = await keyInScope(scope, path, action === "manage" ? "delete" : undefined);
    await requireFor(request, guard, { scope, wanted: [needs(action, { type: "artifact", key })] });
    return key;
  };

  add(read, both(`${PROXY}/*`), {
    access: reads("artifact"),
    async handle(request, reply) {
      const { path, directory } = readArtifactPath(wildcard(request));
      const key = await keyFor(request, path, "read");
      try {
        if (directory) throw new DirectoryError(`${path}${path === "" ? "" : "/"}`);
        return await sendArtifact(await findArtifact(storage, key), request, reply);
      } catch (error) {
        if (error instanceof DirectoryError) return detail(reply, error.message);
        throw error;
      }
    },
  });

  add(["PUT"], both(`${PROXY}/*`), {
    access: edits("artifact"),
    async handle(request, reply) {
      const { path, directory } = readArtifactPath(wildcard(request));
      const key = await keyFor(request, path, "edit");
      if (directory) return detail(reply, "Artifact path must include a filename (cannot end with '/').");
      await storage.putObject({ bucket: ARTIFACT_BUCKET, key, hash: "sha256", ...bodyOf(request) });
      return reply.code(200).send();
    },
  });

  add(["DELETE"], both(`${PROXY}/*`), {
    access: manages("artifact"),
    async handle(request, reply) {
      const { path } = readArtifactPath(wildcard(request));
      const key = await keyFor(request, path, "manage");
      // The root of all artifacts of all runs: no client means that.
      if (path === "" || /^workspaces\/[^/]*$/.test(path)) throw invalidParameter("Invalid path");
      await storage.deleteObject({ bucket: ARTIFACT_BUCKET, key });
      await storage.deletePrefix(ARTIFACT_BUCKET, `${key}/`);
      return json(reply, {});
    },
  });
}

/** The token in the address is the permission: clients send parts without their credentials. */
function addSigned(add: Add, storage: Storage): void {
  add(["PUT"], [`${PART_PATH}:token`], {
    access: publicAccess,
    async handle(request, reply) {
      const [kind, uploadId = "", number = ""] = await storage.signer.verify(token(request));
      if (kind !== "part") throw permissionDenied("The address is not one for a part.");
      const part = await storage.uploads.putPart(uploadId, Number(number), bodyOf(request));
      return reply.code(200).header("etag", `"${part.etag}"`).send();
    },
  });

  add(read, [`${SIGNED_PATH}:token`], {
    access: publicAccess,
    async handle(request, reply) {
      const [kind, key = ""] = await storage.signer.verify(token(request));
      if (kind !== "read") throw permissionDenied("The address is not one for a download.");
      return sendArtifact(await findArtifact(storage, key), request, reply);
    },
  });
}

function addForWebInterface(add: Add, options: ArtifactOptions): void {
  const { storage } = options;
  add(read, ["/get-artifact"], {
    access: reads("artifact"),
    async handle(request, reply) {
      const query = request.query as Record<string, string | string[] | undefined>;
      const runId = first(query["run_id"]) || first(query["run_uuid"]) || "";
      const scope = await enterFor(request, options, { action: "read", on: { type: "run", id: runId } });
      const given = first(query["path"]);
      if (given === undefined) throw missingParameter("path");
      const { path } = readArtifactPath(given);
      const root = ownKey(await options.runArtifactUri(scope, runId));
      return sendArtifact(await findArtifact(storage, joinPath(root, path)), request, reply);
    },
  });

  const modelFiles = "/ajax-api/2.0/mlflow/logged-models/:model_id/artifacts/files";
  add(read, [modelFiles], {
    access: reads("artifact"),
    async handle(request, reply) {
      const query = request.query as Record<string, string | string[] | undefined>;
      const { model_id: modelId = "" } = request.params as { model_id?: string };
      const on = { type: "logged_model", id: modelId } as const;
      const scope = await enterFor(request, options, { action: "read", on });
      const given = first(query["artifact_file_path"]) ?? "";
      if (given === "") throw badRequest('Request must include the "artifact_file_path" query parameter.');
      const { path } = readArtifactPath(given);
      const root = ownKey(await options.modelArtifactUri(scope, modelId));
      return sendArtifact(await findArtifact(storage, joinPath(root, path)), request, reply);
    },
  });

  add(["POST"], ["/ajax-api/2.0/mlflow/upload-artifact"], {
    access: edits("artifact"),
    async handle(request, reply) {
      const query = request.query as Record<string, string | string[] | undefined>;
      const runId = first(query["run_uuid"]) ?? "";
      const scope = await enterFor(request, options, { action: "edit", on: { type: "run", id: runId } });
      if (runId === "") throw invalidParameter("Request must specify run_uuid.");
      const given = first(query["path"]) ?? "";
      if (given === "") throw invalidParameter("Request must specify path.");
      const { path, directory } = readArtifactPath(given);
      if (directory) throw invalidParameter("Invalid path");
      const { source, expectedSize } = bodyOf(request);
      if (expectedSize === 0) throw invalidParameter("Request must specify data.");
      if (expectedSize !== undefined && expectedSize > MAX_UPLOAD) throw uploadTooLarge();
      const root = ownKey(await options.runArtifactUri(scope, runId));
      const limited = atMost(source, MAX_UPLOAD);
      await storage.putObject({
        bucket: ARTIFACT_BUCKET,
        key: joinPath(root, path),
        hash: "sha256",
        source: limited,
        expectedSize,
      });
      return reply.code(200).header("content-type", "application/json").send();
    },
  });
}

const uploadTooLarge = (): Error => invalidParameter("Artifact size is too large. Max size is 10MB.");

const first = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

const wildcard = (request: FastifyRequest): string => (request.params as { "*"?: string })["*"] ?? "";

const token = (request: FastifyRequest): string => (request.params as { token?: string }).token ?? "";

/** The body as it arrives. After an error the rest is read and thrown away, so that the client sees the answer. */
function bodyOf(request: FastifyRequest): { source: Source; expectedSize: number | undefined } {
  const announced = request.headers["content-length"];
  const chunked = request.headers["transfer-encoding"] !== undefined;
  // Neither header means no body.
  const expectedSize = announced === undefined ? (chunked ? undefined : 0) : Number(announced);
  return { source: requestBody(request.raw), expectedSize };
}

async function* atMost(source: Source, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > limit) throw uploadTooLarge();
    yield chunk;
  }
  if (size === 0) throw invalidParameter("Request must specify data.");
}

const json = (reply: FastifyReply, body: object): FastifyReply =>
  reply.header("content-type", "application/json").send(JSON.stringify(body));

/** MLflow answers these two with a body of its web framework's own making. */
const detail = (reply: FastifyReply, message: string): FastifyReply =>
  json(reply.code(400), { detail: message });
