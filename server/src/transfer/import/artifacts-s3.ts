import { GetObjectCommand, ListObjectsV2Command, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";
import { Unreadable } from "./local-folder.ts";
import type { SourceArtifacts } from "./source.ts";

export type S3ArtifactsOptions = {
  /** As clients of MLflow know it by MLFLOW_S3_ENDPOINT_URL; none is Amazon's. */
  endpoint: string | undefined;
};

/** Amazon's library wants a region to begin with, where its Python tools take the first; buckets say their own. */
async function usualRegion(): Promise<string> {
  const client = new S3Client({});
  try {
    return await client.config.region();
  } catch {
    return "us-east-1";
  } finally {
    client.destroy();
  }
}

type Place = { bucket: string; prefix: string };

/** Artifacts in `s3://` buckets. Keys and region come from where Amazon's own tools look for them. */
export async function s3Artifacts({
  endpoint,
}: S3ArtifactsOptions): Promise<SourceArtifacts & { close(): void }> {
  const client = new S3Client({
    region: await usualRegion(),
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    followRegionRedirects: true,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  });
  const known = (location: string): Place => {
    const place = placeOf(location);
    if (place === undefined) throw new Unreadable(location, "is not in an S3 bucket");
    return place;
  };
  return {
    unreadable: (location) => (placeOf(location) === undefined ? "it is not in an S3 bucket" : undefined),
    async *list(location, after) {
      const { bucket, prefix } = known(location);
      let token: string | undefined;
      do {
        const page = await client
          .send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              ...(token === undefined ? {} : { ContinuationToken: token }),
              ...(after === undefined ? {} : { StartAfter: prefix + after }),
            }),
          )
          .catch((error: unknown) => {
            throw clearer(location, error);
          });
        for (const { Key: key, Size: size, LastModified: modified } of page.Contents ?? []) {
          // A key that ends with a slash stands for a folder.
          if (key === undefined || key.endsWith("/")) continue;
          const path = key.slice(prefix.length);
          yield { path, size, ...(modified === undefined ? {} : { modifiedAt: modified.getTime() }) };
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    async open(location, path) {
      const { bucket, prefix } = known(location);
      const answer = await client
        .send(new GetObjectCommand({ Bucket: bucket, Key: prefix + path }))
        .catch((error: unknown) => {
          throw clearer(`${location}/${path}`, error);
        });
      return answer.Body as Readable as AsyncIterable<Uint8Array>;
    },
    close: () => client.destroy(),
  };
}

function placeOf(location: string): Place | undefined {
  const [, bucket, path = ""] = /^s3a?:\/\/([^/]+)(?:\/(.*))?$/i.exec(location) ?? [];
  if (bucket === undefined) return undefined;
  const bare = path.replace(/\/+$/, "");
  return { bucket, prefix: bare === "" ? "" : `${bare}/` };
}

function clearer(where: string, error: unknown): unknown {
  if (error instanceof S3ServiceException && error.$fault === "client") {
    return new Unreadable(where, `the bucket refuses it (${error.name})`);
  }
  return error;
}
