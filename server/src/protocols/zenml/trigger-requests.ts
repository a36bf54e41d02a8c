import { z } from "zod";
import {
  supportedEvents,
  type SourceType,
  type TriggerRow,
  type TriggerSubject,
} from "../../modules/pipelines/index.ts";
import { flag, integer, jsonObject, shortText, time, uuid } from "./fields.ts";
import { iso } from "./envelope.ts";

/** Requests about triggers of ZenML 0.98, by the type of the trigger. */

const common = {
  name: shortText.min(1, "String should have at least 1 character"),
  active: flag.default(true),
  concurrency: z.enum(["skip", "submit"]).default("skip"),
};

/** What an update does not say stays as it is. */
const kept = { active: flag.optional(), concurrency: common.concurrency.unwrap().optional() };

const schedule = {
  ...common,
  type: z.literal("schedule"),
  flavor: z.literal("native schedule").default("native schedule"),
  cron_expression: z.string().nullish(),
  interval: integer.pipe(z.number().min(60, "Input should be greater than or equal to 60")).nullish(),
  start_time: time.nullish(),
  end_time: time.nullish(),
  run_once_start_time: time.nullish(),
  max_runs: integer.pipe(z.number().min(1, "Input should be greater than or equal to 1")).nullish(),
};

const sourceTypes = Object.keys(supportedEvents) as [SourceType, ...SourceType[]];
export const sourceType = z.enum(sourceTypes);

const platformEvent = {
  ...common,
  type: z.literal("platform_event"),
  flavor: z.literal("platform event").default("platform event"),
  source_entity: z.object({ type: sourceType, id: uuid }),
  target_events: z.array(z.string()).min(1, "List should have at least 1 item after validation, not 0"),
};

const webhook = { ...common, type: z.literal("webhook"), configuration: jsonObject };

type Schedule = Omit<z.infer<z.ZodObject<typeof schedule>>, keyof typeof kept>;
type PlatformEvent = Omit<z.infer<z.ZodObject<typeof platformEvent>>, keyof typeof kept>;

function checkTimes(given: Schedule, context: z.core.$RefinementCtx<Schedule>): void {
  const refuse = (message: string): void =>
    context.addIssue({ code: "custom", message: `Value error, ${message}` });
  const options = [given.cron_expression, given.interval, given.run_once_start_time].filter(
    (option) => option !== null && option !== undefined,
  );
  if (given.interval && !given.start_time) refuse("Interval must be set with start time.");
  else if (options.length === 0) {
    refuse("You must specify an execution option (cron, interval, one-off) for the schedule.");
  } else if (options.length > 1) {
    refuse("You must specify exactly one option (cron, interval, one-off) for the schedule.");
  } else if (given.start_time && given.end_time && given.end_time <= given.start_time) {
    refuse("The end time must be after the start time.");
  }
}

function checkEvents(given: PlatformEvent, context: z.core.$RefinementCtx<PlatformEvent>): void {
  const allowed = supportedEvents[given.source_entity.type];
  for (const event of given.target_events) {
    if (Object.hasOwn(allowed, event)) continue;
    context.addIssue({
      code: "custom",
      message: `Value error, Invalid event for source_type ${given.source_entity.type}. Allowed: ${Object.keys(allowed).join(", ")}`,
    });
  }
}

const inProject = { project: uuid };

export const triggerRequest = z.union([
  z.object({ ...schedule, ...inProject }).superRefine(checkTimes),
  z.object({ ...platformEvent, ...inProject }).superRefine(checkEvents),
  z.object({ ...webhook, ...inProject, flavor: z.literal("webhook").default("webhook"), webhook_id: uuid }),
]);
export type TriggerRequest = z.infer<typeof triggerRequest>;

export const triggerUpdate = z.union([
  z.object({ ...schedule, ...kept, next_occurrence: time.nullish() }).superRefine(checkTimes),
  z.object({ ...platformEvent, ...kept }).superRefine(checkEvents),
  // All that can be changed has to be said.
  z.object({ ...webhook, active: flag, concurrency: z.enum(["skip", "submit"]) }),
]);
export type TriggerUpdate = z.infer<typeof triggerUpdate>;

type Given = TriggerRequest | TriggerUpdate;

/** What of a trigger is kept as JSON, and shown as it is. */
export function dataOf(given: Given): object {
  switch (given.type) {
    case "schedule":
      return {
        cron_expression: given.cron_expression ?? null,
        interval: given.interval ?? null,
        end_time: iso(given.end_time ?? null),
        start_time: iso(given.start_time ?? null),
        run_once_start_time: iso(given.run_once_start_time ?? null),
        max_runs: given.max_runs ?? null,
      };
    case "platform_event":
      return { source_entity: given.source_entity, target_events: given.target_events };
    case "webhook":
      return given.configuration;
  }
}

export function subjectOf(given: Given, before?: TriggerRow): TriggerSubject {
  switch (given.type) {
    case "schedule":
      return {
        type: "schedule",
        times: {
          cron_expression: given.cron_expression ?? null,
          interval: given.interval ?? null,
          start_time: given.start_time ?? null,
          end_time: given.end_time ?? null,
          run_once_start_time: given.run_once_start_time ?? null,
        },
        next: "next_occurrence" in given ? (given.next_occurrence ?? undefined) : undefined,
      };
    case "platform_event":
      return { type: "platform_event", source: given.source_entity };
    case "webhook":
      return {
        type: "webhook",
        webhookId: "webhook_id" in given ? given.webhook_id : (before?.webhook_id ?? null),
      };
  }
}

export const flavorOf = {
  schedule: "native schedule",
  platform_event: "platform event",
  webhook: "webhook",
} as const;
