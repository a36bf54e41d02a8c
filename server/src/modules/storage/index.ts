import type { Queryable } from "../../kernel/database.ts";
import { createBuckets } from "./buckets.ts";
import type { StorageDeps } from "./deps.ts";
import {
  createObjects,
  type FoundObject,
  type ListedEntry,
  type ListOptions,
  type ObjectAddress,
  type ObjectInfo,
  type PutOptions,
} from "./objects.ts";
import { createSigner, type Signer } from "./signing.ts";
import { sweep, type SweepOptions, type Swept } from "./sweep.ts";
import { createUploads, type Uploads } from "./uploads.ts";

export type { StorageDeps } from "./deps.ts";
export type {
  FoundObject,
  ListedEntry,
  ListOptions,
  ObjectAddress,
  ObjectInfo,
  PutOptions,
} from "./objects.ts";
export type { Source } from "./receive.ts";
export type { Signer } from "./signing.ts";
export type { SweepOptions, Swept } from "./sweep.ts";
export type { Uploads } from "./uploads.ts";
export { MAX_PARTS } from "./uploads.ts";

/**
 * The door of storage: objects in buckets, their rows in PostgreSQL, their bytes in the row or in a
 * blob store. Errors are PlinthErrors: `not_found` for a bucket, key or upload that is not there,
 * `invalid_parameter` for bad keys and parts, `no_space`, `bad_request` for a body that ends early.
 */
export type Storage = {
  ensureBucket(name: string): Promise<void>;
  putObject(options: PutOptions): Promise<ObjectInfo>;
  getObject(address: ObjectAddress): Promise<FoundObject>;
  headObject(address: ObjectAddress): Promise<ObjectInfo>;
  /** False when there was none. */
  deleteObject(address: ObjectAddress): Promise<boolean>;
  /** Deletes every object whose key starts with `prefix`, and says how many. */
  deletePrefix(bucket: string, prefix: string, within?: Queryable): Promise<number>;
  /** One page of what is directly below `prefix`, in byte order. */
  listDirectory(options: ListOptions): Promise<{ entries: ListedEntry[]; next: string | undefined }>;
  readonly uploads: Uploads;
  readonly signer: Signer;
  /** The blob store's own address for an object's bytes; undefined when there is none. */
  signRead(
    found: FoundObject,
    answer: { contentType: string; disposition: string },
  ): Promise<string | undefined>;
  sweep(options?: SweepOptions): Promise<Swept>;
  /** Waits until everything that was accepted is committed. */
  drain(): Promise<void>;
};

export function createStorage(deps: StorageDeps): Storage {
  const buckets = createBuckets(deps.database);
  const objects = createObjects(deps, buckets);
  const uploads = createUploads(deps, buckets, objects);
  return {
    ensureBucket: (name) => buckets.ensure(name),
    putObject: (options) => objects.put(options),
    getObject: (address) => objects.get(address),
    headObject: (address) => objects.head(address),
    deleteObject: (address) => objects.delete(address),
    deletePrefix: (bucket, prefix, within) => objects.deletePrefix(bucket, prefix, within),
    listDirectory: (options) => objects.list(options),
    uploads,
    signer: createSigner(deps.database),
    async signRead(found, answer) {
      if (found.blobId === undefined) return undefined;
      return deps.blobs.direct?.signRead(found.blobId, answer);
    },
    sweep: (options) => sweep(deps, uploads, options),
    drain: () => objects.drain(),
  };
}
