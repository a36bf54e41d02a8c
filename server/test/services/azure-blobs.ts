import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { signatureOf, type AzureKey } from "../../src/modules/pipelines/artifact-stores/azure-key.ts";

type Failure = { status: number; code: string; body?: string };

/** Azure's storage with one container, `box`, as it answers: two blobs a page of a list. */
export type AzureBlobs = AsyncDisposable & {
  readonly endpoint: string;
  /** Besides which it takes the token `a-token` and the signature `a signature`. */
  readonly key: AzureKey;
  put(name: string, body: string): void;
  has(name: string): boolean;
  /** What a list shows of a folder, in XML. */
  folder(name: string, xml: string): void;
  /** Answers so until told otherwise. */
  fail(failure: Failure | undefined): void;
};

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&#x3E;");

export async function startAzureBlobs(): Promise<AzureBlobs> {
  const key = { account: "lab", key: Buffer.from("the key of the account").toString("base64") };
  const objects = new Map<string, string>();
  const folders = new Map<string, string>();
  let failure: Failure | undefined;

  const listed = (asked: URLSearchParams): string => {
    if (asked.get("comp") !== "list" || asked.get("restype") !== "container") return "";
    const all = [...objects.keys(), ...folders.keys()].sort();
    const found = all.filter((name) => name.startsWith(asked.get("prefix") ?? ""));
    const from = Number(asked.get("marker") ?? 0);
    const blobs = found.slice(from, from + 2).map((name) => {
      const size = Buffer.byteLength(objects.get(name) ?? "");
      return (
        `<Blob><Name>${escaped(name)}</Name><Properties><Content-Length>${size}</Content-Length></Properties>` +
        `${folders.get(name) ?? "<Metadata />"}</Blob>`
      );
    });
    const next = found.length > from + 2 ? `<NextMarker>${from + 2}</NextMarker>` : "<NextMarker />";
    return `\uFEFF<?xml version="1.0"?><EnumerationResults><Blobs>${blobs.join("")}</Blobs>${next}</EnumerationResults>`;
  };

  const server = createServer((request, response) => {
    const url = `http://${request.headers.host}${request.url}`;
    const { pathname, searchParams } = new URL(url);
    const { method = "" } = request;
    const answer = (status: number, body: string | Buffer, code = ""): void =>
      void response.writeHead(status, { "x-ms-error-code": code, "retry-after": "3" }).end(body);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const isLetIn =
      searchParams.get("sig") === "a signature" ||
      [signatureOf(key, { method, url, headers }), "Bearer a-token"].includes(headers["authorization"] ?? "");
    if (!isLetIn) return answer(403, "<Error/>", "AuthenticationFailed");
    if (failure !== undefined) return answer(failure.status, failure.body ?? "", failure.code);
    const [, container = "", ...parts] = pathname.split("/").map(decodeURIComponent);
    if (container !== "box") return answer(404, "", "ContainerNotFound");
    if (parts.length === 0) return answer(200, listed(searchParams));
    const name = parts.join("/");
    const body = objects.get(name);
    if (body === undefined) return answer(404, "", "BlobNotFound");
    if (method === "DELETE") {
      objects.delete(name);
      return answer(202, "");
    }
    const [, first = "0", last = "0"] = /^bytes=(\d+)-(\d+)$/.exec(headers["x-ms-range"] ?? "") ?? [];
    if (Number(first) >= Buffer.byteLength(body)) return answer(416, "", "InvalidRange");
    return answer(206, Buffer.from(body).subarray(Number(first), Number(last) + 1));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    put: (name, body) => void objects.set(name, body),
    has: (name) => objects.has(name),
    folder: (name, xml) => void folders.set(name, xml),
    fail(given) {
      failure = given;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
