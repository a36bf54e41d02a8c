import { createHash, randomUUID } from "node:crypto";
import type { FastifyRequest } from "fastify";

/**
 * Ids of what a request makes. ZenML's clients send a key with every request that makes something, and the same key
 * when they repeat it because the answer got lost. The ids are worked out from it, so that what a repetition would make
 * is there already: `insertRow` says so, and the endpoint answers what is there. Nothing is kept for that, and nothing
 * is lost with a process.
 */
export function createIds(request: FastifyRequest): () => string {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string" || key === "" || key.length > MAX_KEY) return randomUUID;
  // Of one caller and one address: nobody can foresee the ids of others, or take them.
  const { method, url, caller } = request;
  const path = url.split("?", 1)[0] ?? "";
  let count = 0;
  return () => {
    const parts = [caller.principal?.uuid ?? "", method, path, key, String((count += 1))];
    const hex = createHash("sha256").update(parts.join("\n")).digest("hex");
    const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) % 4);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
}

const MAX_KEY = 255;
