import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import { parseDuration } from "../../kernel/durations.ts";
import { plainNumber } from "../../kernel/json-text.ts";
import type { ScheduleRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, jsonOrNull } from "./envelope.ts";
import { shortText, time, uuid } from "./fields.ts";
import { readFlag } from "./list-query.ts";
import { scheduleBody } from "./summaries.ts";
import { listInProject, readOne, viewOne } from "./reading.ts";

/** Seconds, of a number of them or of a duration such as `PT1H`. */
const interval = z.unknown().transform((given, context): number | null => {
  if (given === undefined || given === null) return null;
  const seconds = parseDuration(plainNumber(given));
  if (seconds !== undefined) return seconds;
  context.addIssue({ code: "custom", message: "Input should be a valid timedelta" });
  return z.NEVER;
});

const request = z
  .object({
    project: uuid,
    name: shortText,
    active: z.boolean(),
    cron_expression: z.string().nullish(),
    start_time: time.nullish(),
    end_time: time.nullish(),
    interval_second: interval.optional(),
    catchup: z.boolean().default(false),
    run_once_start_time: time.nullish(),
    orchestrator_id: uuid.nullable(),
    pipeline_id: uuid.nullable(),
  })
  .refine(
    (given) =>
      Boolean(given.cron_expression) ||
      (typeof given.start_time === "number" && Boolean(given.interval_second)) ||
      typeof given.run_once_start_time === "number",
    "Value error, Either a cron expression, a start time and interval seconds or a run once start time need to be " +
      "set for a valid schedule.",
  );

const update = z.object({
  name: shortText.nullish(),
  cron_expression: z.string().nullish(),
  active: z.boolean().nullish(),
});

export function scheduleEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { schedules } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly ScheduleRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const [users, metadata] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      related.metadataOf(hydrate ? rows.map((row) => row.id) : []),
    ]);
    return rows.map((row) =>
      entity(row, {
        body: scheduleBody(row, shown),
        metadata: hydrate
          ? {
              orchestrator_id: row.orchestrator_id,
              pipeline_id: row.pipeline_id,
              run_metadata: jsonOrNull(metadata.get(row.id) ?? null) ?? {},
            }
          : null,
        resources: { user: users.get(row.user_id ?? "") ?? null },
      }),
    );
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<ScheduleRow> =>
    context.getInProject(call, { collection: schedules, id: call.path["schedule_id"], action });

  return [
    listInProject(context, "/schedules", { collection: schedules, views }),
    endpoint({
      method: "POST",
      path: "/schedules",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const row = await schedules.create(
          {
            id: call.newId(),
            user_id: userIdOf(call.request),
            name: body.name,
            active: body.active,
            cron_expression: body.cron_expression ?? null,
            start_time: body.start_time ?? null,
            end_time: body.end_time ?? null,
            interval_second: body.interval_second ?? null,
            catchup: body.catchup,
            run_once_start_time: body.run_once_start_time ?? null,
            orchestrator_id: body.orchestrator_id,
            pipeline_id: body.pipeline_id,
          },
          project,
        );
        return view(call, row);
      },
    }),
    readOne("/schedules/:schedule_id", { get, view }),
    endpoint({
      method: "PUT",
      path: "/schedules/:schedule_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { name, cron_expression: cron, active } = call.body;
        const row = await get(call, "edit");
        const changed = await schedules.update(row.id, {
          ...(typeof name === "string" ? { name } : {}),
          ...(cron ? { cron_expression: cron } : {}),
          ...(typeof active === "boolean" ? { active } : {}),
        });
        return view(call, changed);
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/schedules/:schedule_id",
      access: uses("pipeline"),
      async handle(call) {
        const row = await get(call, "edit");
        // Clients of 0.84 know one way only.
        const isSoft = readFlag(call.parameters, "soft", false);
        await (isSoft ? schedules.archive(row.id, call.newId()) : schedules.remove(row.id));
        return null;
      },
    }),
  ];
}
