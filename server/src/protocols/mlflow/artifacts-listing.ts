import { edits, reads } from "../../kernel/access.ts";
import { invalidParameter, notImplemented } from "../../kernel/errors.ts";
import type { Scope } from "../../modules/identity/index.ts";
import type { Storage } from "../../modules/storage/index.ts";
import type { ArtifactOptions } from "./artifacts.ts";
import {
  ARTIFACT_BUCKET,
  joinPath,
  keyOfLocation,
  lastSegment,
  ownKey,
  readArtifactPath,
} from "./artifacts-paths.ts";
import { WORKSPACES } from "./artifacts-scope.ts";
import type { Endpoint } from "./endpoint.ts";
import { needs, type Needs } from "./guard.ts";
import { int64, message, string, type Values } from "./wire.ts";

export type FileInfo = { path: string; is_dir: boolean; file_size?: number };

const PAGE = 1000;

/**
 * What is directly in a directory, sorted by name, each with a path below `shownBelow`. A directory
 * that is not there, or is a file, has nothing in it.
 */
export async function listArtifacts(storage: Storage, key: string, shownBelow: string): Promise<FileInfo[]> {
  const files: FileInfo[] = [];
  let from: string | undefined;
  do {
    const page = await storage.listDirectory({
      bucket: ARTIFACT_BUCKET,
      prefix: key === "" ? "" : `${key}/`,
      from,
      limit: PAGE,
    });
    for (const entry of page.entries) {
      const name = lastSegment(entry.kind === "object" ? entry.key : entry.prefix.slice(0, -1));
      const path = joinPath(shownBelow, name);
      if (entry.kind === "prefix") files.push({ path, is_dir: true });
      // Upstream leaves the size of an empty file out.
      else files.push({ path, is_dir: false, ...(entry.size === 0 ? {} : { file_size: entry.size }) });
    }
    from = page.next;
  } while (from !== undefined);
  // Byte order of `a/` and `a.txt` is not that of `a` and `a.txt`.
  return files.toSorted((one, other) => Buffer.compare(Buffer.from(one.path), Buffer.from(other.path)));
}

/** Empty lists are left out, as protocol buffers do. */
const filesField = (files: FileInfo[]): { files?: FileInfo[] } => (files.length === 0 ? {} : { files });

export function artifactEndpoints({
  storage,
  runArtifactUri,
  modelArtifactUri,
  guard,
  keyInScope,
}: ArtifactOptions): Endpoint[] {
  const listBelow = async (location: string, given: unknown): Promise<object> => {
    const { path } = readArtifactPath(typeof given === "string" ? given : "");
    const files = await listArtifacts(storage, joinPath(ownKey(location), path), path);
    return { root_uri: location, ...filesField(files) };
  };

  const keyOfFolder = (scope: Scope, values: Values): Promise<string> =>
    keyInScope(scope, readArtifactPath(String(values["path"] ?? "")).path);

  return [
    {
      method: "GET",
      path: "/2.0/mlflow-artifacts/artifacts",
      access: reads("artifact"),
      request: message({ path: string }),
      needs: async (values, { scope }) => [
        needs("read", { type: "artifact", key: await keyOfFolder(scope, values), isFolder: true }),
      ],
      async handle(values, { scope }) {
        const key = await keyOfFolder(scope, values);
        const files = await listArtifacts(storage, key, "");
        // At the root of the default workspace stand the others' folders too.
        const own = key === "" ? files.filter((file) => file.path !== WORKSPACES) : files;
        const keys = own.map((file) => joinPath(key, file.path));
        const readable = new Set(await guard.readableKeys(scope, keys));
        return filesField(own.filter((_file, at) => readable.has(keys[at] as string)));
      },
    },
    {
      method: "GET",
      path: "/2.0/mlflow/artifacts/list",
      access: reads("artifact"),
      needs: (values) => [
        needs("read", { type: "run", id: String(values["run_id"] ?? values["run_uuid"] ?? "") }),
      ],
      request: message({ run_id: string, run_uuid: string, path: string, page_token: string }),
      checks: { run_id: ["required", "string"], path: ["string"], page_token: ["string"] },
      async handle(values, { scope }) {
        readArtifactPath(String(values["path"] ?? ""));
        const location = await runArtifactUri(scope, String(values["run_id"] ?? values["run_uuid"]));
        return listBelow(location, values["path"]);
      },
    },
    {
      method: "GET",
      path: "/2.0/mlflow/logged-models/:model_id/artifacts/directories",
      access: reads("artifact"),
      needs: (_values, { path }) => [needs("read", { type: "logged_model", id: path["model_id"] ?? "" })],
      request: message({ model_id: string, artifact_directory_path: string, page_token: string }),
      checks: { artifact_directory_path: ["string"] },
      async handle(values, { scope, path }) {
        readArtifactPath(String(values["artifact_directory_path"] ?? ""));
        const location = await modelArtifactUri(scope, path["model_id"] ?? "");
        return listBelow(location, values["artifact_directory_path"]);
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/artifacts/presigned-upload-url",
      access: edits("artifact"),
      needs: holderNeeds,
      request: message({ run_id: string, model_id: string, path: string, expiration: int64 }),
      checks: { run_id: ["string"], model_id: ["string"], path: ["required", "string"], expiration: ["int"] },
      async handle(values, { scope }) {
        const { runId, modelId } = holderOf(values);
        readArtifactPath(String(values["path"]));
        const location =
          runId === "" ? await modelArtifactUri(scope, modelId) : await runArtifactUri(scope, runId);
        refuseProxied(location, "Presigned upload is not supported for proxied artifact storage", "a direct");
        throw notImplemented("Presigned upload is not supported for the current artifact repository");
      },
    },
    {
      method: "POST",
      path: "/2.0/mlflow/artifacts/presigned-download-url",
      access: reads("artifact"),
      needs: (values) => [needs("read", { type: "run", id: String(values["run_id"]) })],
      request: message({ run_id: string, path: string, expiration: int64 }),
      checks: { run_id: ["required", "string"], path: ["required", "string"], expiration: ["int"] },
      async handle(values, { scope }) {
        readArtifactPath(String(values["path"]));
        checkExpiration(values);
        const location = await runArtifactUri(scope, String(values["run_id"]));
        refuseProxied(
          location,
          "Presigned download is not supported for runs with proxied artifact storage",
          "a run with a direct",
        );
        throw notImplemented("Presigned download is not supported for the current artifact repository");
      },
    },
  ];
}

/** The run or the logged model that an upload is for; the other one is empty. */
function holderOf(values: Values): { runId: string; modelId: string } {
  const runId = String(values["run_id"] ?? "");
  const modelId = String(values["model_id"] ?? "");
  if ((runId === "") === (modelId === "")) {
    throw invalidParameter("Exactly one of run_id and model_id must be provided.");
  }
  return { runId, modelId };
}

function holderNeeds(values: Values): Needs {
  const { runId, modelId } = holderOf(values);
  return [needs("edit", runId === "" ? { type: "logged_model", id: modelId } : { type: "run", id: runId })];
}

function checkExpiration(values: Values): void {
  const expiration = values["expiration"];
  if (expiration === undefined) return;
  const seconds = Number(expiration);
  if (seconds >= 1 && seconds <= 604_800) return;
  throw invalidParameter(`expiration must be between 1 and 604800 seconds (got ${seconds}).`);
}

function refuseProxied(location: string, what: string, needs: string): void {
  if (keyOfLocation(location) === undefined) return;
  const scheme = location.split(":", 1)[0] ?? "";
  throw invalidParameter(
    `${what} (artifact URI scheme: ${scheme}). This endpoint requires ${needs} cloud storage artifact URI.`,
  );
}
