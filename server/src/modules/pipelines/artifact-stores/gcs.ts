import { OutboundError } from "../../../kernel/outbound/outbound-error.ts";
import type { Outbound, OutboundAnswer } from "../../../kernel/outbound/outbound.ts";
import { keyOf, uriOf, type StorePath } from "./location.ts";
import {
  MAX_READ,
  missingFile,
  outboundStoreError,
  StoreError,
  type ArtifactStore,
  type StoredFile,
} from "./store.ts";

export type GcsStoreOptions = {
  name: string;
  path: StorePath;
  outbound: Outbound;
  /** OAuth 2. */
  token: string;
  /** Where Google's storage answers. */
  storage: string;
};

const TIMEOUT_MS = 30_000;
const MAX_ANSWER = MAX_READ + 64 * 1024;

/** Artifacts in one bucket of Google Cloud Storage, by its JSON API. */
export function openGcsStore({ name, path, outbound, token, storage }: GcsStoreOptions): ArtifactStore {
  const bucket = `${storage}/storage/v1/b/${encodeURIComponent(path.bucket)}/o`;

  const send = (
    method: "GET" | "DELETE",
    address: string,
    headers: Record<string, string> = {},
  ): Promise<OutboundAnswer> =>
    outbound
      .send({
        url: address,
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes: MAX_ANSWER,
        followRedirects: false,
      })
      .catch((error: unknown) => {
        throw error instanceof OutboundError ? outboundStoreError(error, name) : error;
      });

  const get = async (
    uri: string,
    address: string,
    headers?: Record<string, string>,
  ): Promise<OutboundAnswer> => {
    const answer = await send("GET", address, headers);
    if (answer.status < 300 || answer.status === 416) return answer;
    throw storeErrorOf(answer, { uri, name });
  };

  return {
    name,
    async *list(uri) {
      const key = keyOf(uri, { path, name });
      let next: string | undefined;
      do {
        const query = new URLSearchParams({ prefix: key, fields: "nextPageToken,items(name,size)" });
        if (next !== undefined) query.set("pageToken", next);
        const { items = [], nextPageToken } = listOf(await get(uri, `${bucket}?${query.toString()}`), name);
        const files: StoredFile[] = items
          .filter((one) => one.name === key || one.name.startsWith(`${key}/`))
          .filter((one) => !one.name.endsWith("/"))
          .map((one) => ({ uri: uriOf(path, one.name), size: Number(one.size) }));
        if (files.length > 0) yield files;
        next = nextPageToken;
      } while (next !== undefined);
    },
    async read(uri, start, end) {
      const key = keyOf(uri, { path, name });
      const last = Math.min(end, start + MAX_READ) - 1;
      if (last < start) return Buffer.alloc(0);
      const address = `${bucket}/${encodeURIComponent(key)}?alt=media`;
      const answer = await get(uri, address, { range: `bytes=${start}-${last}` });
      if (answer.status === 416) return Buffer.alloc(0);
      return answer.status === 206
        ? answer.body.subarray(0, last + 1 - start)
        : answer.body.subarray(start, last + 1);
    },
    async remove(uri) {
      const key = keyOf(uri, { path, name });
      const answer = await send("DELETE", `${bucket}/${encodeURIComponent(key)}`);
      if (answer.status >= 300 && answer.status !== 404) throw storeErrorOf(answer, { uri, name });
    },
  };
}

type Listing = { items?: { name: string; size: string }[]; nextPageToken?: string };

function listOf({ body, truncated }: OutboundAnswer, name: string): Listing {
  try {
    if (!truncated) return JSON.parse(body.toString("utf8")) as Listing;
  } catch {
    // Told below.
  }
  throw new StoreError("unreachable", `Artifact store '${name}' gives no proper answer. Try again later.`);
}

function storeErrorOf(
  { status, headers }: OutboundAnswer,
  { uri, name }: { uri: string; name: string },
): StoreError {
  if (status === 404) return missingFile(uri, name);
  if (status === 429) {
    const after = Number(headers["retry-after"]);
    return new StoreError(
      "rate_limited",
      `Artifact store '${name}' limits how often it is read. Try again later.`,
      { retryAfterSeconds: Number.isInteger(after) ? after : undefined },
    );
  }
  return status < 500
    ? new StoreError("refused", `Artifact store '${name}' refuses to be read: status ${status}.`)
    : new StoreError("unreachable", `Artifact store '${name}' gives no proper answer. Try again later.`);
}
