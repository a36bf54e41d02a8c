import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { serviceStates, type ServiceRow } from "../../modules/pipelines/index.ts";
import { userIdOf, type ProjectScope } from "./access.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entityName, jsonObject, shortText, uuid } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { serviceViews } from "./service-views.ts";

const state = z.enum(serviceStates);
/** Kept as it is; what it says of the state is one. */
const status = z.looseObject({ state: state.nullish() });
const labels = z.record(z.string(), z.string());
const text = z.string().nullish();

const serviceType = z.object({
  type: z.string(),
  flavor: z.string(),
  name: z.string().default(""),
  description: z.string().default(""),
  logo_url: z.string().default(""),
});

const request = z.object({
  project: uuid,
  name: entityName,
  service_type: serviceType,
  service_source: text,
  admin_state: state.nullish(),
  config: jsonObject,
  labels: labels.nullish(),
  status: status.nullish(),
  endpoint: jsonObject.nullish(),
  prediction_url: text,
  health_check_url: text,
  model_version_id: uuid.nullish(),
  pipeline_run_id: uuid.nullish(),
});

const update = z.object({
  name: shortText.nullish(),
  admin_state: state.nullish(),
  service_source: text,
  status: status.nullish(),
  endpoint: jsonObject.nullish(),
  prediction_url: text,
  health_check_url: text,
  labels: labels.nullish(),
  model_version_id: uuid.nullish(),
});

export function serviceEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { services } = context.pipelines;

  const view = async (call: ZenmlCall, row: ServiceRow, hydrate = true): Promise<unknown> =>
    (await serviceViews(context, call, { rows: [row], hydrate })).get(row.id);

  const get = async (
    call: ZenmlCall,
    action: "read" | "edit",
  ): Promise<{ row: ServiceRow; project: ProjectScope }> => {
    const row = await services.get(call.path["service_id"] ?? "");
    const project = await access.enterProjectOf(call.request, row, { action, label: services.label });
    return { row, project };
  };

  return [
    endpoint({
      method: "GET",
      path: "/services",
      access: reads("pipeline"),
      async handle(call) {
        const scope = await context.enterListed(call);
        const query = context.listQuery(call, services.fields);
        // Both clients may say it, and neither server narrows by it.
        readFlag(call.parameters, "running", false);
        const { total, rows } = await services.search(query, [within(scope)]);
        const views = await serviceViews(context, call, { rows, hydrate: query.hydrate });
        return pageOf(query, { total, items: [...views.values()] });
      },
    }),
    endpoint({
      method: "POST",
      path: "/services",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const row = await services.create(
          {
            id: call.newId(),
            workspace_id: project.workspaceId,
            user_id: userIdOf(call.request),
            name: body.name,
            service_type_json: JSON.stringify(body.service_type),
            type: body.service_type.type,
            flavor: body.service_type.flavor,
            service_source: body.service_source ?? null,
            admin_state: body.admin_state ?? null,
            state: body.status?.state ?? null,
            config_json: JSON.stringify(body.config),
            pipeline_name: textIn(body.config, "pipeline_name"),
            pipeline_step_name: textIn(body.config, "pipeline_step_name"),
            labels_json: textOf(body.labels),
            status_json: textOf(body.status),
            endpoint_json: textOf(body.endpoint),
            prediction_url: body.prediction_url ?? null,
            health_check_url: body.health_check_url ?? null,
            model_version_id: body.model_version_id ?? null,
            pipeline_run_id: body.pipeline_run_id ?? null,
          },
          { project },
        );
        return view(call, row);
      },
    }),
    endpoint({
      method: "GET",
      path: "/services/:service_id",
      access: reads("pipeline"),
      async handle(call) {
        const { row } = await get(call, "read");
        return view(call, row, readFlag(call.parameters, "hydrate", true));
      },
    }),
    endpoint({
      method: "PUT",
      path: "/services/:service_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const { row, project } = await get(call, "edit");
        return view(call, await services.update(row.id, changesOf(call.body), { project }));
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/services/:service_id",
      access: uses("pipeline"),
      async handle(call) {
        const { row } = await get(call, "edit");
        await services.remove(row.id);
        return null;
      },
    }),
  ];
}

/** An empty object says as much as none. */
const textOf = (value: object | null | undefined): string | null =>
  value && Object.keys(value).length > 0 ? JSON.stringify(value) : null;

function textIn(config: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = config[name];
  return typeof value === "string" ? value : null;
}

/** What is null stays as it is. */
const changesOf = (body: z.infer<typeof update>): Partial<ServiceRow> => ({
  ...(body.name == null ? {} : { name: body.name }),
  ...(body.admin_state == null ? {} : { admin_state: body.admin_state }),
  ...(body.service_source == null ? {} : { service_source: body.service_source }),
  ...(body.status == null ? {} : { status_json: textOf(body.status), state: body.status.state ?? null }),
  ...(body.endpoint == null ? {} : { endpoint_json: textOf(body.endpoint) }),
  ...(body.labels == null ? {} : { labels_json: textOf(body.labels) }),
  ...(body.prediction_url == null ? {} : { prediction_url: body.prediction_url }),
  ...(body.health_check_url == null ? {} : { health_check_url: body.health_check_url }),
  ...(body.model_version_id == null ? {} : { model_version_id: body.model_version_id }),
});
