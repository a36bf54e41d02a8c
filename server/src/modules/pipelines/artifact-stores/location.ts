import { StoreError } from "./store.ts";

/** The part of a bucket that an artifact store is. */
export type StorePath = {
  scheme: string;
  bucket: string;
  /** Empty, or with its slash at the end. */
  prefix: string;
};

const ADDRESS = /^([a-z][a-z0-9+.-]*):\/\/([^/]+)(?:\/(.*))?$/s;

/** Throws `local` for paths of a machine, `unsupported` for what is no address. Pure. */
export function parseStorePath(path: string): StorePath {
  const written = path.trim().replaceAll(/^['"`]+|['"`]+$/g, "");
  const [, scheme, bucket, rest = ""] = ADDRESS.exec(written) ?? [];
  if (scheme === undefined || bucket === undefined || scheme === "file") {
    throw new StoreError("local", "Files in a local artifact store cannot be accessed from the server.");
  }
  const prefix = rest.replaceAll(/^\/+|\/+$/g, "");
  return { scheme, bucket, prefix: prefix === "" ? "" : `${prefix}/` };
}

/**
 * The key of an address in the bucket of its store, without a slash at the end. Whoever writes down an address may
 * write any: one outside of the store, or with parts that some servers resolve, is no file. Pure.
 */
export function keyOf(uri: string, { path, name }: { path: StorePath; name: string }): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//.test(uri) || uri.startsWith("file:")) {
    throw new StoreError("local", "Files in a local artifact store cannot be accessed from the server.");
  }
  const [, scheme, bucket, rest = ""] = ADDRESS.exec(uri.replaceAll("\\", "/")) ?? [];
  const key = rest.replace(/\/+$/, "");
  const isInside = scheme === path.scheme && bucket === path.bucket && key.startsWith(path.prefix);
  const isPlain = !/\p{Cc}/u.test(key) && !key.split("/").some((part) => part === "." || part === "..");
  if (!isInside || !isPlain || key.length <= path.prefix.length) {
    throw new StoreError("outside", `File '${uri}' is outside of artifact store '${name}'.`);
  }
  return key;
}

export const uriOf = ({ scheme, bucket }: StorePath, key: string): string => `${scheme}://${bucket}/${key}`;
