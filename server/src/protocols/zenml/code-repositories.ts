import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import type { CodeRepositoryRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json } from "./envelope.ts";
import { entityName, jsonObject, longText, source, uuid } from "./fields.ts";
import { codeRepositoryBody } from "./summaries.ts";
import { listInProject, readOne, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const request = z.object({
  project: uuid,
  name: entityName,
  config: jsonObject,
  source,
  logo_url: z.string().nullish(),
  description: longText.nullish(),
});

const update = z.object({
  name: entityName.nullish(),
  config: jsonObject.nullish(),
  source: source.nullish(),
  logo_url: z.string().nullish(),
  description: longText.nullish(),
});

export function codeRepositoryEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { codeRepositories } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly CodeRepositoryRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const users = await context.relatedFor(call).users(rows.map((row) => row.user_id));
    return rows.map((row) =>
      entity(row, {
        body: codeRepositoryBody(row, shown),
        metadata: hydrate ? { config: json(row.config_json), description: row.description } : null,
        resources: { user: users.get(row.user_id ?? "") ?? null },
      }),
    );
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<CodeRepositoryRow> =>
    context.getInProject(call, {
      collection: codeRepositories,
      id: call.path["code_repository_id"],
      action,
    });

  return [
    listInProject(context, "/code_repositories", { collection: codeRepositories, views }),
    endpoint({
      method: "POST",
      path: "/code_repositories",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const { workspaceId } = await access.enterProject(call.request, body.project, "use");
        const row = await codeRepositories.create({
          id: call.newId(),
          workspace_id: workspaceId,
          user_id: userIdOf(call.request),
          name: body.name,
          config_json: JSON.stringify(body.config),
          source_json: JSON.stringify(body.source),
          logo_url: body.logo_url ?? null,
          description: body.description ?? null,
        });
        return view(call, row);
      },
    }),
    readOne("/code_repositories/:code_repository_id", { get, view }),
    endpoint({
      method: "PUT",
      path: "/code_repositories/:code_repository_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { body } = call;
        const row = await get(call, "edit");
        const changed = await codeRepositories.update(row.id, {
          ...(body.name ? { name: body.name } : {}),
          ...(body.config ? { config_json: JSON.stringify(body.config) } : {}),
          ...(body.source ? { source_json: JSON.stringify(body.source) } : {}),
          ...(body.logo_url ? { logo_url: body.logo_url } : {}),
          ...(body.description ? { description: body.description } : {}),
        });
        return view(call, changed);
      },
    }),
    removeOne("/code_repositories/:code_repository_id", { collection: codeRepositories, get }),
  ];
}
