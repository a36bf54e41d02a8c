import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import type { PipelineRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, projectBody, statusFor } from "./envelope.ts";
import { longText, shortText, uuid } from "./fields.ts";
import { listInProject, readOne, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const tagNames = z.array(z.string()).nullish();

const request = z.object({
  project: uuid,
  name: shortText,
  description: longText.nullish(),
  tags: tagNames,
});

const update = z.object({
  description: longText.nullish(),
  add_tags: tagNames,
  remove_tags: tagNames,
});

export function pipelineEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { pipelines } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly PipelineRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map((row) => row.id);
    const [latest, tags, visualizations] = await Promise.all([
      pipelines.latestRunsOf(ids),
      related.tagsOf(ids),
      related.visualizationsOf(ids),
    ]);
    const users = await related.users([
      ...rows.map((row) => row.user_id),
      ...[...latest.values()].map((run) => run.user_id),
    ]);
    return rows.map((row) => {
      const run = latest.get(row.id);
      return entity(row, {
        body: projectBody(row, shown),
        metadata: hydrate ? { description: row.description } : null,
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          latest_run_user: users.get(run?.user_id ?? "") ?? null,
          latest_run_id: run?.id ?? null,
          latest_run_status: statusFor(run?.status ?? null, shown),
          tags: tags.get(row.id) ?? [],
          visualizations: visualizations.get(row.id) ?? [],
        },
      });
    });
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<PipelineRow> =>
    context.getInProject(call, { collection: pipelines, id: call.path["pipeline_id"], action });

  return [
    listInProject(context, "/pipelines", { collection: pipelines, views }),
    endpoint({
      method: "POST",
      path: "/pipelines",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const { workspaceId } = await access.enterProject(call.request, body.project, "use");
        const userId = userIdOf(call.request);
        const row = await pipelines.create(
          {
            id: call.newId(),
            workspace_id: workspaceId,
            user_id: userId,
            name: body.name,
            description: body.description ?? null,
          },
          body.tags,
          { userId, ids: call.newId },
        );
        return view(call, row);
      },
    }),
    readOne("/pipelines/:pipeline_id", { get, view }),
    endpoint({
      method: "PUT",
      path: "/pipelines/:pipeline_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { body } = call;
        const row = await get(call, "edit");
        const changed = await pipelines.change(
          row.id,
          // An empty description is one; none given leaves the one there is.
          typeof body.description === "string" ? { description: body.description } : {},
          {
            userId: userIdOf(call.request),
            ids: call.newId,
            addTags: body.add_tags,
            removeTags: body.remove_tags,
          },
        );
        return view(call, changed);
      },
    }),
    removeOne("/pipelines/:pipeline_id", { collection: pipelines, get }),
  ];
}
