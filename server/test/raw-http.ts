import { request, type Agent } from "node:http";

export type RawAnswer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
};

export type RawRequest = {
  method: string;
  /** Sent as it is, also where `fetch` would mend it. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  agent?: Agent;
};

/** A request by hand: `fetch` cleans paths, sets Host and Origin itself and gives GET no body. */
export function send(
  url: string,
  { method, path, headers = {}, body, agent }: RawRequest,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const chunked = headers["transfer-encoding"] !== undefined;
    const length = body === undefined || chunked ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const call = request({ hostname, port, method, path, headers: { ...length, ...headers }, agent });
    call.on("error", reject);
    call.on("response", (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(parts).toString(),
        }),
      );
    });
    call.end(body);
  });
}
