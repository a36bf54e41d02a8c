import type { FastifyInstance } from "fastify";
import { reads } from "../../kernel/access.ts";
import { PlinthError } from "../../kernel/errors.ts";
import type { Registry } from "../../modules/registry/index.ts";
import type { FoundObject, Storage } from "../../modules/storage/index.ts";
import { findArtifact, sendArtifact } from "./artifacts-download.ts";
import { joinPath, ownKey, readArtifactPath } from "./artifacts-paths.ts";
import type { Gate } from "./endpoint.ts";
import { requireFor } from "./guard.ts";
import { onVersions } from "./registry-fields.ts";
import { missingParameter } from "./wire.ts";

/** MLflow's UI and its links read the files of a version here. */
export function registerModelVersionArtifacts(
  app: FastifyInstance,
  { registry, storage, scopeOf, guard }: Gate & { registry: Registry; storage: Storage },
): void {
  app.route({
    method: ["GET", "HEAD"],
    url: "/model-versions/get-artifact",
    config: { access: reads("artifact"), protocol: "mlflow", streams: true },
    exposeHeadRoute: false,
    async handler(request, reply) {
      const scope = await scopeOf(request);
      const query = request.query as Record<string, string | string[] | undefined>;
      const [name = "", version = "", given] = ["name", "version", "path"].map(
        (key) => [query[key]].flat()[0],
      );
      await requireFor(request, guard, { scope, wanted: onVersions("read")({ name }) });
      if (given === undefined) throw missingParameter("path");
      const { path } = readArtifactPath(given);
      const roots = await registry.getModelVersionArtifactRoots(scope, { name, version });
      return sendArtifact(await findIn(storage, roots, path), request, reply);
    },
  });
}

/** The file in the first of the places that has it; else what is wrong with the last one. */
async function findIn(storage: Storage, roots: readonly string[], path: string): Promise<FoundObject> {
  const [root = "", ...others] = roots;
  try {
    return await findArtifact(storage, joinPath(ownKey(root), path));
  } catch (error) {
    if (others.length === 0 || !(error instanceof PlinthError) || error.code !== "not_found") throw error;
    return findIn(storage, others, path);
  }
}
