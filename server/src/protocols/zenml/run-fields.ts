import { z } from "zod";
import {
  executionStatuses,
  tagColors,
  type GivenLogs,
  type GivenTag,
  type NamedArtifact,
} from "../../modules/pipelines/index.ts";
import { flag, longText, shortText, uuid } from "./fields.ts";

/** Parts of requests about runs and steps. */

export const status = z.enum(executionStatuses);

export const exceptionInfo = z.object({
  traceback: z.string(),
  source: z.string().nullish(),
  message: z.string().nullish(),
  user_code_line: z.unknown().optional(),
});

/** With all its fields, as the clients read it. */
export const exceptionText = (given: z.output<typeof exceptionInfo>): string =>
  JSON.stringify({
    traceback: given.traceback,
    source: given.source ?? null,
    message: given.message ?? null,
    user_code_line: given.user_code_line ?? null,
  });

export const newLogs = z
  .object({
    id: uuid.optional(),
    uri: longText.nullish(),
    source: shortText.nullish(),
    artifact_store_id: uuid.nullish(),
    log_store_id: uuid.nullish(),
  })
  .refine((given) => given.artifact_store_id || given.log_store_id || given.source === "runner", {
    error: "Value error, Either an `artifact_store_id` or a `log_store_id` must be set.",
  });

/** Clients of 0.84 send new logs, those of 0.98 ids of logs that are there. */
export const givenLogs: z.ZodType<GivenLogs> = z.union([uuid, newLogs]);

export const givenTag: z.ZodType<GivenTag> = z.union([
  shortText,
  z.object({ name: shortText, color: z.enum(tagColors).nullish(), exclusive: flag.nullish() }),
]);

/** `{name: [ids]}` */
export const namedIds = z.record(z.string(), z.array(uuid)).default(() => ({}));
export const namedId = z.record(z.string(), uuid).default(() => ({}));

export const listed = (ids: Readonly<Record<string, readonly string[]>>): NamedArtifact[] =>
  Object.entries(ids).flatMap(([name, of]) => of.map((id) => ({ name, id })));
