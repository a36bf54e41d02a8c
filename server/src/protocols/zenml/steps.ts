import { sql } from "kysely";
import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { microsToIso } from "../../kernel/micros.ts";
import {
  selectStepDetails,
  spliceSubstitutions,
  type Database,
  type NewStep,
  type StepRunRow,
  type WrittenStep,
} from "../../modules/pipelines/index.ts";
import { userIdOf, type ProjectScope } from "./access.ts";
import { configuredStep } from "./configuration.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { json, statusFor } from "./envelope.ts";
import { integer, longText, shortText, time, uuid } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import {
  exceptionInfo,
  exceptionText,
  givenLogs,
  listed,
  namedId,
  namedIds,
  newLogs,
  status,
} from "./run-fields.ts";
import { createStepViews } from "./step-views.ts";

const request = z.object({
  project: uuid,
  name: shortText,
  start_time: time.nullish(),
  end_time: time.nullish(),
  status,
  cache_key: shortText.nullish(),
  cache_expires_at: time.nullish(),
  code_hash: shortText.nullish(),
  docstring: longText.nullish(),
  source_code: longText.nullish(),
  pipeline_run_id: uuid,
  original_step_run_id: uuid.nullish(),
  inputs: namedIds,
  outputs: namedIds,
  logs: givenLogs.nullish(),
  exception_info: exceptionInfo.nullish(),
  dynamic_config: configuredStep.nullish(),
});

const update = z.object({
  outputs: namedIds,
  loaded_artifact_versions: namedId,
  status: status.nullish(),
  end_time: time.nullish(),
  exception_info: exceptionInfo.nullish(),
  cache_expires_at: time.nullish(),
  add_logs: z.array(newLogs).nullish(),
});

const heartbeat = z
  .object({
    heartbeat_liveness_timeout_seconds: integer
      .refine((seconds) => seconds > 0, "Input should be greater than 0")
      .nullish(),
  })
  .nullish();

export function stepEndpoints(context: ZenmlContext, database: Database): ZenmlEndpoint[] {
  const { access } = context;
  const { runs, steps } = context.pipelines;
  const views = createStepViews(context, database);

  const view = async (call: ZenmlCall, row: StepRunRow, hydrate = true): Promise<unknown> =>
    (await views(call, [row], { hydrate }))[0];

  const viewWritten = async (call: ZenmlCall, { row, shown }: WrittenStep): Promise<unknown> =>
    (await views(call, [row], { hydrate: true, ...(shown && { shown }) }))[0];

  /** Who may read or change a run may do so with its steps. */
  const enter = async (call: ZenmlCall, id: string, action: "read" | "edit"): Promise<ProjectScope> => {
    const place = await steps.places.ofStep(id);
    return access.enterProjectOf(call.request, { ...place, id }, { action, label: steps.label });
  };

  const get = async (call: ZenmlCall): Promise<StepRunRow> => {
    const { step_id: id = "" } = call.path;
    const [row] = await Promise.all([steps.get(id), enter(call, id, "read")]);
    return row;
  };

  return [
    endpoint({
      method: "GET",
      path: "/steps",
      access: reads("pipeline"),
      async handle(call) {
        const scope = await context.enterListed(call);
        const query = context.listQuery(call, steps.fields);
        const { total, rows } = await steps.search(query, [within(scope)], scope.workspaceId);
        return pageOf(query, { total, items: await views(call, rows, query) });
      },
    }),
    endpoint({
      method: "GET",
      path: "/runs/:run_id/steps",
      access: reads("pipeline"),
      async handle(call) {
        const run = await context.getInProject(call, {
          collection: runs,
          id: call.path["run_id"],
          action: "read",
        });
        const query = context.listQuery(call, steps.fields);
        const conditions = query.conditions.filter(({ field }) => field !== "pipeline_run_id");
        const { total, rows } = await steps.search({ ...query, conditions }, [sql`t.run_id = ${run.id}`]);
        return pageOf(query, { total, items: await views(call, rows, { hydrate: false }) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/steps",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const run = await steps.places.ofRun(body.pipeline_run_id);
        await access.enterProjectOf(call.request, run, { action: "edit", label: runs.label });
        const written = await steps.create({
          step: readStep(body),
          project,
          userId: userIdOf(call.request),
          ids: call.newId,
        });
        return viewWritten(call, written);
      },
    }),
    endpoint({
      method: "GET",
      path: "/steps/:step_id",
      access: reads("pipeline"),
      async handle(call) {
        const row = await get(call);
        return view(call, row, readFlag(call.parameters, "hydrate", true));
      },
    }),
    endpoint({
      method: "PUT",
      path: "/steps/:step_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { body, path } = call;
        const id = path["step_id"] ?? "";
        const project = await enter(call, id, "edit");
        const written = await steps.update(id, {
          ...(body.status ? { status: body.status } : {}),
          ...(body.end_time ? { endTime: body.end_time } : {}),
          ...(body.exception_info ? { exceptionInfoJson: exceptionText(body.exception_info) } : {}),
          ...(body.cache_expires_at ? { cacheExpiresAt: body.cache_expires_at } : {}),
          outputs: listed(body.outputs),
          loaded: Object.entries(body.loaded_artifact_versions).map(([name, of]) => ({ name, id: of })),
          addLogs: body.add_logs ?? [],
          project,
          userId: userIdOf(call.request),
          ids: call.newId,
        });
        return viewWritten(call, written);
      },
    }),
    endpoint({
      method: "PUT",
      path: "/steps/:step_run_id/heartbeat",
      access: uses("pipeline"),
      body: heartbeat,
      async handle(call) {
        const id = call.path["step_run_id"] ?? "";
        await enter(call, id, "edit");
        const beat = await steps.beat(id);
        return {
          id: beat.id,
          status: statusFor(beat.status, call),
          latest_heartbeat: `${microsToIso(beat.latest_heartbeat)}Z`,
          pipeline_run_status: statusFor(beat.run_status, call),
          heartbeat_enabled: beat.heartbeat_threshold !== null,
        };
      },
    }),
    endpoint({
      method: "GET",
      path: "/steps/:step_id/step-configuration",
      access: reads("pipeline"),
      async handle(call) {
        const row = await get(call);
        const found = (await selectStepDetails(database, [row.id])).get(row.id);
        return json(spliceSubstitutions(found?.config_json ?? "{}", row.substitutions_json));
      },
    }),
    endpoint({
      method: "GET",
      path: "/steps/:step_id/status",
      access: reads("pipeline"),
      handle: async (call) => statusFor((await get(call)).status, call),
    }),
  ];
}

function readStep(body: z.output<typeof request>): NewStep {
  const { dynamic_config: dynamic } = body;
  return {
    name: body.name,
    runId: body.pipeline_run_id,
    status: body.status,
    startTime: body.start_time ?? null,
    endTime: body.end_time ?? null,
    cacheKey: body.cache_key ?? null,
    cacheExpiresAt: body.cache_expires_at ?? null,
    codeHash: body.code_hash ?? null,
    docstring: body.docstring ?? null,
    sourceCode: body.source_code ?? null,
    originalStepRunId: body.original_step_run_id ?? null,
    exceptionInfoJson: body.exception_info ? exceptionText(body.exception_info) : null,
    inputs: listed(body.inputs),
    outputs: listed(body.outputs),
    logs: body.logs ?? null,
    dynamic: dynamic
      ? { specJson: JSON.stringify(dynamic.spec), overrides: dynamic.step_config_overrides }
      : null,
  };
}
