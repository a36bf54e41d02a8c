import type { Micros } from "../../../kernel/micros.ts";
import { OutboundError } from "../../../kernel/outbound/outbound-error.ts";
import type { Outbound, OutboundAnswer } from "../../../kernel/outbound/outbound.ts";
import { signatureOf, type AzureKey } from "./azure-key.ts";
import { readListing, type AzureListing } from "./azure-list.ts";
import { keyOf, uriOf, type StorePath } from "./location.ts";
import {
  MAX_READ,
  missingFile,
  outboundStoreError,
  StoreError,
  type ArtifactStore,
  type StoredFile,
} from "./store.ts";

/** How a storage account is asked: with one of its keys, with a signature that somebody made, or with a token. */
export type AzureAccess = {
  /** Of its blobs: `https://account.blob.core.windows.net`. */
  endpoint: string;
  proof: { key: AzureKey } | { sas: string } | { token: string };
};

export type AzureStoreOptions = {
  name: string;
  path: StorePath;
  outbound: Outbound;
  clock(): Micros;
  access: AzureAccess;
};

const VERSION = "2021-08-06";
const TIMEOUT_MS = 30_000;
/** Blobs with their metadata: 8 KiB each at most. */
const PAGE = 1000;
/** A list that never ends is not one of a store's. */
const MAX_PAGES = 10_000;
const MAX_ANSWER = MAX_READ + 64 * 1024;

/** Artifacts in one container of Azure's blob storage (https://learn.microsoft.com/rest/api/storageservices). */
export function openAzureStore({ name, path, outbound, clock, access }: AzureStoreOptions): ArtifactStore {
  // `abfs://container@account.dfs.core.windows.net/path` names the container first.
  const container = `${access.endpoint}/${encodeURIComponent(path.bucket.split("@")[0] ?? "")}`;
  const addressOf = (key: string): string =>
    `${container}/${key.split("/").map(encodeURIComponent).join("/")}`;

  const send = async (
    method: "GET" | "DELETE",
    address: string,
    given: Readonly<Record<string, string>> = {},
  ): Promise<OutboundAnswer> => {
    const { proof } = access;
    const headers: Record<string, string> = {
      "x-ms-version": VERSION,
      "x-ms-date": new Date(clock() / 1000).toUTCString(),
      ...given,
    };
    const url = "sas" in proof ? `${address}${address.includes("?") ? "&" : "?"}${proof.sas}` : address;
    if ("token" in proof) headers["authorization"] = `Bearer ${proof.token}`;
    if ("key" in proof) headers["authorization"] = signatureOf(proof.key, { method, url, headers });
    try {
      return await outbound.send({
        url,
        method,
        headers,
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes: MAX_ANSWER,
        followRedirects: false,
      });
    } catch (error) {
      throw error instanceof OutboundError ? outboundStoreError(error, name) : error;
    }
  };

  const listPage = async (uri: string, prefix: string, marker: string): Promise<AzureListing> => {
    const query = new URLSearchParams({ restype: "container", comp: "list", include: "metadata", prefix });
    query.set("maxresults", String(PAGE));
    if (marker !== "") query.set("marker", marker);
    // A plus is a blank to some and a plus to others.
    const answer = await send("GET", `${container}?${query.toString().replaceAll("+", "%20")}`);
    if (answer.status !== 200) throw storeErrorOf(answer, { uri, name });
    const found = answer.truncated ? undefined : readListing(answer.body.toString("utf8"));
    if (found === undefined) throw noProperAnswer(name);
    return found;
  };

  return {
    name,
    async *list(uri) {
      const key = keyOf(uri, { path, name });
      let marker = "";
      for (let pages = 0; pages === 0 || marker !== ""; pages += 1) {
        if (pages === MAX_PAGES) throw noProperAnswer(name);
        const page = await listPage(uri, key, marker);
        const files: StoredFile[] = page.blobs
          .filter((one) => one.name === key || one.name.startsWith(`${key}/`))
          .filter((one) => !one.isFolder && !one.name.endsWith("/"))
          .map((one) => ({ uri: uriOf(path, one.name), size: one.size }));
        if (files.length > 0) yield files;
        marker = page.nextMarker;
      }
    },
    async read(uri, start, end) {
      const key = keyOf(uri, { path, name });
      const last = Math.min(end, start + MAX_READ) - 1;
      if (last < start) return Buffer.alloc(0);
      const answer = await send("GET", addressOf(key), { "x-ms-range": `bytes=${start}-${last}` });
      // Nothing is there from `start` on.
      if (answer.status === 416) return Buffer.alloc(0);
      if (answer.status >= 300) throw storeErrorOf(answer, { uri, name });
      return answer.status === 206
        ? answer.body.subarray(0, last + 1 - start)
        : answer.body.subarray(start, last + 1);
    },
    async remove(uri) {
      const key = keyOf(uri, { path, name });
      const answer = await send("DELETE", addressOf(key));
      if (answer.status < 300) return;
      const error = storeErrorOf(answer, { uri, name });
      if (error.kind !== "missing") throw error;
    },
  };
}

const noProperAnswer = (name: string): StoreError =>
  new StoreError("unreachable", `Artifact store '${name}' gives no proper answer. Try again later.`);

function storeErrorOf(
  { status, headers }: OutboundAnswer,
  { uri, name }: { uri: string; name: string },
): StoreError {
  const code = String(headers["x-ms-error-code"] ?? "");
  if (status === 404 && code !== "ContainerNotFound") return missingFile(uri, name);
  if (status === 429 || code === "ServerBusy") {
    const after = Number(headers["retry-after"] ?? Number.NaN);
    return new StoreError(
      "rate_limited",
      `Artifact store '${name}' limits how often it is read. Try again later.`,
      { retryAfterSeconds: Number.isInteger(after) ? after : undefined },
    );
  }
  if (status >= 500) return noProperAnswer(name);
  const shown = /^[A-Za-z]{1,60}$/.test(code) ? code : `status ${status}`;
  return new StoreError("refused", `Artifact store '${name}' refuses to be read: ${shown}.`);
}
