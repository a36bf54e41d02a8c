import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Readable } from "node:stream";
import { PlinthError, invalidParameter } from "../errors.ts";
import {
  BlobMissing,
  checkBlobId,
  type BlobStore,
  type BlobWriter,
  type DirectTransfer,
} from "./blob-store.ts";

export type S3BlobStoreOptions = {
  bucket: string;
  /** Put in front of every key, with its own slash at the end; may be empty. */
  prefix: string;
  /** None is Amazon's. */
  endpoint?: string | undefined;
  region?: string | undefined;
  accessKeyId?: string | undefined;
  secretAccessKey?: string | undefined;
  pathStyle: boolean;
};

type Address = { Bucket: string; Key: string };

const PART = 8 * 1024 * 1024;
const MAX_PARTS = 10_000;
const PARTS_AT_ONCE = 2;
const DELETE_AT_ONCE = 1000;
/** Long enough for 2 GiB in parts over a slow line, short enough that a leaked address is soon useless. */
const SIGNED_FOR_SECONDS = 6 * 60 * 60;

/** Blobs as objects of one bucket of any S3-compatible server; a blob's key is its random id. */
export function createS3BlobStore(options: S3BlobStoreOptions): BlobStore {
  const client = new S3Client(clientConfig(options));
  const at = (blobId: string): Address => {
    checkBlobId(blobId);
    return { Bucket: options.bucket, Key: options.prefix + blobId };
  };

  return {
    kind: "s3",
    direct: directTransfer(client, at),
    async create(blobId, expectedSize = 0) {
      return createWriter(client, at(blobId), expectedSize);
    },
    async *read(blobId, { start, end }) {
      if (start >= end) return;
      const input = { ...at(blobId), Range: `bytes=${start}-${end - 1}` };
      const answer = await client.send(new GetObjectCommand(input)).catch((error: unknown) => {
        throw isMissing(error) ? new BlobMissing(blobId) : clearer(error);
      });
      yield* answer.Body as Readable as AsyncIterable<Uint8Array>;
    },
    async delete(blobIds) {
      for (let first = 0; first < blobIds.length; first += DELETE_AT_ONCE) {
        const Objects = blobIds
          .slice(first, first + DELETE_AT_ONCE)
          .map((blobId) => ({ Key: at(blobId).Key }));
        const command = new DeleteObjectsCommand({
          Bucket: options.bucket,
          Delete: { Objects, Quiet: true },
        });
        const answer = await client.send(command).catch((error: unknown) => {
          throw clearer(error);
        });
        const failed = answer.Errors?.[0];
        if (failed !== undefined) {
          throw new PlinthError(
            "unavailable",
            `The bucket did not delete a blob (${failed.Code ?? "no code"}).`,
          );
        }
      }
    },
    async close() {
      client.destroy();
    },
  };
}

function clientConfig(options: S3BlobStoreOptions): S3ClientConfig {
  const { accessKeyId, secretAccessKey } = options;
  return {
    region: options.region ?? "us-east-1",
    forcePathStyle: options.pathStyle,
    // Servers older than these checksums refuse requests that carry them.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
  };
}

/** One request up to 8 MiB, above it parts, of which two travel while a third fills. */
function createWriter(client: S3Client, at: Address, expectedSize: number): BlobWriter {
  const partSize = Math.max(PART, Math.ceil(expectedSize / MAX_PARTS));
  const idle: Buffer[] = [];
  const travelling = new Set<Promise<void>>();
  const parts: { PartNumber: number; ETag: string }[] = [];
  let filling: Buffer | undefined;
  let filled = 0;
  let uploadId: string | undefined;
  let started: Promise<string> | undefined;
  let failure: { error: unknown } | undefined;

  const start = async (): Promise<string> => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
    if (UploadId === undefined) throw new Error("The bucket gave no upload id.");
    uploadId = UploadId;
    return UploadId;
  };

  const sendPart = async (body: Buffer, number: number): Promise<void> => {
    started ??= start();
    const input = { ...at, UploadId: await started, PartNumber: number, Body: body };
    const { ETag } = await client.send(new UploadPartCommand(input));
    parts[number - 1] = { PartNumber: number, ETag: ETag ?? "" };
  };

  let sent = 0;
  const passOn = async (): Promise<void> => {
    const full = filling as Buffer;
    sent += 1;
    const part = sendPart(full.subarray(0, filled), sent)
      .catch((error: unknown) => {
        failure ??= { error: clearer(error) };
      })
      .finally(() => {
        travelling.delete(part);
        idle.push(full);
      });
    travelling.add(part);
    filling = undefined;
    filled = 0;
    if (travelling.size === PARTS_AT_ONCE) await Promise.race(travelling);
    if (failure !== undefined) throw failure.error;
  };

  return {
    async write(chunk) {
      if (failure !== undefined) throw failure.error;
      for (let from = 0; from < chunk.byteLength;) {
        if (filled === partSize) await passOn();
        filling ??= idle.pop() ?? Buffer.allocUnsafeSlow(partSize);
        const length = Math.min(chunk.byteLength - from, partSize - filled);
        filling.set(chunk.subarray(from, from + length), filled);
        filled += length;
        from += length;
      }
    },
    async finish() {
      const rest = filling?.subarray(0, filled) ?? Buffer.alloc(0);
      try {
        if (sent === 0) {
          await client.send(new PutObjectCommand({ ...at, Body: rest, ContentLength: rest.length }));
          return;
        }
        await passOn();
        await Promise.all(travelling);
        if (failure !== undefined) throw failure.error;
        const input = { ...at, UploadId: uploadId, MultipartUpload: { Parts: parts } };
        await client.send(new CompleteMultipartUploadCommand(input));
        uploadId = undefined;
      } catch (error) {
        throw clearer(error);
      }
    },
    async abort() {
      // Also a part that is on its way: it would otherwise arrive after the upload is gone.
      await Promise.all(travelling);
      if (uploadId === undefined) return;
      await client.send(new AbortMultipartUploadCommand({ ...at, UploadId: uploadId }));
      uploadId = undefined;
    },
  };
}

function directTransfer(client: S3Client, at: (blobId: string) => Address): DirectTransfer {
  const head: DirectTransfer["head"] = async (blobId) => {
    try {
      const found = await client.send(new HeadObjectCommand(at(blobId)));
      return { size: found.ContentLength ?? 0, etag: bare(found.ETag) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw clearer(error);
    }
  };
  return {
    head,
    async createUpload(blobId) {
      const answer = await client
        .send(new CreateMultipartUploadCommand(at(blobId)))
        .catch((error: unknown) => {
          throw clearer(error);
        });
      if (answer.UploadId === undefined) throw new Error("The bucket gave no upload id.");
      return answer.UploadId;
    },
    signPart(blobId, uploadId, partNumber) {
      const command = new UploadPartCommand({ ...at(blobId), UploadId: uploadId, PartNumber: partNumber });
      return getSignedUrl(client, command, { expiresIn: SIGNED_FOR_SECONDS });
    },
    async completeUpload(blobId, uploadId, parts) {
      const Parts = parts.map(({ partNumber, etag }) => ({
        PartNumber: partNumber,
        ETag: `"${bare(etag)}"`,
      }));
      try {
        const input = { ...at(blobId), UploadId: uploadId, MultipartUpload: { Parts } };
        await client.send(new CompleteMultipartUploadCommand(input));
      } catch (error) {
        // Done before, when the answer to it was lost: then the blob is there.
        if (!hasName(error, "NoSuchUpload")) throw partError(error);
      }
      const blob = await head(blobId);
      if (blob === undefined) throw invalidParameter("The upload is not known to the bucket any more.");
      return blob;
    },
    async abortUpload(blobId, uploadId) {
      await client
        .send(new AbortMultipartUploadCommand({ ...at(blobId), UploadId: uploadId }))
        .catch((error: unknown) => {
          if (!hasName(error, "NoSuchUpload")) throw clearer(error);
        });
    },
    signRead(blobId, answer) {
      const command = new GetObjectCommand({
        ...at(blobId),
        ResponseContentType: answer.contentType,
        ResponseContentDisposition: answer.disposition,
      });
      return getSignedUrl(client, command, { expiresIn: SIGNED_FOR_SECONDS });
    },
  };
}

const bare = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");

const hasName = (error: unknown, ...names: string[]): boolean =>
  error instanceof S3ServiceException && names.includes(error.name);

const isMissing = (error: unknown): boolean => hasName(error, "NoSuchKey", "NotFound");

function partError(error: unknown): unknown {
  if (hasName(error, "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML")) {
    return invalidParameter(`The bucket refuses the parts: ${(error as Error).name}.`);
  }
  return clearer(error);
}

/** The bucket's own words stay in the log: they may name what clients need not know. */
function clearer(error: unknown): unknown {
  if (error instanceof PlinthError) return error;
  if (hasName(error, "XMinioStorageFull", "QuotaExceeded")) {
    return new PlinthError("no_space", "There is no space left in the bucket that holds the artifacts.", {
      cause: error,
    });
  }
  if (
    error instanceof S3ServiceException &&
    error.$fault === "client" &&
    error.$metadata.httpStatusCode !== 429
  ) {
    return new PlinthError(
      "internal",
      "The bucket that holds the artifacts refuses the request; see the server log.",
      {
        cause: error,
      },
    );
  }
  return new PlinthError("unavailable", "The bucket that holds the artifacts does not answer. Try again.", {
    cause: error,
    retryAfterSeconds: 1,
  });
}
