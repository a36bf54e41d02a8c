import type { FastifyInstance } from "fastify";
import {
  pipelineRunLineageRequest,
  type LineageEdge,
  type LineageNode,
  type PipelineRunLineage,
} from "@plinth/contract";
import { reads } from "../../kernel/access.ts";
import { permissionDenied } from "../../kernel/errors.ts";
import { microsToIso, type Micros } from "../../kernel/micros.ts";
import { allows, type Enter } from "../../modules/identity/index.ts";
import type { PipelineLineage, RunLineage } from "../../modules/pipelines/index.ts";
import { read } from "./request.ts";

export type PipelineLineageOptions = { pipelineLineage: PipelineLineage; enter: Enter };

/** From a run of a pipeline over its artifacts to runs of MLflow and models. */
export function registerPipelineLineage(
  app: FastifyInstance,
  { pipelineLineage, enter }: PipelineLineageOptions,
): void {
  const config = { access: reads("pipeline"), protocol: "console" } as const;
  app.get("/console/api/lineage/pipeline-run", { config }, async (request, reply) => {
    const { workspace, run_id: runId } = read(pipelineRunLineageRequest, request.query);
    const scope = await enter(request.caller, workspace);
    request.subject = { workspace, resourceType: "pipeline_run", resourceId: runId };
    if (!allows(scope.policy.general, "read")) throw permissionDenied("Permission denied");
    request.decided = true;
    return reply.send(graphOf(await pipelineLineage.ofRun(scope, runId)) satisfies PipelineRunLineage);
  });
}

const iso = (micros: Micros | null): string | null => (micros === null ? null : microsToIso(micros));

const graphOf = (lineage: RunLineage): PipelineRunLineage => ({
  nodes: [...ownNodes(lineage), ...otherNodes(lineage)],
  edges: [...ownEdges(lineage), ...otherEdges(lineage)],
  truncated: lineage.truncated,
});

const idOf = (kind: LineageNode["kind"], ...parts: readonly (string | number)[]): string =>
  [kind, ...parts].join(":");

/** What is of the run itself. */
function ownNodes({ run, pipeline, steps, artifacts }: RunLineage): LineageNode[] {
  return [
    {
      kind: "pipeline_run",
      id: idOf("pipeline_run", run.id),
      run_id: run.id,
      name: run.name,
      details: {
        status: run.status,
        index: run.index,
        pipeline: pipeline === undefined ? null : { id: pipeline.id, name: pipeline.name },
        start_time: iso(run.start_time),
        end_time: iso(run.end_time),
      },
    },
    ...steps.map((step): LineageNode => ({
      kind: "step",
      id: idOf("step", step.id),
      step_id: step.id,
      name: step.name,
      version: step.version,
      status: step.status,
      start_time: iso(step.start_time),
      end_time: iso(step.end_time),
      original_step_id: step.original_step_run_id,
    })),
    ...artifacts.map(({ id, artifact_name: name, ...artifact }): LineageNode => ({
      kind: "artifact_version",
      id: idOf("artifact_version", id),
      artifact_version_id: id,
      name,
      ...artifact,
    })),
  ];
}

function otherNodes(lineage: RunLineage): LineageNode[] {
  const others = new Map(lineage.otherRuns.map((one) => [one.run_id, one.run_name]));
  return [
    ...[...others].map(([runId, name]): LineageNode => ({
      kind: "pipeline_run",
      id: idOf("pipeline_run", runId),
      run_id: runId,
      name,
      details: null,
    })),
    ...lineage.loggedRuns.map(({ run_id: runId, details }): LineageNode => {
      const id = idOf("mlflow_run", runId);
      if (details === null) return { kind: "mlflow_run", id, run_id: runId, details };
      const { run_id: _same, ...shown } = details;
      return { kind: "mlflow_run", id, run_id: runId, details: shown };
    }),
    ...lineage.registeredVersions.map(({ name, version, aliases, stage, creation_time }): LineageNode => ({
      kind: "registered_model_version",
      id: idOf("registered_model_version", version, name),
      name,
      version,
      aliases,
      stage,
      creation_time,
    })),
    ...lineage.modelVersions.map(({ id, linked: _linked, ...version }): LineageNode => ({
      kind: "model_version",
      id: idOf("model_version", id),
      model_version_id: id,
      ...version,
    })),
  ];
}

function ownEdges({ run, steps, order, stepArtifacts }: RunLineage): LineageEdge[] {
  return [
    ...steps.map(({ id }): LineageEdge => ({
      from: idOf("pipeline_run", run.id),
      to: idOf("step", id),
      kind: "has",
    })),
    ...order.map(({ step_id: step, parent_id: parent }): LineageEdge => ({
      from: idOf("step", parent),
      to: idOf("step", step),
      kind: "then",
    })),
    ...stepArtifacts.map(({ step_id: step, artifact_version_id: version, name, direction }): LineageEdge => {
      const [from, to] = [idOf("step", step), idOf("artifact_version", version)];
      return direction === "output"
        ? { from, to, kind: "output", name }
        : { from: to, to: from, kind: "input", name };
    }),
  ];
}

function otherEdges({ run, otherRuns, loggedRuns, ...lineage }: RunLineage): LineageEdge[] {
  const { registeredVersions, modelVersions, artifacts, steps } = lineage;
  const kinds = new Map<string, LineageNode["kind"]>([
    [run.id, "pipeline_run"],
    ...steps.map(({ id }): [string, "step"] => [id, "step"]),
    ...artifacts.map(({ id }): [string, "artifact_version"] => [id, "artifact_version"]),
  ]);
  return [
    ...otherRuns.map(({ run_id: other, artifact_version_id: version, direction }): LineageEdge => {
      const [from, to] = [idOf("pipeline_run", other), idOf("artifact_version", version)];
      return direction === "made" ? { from, to, kind: "output" } : { from: to, to: from, kind: "input" };
    }),
    ...loggedRuns.flatMap(({ run_id: logged, step_ids: stepIds }): LineageEdge[] => {
      const to = idOf("mlflow_run", logged);
      if (stepIds.length === 0) return [{ from: idOf("pipeline_run", run.id), to, kind: "logged_to" }];
      return stepIds.map((id) => ({ from: idOf("step", id), to, kind: "logged_to" }));
    }),
    ...registeredVersions.map(({ name, version, origin_run_id: origin }): LineageEdge => ({
      from: idOf("mlflow_run", origin),
      to: idOf("registered_model_version", version, name),
      kind: "registered_as",
    })),
    ...modelVersions.flatMap(({ id, linked }) =>
      linked.flatMap((from): LineageEdge[] => {
        const kind = kinds.get(from);
        return kind === undefined
          ? []
          : [{ from: idOf(kind, from), to: idOf("model_version", id), kind: "linked" }];
      }),
    ),
  ];
}
