import { sql, type RawBuilder } from "kysely";
import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import type {
  ModelVersionArtifactRow,
  ModelVersionRunRow,
  PipelineModelVersionRow,
} from "../../modules/pipelines/index.ts";
import type { ProjectScope } from "./access.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, stamps } from "./envelope.ts";
import { uuid } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";

const artifactRequest = z.object({ model_version: uuid, artifact_version: uuid });
const runRequest = z.object({ model_version: uuid, pipeline_run: uuid });

type Entered = { version: PipelineModelVersionRow; project: ProjectScope };

const idOf = ({ path }: ZenmlCall): string => path["model_version_id"] ?? "";

const VERSION = "/model_versions/:model_version_id";

/** What versions of models have to do with. Links belong to the version: whoever may change it changes them. */
export function modelVersionLinkEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { modelVersions, modelLinks } = context.pipelines;

  const enter = async (call: ZenmlCall, id: string): Promise<Entered> => {
    const version = await modelVersions.get(id);
    const { label } = modelVersions;
    return {
      version,
      project: await access.enterProjectOf(call.request, version, { action: "edit", label }),
    };
  };

  /** Links of the versions in the projects that the caller may read. */
  const readable = async (call: ZenmlCall): Promise<RawBuilder<unknown>[]> => {
    const among = await access.readableProjects(call.request);
    if (among === undefined) return [];
    return [
      sql`exists (select from pipelines.model_versions as m where m.id = t.model_version_id
        and m.workspace_id = any (${among}::integer[]))`,
    ];
  };

  const artifactViews = async (
    call: ZenmlCall,
    rows: readonly ModelVersionArtifactRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const linked = await context
      .relatedFor(call)
      .artifactVersions(rows.map((row) => row.artifact_version_id));
    return rows.map((row) => {
      const artifact_version = linked.get(row.artifact_version_id) ?? null;
      return entity(
        { id: row.id },
        {
          body: { ...stamps(row), model_version: row.model_version_id, artifact_version },
          metadata: hydrate ? {} : null,
        },
      );
    });
  };

  const runViews = async (
    call: ZenmlCall,
    rows: readonly ModelVersionRunRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const linked = await context.relatedFor(call).runs(rows.map((row) => row.pipeline_run_id));
    return rows.map((row) => {
      const pipeline_run = linked.get(row.pipeline_run_id) ?? null;
      return entity(
        { id: row.id },
        {
          body: { ...stamps(row), model_version: row.model_version_id, pipeline_run },
          metadata: hydrate ? {} : null,
        },
      );
    });
  };

  return [
    endpoint({
      method: "GET",
      path: "/model_version_artifacts",
      access: reads("pipeline"),
      async handle(call) {
        const query = context.listQuery(call, modelLinks.artifacts.fields);
        const { total, rows } = await modelLinks.artifacts.search(query, await readable(call));
        return pageOf(query, { total, items: await artifactViews(call, rows, query.hydrate) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/model_version_artifacts",
      access: uses("pipeline"),
      body: artifactRequest,
      async handle(call) {
        const { model_version: versionId, artifact_version: artifactId } = call.body;
        const { version, project } = await enter(call, versionId);
        const link = { id: call.newId(), modelVersionId: version.id, toId: artifactId };
        return (await artifactViews(call, [await modelLinks.artifacts.create(link, { project })], true))[0];
      },
    }),
    endpoint({
      method: "DELETE",
      path: `${VERSION}/artifacts`,
      access: uses("pipeline"),
      async handle(call) {
        const { version, project } = await enter(call, idOf(call));
        const onlyLinks = readFlag(call.parameters, "only_links", true);
        // Artifacts are not those of the version alone.
        if (!onlyLinks) await access.enterProject(call.request, project.projectId, "edit");
        await modelLinks.artifacts.removeAll(version.id, { onlyLinks });
        return null;
      },
    }),
    endpoint({
      method: "DELETE",
      path: `${VERSION}/artifacts/:link_name_or_id`,
      access: uses("pipeline"),
      async handle(call) {
        const { version } = await enter(call, idOf(call));
        await modelLinks.artifacts.remove(version.id, call.path["link_name_or_id"] ?? "");
        return null;
      },
    }),
    endpoint({
      method: "GET",
      path: "/model_version_pipeline_runs",
      access: reads("pipeline"),
      async handle(call) {
        const query = context.listQuery(call, modelLinks.runs.fields);
        const { total, rows } = await modelLinks.runs.search(query, await readable(call));
        return pageOf(query, { total, items: await runViews(call, rows, query.hydrate) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/model_version_pipeline_runs",
      access: uses("pipeline"),
      body: runRequest,
      async handle(call) {
        const { model_version: versionId, pipeline_run: runId } = call.body;
        const { version, project } = await enter(call, versionId);
        const link = { id: call.newId(), modelVersionId: version.id, toId: runId };
        return (await runViews(call, [await modelLinks.runs.create(link, { project })], true))[0];
      },
    }),
    endpoint({
      method: "DELETE",
      path: `${VERSION}/runs/:link_name_or_id`,
      access: uses("pipeline"),
      async handle(call) {
        const { version } = await enter(call, idOf(call));
        await modelLinks.runs.remove(version.id, call.path["link_name_or_id"] ?? "");
        return null;
      },
    }),
  ];
}
