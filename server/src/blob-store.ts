import { join } from "node:path";
import type { Config } from "./config.ts";
import type { BlobStore } from "./kernel/blobs/blob-store.ts";
import { openDiskBlobStore } from "./kernel/blobs/disk.ts";

/** The blob store that `--blob-store` names. */
export async function openBlobStore(config: Config): Promise<BlobStore> {
  if (config.blobStore === "disk") return openDiskBlobStore(join(config.dataDir, "blobs"));
  // Amazon's SDK takes 40 MiB and 300 ms to load: only for those who use it.
  const { createS3BlobStore } = await import("./kernel/blobs/s3.ts");
  const { hostname, pathname } = new URL(config.blobStore);
  const prefix = pathname.replaceAll(/^\/|\/$/g, "");
  return createS3BlobStore({
    bucket: hostname,
    prefix: prefix === "" ? "" : `${prefix}/`,
    endpoint: config.s3Endpoint,
    region: config.s3Region,
    accessKeyId: config.s3AccessKeyId,
    secretAccessKey: config.s3SecretAccessKey,
    pathStyle: config.s3PathStyle,
  });
}
