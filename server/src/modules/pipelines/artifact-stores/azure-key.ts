import { createHmac } from "node:crypto";

export type AzureRequest = {
  method: string;
  url: string;
  /** With lower-case names. */
  headers: Readonly<Record<string, string>>;
};

/** An account of Azure's storage, with one of its keys in Base64. */
export type AzureKey = { account: string; key: string };

/** Headers that are signed by their values alone; none of a request without a body that says when it is sent elsewhere. */
const SIGNED = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
];

/**
 * What a Shared Key signs (https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key, the version
 * since 2015-02-21 for blobs). Pure.
 */
export function stringToSign(account: string, { method, url, headers }: AzureRequest): string {
  const { pathname, searchParams } = new URL(url);
  const own = Object.entries(headers)
    .filter(([name]) => name.startsWith("x-ms-"))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}`);
  const asked = [...Map.groupBy(searchParams, ([name]) => name.toLowerCase())]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(
      ([name, values]) =>
        `${name}:${values
          .map(([, value]) => value)
          .sort()
          .join(",")}`,
    );
  return [
    method,
    ...SIGNED.map((name) => headers[name] ?? ""),
    ...own,
    [`/${account}${pathname}`, ...asked].join("\n"),
  ].join("\n");
}

/** The value of the header `authorization`. */
export function signatureOf({ account, key }: AzureKey, request: AzureRequest): string {
  const signed = createHmac("sha256", Buffer.from(key, "base64")).update(stringToSign(account, request));
  return `SharedKey ${account}:${signed.digest("base64")}`;
}
