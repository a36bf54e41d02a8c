import { z } from "zod";
import { uses } from "../../kernel/access.ts";
import { methodNotAllowed } from "../../kernel/errors.ts";
import type { RunTemplateRow, SnapshotRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, jsonOrNull, statusFor } from "./envelope.ts";
import { longText, shortText, uuid } from "./fields.ts";
import { runConfigurationOf } from "./run-configuration-template.ts";
import { runTemplateBody } from "./summaries.ts";
import { listInProject, readOne, viewOne } from "./reading.ts";
import { removeOne } from "./removal.ts";

const tagNames = z.array(z.string()).nullish();

const request = z
  .object({
    project: uuid,
    name: shortText,
    description: longText.nullish(),
    source_snapshot_id: uuid.optional(),
    source_deployment_id: uuid.optional(),
    hidden: z.boolean().default(false),
    tags: tagNames,
  })
  .transform(({ source_snapshot_id: snapshot, source_deployment_id: deployment, ...rest }, check) => {
    const source = snapshot ?? deployment;
    if (source !== undefined) return { ...rest, source };
    check.addIssue({
      code: "invalid_type",
      expected: "string",
      path: ["source_snapshot_id"],
      input: undefined,
    });
    return z.NEVER;
  });

const update = z.object({
  name: shortText.nullish(),
  description: longText.nullish(),
  hidden: z.boolean().nullish(),
  add_tags: tagNames,
  remove_tags: tagNames,
});

export function runTemplateEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { runTemplates, snapshots } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly RunTemplateRow[],
    hydrate: boolean,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map((row) => row.id);
    const sourceIds = rows.flatMap((row) => row.source_snapshot_id ?? []);
    const [sources, summaries, latest, users, tags] = await Promise.all([
      snapshots.sourcesOf(sourceIds),
      related.snapshots(sourceIds),
      runTemplates.latestRunsOf(ids),
      related.users(rows.map((row) => row.user_id)),
      related.tagsOf(ids),
    ]);
    const of = (column: "pipeline_id" | "build_id" | "code_reference_id"): (string | null)[] =>
      [...sources.values()].map((source) => source[column]);
    const [pipelines, builds, references, runnable] = await Promise.all([
      related.pipelines(of("pipeline_id")),
      related.builds(of("build_id")),
      related.codeReferences(of("code_reference_id")),
      snapshots.runConfigurationsOf(hydrate ? sourceIds : []),
    ]);
    return rows.map((row) => {
      const source = sources.get(row.source_snapshot_id ?? "");
      const summary = summaries.get(row.source_snapshot_id ?? "") ?? null;
      const run = latest.get(row.id);
      return entity(row, {
        body: runTemplateBody(row, source?.runnable ?? false, shown),
        metadata: hydrate
          ? {
              description: row.description,
              pipeline_spec: jsonOrNull(source?.pipeline_spec_json ?? null),
              ...runConfigurationOf(runnable.get(row.source_snapshot_id ?? "")),
            }
          : null,
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          source_snapshot: summary,
          source_deployment: summary,
          pipeline: pipelines.get(source?.pipeline_id ?? "") ?? null,
          build: builds.get(source?.build_id ?? "") ?? null,
          code_reference: references.get(source?.code_reference_id ?? "") ?? null,
          tags: tags.get(row.id) ?? [],
          latest_run_id: run?.id ?? null,
          latest_run_status: statusFor(run?.status ?? null, shown),
        },
      });
    });
  };

  const view = viewOne(views);

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<RunTemplateRow> =>
    context.getInProject(call, { collection: runTemplates, id: call.path["template_id"], action });

  /** The snapshot takes the name of its template: only whoever may change the one names the other. */
  const requireSource = async (call: ZenmlCall, id: string): Promise<SnapshotRow | undefined> => {
    const source = await snapshots.find(id);
    if (source !== undefined)
      await access.enterProjectOf(call.request, source, { action: "edit", label: snapshots.label });
    return source;
  };

  return [
    listInProject(context, "/run_templates", { collection: runTemplates, views }),
    endpoint({
      method: "POST",
      path: "/run_templates",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        if (!body.hidden) await requireSource(call, body.source);
        const userId = userIdOf(call.request);
        const row = await runTemplates.create(
          {
            id: call.newId(),
            user_id: userId,
            name: body.name,
            description: body.description ?? null,
            hidden: body.hidden,
            source_snapshot_id: body.source,
          },
          { userId, ids: call.newId, tags: body.tags, project },
        );
        return view(call, row);
      },
    }),
    readOne("/run_templates/:template_id", { get, view }),
    endpoint({
      method: "PUT",
      path: "/run_templates/:template_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { name, description, hidden, add_tags: addTags, remove_tags: removeTags } = call.body;
        const row = await get(call, "edit");
        const changed = await runTemplates.change(
          row.id,
          {
            ...(typeof name === "string" ? { name } : {}),
            ...(typeof description === "string" ? { description } : {}),
            ...(typeof hidden === "boolean" ? { hidden } : {}),
          },
          { userId: userIdOf(call.request), ids: call.newId, addTags, removeTags },
        );
        return view(call, changed);
      },
    }),
    removeOne("/run_templates/:template_id", { collection: runTemplates, get }),
    // Clients tell by this that only they can run it.
    endpoint({
      method: "POST",
      path: "/run_templates/:template_id/runs",
      access: uses("pipeline"),
      async handle(call) {
        await get(call, "read");
        throw methodNotAllowed("This server does not run pipelines by itself.");
      },
    }),
  ];
}
