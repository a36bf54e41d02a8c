import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import type { BuildRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json, projectBody } from "./envelope.ts";
import { integer, uuid } from "./fields.ts";
import { listInProject, readOne, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const text = z.string().nullable().default(null);

const image = z.object({
  image: z.string(),
  dockerfile: text,
  requirements: text,
  settings_checksum: text,
  contains_code: z.boolean().default(true),
  requires_code_download: z.boolean().default(false),
});

const request = z.object({
  project: uuid,
  images: z.record(z.string(), image).default({}),
  is_local: z.boolean(),
  contains_code: z.boolean(),
  zenml_version: text,
  python_version: text,
  duration: integer.nullable().default(null),
  checksum: text,
  stack_checksum: text,
  stack: uuid.nullish(),
  pipeline: uuid.nullish(),
});

export function buildEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { builds } = context.pipelines;

  const views = async (call: ZenmlCall, rows: readonly BuildRow[], hydrate: boolean): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const [users, pipelines, stacks] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      related.pipelines(hydrate ? rows.map((row) => row.pipeline_id) : []),
      related.stacks(hydrate ? rows.map((row) => row.stack_id) : []),
    ]);
    return rows.map((row) =>
      entity(
        { id: row.id },
        {
          body: projectBody(row, shown),
          metadata: hydrate
            ? {
                pipeline: pipelines.get(row.pipeline_id ?? "") ?? null,
                stack: stacks.get(row.stack_id ?? "") ?? null,
                images: json(row.images_json),
                zenml_version: row.zenml_version,
                python_version: row.python_version,
                checksum: row.checksum,
                stack_checksum: row.stack_checksum,
                is_local: row.is_local,
                contains_code: row.contains_code,
                duration: row.duration,
              }
            : null,
          resources: { user: users.get(row.user_id ?? "") ?? null },
        },
      ),
    );
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<BuildRow> =>
    context.getInProject(call, { collection: builds, id: call.path["build_id"], action });

  return [
    listInProject(context, "/pipeline_builds", { collection: builds, views }),
    endpoint({
      method: "POST",
      path: "/pipeline_builds",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const row = await builds.create(
          {
            id: call.newId(),
            user_id: userIdOf(call.request),
            pipeline_id: body.pipeline ?? null,
            stack_id: body.stack ?? null,
            images_json: JSON.stringify(body.images),
            is_local: body.is_local,
            contains_code: body.contains_code,
            zenml_version: body.zenml_version,
            python_version: body.python_version,
            checksum: body.checksum,
            stack_checksum: body.stack_checksum,
            duration: body.duration,
          },
          project,
        );
        return view(call, row);
      },
    }),
    readOne("/pipeline_builds/:build_id", { get, view }),
    removeOne("/pipeline_builds/:build_id", { collection: builds, get }),
  ];
}
