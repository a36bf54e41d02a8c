import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Somebody else's S3 server, as far as it is read and deleted from: one bucket, one key, signatures checked. */
export type S3Server = AsyncDisposable & {
  endpoint: string;
  /** What `client_kwargs` of an artifact store says to find it. */
  clientKwargs: { endpoint_url: string };
  accessKeyId: string;
  secretAccessKey: string;
  bucket: string;
  put(key: string, body: string | Buffer): void;
  delete(key: string): void;
  /** The keys that there are. */
  keys(): string[];
  /** Of objects, since it was asked last. */
  taken(): { requests: number; bytes: number };
  /** What is answered instead; undefined is what is right. */
  answer: { status: number; code: string; headers?: Record<string, string> } | undefined;
};

export async function startS3Server(bucket = "bucket"): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  let count = { requests: 0, bytes: 0 };
  const keys = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "a secret of somebody else" };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://server");
    if (s3.answer !== undefined) return fail(response, s3.answer);
    if (!isSigned(request, url, keys)) return fail(response, { status: 403, code: "SignatureDoesNotMatch" });
    const [, name, ...rest] = url.pathname.split("/");
    if (name !== bucket) return fail(response, { status: 404, code: "NoSuchBucket" });
    const key = decodeURIComponent(rest.join("/"));
    if (key === "" && request.method === "HEAD") return void response.writeHead(200).end();
    if (key === "") return list(response, objects, url.searchParams);
    if (request.method === "DELETE") {
      objects.delete(key);
      return void response.writeHead(204).end();
    }
    const body = objects.get(key);
    if (body === undefined) return fail(response, { status: 404, code: "NoSuchKey" });
    return send(request, response, { body, count });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const s3: S3Server = {
    ...keys,
    bucket,
    endpoint,
    clientKwargs: { endpoint_url: endpoint },
    answer: undefined,
    put: (key, body) => void objects.set(key, Buffer.from(body)),
    delete: (key) => void objects.delete(key),
    keys: () => [...objects.keys()],
    taken() {
      const before = count;
      count = { requests: 0, bytes: 0 };
      return before;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return s3;
}

function fail(
  response: ServerResponse,
  { status, code, headers = {} }: { status: number; code: string; headers?: Record<string, string> },
): void {
  response.writeHead(status, { "content-type": "application/xml", ...headers });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>an inner detail</Message></Error>`);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { body, count }: { body: Buffer; count: { requests: number; bytes: number } },
): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const start = Number(first ?? 0);
  if (start >= body.length && first !== undefined)
    return fail(response, { status: 416, code: "InvalidRange" });
  const end = Math.min(last === undefined || last === "" ? body.length : Number(last) + 1, body.length);
  count.requests += 1;
  count.bytes += end - start;
  response.writeHead(first === undefined ? 200 : 206, {
    "content-type": "application/octet-stream",
    "content-length": end - start,
    ...(first === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${body.length}` }),
  });
  response.end(body.subarray(start, end));
  return undefined;
}

const PAGE = 1000;

/** ListObjectsV2 */
function list(response: ServerResponse, objects: ReadonlyMap<string, Buffer>, query: URLSearchParams): void {
  if (query.get("list-type") !== "2") return fail(response, { status: 501, code: "NotImplemented" });
  const prefix = query.get("prefix") ?? "";
  const after = Buffer.from(query.get("continuation-token") ?? "", "base64").toString();
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
  const shown = keys.slice(0, PAGE);
  const contents = shown.map(
    (key) => `<Contents><Key>${escape(key)}</Key><Size>${objects.get(key)?.length ?? 0}</Size></Contents>`,
  );
  const isTruncated = keys.length > PAGE;
  const next = Buffer.from(shown.at(-1) ?? "").toString("base64");
  response.writeHead(200, { "content-type": "application/xml" });
  response.end(
    `<?xml version="1.0"?><ListBucketResult><Prefix>${escape(prefix)}</Prefix>${contents.join("")}` +
      `<IsTruncated>${isTruncated}</IsTruncated>` +
      `${isTruncated ? `<NextContinuationToken>${next}</NextContinuationToken>` : ""}</ListBucketResult>`,
  );
  return undefined;
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** AWS Signature Version 4, in the header. */
function isSigned(
  { headers, method = "" }: IncomingMessage,
  url: URL,
  keys: { accessKeyId: string; secretAccessKey: string },
): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, id, day = "", region = "", names = "", signature = ""] =
    pattern.exec(headers.authorization ?? "") ?? [];
  if (id !== keys.accessKeyId) return false;
  const encode = (text: string): string =>
    encodeURIComponent(text).replaceAll(
      /[!'()*]/g,
      (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join("&");
  const signed = names.split(";").map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [
    method,
    url.pathname,
    query,
    signed.join(""),
    names,
    String(headers["x-amz-content-sha256"]),
  ].join("\n");
  const date = String(headers["x-amz-date"]);
  const text = ["AWS4-HMAC-SHA256", date, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${keys.secretAccessKey}`,
  );
  return timingSafeEqual(hmac(key, text), Buffer.from(signature, "hex"));
}
