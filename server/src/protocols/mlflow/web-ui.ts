import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { publicAccess } from "../../kernel/access.ts";
import { notFound } from "../../kernel/errors.ts";
import { isUnchanged } from "./artifacts-headers.ts";
import type { UiFile, WebUi } from "./web-ui-files.ts";

/**
 * What the page may do. Artifacts of type HTML are shown by the page in a sandboxed frame without an origin,
 * which inherits this policy: figures that Plotly and others write hold inline scripts, and load their library
 * from a network of theirs. Descriptions may show pictures of other sites. What the page asks for by script it
 * asks of this server alone.
 */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob: https:",
  "style-src 'self' 'unsafe-inline' https:",
  "img-src 'self' data: blob: https:",
  "font-src 'self' data: https:",
  "media-src 'self' data: blob: https:",
  "worker-src 'self' blob:",
  "frame-src 'self' blob: data:",
  "connect-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
].join("; ");

/** The part that MLflow lets notebooks show in a frame of theirs. */
const FRAMED = "lib/notebook-trace-renderer/";

const compress = promisify(gzip);

/** MLflow's own web UI at `/`. It routes by the hash and asks by relative paths: two routes are all it needs. */
export function registerWebUi(
  app: FastifyInstance,
  ui: WebUi,
  /** Sees who opens the page: throws for whoever must log in before, true where it has answered itself. */
  receive: (request: FastifyRequest, reply: FastifyReply) => Promise<boolean>,
): void {
  const config = { access: publicAccess, protocol: "mlflow" };
  const compressed = new Map<UiFile, Promise<Body>>();

  app.route({
    method: ["GET", "HEAD"],
    url: "/",
    config,
    exposeHeadRoute: false,
    async handler(request, reply) {
      if (await receive(request, reply)) return reply;
      guard(reply, "").header("cache-control", "no-cache").header("etag", ui.index.etag);
      if (isUnchanged(request.headers, ui.index)) return reply.code(304).send();
      return reply
        .header("cross-origin-opener-policy", "same-origin")
        .type("text/html; charset=utf-8")
        .send(ui.index.body);
    },
  });

  app.route({
    method: ["GET", "HEAD"],
    url: "/static-files/*",
    config,
    exposeHeadRoute: false,
    async handler(request, reply) {
      const name = (request.params as { "*": string })["*"];
      const file = ui.files.get(name);
      if (file === undefined) throw noFile(name);
      const unchanged = isUnchanged(request.headers, file);
      const zipped = !unchanged && file.compressible && takesGzip(request);
      const body = unchanged ? undefined : await (zipped ? zip(file, name) : openFile(file, name));
      guard(reply, name)
        .header("etag", file.etag)
        .header("cache-control", file.hashed ? "public, max-age=31536000, immutable" : "no-cache");
      if (file.compressible) reply.header("vary", "accept-encoding");
      if (body === undefined) return reply.code(304).send();
      if (zipped) reply.header("content-encoding", "gzip");
      return reply.type(file.contentType).header("content-length", body.size).send(body.content);
    },
  });

  // 27 MB of files are 7 MB compressed, and most of them nobody asks for: each is kept once it was.
  const zip = (file: UiFile, name: string): Promise<Body> => {
    const body = compressed.get(file) ?? compressFile(file, name);
    compressed.set(file, body);
    body.catch(() => compressed.delete(file));
    return body;
  };
}

type Body = { size: number; content: Buffer | Readable };

function guard(reply: FastifyReply, name: string): FastifyReply {
  const framed = name.startsWith(FRAMED);
  if (framed) reply.removeHeader("x-frame-options");
  return reply.header("content-security-policy", framed ? POLICY : `${POLICY}; frame-ancestors 'self'`);
}

async function openFile(file: UiFile, name: string): Promise<Body & { content: Readable }> {
  const handle = await open(file.path).catch(() => {
    throw noFile(name);
  });
  const { size } = await handle.stat();
  return { size, content: handle.createReadStream({ end: Math.max(0, size - 1) }) };
}

async function compressFile(file: UiFile, name: string): Promise<Body> {
  const content = await compress(await buffer((await openFile(file, name)).content));
  return { size: content.byteLength, content };
}

const noFile = (name: string): Error => notFound(`MLflow's web UI has no file '${name}'.`);

const takesGzip = (request: FastifyRequest): boolean =>
  /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?(?:[\s,]|$))/.test(request.headers["accept-encoding"] ?? "");
