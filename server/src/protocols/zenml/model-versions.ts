import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { PlinthError } from "../../kernel/errors.ts";
import { modelStages, type ListQuery, type PipelineModelVersionRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json } from "./envelope.ts";
import { ZenmlError } from "./errors.ts";
import { flag, longText, shortText, tagNames, uuid } from "./fields.ts";
import { pageOf } from "./list-query.ts";
import { serviceViews } from "./service-views.ts";
import { modelVersionBody } from "./summaries.ts";
import { readOne, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const request = z.object({
  project: uuid,
  model: uuid,
  name: shortText.nullish(),
  description: longText.nullish(),
  stage: shortText.nullish(),
  tags: tagNames.nullish(),
});

const update = z.object({
  stage: z.enum(modelStages).nullish(),
  force: flag.default(false),
  name: shortText.nullish(),
  description: longText.nullish(),
  add_tags: tagNames.nullish(),
  remove_tags: tagNames.nullish(),
});

/** How many of its services a version is shown with. */
const SERVICES = 5;

export function modelVersionEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { modelVersions, services } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly PipelineModelVersionRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map((row) => row.id);
    const [users, tags, owners, logged, served] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      related.tagsOf(ids),
      related.models(rows.map((row) => row.model_id)),
      hydrate ? related.metadataOf(ids) : undefined,
      services.ofModelVersions(ids, SERVICES),
    ]);
    const shownServices = await serviceViews(context, call, {
      rows: served.flatMap((of) => of.rows),
      hydrate,
    });
    return rows.map((row) => {
      const of = served.find((one) => one.modelVersionId === row.id);
      const items = (of?.rows ?? []).map((service) => shownServices.get(service.id));
      return entity(row, {
        body: modelVersionBody(row, owners.get(row.model_id) ?? null, shown),
        metadata:
          logged === undefined
            ? null
            : { description: row.description, run_metadata: json(logged.get(row.id) ?? "{}") },
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          services: pageOf({ page: 1, size: SERVICES }, { total: of?.total ?? 0, items }),
          tags: tags.get(row.id) ?? [],
        },
      });
    });
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<PipelineModelVersionRow> =>
    context.getInProject(call, { collection: modelVersions, id: call.path["model_version_id"], action });

  const list = async (call: ZenmlCall, model: string | undefined): Promise<object> => {
    const scope = await context.enterListed(call);
    const asked = context.listQuery(call, modelVersions.fields);
    const query: typeof asked = model === undefined ? asked : { ...asked, ...ofModel(asked, model) };
    const { total, rows } = await modelVersions.search(query, [within(scope)]);
    return pageOf(query, { total, items: await views(call, rows, query.hydrate) });
  };

  return [
    endpoint({
      method: "GET",
      path: "/model_versions",
      access: reads("pipeline"),
      handle: (call) => list(call, undefined),
    }),
    endpoint({
      method: "GET",
      path: "/models/:model_name_or_id/model_versions",
      access: reads("pipeline"),
      handle: (call) => list(call, call.path["model_name_or_id"] ?? ""),
    }),
    endpoint({
      method: "POST",
      path: "/model_versions",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { project, model, name, description = null, stage = null, tags } = call.body;
        const scope = await access.enterProject(call.request, project, "use");
        const row = await modelVersions
          .create(
            {
              id: call.newId(),
              workspace_id: scope.workspaceId,
              user_id: userIdOf(call.request),
              model_id: model,
              name: name === "" ? null : (name ?? null),
              description,
              stage,
              tags,
            },
            { ids: call.newId, project: scope },
          )
          .catch(refuseStage);
        return view(call, row);
      },
    }),
    readOne("/model_versions/:model_version_id", { get, view }),
    endpoint({
      method: "PUT",
      path: "/model_versions/:model_version_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const row = await get(call, "edit");
        const { stage, force, name, description, add_tags: addTags, remove_tags: removeTags } = call.body;
        const changed = await modelVersions
          .update(
            row.id,
            {
              name: name ?? undefined,
              description: description ?? undefined,
              stage: stage ?? undefined,
              force,
              addTags,
              removeTags,
            },
            { userId: userIdOf(call.request), ids: call.newId },
          )
          .catch(refuseStage);
        return view(call, changed);
      },
    }),
    removeOne("/model_versions/:model_version_id", { collection: modelVersions, get }),
  ];
}

/** What the clients expect of a stage that is taken. */
function refuseStage(error: unknown): never {
  if (!(error instanceof PlinthError) || error.code !== "invalid_state") throw error;
  const { message } = error;
  throw new ZenmlError("invalid_state", message, {
    status: 500,
    body: { detail: ["RuntimeError", message] },
  });
}

/** Of the model in the path alone. */
const ofModel = ({ conditions }: ListQuery, model: string): Pick<ListQuery, "conditions"> => ({
  conditions: [
    ...conditions.filter(({ field }) => field !== "model"),
    { field: "model", operation: "equals", value: model },
  ],
});
