import type { FastifyInstance } from "fastify";
import type { Tracking } from "../../modules/tracking/index.ts";
import { parseBodiesAsBuffers, registerEndpoints } from "./endpoint.ts";
import { datasetEndpoints } from "./datasets.ts";
import { experimentEndpoints } from "./experiments.ts";
import { loggedModelEndpoints } from "./logged-models.ts";
import { metricHistoryEndpoints } from "./metric-history.ts";
import { runDataEndpoints } from "./run-data.ts";
import { runEndpoints } from "./runs.ts";
import { runSearchEndpoints } from "./run-search.ts";
import { serverInfoEndpoints } from "./server-info.ts";

export type MlflowOptions = { tracking: Tracking };

/** MLflow's REST API, each resource in its own file. */
export async function registerMlflow(app: FastifyInstance, { tracking }: MlflowOptions): Promise<void> {
  await app.register((scope, _options, done) => {
    parseBodiesAsBuffers(scope);
    registerEndpoints(scope, [
      ...experimentEndpoints(tracking),
      ...runEndpoints(tracking),
      ...runDataEndpoints(tracking),
      ...runSearchEndpoints(tracking),
      ...metricHistoryEndpoints(tracking),
      ...datasetEndpoints(tracking),
      ...loggedModelEndpoints(tracking),
      ...serverInfoEndpoints(),
    ]);
    done();
  });
}
