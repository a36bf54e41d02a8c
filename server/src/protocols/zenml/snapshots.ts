import { reads, uses } from "../../kernel/access.ts";
import { methodNotAllowed } from "../../kernel/errors.ts";
import type { SnapshotRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { pageOf, readFlag } from "./list-query.ts";
import {
  deploymentRequest,
  pruneRequest,
  snapshotRequest,
  snapshotUpdate,
  type SnapshotRequest,
} from "./snapshot-requests.ts";
import { createSnapshotViews } from "./snapshot-views.ts";

/** A pipeline of thousands of steps says twice what each is configured to. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** Snapshots of pipelines, which 0.84 knows as deployments of pipelines: one record, two addresses. */
export function snapshotEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { snapshots } = context.pipelines;
  const views = createSnapshotViews(context);

  const view = async (
    call: ZenmlCall,
    row: SnapshotRow,
    options: Parameters<typeof views>[2] = { hydrate: true },
  ): Promise<unknown> => (await views(call, [row], options))[0];

  const get = (call: ZenmlCall, action: "read" | "edit"): Promise<SnapshotRow> =>
    context.getInProject(call, {
      collection: snapshots,
      id: call.path["snapshot_id"] ?? call.path["deployment_id"],
      action,
    });

  /** What gives its name away may be deleted by that: only whoever might do so takes it. */
  const requireReplaceable = async (
    call: ZenmlCall,
    pipelineId: string | null,
    name: string,
  ): Promise<void> => {
    const holder = pipelineId === null ? undefined : await snapshots.findNamed(pipelineId, name);
    if (holder === undefined) return;
    await access.enterProjectOf(call.request, holder, { action: "edit", label: snapshots.label });
  };

  const list = async (call: ZenmlCall): Promise<unknown> => {
    const scope = await context.enterListed(call);
    const query = context.listQuery(call, snapshots.fields);
    const { hydrate } = query;
    const { total, rows } = await snapshots.searchFor(query, [within(scope)], { hydrate });
    return pageOf(query, { total, items: await views(call, rows, { hydrate }) });
  };

  const create = async (call: ZenmlCall<SnapshotRequest>): Promise<unknown> => {
    const { body } = call;
    const project = await access.enterProject(call.request, body.project, "use");
    const id = call.newId();
    const name = body.name === false ? undefined : body.name;
    if (name !== undefined && body.replace === true && (await snapshots.find(id)) === undefined) {
      await requireReplaceable(call, body.pipeline ?? null, name);
    }
    const { python_packages: packages, ...environment } = body.client_environment;
    const { row, steps } = await snapshots.create(
      {
        project,
        row: {
          id,
          user_id: userIdOf(call.request),
          name: name ?? null,
          description: body.description ?? null,
          pipeline_id: body.pipeline ?? null,
          stack_id: body.stack,
          build_id: body.build ?? null,
          schedule_id: body.schedule ?? null,
          template_id: body.template ?? null,
          source_snapshot_id: body.source_snapshot ?? null,
          is_dynamic: body.is_dynamic,
          run_name_template: body.run_name_template,
          client_environment_json: JSON.stringify(environment),
          python_packages_json: packages === undefined ? null : JSON.stringify(packages),
          client_version: body.client_version ?? null,
          server_version: body.server_version ?? null,
          pipeline_version_hash: body.pipeline_version_hash ?? null,
          pipeline_spec_json: body.pipeline_spec ? JSON.stringify(body.pipeline_spec) : null,
          source_code: body.source_code ?? null,
          code_path: body.code_path ?? null,
        },
        configuration: body.pipeline_configuration,
        steps: new Map(
          Object.entries(body.step_configurations).map(([key, step]) => [
            key,
            { spec: step.spec, overrides: step.step_config_overrides },
          ]),
        ),
        codeReference: body.code_reference ?? null,
        replaces: body.replace === true,
        tags: body.tags,
      },
      call.newId,
    );
    return view(call, row, { hydrate: true, written: steps });
  };

  const getOne = async (call: ZenmlCall): Promise<unknown> => {
    const row = await get(call, "read");
    return view(call, row, {
      hydrate: readFlag(call.parameters, "hydrate", true),
      steps: call.parameters.get("step_configuration_filter"),
      includeSchema: readFlag(call.parameters, "include_config_schema", false),
    });
  };

  const remove = async (call: ZenmlCall): Promise<null> => {
    const row = await get(call, "edit");
    await snapshots.remove(row.id);
    return null;
  };

  return [
    endpoint({ method: "GET", path: "/pipeline_snapshots", access: reads("pipeline"), handle: list }),
    endpoint({ method: "GET", path: "/pipeline_deployments", access: reads("pipeline"), handle: list }),
    endpoint({
      method: "POST",
      path: "/pipeline_snapshots",
      access: uses("pipeline"),
      maxBodyBytes: MAX_BODY_BYTES,
      body: snapshotRequest,
      handle: create,
    }),
    endpoint({
      method: "POST",
      path: "/pipeline_deployments",
      access: uses("pipeline"),
      maxBodyBytes: MAX_BODY_BYTES,
      body: deploymentRequest,
      handle: create,
    }),
    endpoint({
      method: "POST",
      path: "/pipeline_snapshots/prune",
      access: uses("pipeline"),
      body: pruneRequest,
      async handle(call) {
        const { project, older_than: olderThan, apply } = call.body;
        const { workspaceId } = await access.enterProject(call.request, project, apply ? "edit" : "read");
        const unused = { workspaceId, olderThan };
        const count = await (apply ? snapshots.prune(unused) : snapshots.countUnused(unused));
        return { snapshot_count: count, task_id: null };
      },
    }),
    endpoint({
      method: "GET",
      path: "/pipeline_snapshots/:snapshot_id",
      access: reads("pipeline"),
      handle: getOne,
    }),
    endpoint({
      method: "GET",
      path: "/pipeline_deployments/:deployment_id",
      access: reads("pipeline"),
      handle: getOne,
    }),
    endpoint({
      method: "PUT",
      path: "/pipeline_snapshots/:snapshot_id",
      access: uses("pipeline"),
      body: snapshotUpdate,
      async handle(call) {
        const { body } = call;
        const row = await get(call, "edit");
        if (typeof body.name === "string" && body.replace === true && body.name !== row.name) {
          await requireReplaceable(call, row.pipeline_id, body.name);
        }
        const changed = await snapshots.change(
          row.id,
          {
            name: body.name,
            description: body.description ?? undefined,
            replaces: body.replace === true,
            addTags: body.add_tags,
            removeTags: body.remove_tags,
          },
          { userId: userIdOf(call.request), ids: call.newId },
        );
        return view(call, changed);
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/pipeline_snapshots/:snapshot_id",
      access: uses("pipeline"),
      handle: remove,
    }),
    endpoint({
      method: "DELETE",
      path: "/pipeline_deployments/:deployment_id",
      access: uses("pipeline"),
      handle: remove,
    }),
    // Clients tell by this that only they can run it.
    endpoint({
      method: "POST",
      path: "/pipeline_snapshots/:snapshot_id/runs",
      access: uses("pipeline"),
      async handle(call) {
        await get(call, "read");
        throw methodNotAllowed("This server does not run pipelines by itself.");
      },
    }),
  ];
}
