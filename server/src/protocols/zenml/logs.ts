import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { invalidParameter, invalidState } from "../../kernel/errors.ts";
import type { LogsRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { longText, shortText, uuid } from "./fields.ts";
import { readFlag } from "./list-query.ts";
import { cursorsOf, parseEntriesQuery } from "./log-queries.ts";
import { readerOf } from "./secrets.ts";
import { toldOfLogs } from "./store-errors.ts";
import { logsView } from "./summaries.ts";

/** What a server writes that starts runs by itself, as Plinth does not. */
export const RUNNER = "runner";
export const noRunnerLogs = (): Error => invalidParameter("Runner logs are unavailable for this run.");

const ownerIds = { pipeline_run_id: uuid.nullish(), step_run_id: uuid.nullish() };
const isOfOne = (given: { pipeline_run_id?: unknown; step_run_id?: unknown }): boolean =>
  !given.pipeline_run_id || !given.step_run_id;
const notOfOne = { message: "Value error, Two different IDs can not be set at the same time." };

const request = z
  .object({
    id: uuid.nullish(),
    project: uuid.nullish(),
    uri: longText.nullish(),
    source: shortText.default(""),
    artifact_store_id: uuid.nullish(),
    log_store_id: uuid.nullish(),
    hook_invocation_id: uuid.nullish(),
    ...ownerIds,
  })
  .refine((given) => given.artifact_store_id || given.log_store_id || given.source === RUNNER, {
    message: "Value error, Either an `artifact_store_id` or a `log_store_id` must be set.",
  })
  .refine(isOfOne, notOfOne);

const update = z.object(ownerIds).refine(isOfOne, notOfOne);

export function logsEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { logs, logReader } = context.pipelines;

  const view = async (call: ZenmlCall, row: LogsRow, hydrate = true): Promise<object> => {
    const users = await context.relatedFor(call).users([row.user_id]);
    const user = users.get(row.user_id ?? "") ?? null;
    return logsView(row, context.viewContext(call), { hydrate, user });
  };

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<LogsRow> =>
    context.getInProject(call, { collection: logs, id: call.path["logs_id"], action });

  /** Whoever writes about a run or step may change it. */
  const enterOwner = async (
    call: ZenmlCall,
    ids: { pipeline_run_id?: string | null | undefined; step_run_id?: string | null | undefined },
  ): Promise<void> => {
    const owner = await logs.findOwner(ids);
    if (owner === undefined) return;
    await access.enterProjectOf(call.request, owner.row, { action: "edit", label: owner.label });
  };

  /** Of something: what is of nothing yet is for whoever writes it. */
  const getAttached = async (call: ZenmlCall): Promise<LogsRow> => {
    const row = await get(call, "read");
    if (row.pipeline_run_id ?? row.step_run_id ?? row.hook_invocation_id) return row;
    throw invalidState(
      "Logs must be associated with a pipeline run, step run or hook invocation before fetching.",
    );
  };

  return [
    endpoint({
      method: "POST",
      path: "/logs",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const scope = await access.enterProject(call.request, body.project ?? undefined, "use");
        await enterOwner(call, body);
        const row = await logs.create(
          {
            id: body.id ?? call.newId(),
            workspace_id: scope.workspaceId,
            user_id: userIdOf(call.request),
            uri: body.uri ?? null,
            source: body.source,
            pipeline_run_id: body.pipeline_run_id ?? null,
            step_run_id: body.step_run_id ?? null,
            hook_invocation_id: body.hook_invocation_id ?? null,
            artifact_store_id: body.artifact_store_id ?? null,
            log_store_id: body.log_store_id ?? null,
          },
          scope,
        );
        return view(call, row);
      },
    }),
    endpoint({
      method: "GET",
      path: "/logs/:logs_id",
      access: reads("pipeline"),
      handle: async (call) => view(call, await getAttached(call), readFlag(call.parameters, "hydrate", true)),
    }),
    endpoint({
      method: "PUT",
      path: "/logs/:logs_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { body } = call;
        const row = await get(call, "edit");
        const project = await context.pipelines.projects.of(row.workspace_id);
        await enterOwner(call, body);
        const changed = await logs.attach(
          row,
          {
            pipeline_run_id: body.pipeline_run_id ?? undefined,
            step_run_id: body.step_run_id ?? undefined,
          },
          project,
        );
        return view(call, changed);
      },
    }),
    endpoint({
      method: "GET",
      path: "/logs/:logs_id/entries",
      access: reads("pipeline"),
      async handle(call) {
        const row = await getAttached(call);
        const query = parseEntriesQuery(call.query, row.id);
        if (row.source === RUNNER) throw noRunnerLogs();
        const page = await toldOfLogs(logReader.page(row, readerOf(call.request), query));
        return {
          items: page.entries.map(({ entry }) => entry),
          ...cursorsOf(page, { logId: row.id, filter: query.filter }),
        };
      },
    }),
  ];
}
