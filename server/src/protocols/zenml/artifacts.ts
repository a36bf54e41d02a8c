import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import type { ArtifactRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, projectBody } from "./envelope.ts";
import { flag, shortText, tagNames, uuid } from "./fields.ts";
import { listInProject, readOne, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const request = z.object({
  project: uuid,
  name: shortText,
  has_custom_name: flag.default(false),
  tags: tagNames.nullish(),
});

const update = z.object({
  name: shortText.nullish(),
  has_custom_name: flag.nullish(),
  add_tags: tagNames.nullish(),
  remove_tags: tagNames.nullish(),
});

export function artifactEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { artifacts } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly ArtifactRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map((row) => row.id);
    const [users, tags, latest] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      related.tagsOf(ids),
      artifacts.latestVersions(ids),
    ]);
    return rows.map((row) => {
      const version = latest.get(row.id);
      return entity(row, {
        body: projectBody(row, shown),
        metadata: hydrate ? { has_custom_name: row.has_custom_name } : null,
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          tags: tags.get(row.id) ?? [],
          latest_version_name: version?.version ?? null,
          latest_version_id: version?.id ?? null,
        },
      });
    });
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<ArtifactRow> =>
    context.getInProject(call, { collection: artifacts, id: call.path["artifact_id"], action });

  const makerOf = (call: ZenmlCall): { userId: string | null; ids(): string } => ({
    userId: userIdOf(call.request),
    ids: call.newId,
  });

  return [
    listInProject(context, "/artifacts", { collection: artifacts, views }),
    endpoint({
      method: "POST",
      path: "/artifacts",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { project, ...body } = call.body;
        const { workspaceId } = await access.enterProject(call.request, project, "use");
        const row = await artifacts.create(
          { id: call.newId(), workspace_id: workspaceId, ...body, tags: body.tags },
          makerOf(call),
        );
        return view(call, row);
      },
    }),
    readOne("/artifacts/:artifact_id", { get, view }),
    endpoint({
      method: "PUT",
      path: "/artifacts/:artifact_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const row = await get(call, "edit");
        return view(call, await artifacts.change(row.id, call.body, makerOf(call)));
      },
    }),
    removeOne("/artifacts/:artifact_id", { collection: artifacts, get }),
  ];
}
