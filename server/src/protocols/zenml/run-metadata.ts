import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import { notFound } from "../../kernel/errors.ts";
import { metadataResourceTypes, metadataTypes } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { uuid } from "./fields.ts";

const request = z.object({
  project: uuid,
  resources: z.array(z.object({ id: uuid, type: z.enum(metadataResourceTypes) })),
  stack_component_id: uuid.nullish(),
  publisher_step_id: uuid.nullish(),
  values: z
    .record(
      z.string(),
      z.unknown().refine((value) => value !== null, "Input should be a value other than null"),
    )
    .refine(
      (values) => !Object.keys(values).some((key) => key.includes(":")),
      "Value error, You can not use colons (`:`) in the key names when you are creating metadata",
    ),
  types: z.record(z.string(), z.enum(metadataTypes)),
});

/** What steps and people log about runs, steps, artifacts, models and schedules. */
export function runMetadataEndpoints({ access, pipelines }: ZenmlContext): ZenmlEndpoint[] {
  const { runMetadata } = pipelines;
  return [
    endpoint({
      method: "POST",
      path: "/run-metadata",
      access: uses("pipeline"),
      body: request,
      async handle({ body, request: http, newId }) {
        const project = await access.enterProject(http, body.project, "use");
        const described = await runMetadata.getDescribed(body.resources, project);
        const owners = Map.groupBy(described, (row) => row.user_id);
        for (const [row] of owners.values()) {
          if (row !== undefined)
            await access.enterProjectOf(http, row, { action: "edit", label: "resource" });
        }
        const values = Object.entries(body.values).map(([key, value]) => {
          const type = body.types[key];
          if (type === undefined) throw notFound(key);
          return { id: newId(), key, value_json: JSON.stringify(value), type };
        });
        await runMetadata.log({
          project,
          userId: userIdOf(http),
          resources: body.resources,
          values,
          stackComponentId: body.stack_component_id ?? null,
          publisherStepId: body.publisher_step_id ?? null,
        });
        return null;
      },
    }),
  ];
}
