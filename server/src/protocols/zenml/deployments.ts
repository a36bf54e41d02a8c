import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import type { DeploymentRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json } from "./envelope.ts";
import { jsonObject, shortText, uuid } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { deploymentBody } from "./summaries.ts";

const tagNames = z.array(z.string()).nullish();
const tag = z.union([
  z.string(),
  z.object({ name: z.string(), color: z.string().nullish(), exclusive: z.boolean().nullish() }),
]);

const request = z.object({
  project: uuid,
  name: shortText,
  snapshot_id: uuid,
  deployer_id: uuid,
  auth_key: z.string().nullish(),
  tags: z.array(tag).nullish(),
});

const update = z.object({
  name: shortText.nullish(),
  snapshot_id: uuid.nullish(),
  url: z.string().nullish(),
  status: z.literal(["unknown", "pending", "running", "absent", "error"]).nullish(),
  deployment_metadata: jsonObject.nullish(),
  auth_key: z.string().nullish(),
  add_tags: tagNames,
  remove_tags: tagNames,
});

/** The key by which a deployment is called is a credential: viewers do not see it. */
type Shown = { hydrate: boolean; showsKey: boolean };
const whole: Shown = { hydrate: true, showsKey: true };

/** Deployments of 0.98: snapshots that are served. What 0.84 calls so is in `snapshots.ts`. */
export function deploymentEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { deployments, snapshots } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly DeploymentRow[],
    { hydrate, showsKey }: Shown,
  ): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map((row) => row.id);
    const snapshotIds = rows.flatMap((row) => row.snapshot_id ?? []);
    const [sources, served, users, deployers, tags, visualizations] = await Promise.all([
      snapshots.shownOf(snapshotIds),
      related.snapshots(snapshotIds),
      related.users(rows.map((row) => row.user_id)),
      related.components(rows.map((row) => row.deployer_id)),
      related.tagsOf(ids),
      related.visualizationsOf(ids),
    ]);
    const [pipelines, stacks] = await Promise.all([
      related.pipelines([...sources.values()].map((one) => one.pipeline_id)),
      related.stacks([...sources.values()].map((one) => one.stack_id)),
    ]);
    return rows.map((row) => {
      const source = sources.get(row.snapshot_id ?? "");
      return entity(row, {
        body: deploymentBody(row, shown),
        metadata: hydrate
          ? {
              deployment_metadata: json(row.deployment_metadata_json),
              auth_key: showsKey ? deployments.authKeyOf(row) : null,
            }
          : null,
        resources: {
          user: users.get(row.user_id ?? "") ?? null,
          snapshot: served.get(row.snapshot_id ?? "") ?? null,
          deployer: deployers.get(row.deployer_id ?? "") ?? null,
          pipeline: pipelines.get(source?.pipeline_id ?? "") ?? null,
          stack: stacks.get(source?.stack_id ?? "") ?? null,
          tags: tags.get(row.id) ?? [],
          visualizations: visualizations.get(row.id) ?? [],
        },
      });
    });
  };

  const view = async (call: ZenmlCall, row: DeploymentRow, shown = whole): Promise<unknown> =>
    (await views(call, [row], shown))[0];

  const getToChange = (call: ZenmlCall): Promise<DeploymentRow> =>
    context.getInProject(call, {
      collection: deployments,
      id: call.path["deployment_id"],
      action: "edit",
    });

  return [
    endpoint({
      method: "GET",
      path: "/deployments",
      access: reads("pipeline"),
      async handle(call) {
        const scope = await context.enterListed(call);
        const query = context.listQuery(call, deployments.fields);
        const { total, rows } = await deployments.search(query, [within(scope)]);
        const shown = { hydrate: query.hydrate, showsKey: scope.policy.mayCreate };
        return pageOf(query, { total, items: await views(call, rows, shown) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/deployments",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const userId = userIdOf(call.request);
        const row = await deployments.create(
          {
            id: call.newId(),
            user_id: userId,
            name: body.name,
            snapshot_id: body.snapshot_id,
            deployer_id: body.deployer_id,
            status: "unknown",
            auth_key: body.auth_key,
          },
          { userId, ids: call.newId, tags: body.tags, project },
        );
        return view(call, row);
      },
    }),
    endpoint({
      method: "GET",
      path: "/deployments/:deployment_id",
      access: reads("pipeline"),
      async handle(call) {
        const row = await deployments.get(call.path["deployment_id"] ?? "");
        const of = { action: "read", label: deployments.label } as const;
        const { policy } = await access.enterProjectOf(call.request, row, of);
        const hydrate = readFlag(call.parameters, "hydrate", true);
        return view(call, row, { hydrate, showsKey: policy.mayCreate });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/deployments/:deployment_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { body } = call;
        const row = await getToChange(call);
        const project = await context.pipelines.projects.of(row.workspace_id);
        const changed = await deployments.change(
          row.id,
          {
            ...(typeof body.name === "string" ? { name: body.name } : {}),
            ...(body.snapshot_id ? { snapshot_id: body.snapshot_id } : {}),
            ...(typeof body.url === "string" ? { url: body.url } : {}),
            ...(body.status ? { status: body.status } : {}),
            ...(body.deployment_metadata
              ? { deployment_metadata_json: JSON.stringify(body.deployment_metadata) }
              : {}),
            auth_key: body.auth_key,
          },
          {
            userId: userIdOf(call.request),
            ids: call.newId,
            addTags: body.add_tags,
            removeTags: body.remove_tags,
            project,
          },
        );
        return view(call, changed);
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/deployments/:deployment_id",
      access: uses("pipeline"),
      async handle(call) {
        const row = await getToChange(call);
        await deployments.remove(row.id);
        return null;
      },
    }),
  ];
}
