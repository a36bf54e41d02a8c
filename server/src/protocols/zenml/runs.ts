import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { notImplemented } from "../../kernel/errors.ts";
import {
  loadDag,
  selectConfigured,
  type Database,
  type NewRun,
  type PipelineRunRow,
  type UpdateRun,
} from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { within, type ZenmlContext } from "./context.ts";
import { dagView } from "./dag.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { json, statusFor } from "./envelope.ts";
import { invalidRequest, ZenmlError } from "./errors.ts";
import { jsonObject, shortText, time, uuid } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { exceptionInfo, exceptionText, givenLogs, givenTag, newLogs, status } from "./run-fields.ts";
import { configurationOf, createRunViews } from "./run-views.ts";
import { readOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const request = z
  .object({
    project: uuid,
    name: shortText,
    snapshot: uuid.optional(),
    // As 0.84 calls it.
    deployment: uuid.optional(),
    orchestrator_run_id: shortText.nullish(),
    start_time: time.nullish(),
    end_time: time.nullish(),
    status: z.enum(["initializing", "running"], {
      error: "Value error, Run must be started in the initializing or running state.",
    }),
    status_reason: shortText.nullish(),
    orchestrator_environment: jsonObject.default(() => ({})),
    trigger_info: z.object({ step_run_id: uuid.nullish(), deployment_id: uuid.nullish() }).nullish(),
    tags: z.array(givenTag).nullish(),
    logs: givenLogs.nullish(),
    exception_info: exceptionInfo.nullish(),
    original_run_id: uuid.nullish(),
    parent_run_id: uuid.nullish(),
    child_key: shortText.nullish(),
  })
  .refine((given) => (given.parent_run_id ?? null) === null || (given.child_key ?? null) !== null, {
    error: "Value error, `parent_run_id` is set but `child_key` is None; both must be set together.",
  })
  .refine((given) => (given.child_key ?? null) === null || (given.parent_run_id ?? null) !== null, {
    error: "Value error, `child_key` is set but `parent_run_id` is None; both must be set together.",
  });

const update = z.object({
  status: status.nullish(),
  status_reason: shortText.nullish(),
  orchestrator_run_id: z.string().nullish(),
  exception_info: exceptionInfo.nullish(),
  outputs: z.record(z.string(), uuid).nullish(),
  add_tags: z.array(z.string()).nullish(),
  remove_tags: z.array(z.string()).nullish(),
  add_logs: z.array(newLogs).nullish(),
});

export function runEndpoints(context: ZenmlContext, database: Database): ZenmlEndpoint[] {
  const { access } = context;
  const { runs } = context.pipelines;
  const views = createRunViews(context, database);

  const view = async (call: ZenmlCall, row: PipelineRunRow, hydrate = true): Promise<unknown> =>
    (
      await views(call, [row], {
        hydrate,
        fullMetadata: readFlag(call.parameters, "include_full_metadata", false),
        pythonPackages: readFlag(call.parameters, "include_python_packages", false),
      })
    )[0];

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<PipelineRunRow> =>
    context.getInProject(call, { collection: runs, id: call.path["run_id"], action });

  const configurationText = async ({ snapshot_id: id }: PipelineRunRow): Promise<string> =>
    (await selectConfigured(database, id === null ? [] : [id])).get(id ?? "")?.pipeline_configuration_json ??
    "{}";

  return [
    endpoint({
      method: "GET",
      path: "/runs",
      access: reads("pipeline"),
      async handle(call) {
        const scope = await context.enterListed(call);
        const query = context.listQuery(call, runs.fields);
        const { total, rows } = await runs.search(query, {
          workspaceId: scope.workspaceId,
          where: [within(scope)],
        });
        const items = await views(call, rows, {
          hydrate: query.hydrate,
          fullMetadata: readFlag(call.parameters, "include_full_metadata", false),
        });
        return pageOf(query, { total, items });
      },
    }),
    endpoint({
      method: "POST",
      path: "/runs",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const [row, created] = await runs.getOrCreate({
          run: readRun(body),
          project,
          userId: userIdOf(call.request),
          ids: call.newId,
        });
        return [await view(call, row), created];
      },
    }),
    readOne("/runs/:run_id", { get, view }),
    endpoint({
      method: "PUT",
      path: "/runs/:run_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { id, workspace_id: workspaceId } = await get(call, "edit");
        const projectId = context.viewContext(call).projectIdOf(workspaceId);
        const by = { userId: userIdOf(call.request), projectId, ids: call.newId };
        return view(call, await runs.update(id, { ...readUpdate(call.body), by }));
      },
    }),
    removeOne("/runs/:run_id", { collection: runs, get }),
    endpoint({
      method: "GET",
      path: "/runs/:run_id/status",
      access: reads("pipeline"),
      handle: async (call) => statusFor((await get(call, "read")).status, call),
    }),
    endpoint({
      method: "GET",
      path: "/runs/:run_id/dag",
      access: reads("pipeline"),
      async handle(call) {
        const row = await get(call, "read");
        const [data, configuration] = await Promise.all([
          loadDag(database, row, call.parameters.get("include_step_metadata") ?? []),
          configurationText(row),
        ]);
        return dagView(data, configuration, context.viewContext(call));
      },
    }),
    endpoint({
      method: "GET",
      path: "/runs/:run_id/pipeline-configuration",
      access: reads("pipeline"),
      async handle(call) {
        const row = await get(call, "read");
        return json(configurationOf(row, await configurationText(row)));
      },
    }),
    endpoint({
      method: "POST",
      path: "/runs/:run_id/refresh",
      access: uses("pipeline"),
      async handle(call) {
        await get(call, "edit");
        // ZenML's own server asks the orchestrator with its Python code, and its local one answers the same.
        throw notImplemented(
          "The status of a run is told by its steps and its client; no orchestrator is asked for it.",
        );
      },
    }),
    endpoint({
      method: "POST",
      path: "/runs/:run_id/stop",
      access: uses("pipeline"),
      async handle(call) {
        const { id } = await get(call, "edit");
        await runs.stop(id);
        // Steps hear of it with their next sign of life; what runs elsewhere is stopped by the client.
        throw notImplemented(
          "The run is marked as stopping. No orchestrator is told: use `zenml pipeline runs stop` of the client for that.",
        );
      },
    }),
    endpoint({
      method: "PUT",
      path: "/runs/:run_id/disable_heartbeat",
      access: uses("pipeline"),
      async handle(call) {
        const { id } = await get(call, "edit");
        await runs.disableHeartbeat(id);
        return null;
      },
    }),
    endpoint({
      method: "POST",
      path: "/runs/:run_id/events",
      access: uses("pipeline"),
      async handle(call) {
        await get(call, "edit");
        throw noStreaming();
      },
    }),
    endpoint({
      method: "GET",
      path: "/runs/:run_id/events/stream",
      access: reads("pipeline"),
      async handle(call) {
        await get(call, "read");
        throw noStreaming();
      },
    }),
  ];
}

const noStreaming = (): ZenmlError => {
  const detail = "Live event streaming is not enabled on this server.";
  return new ZenmlError("not_implemented", detail, { status: 501, body: { detail } });
};

function readRun(body: z.output<typeof request>): NewRun {
  const snapshotId = body.snapshot ?? body.deployment;
  if (snapshotId === undefined) {
    throw invalidRequest([{ type: "missing", loc: ["body", "snapshot"], msg: "Field required" }]);
  }
  return {
    name: body.name,
    snapshotId,
    orchestratorRunId: body.orchestrator_run_id || null,
    status: body.status,
    statusReason: body.status_reason ?? null,
    startTime: body.start_time ?? null,
    endTime: body.end_time ?? null,
    orchestratorEnvironmentJson: JSON.stringify(body.orchestrator_environment),
    triggeredByStepRunId: body.trigger_info?.step_run_id ?? null,
    triggeredByDeploymentId: body.trigger_info?.step_run_id
      ? null
      : (body.trigger_info?.deployment_id ?? null),
    originalRunId: body.original_run_id ?? null,
    parentRunId: body.parent_run_id ?? null,
    childKey: body.child_key ?? null,
    exceptionInfoJson: body.exception_info ? exceptionText(body.exception_info) : null,
    tags: body.tags ?? null,
    logs: body.logs ?? null,
  };
}

const readUpdate = (body: z.output<typeof update>): UpdateRun => ({
  status: body.status ?? undefined,
  statusReason: body.status_reason ?? undefined,
  orchestratorRunId: body.orchestrator_run_id ?? undefined,
  exceptionInfoJson: body.exception_info ? exceptionText(body.exception_info) : undefined,
  outputs: body.outputs ?? undefined,
  addTags: body.add_tags ?? undefined,
  removeTags: body.remove_tags ?? undefined,
  addLogs: body.add_logs ?? undefined,
});
