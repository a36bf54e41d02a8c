import { z } from "zod";
import { reads, uses } from "../../kernel/access.ts";
import { visualizedTypes, type CuratedVisualizationRow } from "../../modules/pipelines/index.ts";
import { visualizationView } from "./artifact-version-views.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity } from "./envelope.ts";
import { integer, longText, uuid } from "./fields.ts";
import { readFlag } from "./list-query.ts";
import { curatedVisualizationBody } from "./summaries.ts";
import { removeOne } from "./removal.ts";

const order = integer.refine((value) => value >= 0, "Input should be greater than or equal to 0");
const size = z.enum(["full_width", "half_width"]);

const request = z.object({
  project: uuid,
  artifact_visualization_id: uuid,
  display_name: longText.nullish(),
  display_order: order.nullish(),
  layout_size: size.default("full_width"),
  resource_id: uuid,
  resource_type: z.enum(visualizedTypes),
});

// Null takes a name or an order away.
const update = z.object({
  display_name: longText.nullish(),
  display_order: order.nullish(),
  layout_size: size.nullish(),
});

/** Visualizations of artifacts on models, pipelines, runs and the like; whoever may change those may put them there. */
export function curatedVisualizationEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { curatedVisualizations } = context.pipelines;

  const view = async (call: ZenmlCall, row: CuratedVisualizationRow, hydrate = true): Promise<object> => {
    const visualization = await curatedVisualizations.visualizationOf(row);
    const shown = { ...row, artifact_version_id: visualization.artifact_version_id };
    return entity(
      { id: row.id },
      {
        body: curatedVisualizationBody(shown, context.viewContext(call)),
        metadata: hydrate ? {} : null,
        resources: hydrate ? { user: null, artifact_visualization: visualizationView(visualization) } : null,
      },
    );
  };

  /** The visualization, as far as what it is on may be read or changed. */
  const get = async (call: ZenmlCall, action: "read" | "edit"): Promise<CuratedVisualizationRow> => {
    const row = await curatedVisualizations.get(call.path["visualization_id"] ?? "");
    const on = await curatedVisualizations.getVisualized(row);
    await access.enterProjectOf(
      call.request,
      { ...on, id: row.id },
      { action, label: curatedVisualizations.label },
    );
    return row;
  };

  return [
    endpoint({
      method: "POST",
      path: "/curated_visualizations",
      access: uses("pipeline"),
      body: request,
      async handle(call) {
        const { project, ...body } = call.body;
        const { workspaceId } = await access.enterProject(call.request, project, "use");
        const on = await curatedVisualizations.getVisualized(body, workspaceId);
        const label = body.resource_type.replaceAll("_", " ");
        await access.enterProjectOf(call.request, on, { action: "edit", label });
        await curatedVisualizations.requireVisualization(body.artifact_visualization_id, workspaceId);
        const row = await curatedVisualizations.create({
          ...body,
          id: call.newId(),
          workspace_id: workspaceId,
          display_name: body.display_name ?? null,
          display_order: body.display_order ?? null,
        });
        return view(call, row);
      },
    }),
    endpoint({
      method: "GET",
      path: "/curated_visualizations/:visualization_id",
      access: reads("pipeline"),
      handle: async (call) => view(call, await get(call, "read"), readFlag(call.parameters, "hydrate", true)),
    }),
    endpoint({
      method: "PUT",
      path: "/curated_visualizations/:visualization_id",
      access: uses("pipeline"),
      body: update,
      async handle(call) {
        const row = await get(call, "edit");
        const { layout_size: layout, ...changes } = call.body;
        return view(
          call,
          await curatedVisualizations.update(row.id, {
            ...(changes.display_name === undefined ? {} : { display_name: changes.display_name }),
            ...(changes.display_order === undefined ? {} : { display_order: changes.display_order }),
            ...(layout == null ? {} : { layout_size: layout }),
          }),
        );
      },
    }),
    removeOne("/curated_visualizations/:visualization_id", { collection: curatedVisualizations, get }),
  ];
}
