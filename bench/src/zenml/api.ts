// ZenML's REST API as its client asks it: one connection that stays open, one request after another.
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import type { ZenmlServer } from "./servers.ts";

export type Answer = {
  readonly json: unknown;
  readonly bytes: number;
  readonly milliseconds: number;
};

export type ZenmlApi = {
  /** Throws for answers of 400 or more. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  close(): void;
};

export async function openApi(server: ZenmlServer): Promise<ZenmlApi> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let token: string | undefined;
  const send = async (
    method: string,
    path: string,
    of: { body?: string; type?: string },
  ): Promise<Answer> => {
    const since = performance.now();
    return new Promise((resolve, reject) => {
      const headers = {
        "user-agent": "zenml/0.98.0",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(of.body === undefined
          ? {}
          : { "content-type": of.type ?? "application/json", "content-length": Buffer.byteLength(of.body) }),
        ...(method === "POST" ? { "idempotency-key": randomUUID() } : {}),
      };
      const outgoing = request(`${server.url}${path}`, { method, agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const milliseconds = performance.now() - since;
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("utf8");
          if ((response.statusCode ?? 500) >= 400) {
            reject(
              new Error(`${server.name}: ${method} ${path}: ${response.statusCode} ${text.slice(0, 500)}`),
            );
          } else resolve({ json: JSON.parse(text) as unknown, bytes: bytes.length, milliseconds });
        });
        response.on("error", reject);
      });
      outgoing.on("error", reject);
      outgoing.end(of.body);
    });
  };
  if (server.login !== undefined) {
    const body = new URLSearchParams(server.login).toString();
    const answer = await send("POST", "/api/v1/login", { body, type: "application/x-www-form-urlencoded" });
    token = (answer.json as { access_token: string }).access_token;
  }
  return {
    call: (method, path, body) =>
      send(method, path, body === undefined ? {} : { body: JSON.stringify(body) }),
    close: () => agent.destroy(),
  };
}
