import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { readMetadata, type RunWaitConditionRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json, jsonOrNull } from "./envelope.ts";
import { jsonObject, time, uuid } from "./fields.ts";
import { readFlag } from "./list-query.ts";
import { waitConditionBody } from "./summaries.ts";
import { listInProject, viewOne } from "./reading.ts";

const request = z.object({
  project: uuid,
  run: uuid,
  name: z.string(),
  type: z.literal("external_input"),
  question: z.string().nullish(),
  data_schema: jsonObject.nullish(),
  metadata: jsonObject.default(() => ({})),
});

const lease = z.object({
  poller_instance_id: z.string(),
  poller_lease_expires_at: time,
  mode: z.enum(["refresh", "finalize", "abandon"]).default("refresh"),
});

const resolution = z.object({
  resolution: z.enum(["continue", "abort"]),
  result: z.unknown().optional(),
});

export function waitConditionEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { waitConditions, runs, steps } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly RunWaitConditionRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const view = context.viewContext(call);
    const related = context.relatedFor(call);
    const [users, ofRuns, logged] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      related.runs(rows.map((row) => row.run_id)),
      hydrate ? related.metadataOf(rows.map(({ id }) => id)) : undefined,
    ]);
    return rows.map((row) =>
      entity(row, {
        body: waitConditionBody(row, view),
        metadata: logged
          ? {
              question: row.question,
              run_metadata: json(logged.get(row.id) ?? "{}"),
              data_schema: jsonOrNull(row.data_schema_json),
              resolution: row.resolution,
              result: jsonOrNull(row.result_json),
            }
          : null,
        resources: { user: users.get(row.user_id ?? "") ?? null, run: ofRuns.get(row.run_id) ?? null },
      }),
    );
  };

  const view = viewOne(views);

  /** Who may read or change a run may do so with what it waits for. */
  const get = async (call: ZenmlCall, action: "read" | "edit"): Promise<RunWaitConditionRow> => {
    const row = await waitConditions.get(call.path["run_wait_condition_id"] ?? "");
    const place = await steps.places.ofRun(row.run_id);
    await access.enterProjectOf(
      call.request,
      { ...place, id: row.id },
      { action, label: waitConditions.label },
    );
    return row;
  };

  return [
    listInProject(context, "/run_wait_conditions", { collection: waitConditions, views }),
    endpoint({
      method: "POST",
      path: "/run_wait_conditions",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const place = await steps.places.ofRun(body.run);
        await access.enterProjectOf(call.request, place, { action: "edit", label: runs.label });
        const row = await waitConditions.create({
          runId: body.run,
          name: body.name,
          type: body.type,
          question: body.question ?? null,
          dataSchemaJson: body.data_schema ? JSON.stringify(body.data_schema) : null,
          metadata: readMetadata(body.metadata),
          workspaceId: project.workspaceId,
          userId: userIdOf(call.request),
          ids: call.newId,
        });
        return view(call, row);
      },
    }),
    endpoint({
      method: "GET",
      path: "/run_wait_conditions/:run_wait_condition_id",
      access: reads("pipeline"),
      async handle(call) {
        return view(call, await get(call, "read"), readFlag(call.parameters, "hydrate", true));
      },
    }),
    endpoint({
      method: "PUT",
      path: "/run_wait_conditions/:run_wait_condition_id",
      access: uses("pipeline"),
      body: lease,
      async handle(call) {
        const { id } = await get(call, "edit");
        const { mode, poller_instance_id: pollerId, poller_lease_expires_at: expiresAt } = call.body;
        return waitConditions.updateLease(id, { mode, pollerId, expiresAt });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/run_wait_conditions/:run_wait_condition_id/resolve",
      access: uses("pipeline"),
      body: resolution,
      async handle(call) {
        const { id } = await get(call, "edit");
        const { result } = call.body;
        const row = await waitConditions.resolve(id, {
          resolution: call.body.resolution,
          resultJson: result === undefined || result === null ? null : JSON.stringify(result),
          userId: userIdOf(call.request),
        });
        return view(call, row);
      },
    }),
  ];
}
