import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  lineageOriginRequest,
  modelLineageRequest,
  type LineageVersions,
  type ModelLineage,
} from "@plinth/contract";
import { reads } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Enter, Scope } from "../../modules/identity/index.ts";
import type { Lineage, LineageOrigin } from "../../modules/registry/index.ts";

export type LineageOptions = {
  lineage: Lineage;
  enter: Enter;
  /** Throws for what the caller may not read. */
  requireRead(scope: Scope, on: Readable): void | Promise<void>;
};

type Readable =
  | { type: "registered_model_version"; name: string }
  | { type: "experiment" | "run" | "logged_model"; id: string };

const config = { access: reads("registered_model"), protocol: "console" } as const;

/** From model versions to what they were made from, and back. */
export function registerLineage(app: FastifyInstance, { lineage, enter, requireRead }: LineageOptions): void {
  app.get("/console/api/lineage/model-version", { config }, async (request, reply) => {
    const { workspace, name, version, alias } = readQuery(request, modelLineageRequest);
    if ((version === undefined) === (alias === undefined))
      throw invalidParameter("lineage: give either 'version' or 'alias'.");
    const which = version === undefined ? { alias: alias ?? "" } : { version };
    const scope = await enter(request.caller, workspace);
    request.subject = { workspace, resourceType: "registered_model", resourceId: name };
    await requireRead(scope, { type: "registered_model_version", name });
    request.decided = true;
    const { source, logged_model, run, experiment, ...row } = await lineage.getLineage(scope, {
      name,
      ...which,
    });
    const { parent_runs, datasets, input_models, output_models, truncated, ...linked } = row;
    return reply.send({
      model_version: { ...linked, source },
      logged_model,
      run,
      experiment,
      parent_runs,
      datasets,
      input_models,
      output_models,
      truncated,
    } satisfies ModelLineage);
  });
  app.get("/console/api/lineage/model-versions", { config }, async (request, reply) => {
    const { workspace, max_results, page_token, ...wanted } = readQuery(request, lineageOriginRequest);
    const scope = await enter(request.caller, workspace);
    const origin = originOf(wanted);
    const asked = readableOf(origin);
    request.subject =
      asked === undefined ? { workspace } : { workspace, resourceType: asked.type, resourceId: asked.id };
    if (asked !== undefined) await requireRead(scope, asked);
    // Which versions are shown, and of a dataset which runs, the statement sees to.
    request.decided = true;
    const { versions, nextPageToken } = await lineage.searchVersionsOf(scope, origin, {
      maxResults: max_results,
      pageToken: page_token,
    });
    return reply.send({
      model_versions: versions,
      ...(nextPageToken === undefined ? {} : { next_page_token: nextPageToken }),
    } satisfies LineageVersions);
  });
}

function readQuery<T>(request: FastifyRequest, schema: z.ZodType<T>): T {
  const read = schema.safeParse(request.query);
  if (!read.success) throw invalidParameter(`lineage: ${z.prettifyError(read.error)}`);
  return read.data;
}

type Wanted =
  | { experiment_id: string }
  | { run_id: string }
  | { model_id: string }
  | { dataset_name: string; dataset_digest: string };

function originOf(wanted: Wanted): LineageOrigin {
  if ("run_id" in wanted) return { runId: wanted.run_id };
  if ("model_id" in wanted) return { modelId: wanted.model_id };
  if ("dataset_name" in wanted)
    return { datasetName: wanted.dataset_name, datasetDigest: wanted.dataset_digest };
  return { experimentId: wanted.experiment_id };
}

function readableOf(origin: LineageOrigin): Extract<Readable, { id: string }> | undefined {
  if ("runId" in origin) return { type: "run", id: origin.runId };
  if ("modelId" in origin) return { type: "logged_model", id: origin.modelId };
  return "experimentId" in origin ? { type: "experiment", id: origin.experimentId } : undefined;
}
