import type { FastifyInstance } from "fastify";
import { reads } from "../../kernel/access.ts";
import type { Registry } from "../../modules/registry/index.ts";
import type { Storage } from "../../modules/storage/index.ts";
import { findArtifact, sendArtifact } from "./artifacts-download.ts";
import { joinPath, ownKey, readArtifactPath } from "./artifacts-paths.ts";
import type { ScopeOf } from "./scope.ts";
import { missingParameter } from "./wire.ts";

/** MLflow's UI and its links read the files of a version here. */
export function registerModelVersionArtifacts(
  app: FastifyInstance,
  { registry, storage, scopeOf }: { registry: Registry; storage: Storage; scopeOf: ScopeOf },
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
      if (given === undefined) throw missingParameter("path");
      const { path } = readArtifactPath(given);
      const root = ownKey(await registry.getModelVersionArtifactRoot(scope, { name, version }));
      return sendArtifact(await findArtifact(storage, joinPath(root, path)), request, reply);
    },
  });
}
