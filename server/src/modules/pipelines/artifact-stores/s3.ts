import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { OutboundError } from "../../../kernel/outbound/outbound-error.ts";
import type { Outbound } from "../../../kernel/outbound/outbound.ts";
import { keyOf, uriOf, type StorePath } from "./location.ts";
import { createOutboundHandler } from "./outbound-handler.ts";
import {
  MAX_READ,
  missingFile,
  outboundStoreError,
  StoreError,
  type ArtifactStore,
  type StoredFile,
} from "./store.ts";

export type S3StoreOptions = {
  name: string;
  path: StorePath;
  outbound: Outbound;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  region?: string | undefined;
  /** None is Amazon's. */
  endpoint?: string | undefined;
  /** Whether the bucket is in the path or in the name of the host; as Python's client does it, unless given. */
  pathStyle?: boolean | undefined;
};

/** Lists of 1,000 keys of 1,024 bytes each, whatever is said about them besides. */
const MAX_ANSWER = MAX_READ + 64 * 1024;

/** Artifacts in one bucket of any S3-compatible server. */
export async function openS3Store(options: S3StoreOptions): Promise<ArtifactStore> {
  // It takes 40 MiB and 300 ms to load: only for those who use it.
  const {
    DeleteObjectCommand,
    GetObjectCommand,
    ListObjectsV2Command,
    S3Client: Client,
  } = await import("@aws-sdk/client-s3");
  const { path, name } = options;
  const client: S3Client = new Client(clientConfig(options));
  const keyIn = (uri: string): string => keyOf(uri, { path, name });

  return {
    name,
    async *list(uri) {
      const key = keyIn(uri);
      let next: string | undefined;
      do {
        const answer = await client
          .send(new ListObjectsV2Command({ Bucket: path.bucket, Prefix: key, ContinuationToken: next }))
          .catch((error: unknown) => {
            throw storeErrorOf(error, { uri, name });
          });
        const files: StoredFile[] = [];
        for (const { Key: found, Size: size } of answer.Contents ?? []) {
          // What only begins alike is something else, and a name that ends in a slash is a folder.
          if (found === undefined || (found !== key && !found.startsWith(`${key}/`))) continue;
          if (!found.endsWith("/")) files.push({ uri: uriOf(path, found), size: size ?? 0 });
        }
        if (files.length > 0) yield files;
        next = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
      } while (next !== undefined);
    },
    async read(uri, start, end) {
      const Key = keyIn(uri);
      const last = Math.min(end, start + MAX_READ) - 1;
      if (last < start) return Buffer.alloc(0);
      try {
        const input = { Bucket: path.bucket, Key, Range: `bytes=${start}-${last}` };
        const { Body: body, ContentRange: range } = await client.send(new GetObjectCommand(input));
        const found = Buffer.from((await body?.transformToByteArray()) ?? []);
        // A server that knows no ranges gives the whole.
        return range === undefined ? found.subarray(start, last + 1) : found.subarray(0, last + 1 - start);
      } catch (error) {
        // Nothing is there from `start` on.
        if (statusOf(error) === 416) return Buffer.alloc(0);
        throw storeErrorOf(error, { uri, name });
      }
    },
    async remove(uri) {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: path.bucket, Key: keyIn(uri) }));
      } catch (error) {
        throw storeErrorOf(error, { uri, name });
      }
    },
  };
}

function clientConfig(options: S3StoreOptions): S3ClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken, endpoint } = options;
  return {
    region: options.region ?? "us-east-1",
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
    followRegionRedirects: endpoint === undefined,
    // A store that says how long to wait would decide how long an answer takes.
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    requestHandler: createOutboundHandler(options.outbound, MAX_ANSWER),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

type Failure = {
  name?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Readonly<Record<string, string>> };
};

const statusOf = (error: unknown): number | undefined => (error as Failure).$metadata?.httpStatusCode;

/** The store's own words are the cause: they may name what whoever reads need not know. */
function storeErrorOf(error: unknown, { uri, name }: { uri: string; name: string }): StoreError {
  if (error instanceof OutboundError) return outboundStoreError(error, name);
  const code = (error as Failure).name ?? "";
  const status = statusOf(error);
  if (code === "NoSuchKey" || code === "NotFound") return missingFile(uri, name);
  if (status === 429 || code === "SlowDown") {
    const after = Number((error as Failure).$response?.headers?.["retry-after"]);
    return new StoreError(
      "rate_limited",
      `Artifact store '${name}' limits how often it is read. Try again later.`,
      {
        cause: error,
        ...(Number.isInteger(after) ? { retryAfterSeconds: after } : {}),
      },
    );
  }
  if (status !== undefined && status < 500) {
    const shown = /^[A-Za-z]{1,60}$/.test(code) ? code : `status ${status}`;
    return new StoreError("refused", `Artifact store '${name}' refuses to be read: ${shown}.`, {
      cause: error,
    });
  }
  return new StoreError("unreachable", `Artifact store '${name}' gives no proper answer. Try again later.`, {
    cause: error,
  });
}
