import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { removeTree, StoreError, type ArtifactVersionRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import {
  artifactVersionRequest,
  newArtifactVersion,
  type ArtifactVersionRequest,
} from "./artifact-version-request.ts";
import { artifactVersionViews, createdVersionViews } from "./artifact-version-views.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { invalidRequest, ZenmlError } from "./errors.ts";
import { tagNames } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { readerOf } from "./secrets.ts";
import { readOne } from "./reading.ts";

const update = z.object({ add_tags: tagNames.nullish(), remove_tags: tagNames.nullish() });

export function artifactVersionEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { artifacts, artifactStores, artifactVersions } = context.pipelines;

  const view = async (call: ZenmlCall, row: ArtifactVersionRow, hydrate = true): Promise<unknown> =>
    (await artifactVersionViews(context, call, { rows: [row], hydrate }))[0];

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<ArtifactVersionRow> =>
    context.getInProject(call, {
      collection: artifactVersions,
      id: call.path["artifact_version_id"],
      action,
    });

  const create = async (call: ZenmlCall, requests: readonly ArtifactVersionRequest[]): Promise<object[]> => {
    const workspaces = new Map<string, number>();
    for (const project of new Set(requests.map((one) => one.project))) {
      workspaces.set(project, (await access.enterProject(call.request, project, "use")).workspaceId);
    }
    const userId = userIdOf(call.request);
    const given = requests.map((one) =>
      newArtifactVersion(one, {
        workspaceId: workspaces.get(one.project) ?? 0,
        userId,
        newId: call.newId,
      }),
    );
    const created = await artifactVersions.createAll(given, call.newId);
    if (created !== undefined) return createdVersionViews(context, call, { given, created });
    const found = await artifactVersions.getAll(given.map(({ id }) => id));
    return artifactVersionViews(context, call, { rows: found, hydrate: true });
  };

  const removeData = async (call: ZenmlCall, row: ArtifactVersionRow): Promise<void> => {
    if (row.artifact_store_id === null) {
      throw invalidParameter("Artifact version has no artifact store, cannot delete data.");
    }
    try {
      const store = await artifactStores.open(row.artifact_store_id, readerOf(call.request));
      await removeTree(store, row.uri);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new ZenmlError("internal", error.message, {
        status: 500,
        body: {
          detail: [
            "RuntimeError",
            `Artifact data at '${row.uri}' could not be deleted. Delete the data manually from the artifact store. ` +
              `Full error: ${error.message}`,
          ],
        },
      });
    }
  };

  return [
    endpoint({
      method: "GET",
      path: "/artifact_versions",
      access: reads("pipeline"),
      async handle(call) {
        const scope = await context.enterListed(call);
        const { conditions, ...query } = context.listQuery(call, artifactVersions.fields);
        // Asked for as `false`, it is not asked for.
        const counted = conditions.filter((one) => one.field !== "only_unused" || one.value !== false);
        const { total, rows } = await artifactVersions.search(
          { ...query, conditions: counted },
          [within(scope)],
          scope.workspaceId,
        );
        const items = await artifactVersionViews(context, call, { rows, hydrate: query.hydrate });
        return pageOf(query, { total, items });
      },
    }),
    endpoint({
      method: "POST",
      path: "/artifact_versions",
      access: uses("pipeline"),
      body: artifactVersionRequest,
      handle: async (call) => (await create(call, [call.body]))[0],
    }),
    endpoint({
      method: "POST",
      path: "/artifact_versions/batch",
      access: uses("pipeline"),
      body: z.array(artifactVersionRequest),
      async handle(call) {
        if (call.body.length === 0) await access.requireShared(call.request, "use");
        return create(call, call.body);
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/artifact_versions",
      access: uses("pipeline"),
      async handle(call) {
        const project = call.query["project_name_or_id"];
        if (project === undefined) {
          throw invalidRequest([
            { type: "missing", loc: ["query", "project_name_or_id"], msg: "Field required" },
          ]);
        }
        const onlyVersions = readFlag(call.parameters, "only_versions", true);
        const { workspaceId } = await access.enterProject(call.request, project, "edit");
        await artifactVersions.prune(workspaceId);
        if (!onlyVersions) await artifacts.removeEmpty(workspaceId);
        return null;
      },
    }),
    readOne("/artifact_versions/:artifact_version_id", { get, view }),
    endpoint({
      method: "PUT",
      path: "/artifact_versions/:artifact_version_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const row = await get(call, "edit");
        const { add_tags: add, remove_tags: remove } = call.body;
        const maker = { userId: userIdOf(call.request), ids: call.newId };
        return view(call, await artifactVersions.changeTags(row.id, { add, remove }, maker));
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/artifact_versions/:artifact_version_id",
      access: uses("pipeline"),
      async handle(call) {
        const row = await get(call, "edit");
        const deletesRow = readFlag(call.parameters, "delete_metadata", true);
        const deletesData = readFlag(call.parameters, "delete_from_artifact_store", false);
        if (deletesRow) await artifactVersions.requireUnused(row.id);
        if (deletesData) await removeData(call, row);
        if (deletesRow) await artifactVersions.remove(row.id);
        return null;
      },
    }),
  ];
}
