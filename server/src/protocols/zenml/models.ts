import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import type { PipelineModelRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { readUuid } from "./devices.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, projectBody } from "./envelope.ts";
import { flag, longText, shortText, tagNames, uuid } from "./fields.ts";
import { listInProject, readOne, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const about = {
  license: longText.nullish(),
  description: longText.nullish(),
  audience: longText.nullish(),
  use_cases: longText.nullish(),
  limitations: longText.nullish(),
  trade_offs: longText.nullish(),
  ethics: longText.nullish(),
};

const request = z.object({
  project: uuid,
  name: shortText,
  ...about,
  save_models_to_registry: flag.default(true),
  tags: tagNames.nullish(),
});

const update = z.object({
  name: shortText.nullish(),
  ...about,
  save_models_to_registry: flag.nullish(),
  add_tags: tagNames.nullish(),
  remove_tags: tagNames.nullish(),
});

/** A route must name a part of the path the same everywhere; only lists of versions take names. */
const ONE = "/models/:model_name_or_id";
const idOf = ({ path }: ZenmlCall): string => readUuid(path["model_name_or_id"] ?? "", "model_id");

export function modelEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { models } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly PipelineModelRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map((row) => row.id);
    const [users, tags, visualizations, latest] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      related.tagsOf(ids),
      related.visualizationsOf(ids),
      models.latestVersions(ids),
    ]);
    return rows.map((row) => {
      const newest = latest.get(row.id);
      return entity(row, {
        body: projectBody(row, shown),
        metadata: hydrate ? metadataOf(row) : null,
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          tags: tags.get(row.id) ?? [],
          latest_version_name: newest?.name ?? null,
          latest_version_id: newest?.id ?? null,
          visualizations: visualizations.get(row.id) ?? [],
        },
      });
    });
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<PipelineModelRow> =>
    context.getInProject(call, { collection: models, id: idOf(call), action });

  return [
    listInProject(context, "/models", { collection: models, views }),
    endpoint({
      method: "POST",
      path: "/models",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { project, tags, ...fields } = call.body;
        const { workspaceId } = await access.enterProject(call.request, project, "use");
        const userId = userIdOf(call.request);
        const row = await models.create(
          {
            id: call.newId(),
            workspace_id: workspaceId,
            user_id: userId,
            ...textsOf(fields),
            name: fields.name,
          },
          tags,
          { userId, ids: call.newId },
        );
        return view(call, row);
      },
    }),
    readOne(ONE, { get, view }),
    endpoint({
      method: "PUT",
      path: ONE,
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const row = await get(call, "edit");
        const { add_tags: addTags, remove_tags: removeTags, name, ...fields } = call.body;
        const changed = await models.change(
          row.id,
          { ...textsOf(fields), ...(name ? { name } : {}) },
          { userId: userIdOf(call.request), ids: call.newId, addTags, removeTags },
        );
        return view(call, changed);
      },
    }),
    removeOne(ONE, { collection: models, get }),
  ];
}

const metadataOf = (row: PipelineModelRow): object => ({
  license: row.license,
  description: row.description,
  audience: row.audience,
  use_cases: row.use_cases,
  limitations: row.limitations,
  trade_offs: row.trade_offs,
  ethics: row.ethics,
  save_models_to_registry: row.save_models_to_registry,
});

type Texts = Partial<Omit<z.infer<typeof update>, "name" | "add_tags" | "remove_tags">>;

/** What is null stays as it is. */
const textsOf = ({ save_models_to_registry: saves, ...texts }: Texts): Partial<PipelineModelRow> => ({
  ...(typeof saves === "boolean" ? { save_models_to_registry: saves } : {}),
  ...Object.fromEntries(Object.entries(texts).filter(([, text]) => typeof text === "string")),
});
