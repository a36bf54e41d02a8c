import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import {
  outputsOfHook,
  selectLogsOf,
  type Database,
  type HookInvocationRow,
} from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, iso, jsonOrNull, projectBody, statusFor } from "./envelope.ts";
import { shortText, time, uuid } from "./fields.ts";
import { readFlag } from "./list-query.ts";
import { exceptionInfo, exceptionText, namedIds, status } from "./run-fields.ts";
import { logsSummary } from "./summaries.ts";
import { listInProject, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const request = z.object({
  id: uuid.optional(),
  project: uuid,
  hook_type: z.enum([
    "run_start",
    "run_success",
    "run_failure",
    "run_end",
    "run_pause",
    "run_resume",
    "step_start",
    "step_end",
    "step_success",
    "step_failure",
    "custom",
  ]),
  name: shortText
    .regex(/^[a-zA-Z_][a-zA-Z0-9_.-]*$/, "String should match pattern '^[a-zA-Z_][a-zA-Z0-9_.\\-]*$'")
    .nullish(),
  status,
  start_time: time,
  end_time: time.nullish(),
  source: shortText.nullish(),
  pipeline_run_id: uuid,
  step_run_id: uuid.nullish(),
  outputs: namedIds,
  exception_info: exceptionInfo.nullish(),
  logs_id: uuid.nullish(),
});

export function hookInvocationEndpoints(context: ZenmlContext, database: Database): ZenmlEndpoint[] {
  const { access } = context;
  const { hookInvocations, runs, steps } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly HookInvocationRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const view = context.viewContext(call);
    const related = context.relatedFor(call);
    const [users, artifacts, logs] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      related.artifactVersions(rows.flatMap((row) => Object.values(outputsOfHook(row)).flat())),
      selectLogsOf(
        database,
        "hook_invocation_id",
        rows.map(({ id }) => id),
      ),
    ]);
    return rows.map((row) =>
      entity(row, {
        body: {
          ...projectBody(row, view),
          hook_type: row.hook_type,
          status: statusFor(row.status, view),
          start_time: iso(row.start_time),
          end_time: iso(row.end_time),
          pipeline_run_id: row.pipeline_run_id,
          step_run_id: row.step_run_id,
        },
        metadata: hydrate
          ? { source: row.source, exception_info: jsonOrNull(row.exception_info_json) }
          : null,
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          outputs: Object.fromEntries(
            Object.entries(outputsOfHook(row)).map(([name, ids]) => [
              name,
              ids.flatMap((id) => artifacts.get(id) ?? []),
            ]),
          ),
          log_collection: (logs.get(row.id) ?? []).map((one) => logsSummary(one, view)),
        },
      }),
    );
  };

  const view = viewOne(views);

  /** Who may read or change a run may do so with what was hooked into it. */
  const get = async (call: ZenmlCall, action: "read" | "edit"): Promise<HookInvocationRow> => {
    const row = await hookInvocations.get(call.path["hook_invocation_id"] ?? "");
    const place = await steps.places.ofRun(row.pipeline_run_id);
    await access.enterProjectOf(
      call.request,
      { ...place, id: row.id },
      { action, label: hookInvocations.label },
    );
    return row;
  };

  return [
    listInProject(context, "/hook_invocations", { collection: hookInvocations, views }),
    endpoint({
      method: "POST",
      path: "/hook_invocations",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const place = await steps.places.ofRun(body.pipeline_run_id);
        await access.enterProjectOf(call.request, place, { action: "edit", label: runs.label });
        const row = await hookInvocations.create(
          {
            id: body.id ?? call.newId(),
            workspace_id: project.workspaceId,
            user_id: userIdOf(call.request),
            name: body.name ?? null,
            hook_type: body.hook_type,
            status: body.status,
            source: body.source ?? null,
            start_time: body.start_time,
            end_time: body.end_time ?? null,
            pipeline_run_id: body.pipeline_run_id,
            step_run_id: body.step_run_id ?? null,
            exception_info_json: body.exception_info ? exceptionText(body.exception_info) : null,
            outputs_json: JSON.stringify(body.outputs),
          },
          { project, logsId: body.logs_id ?? null },
        );
        return view(call, row);
      },
    }),
    endpoint({
      method: "GET",
      path: "/hook_invocations/:hook_invocation_id",
      access: reads("pipeline"),
      async handle(call) {
        return view(call, await get(call, "read"), readFlag(call.parameters, "hydrate", true));
      },
    }),
    removeOne("/hook_invocations/:hook_invocation_id", { collection: hookInvocations, get }),
  ];
}
