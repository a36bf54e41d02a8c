import type { FastifyReply, FastifyRequest } from "fastify";
import { BodyStream } from "../../kernel/blobs/body-stream.ts";
import { notFound, PlinthError } from "../../kernel/errors.ts";
import type { FoundObject, Storage } from "../../modules/storage/index.ts";
import {
  attachment,
  contentTypeOf,
  isUnchanged,
  rangeApplies,
  readRange,
  type Range,
} from "./artifacts-headers.ts";
import { ARTIFACT_BUCKET, lastSegment } from "./artifacts-paths.ts";

/** An artifact by its key, or the errors that tell what is there instead. */
export async function findArtifact(storage: Storage, key: string): Promise<FoundObject> {
  if (key === "") throw new DirectoryError(key);
  try {
    return await storage.getObject({ bucket: ARTIFACT_BUCKET, key });
  } catch (error) {
    if (!(error instanceof PlinthError) || error.code !== "not_found") throw error;
    const below = await storage.listDirectory({ bucket: ARTIFACT_BUCKET, prefix: `${key}/`, limit: 1 });
    if (below.entries.length > 0) throw new DirectoryError(key);
    throw notFound(`No such artifact: '${key}'`);
  }
}

/** A file was asked for where there is a directory. */
export class DirectoryError extends PlinthError {
  constructor(key: string) {
    super("invalid_parameter", `Artifact path refers to a directory, not a file: '${key}'`);
  }
}

/**
 * Answers GET and HEAD with an artifact, whole or in part, or 304. Always as an attachment, in a
 * sandbox and never with a guessed type: whatever an artifact holds, it does not run in this origin.
 */
export async function sendArtifact(
  found: FoundObject,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { info } = found;
  const current = { etag: `"${info.etag}"`, lastModified: info.last_modified };
  reply
    .header("accept-ranges", "bytes")
    .header("etag", current.etag)
    .header("last-modified", current.lastModified.toUTCString())
    .header("cache-control", "private, no-cache");
  if (isUnchanged(request.headers, current)) return reply.code(304).send();
  const range = chooseRange(request, reply, { size: info.size, ...current });
  const { start, end } = range ?? { start: 0, end: info.size };
  if (range !== undefined) reply.code(206).header("content-range", `bytes ${start}-${end - 1}/${info.size}`);
  const name = lastSegment(info.key);
  reply
    .header("content-type", contentTypeOf(name))
    .header("content-disposition", attachment(name))
    .header("content-security-policy", "default-src 'none'; sandbox")
    .header("content-length", end - start);
  if (request.method === "HEAD") return reply.send();
  if (found.inline !== undefined) return reply.send(found.inline.subarray(start, end));
  return reply.send(await BodyStream.open(found.read({ start, end })));
}

function chooseRange(
  request: FastifyRequest,
  reply: FastifyReply,
  current: { size: number; etag: string; lastModified: Date },
): Range | undefined {
  const condition = request.headers["if-range"];
  if (!rangeApplies(Array.isArray(condition) ? condition[0] : condition, current)) return undefined;
  try {
    return readRange(request.headers.range, current.size);
  } catch (error) {
    if (error instanceof PlinthError && error.code === "range_not_satisfiable") {
      reply.header("content-range", `bytes */${current.size}`);
    }
    throw error;
  }
}
