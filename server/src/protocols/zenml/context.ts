import { sql, type RawBuilder } from "kysely";
import type { Identity } from "../../modules/identity/index.ts";
import type { Fields, ListQuery, Pipelines } from "../../modules/pipelines/index.ts";
import { createZenmlAccess, type InProject, type ProjectScope, type ZenmlAccess } from "./access.ts";
import type { ZenmlCall } from "./endpoint.ts";
import type { ViewContext } from "./envelope.ts";
import { parseListQuery, readFlag } from "./list-query.ts";
import { createRelated, type Related, type RelatedDeps } from "./related.ts";

/** What the endpoints about ZenML's entities share. */
export type ZenmlContext = {
  readonly pipelines: Pipelines;
  readonly identity: Identity;
  readonly access: ZenmlAccess;
  viewContext(call: Pick<ZenmlCall, "isOld">): ViewContext;
  relatedFor(call: Pick<ZenmlCall, "isOld">): Related;
  /** The query of a list, and whether its items are asked for whole. */
  listQuery(call: Pick<ZenmlCall, "parameters" | "isOld">, fields: Fields): ListQuery & { hydrate: boolean };
  /** The row of the id in the path, if the caller may do this with it. Throws `not_found`. */
  getInProject<R extends InProject>(
    call: Pick<ZenmlCall, "request">,
    of: { collection: Readable<R>; id: string | undefined; action: "read" | "edit" },
  ): Promise<R>;
  /** The project that a list is about: `?project=`, by name or id. */
  enterListed(call: Pick<ZenmlCall, "parameters" | "request">): Promise<ProjectScope>;
};

type Readable<R> = { readonly label: string; get(id: string): Promise<R> };

export function createZenmlContext(
  deps: RelatedDeps & { identity: Identity; pipelines: Pipelines },
): ZenmlContext {
  const { identity, pipelines } = deps;
  const related = createRelated(deps);
  const access = createZenmlAccess({ identity, projects: pipelines.projects });
  const viewContext = ({ isOld }: Pick<ZenmlCall, "isOld">): ViewContext => ({
    isOld,
    projectIdOf: (workspaceId) => pipelines.projects.idOf(workspaceId),
  });
  return {
    pipelines,
    identity,
    access,
    viewContext,
    relatedFor: (call) => related(viewContext(call)),
    listQuery: ({ parameters, isOld }, fields) => ({
      ...parseListQuery(parameters, fields, { isOld }),
      hydrate: readFlag(parameters, "hydrate", false),
    }),
    async getInProject({ request }, { collection, id = "", action }) {
      const row = await collection.get(id);
      await access.enterProjectOf(request, row, { action, label: collection.label });
      return row;
    },
    enterListed: ({ parameters, request }) =>
      access.enterProject(request, parameters.get("project")?.at(-1), "read"),
  };
}

/** Only what is in this project. */
export const within = ({ workspaceId }: Pick<ProjectScope, "workspaceId">): RawBuilder<unknown> =>
  sql`t.workspace_id = ${workspaceId}`;
