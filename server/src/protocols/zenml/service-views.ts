import type { ServiceRow } from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import type { ZenmlCall } from "./endpoint.ts";
import { entity, json, jsonOrNull, projectBody } from "./envelope.ts";

/** Services by their ids. */
export async function serviceViews(
  context: ZenmlContext,
  call: Pick<ZenmlCall, "isOld">,
  { rows, hydrate }: { rows: readonly ServiceRow[]; hydrate: boolean },
): Promise<Map<string, object>> {
  const shown = context.viewContext(call);
  const related = context.relatedFor(call);
  const [users, runs, versions] = await Promise.all([
    related.users(rows.map((row) => row.user_id)),
    related.runs(rows.map((row) => row.pipeline_run_id)),
    related.modelVersions(rows.map((row) => row.model_version_id)),
  ]);
  const view = (row: ServiceRow): object =>
    entity(row, {
      body: {
        ...projectBody(row, shown),
        service_type: json(row.service_type_json),
        labels: jsonOrNull(row.labels_json),
        state: row.state,
      },
      metadata: hydrate
        ? {
            service_source: row.service_source,
            admin_state: row.admin_state,
            config: json(row.config_json),
            status: jsonOrNull(row.status_json),
            endpoint: jsonOrNull(row.endpoint_json),
            prediction_url: row.prediction_url || null,
            health_check_url: row.health_check_url,
          }
        : null,
      resources: {
        user: users.get(row.user_id ?? "") ?? null,
        pipeline_run: runs.get(row.pipeline_run_id ?? "") ?? null,
        model_version: versions.get(row.model_version_id ?? "") ?? null,
      },
    });
  return new Map(rows.map((row) => [row.id, view(row)]));
}
