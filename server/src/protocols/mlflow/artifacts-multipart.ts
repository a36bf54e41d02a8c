import type { FastifyRequest } from "fastify";
import { edits, reads } from "../../kernel/access.ts";
import { invalidParameter, notImplemented } from "../../kernel/errors.ts";
import { MAX_PARTS, type Storage } from "../../modules/storage/index.ts";
import { findArtifact } from "./artifacts-download.ts";
import { attachment, contentTypeOf } from "./artifacts-headers.ts";
import { ARTIFACT_BUCKET, joinPath, lastSegment, readArtifactPath } from "./artifacts-paths.ts";
import type { KeyInScope } from "./artifacts-scope.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import { needs, type Needs } from "./guard.ts";
import { int64, message, nested, repeated, string, type Values } from "./wire.ts";

/** Where parts and downloads go that Plinth serves itself; the last segment is a signed token. */
export const PART_PATH = "/api/2.0/mlflow-artifacts/mpu/part/";
export const SIGNED_PATH = "/api/2.0/mlflow-artifacts/signed/";

/** For a part of 10 MB that must be enough on any line; the client signs anew when it tries again. */
const SIGNED_FOR_SECONDS = 6 * 60 * 60;

/** What `server-info` tells clients that may move large artifacts in parts. */
export function artifactCapabilities(storage: Storage): {
  multipart_uploads_enabled: boolean;
  multipart_downloads_enabled: boolean;
} {
  return {
    multipart_uploads_enabled: true,
    // Ranges of one server are no faster than one stream of it; those of a bucket are.
    multipart_downloads_enabled: storage.uploads.canTransferDirectly,
  };
}

export function multipartEndpoints({
  storage,
  keyInScope,
}: {
  storage: Storage;
  keyInScope: KeyInScope;
}): Endpoint[] {
  const { uploads, signer } = storage;
  /** Only who may write to a key begins, ends or aborts its uploads (CVE-2026-2651). */
  const needsEdit = async (values: Values, call: Call): Promise<Needs> => [
    needs("edit", { type: "artifact", key: await keyOf(call, values) }),
  ];
  const keyOf = (call: Call, values: Values): Promise<string> =>
    keyInScope(call.scope, pathOf(call.path, values));
  return [
    {
      method: "POST",
      path: "/2.0/mlflow-artifacts/mpu/create/*",
      access: edits("artifact"),
      needs: needsEdit,
      request: message({ path: string, num_parts: int64 }),
      checks: { path: ["required", "string"], num_parts: ["int"] },
      async handle(values, call) {
        const { request } = call;
        const key = await keyOf(call, values);
        const count = Number(values["num_parts"] ?? 0);
        if (count < 0 || count > MAX_PARTS) {
          throw invalidParameter(`num_parts must be from 0 to ${MAX_PARTS}, not ${count}.`);
        }
        const direct = uploads.canTransferDirectly;
        const uploadId = await uploads.create({ bucket: ARTIFACT_BUCKET, key, direct });
        const credentials = [];
        for (let number = 1; number <= count; number += 1) {
          const url = direct
            ? await uploads.signPart(uploadId, number)
            : originOf(request) +
              PART_PATH +
              (await signer.sign(["part", uploadId, String(number)], SIGNED_FOR_SECONDS));
          credentials.push({ url, part_number: number });
        }
        return { upload_id: uploadId, credentials };
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow-artifacts/mpu/complete/*",
      access: edits("artifact"),
      needs: needsEdit,
      request: message({
        path: string,
        upload_id: string,
        parts: repeated(nested(message({ part_number: int64, etag: string, url: string }))),
      }),
      checks: { path: ["required", "string"], upload_id: ["string"], parts: ["required"] },
      async handle(values, call) {
        const key = await keyOf(call, values);
        const parts = ((values["parts"] ?? []) as Values[]).map((part) => ({
          partNumber: Number(part["part_number"] ?? 0),
          etag: String(part["etag"] ?? ""),
        }));
        await uploads.complete(String(values["upload_id"] ?? ""), { bucket: ARTIFACT_BUCKET, key }, parts);
        return {};
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow-artifacts/mpu/abort/*",
      access: edits("artifact"),
      needs: needsEdit,
      request: message({ path: string, upload_id: string }),
      checks: { path: ["required", "string"], upload_id: ["string"] },
      async handle(values, call) {
        const key = await keyOf(call, values);
        await uploads.abort(String(values["upload_id"] ?? ""), { bucket: ARTIFACT_BUCKET, key });
        return {};
      },
    },
    {
      method: "GET",
      path: "/2.0/mlflow-artifacts/presigned/*",
      access: reads("artifact"),
      needs: async (_values, { scope, path }) => [
        needs("read", {
          type: "artifact",
          key: await keyInScope(scope, readArtifactPath(path["*"] ?? "").path),
        }),
      ],
      request: message({}),
      async handle(_values, { scope, path, request }) {
        const key = await keyInScope(scope, readArtifactPath(path["*"] ?? "").path);
        if (!uploads.canTransferDirectly) {
          throw notImplemented("Multipart download is not supported for the current artifact repository");
        }
        const found = await findArtifact(storage, key);
        const name = lastSegment(key);
        const answer = { contentType: contentTypeOf(name), disposition: attachment(name) };
        const url =
          (await storage.signRead(found, answer)) ??
          // Small artifacts are in the database, and no bucket has an address for them.
          originOf(request) + SIGNED_PATH + (await signer.sign(["read", key], SIGNED_FOR_SECONDS));
        return { url, headers: {}, file_size: found.info.size };
      },
    },
  ];
}

/** The directory is in the address; of the client's local file only the name counts. */
function pathOf(path: Readonly<Record<string, string>>, values: Values): string {
  const name = String(values["path"]).split(/[/\\]/).at(-1) ?? "";
  const file = readArtifactPath(name);
  if (file.path === "" || file.path.includes("/")) throw invalidParameter("Invalid path");
  return joinPath(readArtifactPath(path["*"] ?? "").path, file.path);
}

/** How the client that sent this reaches this server, also through a proxy that ends TLS. */
function originOf(request: FastifyRequest): string {
  const forwarded = request.headers["x-forwarded-proto"];
  const scheme = forwarded === "https" || forwarded === "http" ? forwarded : request.protocol;
  return `${scheme}://${request.host}`;
}
